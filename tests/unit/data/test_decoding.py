import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khabar.data import decoding, rows
from khabar.data.decoding import decode, detect, encoding_of, sniff
from khabar.data.problems import Problems
from khabar.errors import DataError

TEXT = "أعلن المجلس البلدي، أمس، افتتاح «الجسر الجديد» في القرية.\n"
LETTERS = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي"
ARABIC = st.characters(min_codepoint=0x0620, max_codepoint=0x06FF, exclude_categories=("Cn",))
ASCII = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
WORDS = st.text(ARABIC | ASCII, min_size=1)
# what cp1256 has: letters and marks, with ASCII apart from them
CP1256 = st.lists(st.text(LETTERS + "ًٌٍَُِّْـ", min_size=1) | st.sampled_from(["12.5", "(BBC)", "{}", "،", "؟"]), min_size=1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@given(text=WORDS)
def test_any_arabic_text_comes_back_from_unicode(encoding, text):
    assert decode(text.encode(encoding), "a") == (text, encoding)


@given(start=st.sampled_from(["في", "قال", "ظهر", "طط"]), words=CP1256)
def test_any_arabic_text_comes_back_from_windows_1256(start, words):
    text = " ".join([start, *words])
    assert decode(text.encode("cp1256"), "a") == (text, "cp1256")


@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t")))
def test_any_utf8_is_utf8(text):
    if not text.startswith("\ufeff"):
        assert decode(text.encode(), "a") == (text, "utf-8")


def test_big_endian_with_its_order_mark():
    assert decode(b"\xfe\xff" + TEXT.encode("utf-16-be"), "a") == (TEXT, "utf-16")


def test_an_empty_file_and_ascii_are_utf8():
    assert decode(b"", "a") == ("", "utf-8")
    assert decode(b'{"text": 1}', "a") == ('{"text": 1}', "utf-8")


@pytest.mark.parametrize("block", [1, 2, 3, 7])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1256"])
def test_blocks_may_cut_a_character_in_two(monkeypatch, encoding, block):
    file = io.BytesIO((TEXT * 3).encode(encoding))
    head = decoding._marked(file.getvalue())
    monkeypatch.setattr(decoding, "BLOCK", block)
    monkeypatch.setattr(decoding, "_marked", lambda _: head)
    assert detect(file, "a") == encoding
    assert file.tell() == 0


@pytest.mark.parametrize("bad", [b"\xe9", b"\xff", b"\xc3("])
@pytest.mark.parametrize("block", [1000, 1 << 20])
def test_a_bad_byte_in_utf8_is_named_wherever_it_comes(monkeypatch, bad, block):
    monkeypatch.setattr(decoding, "BLOCK", block)
    good = (TEXT * 50).encode()
    with pytest.raises(DataError) as error:
        decode(good + bad + good, "rows.jsonl")
    assert f"rows.jsonl:51: not UTF-8 (the byte at offset {len(good):,}: " in str(error.value)
    assert "as Windows-1256 2% of it would be Arabic letters" in str(error.value)
    assert "iconv" in str(error.value)


@pytest.mark.parametrize("text", ["El niño comió aquí más allá", "été à la forêt", "Größe über Straße"])
def test_a_western_encoding_is_not_taken_for_arabic(text):
    with pytest.raises(DataError, match=r"a:1: not UTF-8 \(the byte at offset"):
        decode(text.encode("latin-1"), "a")


def test_utf16_that_breaks_off():
    with pytest.raises(DataError, match=r"a begins as utf-16-le and does not go on so \(the byte at offset 114:"):
        decode(TEXT.encode("utf-16-le")[:-1], "a")


def test_pictures_are_no_text():
    with pytest.raises(DataError, match="not UTF-8"):
        decode(bytes(range(128, 256)) * 20, "a.png")


def test_the_head_of_a_stream_decides_what_can_be_decided():
    raw = TEXT.encode()
    assert sniff(raw[:5]) == "utf-8"  # cut in a character
    assert sniff(b"") == "utf-8"
    assert sniff(TEXT.encode("cp1256")) == "cp1256"
    assert sniff(TEXT.encode("utf-16")) == "utf-16"
    assert sniff(raw + b"\xe9") == "utf-8"  # the reader will say where it breaks


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1256"])
def test_objects_are_read_from_every_encoding_and_all_but_plain_utf8_is_said(tmp_path, encoding):
    path = tmp_path / "a.jsonl"
    made = [{"text": TEXT, "n": number} for number in range(3)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made)
    path.write_bytes(lines.encode(encoding))
    problems = Problems()
    told = "Windows-1256 (cp1256)" if encoding == "cp1256" else encoding
    assert list(rows.objects(path, problems)) == made
    assert problems.notes == ({} if encoding == "utf-8" else {f"a.jsonl read as {told}": 1})
    assert encoding_of(path) == encoding


def test_objects_of_a_file_that_breaks_late_name_the_line(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "a"}\n' * 1000 + b'{"text": "\xe9"}\n')
    with pytest.raises(DataError, match=r"a.jsonl:1001: not UTF-8"):
        list(rows.objects(path, Problems()))
