"""The encoding of a file of Arabic text: UTF-8 or UTF-16, and Windows-1256 where it can be neither.

UTF-8 proves itself, for other bytes are not valid by chance. UTF-16 has a byte order mark, or else the high bytes of
Arabic and ASCII (06 and 00), which no other text holds. What is left is Windows-1256 if it then reads as Arabic.
"""

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from khabar.data.problems import Problems
from khabar.errors import DataError

PLAIN = "utf-8"  # the one encoding that need not be told to the user
BLOCK = 1 << 20
ARABIC = 0.7  # share of Arabic letters among what decides: about 0.95 in Windows-1256, 0 in broken UTF-8

_LETTERS = bytes(byte for byte in range(256) if "ء" <= bytes([byte]).decode("cp1256") <= "ے")
_NEUTRAL = bytes(range(128)) + "،؛؟«»“”‘’‚„–—…•·\u00a0\u200c\u200d\u200e\u200f".encode("cp1256")  # in any text
# an accented letter of a Western encoding is mistaken for an Arabic one, but stands among ASCII letters
_WORD = re.compile(rb"(?<![A-Za-z])[" + re.escape(_LETTERS) + rb"]++(?![A-Za-z])")
_UTF8 = re.compile(rb"[\xd8-\xdb][\x80-\xbf]")  # an Arabic letter in UTF-8


def decode(raw: bytes, name: str) -> tuple[str, str]:
    """The text and its encoding: "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be" or "cp1256".

    Raises:
        DataError: as `detect`; it calls the bytes `name`.
    """
    encoding = detect(io.BytesIO(raw), name)
    return raw.decode(encoding), encoding


def encoding_of(path: Path, problems: Problems | None = None) -> str:
    """The encoding of a file, read once in blocks to be sure; `problems` take a note of any but plain UTF-8.

    Raises:
        DataError: as `detect`.
    """
    with path.open("rb") as file:
        encoding = detect(file, path.name)
    if problems is not None and encoding != PLAIN:
        problems.note(f"{path.name} read as {told(encoding)}")
    return encoding


def told(encoding: str) -> str:
    """An encoding as a user knows it."""
    return "Windows-1256 (cp1256)" if encoding == "cp1256" else encoding


def detect(file: BinaryIO, name: str) -> str:
    """The encoding of all that a seekable file holds from here on; the position is left where it was.

    Raises:
        DataError: it is none that khabar reads; the message says what was tried, and which byte stands against it.
    """
    start = file.tell()
    encoding = _marked(file.read(BLOCK))
    file.seek(start)
    fault = _fault(_blocks(file), encoding)
    file.seek(start)
    if fault is None:
        return encoding
    offset, line, reason = fault
    byte = f"the byte at offset {offset:,}: {reason}"
    if encoding == PLAIN:
        share = _arabic(_blocks(file))
        file.seek(start)
        if share >= ARABIC:
            return "cp1256"
        tried = f"{name}:{line}: not UTF-8 ({byte}); as Windows-1256 {share:.0%} of it would be Arabic letters"
    else:
        tried = f"{name} begins as {encoding} and does not go on so ({byte})"
    raise DataError(f"{tried}. Save it as UTF-8: iconv -f ITS-ENCODING -t UTF-8")


def sniff(head: bytes) -> str:
    """The encoding of a stream by its first bytes, where the rest can't be read twice; UTF-8 if they don't decide."""
    encoding = _marked(head)
    if encoding == PLAIN and _fault([head], PLAIN, final=False) and _arabic([head]) >= ARABIC:
        return "cp1256"
    return encoding


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


def _marked(head: bytes) -> str:
    """The encoding by byte order mark or by the high bytes of UTF-16, else UTF-8."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        high = head[first::2]
        if 2 * sum(map(high.count, (b"\x00", b"\x06"))) > len(high):
            return encoding
    return PLAIN


def _fault(blocks: Iterable[bytes], encoding: str, *, final: bool = True) -> tuple[int, int, str] | None:
    """The first byte that can't be decoded: its offset, its line (in UTF-8) and the reason; None if all can."""
    decoder = codecs.getincrementaldecoder(encoding)()
    offset, line = 0, 1
    try:
        for block in blocks:
            pending, _ = decoder.getstate()
            offset -= len(pending)  # bytes of a character that the last block cut in two
            line += decoder.decode(block).count("\n")
            offset += len(pending) + len(block)
        pending, _ = decoder.getstate()
        offset -= len(pending)
        if final:
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return offset + error.start, line + error.object[: error.start].count(b"\n"), error.reason
    return None


def _arabic(blocks: Iterable[bytes]) -> float:
    """The share of Arabic letters and marks among the characters that decide, were it all Windows-1256."""
    letters = deciding = 0
    for block in blocks:
        letters += sum(map(len, _WORD.findall(_UTF8.sub(b" ", block))))
        deciding += len(block.translate(None, _NEUTRAL))
    return letters / deciding if deciding else 0.0
