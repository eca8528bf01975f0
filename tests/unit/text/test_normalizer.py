import json
import string
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.unit.text.growth import linear
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from khabar.errors import ConfigError, DataError
from khabar.text import normalizer
from khabar.text.presets import EMAIL, MENTION, URL

SENTENCES = (
    "قال المتحدث باسم الهيئة إن الطريق الساحلي سيفتح أمام السيارات في نهاية الشهر",
    "عقد الوزراء اجتماعا طارئا لبحث أسعار القمح بعد موسم جاف في الشمال",
    "تظاهر العشرات أمام البلدية احتجاجا على انقطاع المياه عن الحي القديم",
    "وقعت الشركتان اتفاقا لبناء محطة للطاقة الشمسية قرب الميناء",
    "رفض النائب مشروع القانون وأيدته الكتلة المعارضة في الجلسة الأولى",
)
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def _vocab():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=600, special_tokens=[*SPECIAL, URL, EMAIL, MENTION], show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    vocab = tokenizer.get_vocab()
    known = sorted(vocab, key=vocab.__getitem__)
    letters = [chr(code) for code in range(0x21, 0x7F)] + [chr(code) for code in range(0x621, 0x66D)]
    letters += [*"«»“”‘’…–—·؟؛،", "😀", "❤"]
    return known + [piece for char in letters for piece in (char, f"##{char}") if piece not in vocab]


VOCAB = _vocab()


@pytest.fixture(scope="module")
def news():
    return normalizer.from_vocab(VOCAB, "arabert_v02")


@pytest.fixture(scope="module")
def tweets():
    return normalizer.from_vocab(VOCAB, "arabert_v02_twitter")


def words(tokenizer, text):
    """The text rejoined from its tokens, one space between words."""
    return " ".join(normalizer.encode(tokenizer, text).tokens).replace(" ##", "")


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("مُحَمَّدٌ", "محمد"),
        ("جمـــــيل", "جميل"),
        ("انظر https://example.org/a?b=ج الآن", f"انظر {URL} ج الآن"),
        ("www.example.net", URL),
        ("راسل me@example.org اليوم", f"راسل {URL} اليوم"),  # as AraBERT saw it
        ("راسل ناشر@موقع.شبكة اليوم", f"راسل {EMAIL} اليوم"),
        ("شكرا @محرر_1", f"شكرا {MENTION}"),
        ("قبل<br />بعد", "قبل بعد"),
        ("<p class='x'>نص</p>", "نص"),
        ("عام ٢٠١٥", "عام 2015"),
        ("هههههههه", "هه"),
        ("مهم!!!!!", "مهم ! !"),
        ("1111", "1111"),
        ("12كم", "12 كم"),
        ("كم12", "كم 12"),
        ("كم12كم", "كم 12 كم"),
        ("كم12كم34y", "كم 12 كم 34y"),
        ("abc12كم", "abc 12 كم"),
        ("x12y", "x12y"),
        ("3/4", "3 - 4"),
        ("خبر中国😀", "خبر"),
        ("«نص»،آخر.", "« نص » ، آخر ."),
        ("a &amp;lt; b", "a lt ; b"),
        ("&lt;b&gt;نص&lt;/b&gt;&nbsp;&quot;ثم&quot; &#39;", 'نص " ثم " \''),
        ("[رابط]", URL),
        ("قل[مستخدم]نعم", f"قل {MENTION} نعم"),
    ],
)
def test_what_the_news_preset_does(news, raw, clean):
    assert words(news, raw) == clean


def test_the_tweet_preset_keeps_emoji(news, tweets):
    assert words(tweets, "خبر😀❤️") == "خبر 😀 ❤"
    assert words(news, "خبر😀❤️") == "خبر"


def test_none_is_plain_bert():
    plain = normalizer.from_vocab(VOCAB, "none")
    assert words(plain, "3/4 a.b") == "3 / 4 a . b"
    assert words(plain, "هههه") == "هههه"


def test_long_tags_stay(news):
    assert words(news, "<" + "ab" * 499 + "c>د") == "د"
    long = normalizer.encode(news, "<" + "a b " * 300 + ">د")
    assert long.tokens[0] == "<"
    assert long.tokens[-2:] == [">", "د"]


@pytest.mark.parametrize(
    ("raw", "token", "span"),
    [
        ("انظر http://example.org/خبر هنا", URL, "http://example.org/"),
        ("انظر www.example.org/a?b=1، ثم", URL, "www.example.org/a?b=1"),
        ("ل ناشر@موقع.شبكة.", EMAIL, "ناشر@موقع.شبكة."),
        ("من @محرر_1: نعم", MENTION, "@محرر_1"),
    ],
)
def test_a_stand_in_spans_all_it_stands_for(news, raw, token, span):
    encoding = normalizer.encode(news, raw)
    start, end = encoding.offsets[encoding.tokens.index(token)]
    assert raw[start:end].startswith(span.rstrip("."))
    assert start == raw.index(span[:3])


