"""Compares khabar's normalising tokenizer with ArabertPreprocessor followed by a plain BertTokenizer, ids and speed.

    python scripts/bench/normalizer.py              # 2,000 paragraphs, the tweets, 5,000 hostile strings
    python scripts/bench/normalizer.py --full       # 20,000 paragraphs, the tweets, 100,000 hostile strings

Reads saudinewsnet and mawqif under KHABAR_DATA (default ../shared/data); needs the extra `khabar[dev]`. Texts are
html-unescaped until nothing changes; the vocabulary is trained on what ArabertPreprocessor makes of them. Ends with 1
if the ids of any text differ.
"""

import argparse
import csv
import html
import itertools
import json
import logging
import os
import random
import sys
import time
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from arabert.preprocess import ArabertPreprocessor
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import BertTokenizer

from khabar.text import normalizer
from khabar.text.presets import EMAIL, MENTION, URL

MODELS = {"arabert_v02": "bert-base-arabertv02", "arabert_v02_twitter": "bert-base-arabertv02-twitter"}
STRIPPED = "ـًٌٍَُِّْ"
UNWANTED = ("Cn", "Cs", "Cc", "Co")
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

PIECES = (
    *"ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأؤإئةىپچژگیک",
    *"aAbzZwht.comWHT0123456789٠١٣٩۰۳",
    *" \n\t\u00a0\u2003\u3000\u2028\u200b\u200d\u200f\ufeff\ufe0f",
    *"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~«»“”‘’…–—،؛؟٪٫٬·ـ୍ۚ",
    *"ًٌٍَُِّْٰٕٓٔٱ",
    *"😀❤👍🏽🇸🇦👨⃣ℹ中国éßΩд१Ⅳ½²㊙",
    *("http", "https://", "http://", "://", "www", "www.", ".com", ".net", ".sa", "x.co", "ftp://"),
    *("news.example.org/a?b=1", "a@b.c", "me@mail.example", "@someone", "@مستخدم", "@", "@@"),
    *("خبر", "في", "المملكة", "ال", "الخبر"),
    *("<br />", "<br>", "</p>", "<a href='x'>", "<", ">", "<>", "</", "<<", "&", ";", "amp", "lt"),
    *(URL, EMAIL, MENTION, "[", "]", "رابط", "[ رابط ]", "[SEP]", "[CLS]", "[MASK]", "[UNK]", "##", "[[رابط]]"),
    *("ههههه", "!!!!", "....", "aaaa", "ـــ", "   ", "\n\n\n", "1111", "٢٠١٥", "12abc", "3.5", "1ا2ب", "ا1ب"),
    *("x.comY.com", "X.comY", "12ابج34y", "ابج12دهو34y"),
)  # fmt: skip


def unescape(text: str) -> str:
    """Decode HTML entities until nothing changes."""
    while (decoded := html.unescape(text)) != text:
        text = decoded
    return text


def hostile(count: int, seed: int = 0) -> Iterator[str]:
    """Texts made to break a normaliser: joined pieces of every rule, and any character this Python knows.

    Left out are control and private-use characters, and "@http://", "@https://" and "@ftp://", after which
    ArabertPreprocessor needs exponential time.
    """
    draw = random.Random(seed)
    anything = [char for char in map(chr, range(0x110000)) if unicodedata.category(char) not in UNWANTED]
    made = 0
    while made < count:
        wild = draw.random() < 0.2
        length = draw.randint(1, 40)
        pieces = [
            draw.choice(anything)
            if wild and draw.random() < 0.3
            else draw.choice(PIECES) * draw.choice((1, 1, 1, 2, 3))
            for _ in range(length)
        ]
        text = unescape("".join(pieces))
        if not _never_ends(text):
            made += 1
            yield text


def _never_ends(text: str) -> bool:
    bare = "".join(char for char in text if char not in STRIPPED)
    return any(start in bare for start in ("@http://", "@https://", "@ftp://"))


def paragraphs(data: Path, count: int) -> list[str]:
    """The first paragraphs of saudinewsnet."""

    def read() -> Iterator[str]:
        for path in sorted((data / "saudinewsnet").glob("*.zip")):
            with zipfile.ZipFile(path) as archive:
                for name in sorted(archive.namelist()):
                    if name.endswith(".json") and not name.startswith("__MACOSX"):
                        for article in json.loads(archive.read(name)):
                            yield from (line for line in article["content"].split("\n") if line.strip())

    return [unescape(text) for text in itertools.islice(read(), count)]


def tweets(data: Path) -> list[str]:
    """All training tweets of mawqif."""
    with (data / "mawqif" / "Mawqif_AllTargets_Train.csv").open(encoding="utf-8-sig", newline="") as file:
        return [unescape(row["text"]) for row in csv.DictReader(file)]


def train_vocab(texts: Iterable[str], size: int) -> list[str]:
    """A WordPiece vocabulary of cleaned texts, the special tokens and the stand-ins first."""
    learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    learner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=[*SPECIAL, URL, EMAIL, MENTION], limit_alphabet=3000, show_progress=False
    )
    learner.train_from_iterator(texts, trainer)
    vocab = learner.get_vocab()
    return sorted(vocab, key=lambda token: vocab[token])


def plain_bert(vocab: list[str]) -> Tokenizer:
    """The tokenizer that AraBERT's own users run after ArabertPreprocessor, without the overhead of its Python side."""
    ids = {token: index for index, token in enumerate(vocab)}
    bert = BertTokenizer(vocab=ids, do_lower_case=False, strip_accents=False, tokenize_chinese_chars=True)
    bert.add_tokens([URL, EMAIL, MENTION])
    return bert.backend_tokenizer


def main() -> int:
    """Print one line a comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="20,000 paragraphs and 100,000 hostile strings")
    parser.add_argument("--seed", type=int, default=0, help="of the hostile strings")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    data = Path(os.environ.get("KHABAR_DATA", "../shared/data"))
    news, short = paragraphs(data, 20_000 if options.full else 2_000), tweets(data)
    strange = list(hostile(100_000 if options.full else 5_000, options.seed))

    keeps_emoji = ArabertPreprocessor(MODELS["arabert_v02_twitter"])
    vocab = train_vocab((keeps_emoji.preprocess(text) for text in (*news, *short)), 16_000)
    plain = plain_bert(vocab)
    mismatches = 0
    for preset, name, texts in (
        ("arabert_v02", "paragraphs", news),
        ("arabert_v02", "tweets", short),
        ("arabert_v02", "hostile strings", strange),
        ("arabert_v02_twitter", "tweets", short),
        ("arabert_v02_twitter", "hostile strings", strange),
    ):
        reference, ours = ArabertPreprocessor(MODELS[preset]), normalizer.from_vocab(vocab, preset)
        start = time.perf_counter()
        expected = [plain.encode(reference.preprocess(text)).ids for text in texts]
        middle = time.perf_counter()
        found = [ours.encode(text).ids for text in texts]
        end = time.perf_counter()
        differing = [text for text, left, right in zip(texts, expected, found, strict=True) if left != right]
        mismatches += len(differing)
        print(
            f"{preset:19}  {name:15}  {len(texts):7,} compared  {len(differing)} differ  "
            f"{(middle - start) / (end - middle):.2f} times the speed ({len(texts) / (end - middle):,.0f}/s)"
        )
        for text in differing[:3]:
            print(f"    {text!r}")
    return int(mismatches > 0)


if __name__ == "__main__":
    sys.exit(main())
