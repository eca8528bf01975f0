r"""What each preset does to raw text, as data: an ordered list of replacements, word breaks and stand-in tokens.

The patterns are Oniguruma's (what `tokenizers` runs), they match Unicode code points, and every one of them takes time
linear in the text. Python's `\w`, `\s`, `\d` and `\b` differ from Oniguruma's and are written out as classes.
"""

from dataclasses import dataclass

from khabar.errors import ConfigError
from khabar.registry import suggest

URL, EMAIL, MENTION = "[رابط]", "[بريد]", "[مستخدم]"


@dataclass(frozen=True)
class Replace:
    """Puts `content` in the place of every match of `pattern`."""

    pattern: str
    content: str


@dataclass(frozen=True)
class StandIn:
    r"""Puts ` token ` in the place of every match of `pattern`, which says `\K` after the match's first character.

    That mark lets the token keep the offsets of the whole match: its first half is aligned to the first character, its
    second half to the last one.
    """

    pattern: str
    token: str


@dataclass(frozen=True)
class Preset:
    """The steps of a normalisation in their order; empty `steps` leave the tokenizer as it is.

    Attributes:
        name: how a configuration asks for it.
        steps: what happens to the text.
        breaks: patterns whose matches become words of their own, before BERT's own whitespace and punctuation rule.
        tokens: stand-ins that are one token wherever the vocabulary holds them.
    """

    name: str
    steps: tuple[Replace | StandIn, ...] = ()
    breaks: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()


SPACE = r"\x{09}-\x{0D}\x{1C}-\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"
WORD = r"\p{L}\p{N}_"
LETTER = r"\x{0621}-\x{063A}\x{0641}-\x{064A}"  # the Arabic letters that stay glued to each other
HOST = r"\-a-zA-Z0-9@:%._+~#="
LONGEST_TAG = 1000

# Besides ASCII letters, digits and LETTER: what AraBERT v0.2 was trained to see.
KEPT = (
    r"a-zA-Z0-9 !-%'-.:-@\[-`{-~\x{AB}\x{B7}\x{BB}\x{060C}\x{061B}\x{061F}\x{0621}-\x{063A}\x{0640}-\x{066C}"
    r"\x{0671}-\x{0674}\x{06DA}\x{0B4D}\x{2013}\x{2014}\x{2018}\x{2019}\x{201C}\x{201D}\x{2026}"
)

# The code points of the emoji sequences of emoji 1.4.2 (Emoji 13.1) that BERT's own cleaning lets through; joiners,
# variation selectors and tag letters are not tokens.
_EMOJI_SPANS = """
A9 AE 203C 2049 20E3 2122 2139 2194-2199 21A9-21AA 231A-231B 2328 23CF 23E9-23F3 23F8-23FA 24C2 25AA-25AB 25B6 25C0
25FB-25FE 2600-2604 260E 2611 2614-2615 2618 261D 2620 2622-2623 2626 262A 262E-262F 2638-263A 2640 2642 2648-2653
265F-2660 2663 2665-2666 2668 267B 267E-267F 2692-2697 2699 269B-269C 26A0-26A1 26A7 26AA-26AB 26B0-26B1 26BD-26BE
26C4-26C5 26C8 26CE-26CF 26D1 26D3-26D4 26E9-26EA 26F0-26F5 26F7-26FA 26FD 2702 2705 2708-270D 270F 2712 2714 2716
271D 2721 2728 2733-2734 2744 2747 274C 274E 2753-2755 2757 2763-2764 2795-2797 27A1 27B0 27BF 2934-2935 2B05-2B07
2B1B-2B1C 2B50 2B55 3030 303D 3297 3299 1F004 1F0CF 1F170-1F171 1F17E-1F17F 1F18E 1F191-1F19A 1F1E6-1F1FF 1F201-1F202
1F21A 1F22F 1F232-1F23A 1F250-1F251 1F300-1F321 1F324-1F393 1F396-1F397 1F399-1F39B 1F39E-1F3F0 1F3F3-1F3F5
1F3F7-1F4FD 1F4FF-1F53D 1F549-1F54E 1F550-1F567 1F56F-1F570 1F573-1F57A 1F587 1F58A-1F58D 1F590 1F595-1F596
1F5A4-1F5A5 1F5A8 1F5B1-1F5B2 1F5BC 1F5C2-1F5C4 1F5D1-1F5D3 1F5DC-1F5DE 1F5E1 1F5E3 1F5E8 1F5EF 1F5F3 1F5FA-1F64F
1F680-1F6C5 1F6CB-1F6D2 1F6D5-1F6D7 1F6E0-1F6E5 1F6E9 1F6EB-1F6EC 1F6F0 1F6F3-1F6FC 1F7E0-1F7EB 1F90C-1F93A
1F93C-1F945 1F947-1F978 1F97A-1F9CB 1F9CD-1F9FF 1FA70-1FA74 1FA78-1FA7A 1FA80-1FA86 1FA90-1FAA8 1FAB0-1FAB6
1FAC0-1FAC2 1FAD0-1FAD6
"""
EMOJI = "".join(
    rf"\x{{{first}}}-\x{{{last or first}}}" for first, _, last in (span.partition("-") for span in _EMOJI_SPANS.split())
)