def test_a_word_spans_its_marks_and_its_lengthening(news):
    raw = "قال المُتَحـــدِّث راااااائع"
    encoding = normalizer.encode(news, raw)
    at = {}
    for word, (start, end) in zip(encoding.word_ids, encoding.offsets, strict=True):
        first, _ = at.get(word, (start, end))
        at[word] = (first, end)
    assert [raw[start:end] for start, end in at.values()] == raw.split()


PIECES = st.sampled_from(
    [
        *("خبر", "في", "قال", "ـــ", "ُّ", "هههه", "!!!!", "12", "٣", "كم", " ", "\n", "\u00a0", ".", "؟", "/"),
        *("[", "]", "@", "<", ">", "<br />", "<b>", "&amp;", "&lt;", "&quot;", "&", "http", "://", "https://", "www"),
        *("www.a", ".com", "a@b.c", "x.co", "@ن", URL, EMAIL, "[SEP]"),
        *("😀", "❤️", "中", "é", "\u200d", "\ufdd0", "\ufdd1", "A", "z-"),
    ]
)  # fmt: skip
TEXTS = st.lists(st.one_of(PIECES, st.characters(exclude_categories=["Cs"])), max_size=30).map("".join)


@given(TEXTS)
@example("\ufdd0")
@example("a\ufdd0b://c")
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_offsets_are_non_empty_ordered_and_inside_the_raw_text(news, tweets, text):
    for tokenizer in (news, tweets):
        end = 0
        encoding = tokenizer.encode(text, add_special_tokens=False)
        for token, (start, stop) in zip(encoding.tokens, encoding.offsets, strict=True):
            assert end <= start < stop <= len(text), (token, encoding.offsets)
            end = stop


@given(
    before=st.sampled_from(["", "قال ", "خبر\n", "«نص» ", "مُهِمّ ", "😀 ", "راااائع "]),
    url=st.tuples(
        st.sampled_from(["http://", "https://", "https://www."]),
        st.text(string.ascii_lowercase, min_size=3, max_size=12),
        st.sampled_from([".com", ".org", ".net"]),
        st.text(string.ascii_letters + string.digits + "/_.-?=", max_size=20).map(lambda path: f"/{path}"),
    ).map("".join),
    after=st.sampled_from(["", " هنا", "\nثم", " «نص»", " ٢٠١٥"]),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_url_is_one_token_that_spans_it_whole(news, before, url, after):
    text = before + url + after
    encoding = normalizer.encode(news, text)
    spans = [
        text[start:end] for token, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True) if token == URL
    ]
    assert spans == [url]


@pytest.mark.parametrize(
    "unit",
    [
        *("<", "<a", "<>", "a@a@", "@a", "a@a.", "http", "@http://aaaa", "www", "://", ".", "a.", "a.com", "X.comY"),
        *("ـ", "َ", "ا", "اب", "ab", "1", "1ا", "!", " ", "\n", "&amp;", "😀", "\ufdd0", "a-b.c", "a.bcه"),
    ],
)
def test_time_grows_with_the_text_and_no_faster(news, unit):
    linear(news.encode, unit, 8_000)


def test_a_megabyte_of_open_brackets_takes_seconds(news):
    start = time.process_time()
    assert news.encode("<" * 1_000_000).tokens == ["[CLS]", "<", "<", "[SEP]"]
    assert time.process_time() - start < 10


def test_the_vocabulary_never_grows():
    small = [token for token in VOCAB if token not in (EMAIL, MENTION)]
    tokenizer = normalizer.from_vocab(small, "arabert_v02")
    assert tokenizer.get_vocab_size(with_added_tokens=True) == len(small)
    assert normalizer.encode(tokenizer, "@x").tokens[0] == "["


def test_pairs_follow_bert(news):
    pair = news.encode("قال المتحدث", "رفض النائب")
    assert pair.tokens[0] == "[CLS]"
    assert [pair.tokens[i] for i in range(len(pair.tokens)) if pair.special_tokens_mask[i]] == [
        "[CLS]",
        "[SEP]",
        "[SEP]",
    ]
    first_sep = pair.tokens.index("[SEP]")
    assert pair.type_ids == [0] * (first_sep + 1) + [1] * (len(pair.ids) - first_sep - 1)


