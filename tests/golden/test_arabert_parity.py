"""The ids of the arabert package followed by a plain BERT tokenizer, against the presets compiled into one."""

import importlib.util
import os
import re
from pathlib import Path

import pytest

from khabar.text import normalizer
from khabar.text.presets import URL

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("KHABAR_DATA", ROOT / "../shared/data"))
PRESETS = ("arabert_v02", "arabert_v02_twitter")

# arabert's source holds invalid escapes, and so does pyarabic's
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("bench_normalizer", ROOT / "scripts" / "bench" / "normalizer.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def hostile(bench):
    return list(bench.hostile(5_000, seed=1))


@pytest.fixture(scope="module")
def vocab(bench, hostile):
    from arabert.preprocess import ArabertPreprocessor

    reference = ArabertPreprocessor(bench.MODELS["arabert_v02_twitter"])
    return bench.train_vocab((reference.preprocess(text) for text in hostile), 4_000)


@pytest.fixture(scope="module", params=PRESETS)
def pair(request, bench, vocab):
    """The reference's ids of a text, and ours."""
    from arabert.preprocess import ArabertPreprocessor

    reference, plain = ArabertPreprocessor(bench.MODELS[request.param]), bench.plain_bert(vocab)
    ours = normalizer.from_vocab(vocab, request.param)
    return lambda text: plain.encode(reference.preprocess(text)).ids, lambda text: ours.encode(text).ids


def differing(pair, texts):
    expected, found = pair
    return [text for text in texts if expected(text) != found(text)]


def test_hostile_strings(pair, hostile):
    assert len(hostile) == 5_000
    assert differing(pair, hostile) == []


def test_the_hostile_strings_reach_every_rule(hostile, bench):
    from arabert.preprocess import ArabertPreprocessor

    cleaned = " ".join(map(ArabertPreprocessor(bench.MODELS["arabert_v02"]).preprocess, hostile))
    for token in ("[رابط]", "[بريد]", "[مستخدم]"):
        assert cleaned.count(token) > 500
    everything = "\n".join(hostile)
    for pattern in (r"<[^<>]+>", r"<br />", r"(\D)\1\1", r"[0-9][ء-ي]", r"[ء-ي][0-9]", "[٠-٩]", "[ـًٌٍَُِّْ]", "[😀❤]"):
        assert len(re.findall(pattern, everything)) > 100, pattern


def test_every_character_alone_and_between_letters(pair, bench):
    import unicodedata

    chars = [char for char in map(chr, range(0x3100)) if unicodedata.category(char) not in bench.UNWANTED]
    chars += [chr(code) for code in range(0xFB50, 0x10000) if unicodedata.category(chr(code)) not in bench.UNWANTED]
    chars += [chr(code) for code in range(0x1F000, 0x1FB00) if unicodedata.category(chr(code)) not in bench.UNWANTED]
    texts = [bench.unescape(form) for char in chars for form in (char, f"ا{char}ب", f"1{char}ا", f"a{char}@b{char}c.d")]
    assert differing(pair, texts) == []


def test_the_six_entities_need_no_unescaping(pair):
    texts = (
        "شركة &quot;س&amp;ص&quot; &#39;نعم&#39;",
        "&lt;b&gt;نص&lt;/b&gt;&nbsp;آخر&lt;br /&gt;ثم",
        "http://example.org/?a=1&amp;b=2",
        "ا&nbsp;&nbsp;&nbsp;ب",
        "&amp;lt;b&amp;gt;",  # decoded once, there and here
    )
    assert differing(pair, texts) == []


@pytest.mark.parametrize(
    "text", ["&copy;خبر", "&eacute;", "&#1582;بر", "&laquo;خبر", "س &amp ص", "خبر <" + "ا ب " * 300 + "> آخر"]
)
def test_the_differences_kept_on_purpose_are_those_documented(pair, text):
    assert differing(pair, [text]) == [text]
    page = (ROOT / "docs" / "normalisation.md").read_text(encoding="utf-8")
    assert "over 1,000 characters" in page
    assert "Other HTML entities" in page


def test_no_exponential_time(vocab):
    ours = normalizer.from_vocab(vocab, "arabert_v02")
    text = "@http://" + "a" * 50_000 + "!"  # arabert's second URL pattern doubles its time with each letter
    assert ours.encode(text).tokens == ["[CLS]", "@", URL, "!", "[SEP]"]


@pytest.mark.real_data
def test_news_and_tweets(pair, bench):
    if not (DATA / "saudinewsnet").is_dir() or not (DATA / "mawqif").is_dir():
        pytest.skip(f"saudinewsnet and mawqif are not under KHABAR_DATA ({DATA})")
    texts = bench.paragraphs(DATA, 1_000) + bench.tweets(DATA)
    assert len(texts) > 4_000
    assert differing(pair, texts) == []