_ENTITIES = (
    Replace("&lt;", "<"),
    Replace("&gt;", ">"),
    Replace("&quot;", '"'),
    Replace("&#39;", "'"),
    Replace("&nbsp;", " "),
    Replace("&amp;", "&"),  # last, so that "&amp;lt;" is decoded once and not twice
)

_MARKS = (Replace(r"[\x{0640}\x{064B}-\x{0652}]", ""),)  # tatweel and the eight short vowels

_STAND_INS = (
    # with or without a scheme: at most 256 characters of a host, a dot, a domain of 2 to 6 letters, the path
    StandIn(
        rf"(?:h\Kttps?://.(?:www\.)?[{HOST}]{{2,256}}|w\Kww\.[{HOST}]{{2,256}}|[{HOST}]\K[{HOST}]{{1,255}})"
        rf"\.[a-z]{{2,6}}(?![{WORD}])[{HOST}?&/]*",
        URL,
    ),
    StandIn(r"h\Kttps?://[a-zA-Z0-9_\-./~?=%&]+", URL),
    StandIn(r"w\Kww[a-zA-Z0-9_\-?=%&/.~]+", URL),
    # starts where a run of letters starts or a match has just ended: from every letter, it would be quadratic
    StandIn(r"(?:(?<![a-zA-Z])|(?<=\.com))[a-zA-Z]\K[a-zA-Z]*\.com", URL),
    StandIn(rf"h\Kttp[^{SPACE}]*", URL),
    StandIn(rf"w\Kww[^{SPACE}]*", URL),
    StandIn(r":\K//", URL),
    StandIn(rf"(?<![{WORD}\-])[{WORD}\-]\K[{WORD}\-]*@(?:[{WORD}\-]+\.)+[{WORD}\-]+", EMAIL),
    StandIn(rf"(?<![^{SPACE}])[^{SPACE}]\K[^{SPACE}@]*@[^{SPACE}]+", EMAIL),
    StandIn(rf"@\K[{WORD}]+", MENTION),
)

_TAGS = (
    Replace("<br />", " "),
    # A tag that never closes, or closes too late, is passed over whole (\K) instead of being tried from every "<".
    Replace(rf"<(?>[^>]{{1,{LONGEST_TAG}}})(?:>|[^>]*+(?:>|\z)\K)", " "),
)

_DIGITS = tuple(Replace(eastern, western) for eastern, western in zip("٠١٢٣٤٥٦٧٨٩", "0123456789", strict=True))

_REPEATS = (Replace(r"(?<=([^\p{Nd}]))\1(?=\1)", ""),)  # of a run, the first and the last stay: its offsets are whole

_BREAKS = (
    rf"[^0-9{LETTER}a-zA-Z\[\] ]",
    rf"(?<![0-9])[0-9]++[{LETTER}]+|(?<![{LETTER}])[{LETTER}]++[0-9]++(?![{LETTER}])",
    rf"(?<=[0-9])(?=[{LETTER}])|(?<=[{LETTER}])(?=[0-9])",
)


def _arabert(name: str, kept: str) -> Preset:
    rejected = (Replace("/", "-"), Replace(rf"[^{kept}]+", " "))
    steps: tuple[Replace | StandIn, ...] = (*_ENTITIES, *_MARKS, *_STAND_INS, *_TAGS, *_DIGITS, *_REPEATS, *rejected)
    return Preset(name, steps, _BREAKS, (URL, EMAIL, MENTION))


PRESETS = {
    preset.name: preset
    for preset in (
        _arabert("arabert_v02", KEPT),
        _arabert("arabert_v02_twitter", KEPT + EMOJI),
        Preset("none"),
    )
}


def get(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ConfigError: there is none; the message lists what exists and the nearest.
    """
    if name not in PRESETS:
        raise ConfigError(f"There is no normalisation preset {name!r}. {suggest(name, PRESETS)}")
    return PRESETS[name]