def test_install_replaces_whatever_was_there(news):
    hub = Tokenizer.from_str(normalizer.from_vocab(VOCAB, "none").to_str())
    hub.add_special_tokens([URL])  # normalized=False, as some hub files have it
    hub.enable_truncation(8)
    hub.enable_padding(length=8)
    text = "مُهم@!! see http://example.org 12كم [رابط] " + " ".join(SENTENCES)
    assert normalizer.install(hub, "arabert_v02").encode(text).ids == news.encode(text).ids
    assert hub.truncation is not None  # the one given is left alone
    assert normalizer.install(hub, "none").encode("3/4").tokens == ["[CLS]", "3", "/", "4", "[SEP]"]


def test_a_text_of_nothing_is_an_error_with_a_name(news):
    for text in ("", "  \n", "😀😀", "َُِ", "<b></b>"):
        with pytest.raises(normalizer.EmptyTextError, match="leaves no token"):
            normalizer.encode(news, text)
    assert issubclass(normalizer.EmptyTextError, DataError)


def test_errors_name_what_is_wrong(tmp_path):
    with pytest.raises(ConfigError, match="Did you mean 'none'"):
        normalizer.from_vocab(VOCAB, "non")
    with pytest.raises(DataError, match=r"lacks \[MASK\]"):
        normalizer.from_vocab(SPECIAL[:-1], "none")
    with pytest.raises(DataError, match="'خبر' more than once"):
        normalizer.from_vocab([*SPECIAL, "خبر", "خبر"], "none")
    with pytest.raises(DataError, match="can't be read"):
        normalizer.from_vocab(tmp_path / "vocab.txt", "none")
    with pytest.raises(DataError, match="There is no tokenizer"):
        normalizer.load(tmp_path)
    (tmp_path / "tokenizer.json").write_text('{"model": 1}')
    with pytest.raises(DataError, match="is not a tokenizer"):
        normalizer.load(tmp_path)


def test_a_vocab_file_is_read_line_by_line(tmp_path, news):
    path = tmp_path / "vocab.txt"
    path.write_text("".join(f"{token}\n" for token in VOCAB), encoding="utf-8")
    assert normalizer.from_vocab(path, "arabert_v02").to_str() == news.to_str()
    assert normalizer.from_vocab(str(path), "arabert_v02").to_str() == news.to_str()


@pytest.mark.parametrize("preset", ["arabert_v02", "arabert_v02_twitter", "none"])
@pytest.mark.filterwarnings("ignore")  # of transformers' own imports
def test_a_saved_folder_serves_plain_autotokenizer(tmp_path, preset):
    from transformers import AutoTokenizer

    tokenizer = normalizer.from_vocab(VOCAB, preset)
    normalizer.save(tokenizer, tmp_path / "new", max_length=128)
    assert json.loads((tmp_path / "new" / "tokenizer_config.json").read_text())["model_max_length"] == 128
    again = normalizer.load(tmp_path / "new")
    auto = AutoTokenizer.from_pretrained(tmp_path / "new")
    assert auto.model_max_length == 128
    assert (auto.pad_token, auto.cls_token, auto.mask_token_id) == ("[PAD]", "[CLS]", tokenizer.token_to_id("[MASK]"))
    asked = "الجهة: الناشر | الهدف: [الطريق]"
    for text in (*SENTENCES, "انظر http://example.org و[رابط] 12كم", "[SEP] ن[MASK]ص [SِEP]", "a@b.c راااائع 😀 é中"):
        for left, right in ((text, None), (asked, text)):
            expected = tokenizer.encode(left, right)
            assert again.encode(left, right).ids == expected.ids
            served = auto(left, right)
            assert served["input_ids"] == expected.ids
            assert served["token_type_ids"] == expected.type_ids
            assert served["attention_mask"] == expected.attention_mask
    batch = auto([*SENTENCES], padding=True)
    assert {len(row) for row in batch["input_ids"]} == {max(len(row) for row in batch["token_type_ids"])}


@pytest.mark.filterwarnings("ignore")  # of transformers' own imports
def test_autotokenizer_can_save_what_it_loaded(tmp_path, news):
    from transformers import AutoTokenizer

    normalizer.save(news, tmp_path / "one", max_length=64)
    AutoTokenizer.from_pretrained(tmp_path / "one").save_pretrained(tmp_path / "two")
    text = "مُهم http://example.org 12كم [رابط] راااائع [SِEP]"
    assert normalizer.load(tmp_path / "two").encode(text).ids == news.encode(text).ids
    assert AutoTokenizer.from_pretrained(tmp_path / "two")(text)["input_ids"] == news.encode(text).ids


def test_no_heavy_import():
    code = (
        "import sys, khabar.text.normalizer, khabar.text.sentences; "
        "print([name for name in ('torch', 'transformers', 'mlflow', 'hydra') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
