"""One name for all mentions of one actor in an article: by a watchlist, and by what the mentions say of each other.

Rules only, no model: a mention joins others where its words leave one choice, else it stays alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from khabar.data.graph import Name
from khabar.inference import mentions as taken
from khabar.inference import words
from khabar.inference.mentions import Mention
from khabar.inference.watchlist import Entry, Watchlist
from khabar.inference.words import Key

Forms = Mapping[Key, tuple[Entry, bool]]
Pairs = Iterator[tuple[Mention, Mention]]
_BESIDE = frozenset(words.keys("كبير كبيرة كبار رفيع رفيعة رفيعو المستوى في"))  # among the words of an official
_UNNAMED = frozenset(words.keys("لم رفض طلب اشترط فضل"))  # begins what is said of an official who is not named
_SIDES = frozenset(words.keys("الطرفان الجانبان البلدان الدولتان العاصمتان"))
_LONGEST = 8  # words of a watchlist's person


@dataclass(slots=True, eq=False)
class _Actor:
    """The ways of mentioning one actor, those that may give the name apart from those that only point to it."""

    ways: list[Mention]
    entry: Entry | None


class _Actors:
    """The actors of an article, fewer with every two mentions that are found to be of one."""

    def __init__(self, ways: Iterable[Mention], forms: Forms) -> None:
        self.of = {way: _Actor([way], _entry(way, forms)) for way in ways}
        self.pointing: set[Mention] = set()  # that the actor is not called by
        named: dict[int, Mention] = {}
        for way, actor in self.of.items():
            if actor.entry:
                self.join(named.setdefault(id(actor.entry), way), way)

    def join(self, one: Mention, other: Mention) -> None:
        """Make two mentions' actors one, unless two entries of the watchlist name them."""
        small, large = sorted((self.of[one], self.of[other]), key=lambda actor: len(actor.ways))
        if small is large or (small.entry and large.entry and small.entry is not large.entry):
            return
        large.entry = large.entry or small.entry
        large.ways += small.ways
        self.of.update(dict.fromkeys(small.ways, large))

    def only(self, found: Iterable[Mention]) -> Mention | None:
        """The first of the mentions found, where all are of one actor."""
        first = None
        for way in found:
            first = first or way
            if self.of[way] is not self.of[first]:
                return None
        return first


def resolve(mentions: Sequence[str], watchlist: Watchlist | None = None) -> list[Name]:
    """Names for the mentions of one article, given in the order of its text; one for each.

    The watchlist goes first: an entry names a mention that one of its forms covers whole, proclitics and the article
    aside, also after the noun of an office (الإدارة الأمريكية); a person one that holds the name after a title. Then
    mentions join that are written alike, that are a person's last name, stand in another's brackets, or begin one
    longer name and no other (الحركة, رئيس الحكومة). An actor is called by the entry, else by the fullest mention
    without title. Equal mentions get equal names.
    """
    forms = watchlist.forms if watchlist else {}
    said = taken.read(Counter(mentions), forms.__contains__)
    ways = list(said.values())
    actors = _Actors(ways, forms)
    for rule in (_alike, _stated, _surnames, _fuller, _states, _nouns, _possessives):
        for one, other in list(rule(ways, actors)):
            actors.join(one, other)
    names: dict[int, Name] = {}
    for actor in actors.of.values():
        if id(actor) not in names:
            names[id(actor)] = _called(actor, actors.pointing)
    return [names[id(actors.of[said[text]])] for text in mentions]


def _entry(way: Mention, forms: Forms) -> Entry | None:
    """The watchlist's entry that names a mention."""
    if way.bares in forms:
        return forms[way.bares][0]
    kept = tuple(word for word in takewhile(lambda word: word not in _UNNAMED, way.bares) if word not in _BESIDE)
    for length, nouns in enumerate((taken.OFFICIALS, taken.OFFICES), 1):
        entry, nisba = forms.get(kept[length:], (None, False))
        if entry and kept[0] in nouns and (nisba or entry.kind == "state"):
            return entry
    if way.bares[0] in taken.IMPERSONAL or not (taken.titled(way.keys[0]) or way.articled[0]):
        return None
    return _bearer(way, forms)


def _bearer(way: Mention, forms: Forms) -> Entry | None:
    """The person whose name stands in a mention after a title, the longest form first."""
    for length in range(min(len(way.keys) - 1, _LONGEST), 0, -1):
        for start in range(len(way.keys) - length, 0, -1):
            entry, _ = forms.get(way.bares[start : start + length], (None, False))
            if entry and entry.kind == "person" and _apposed(way, start, length):
                return entry
    return None


def _apposed(way: Mention, start: int, length: int) -> bool:
    """Whether a name inside is the bearer's of the title: نائب الوزير علي باقري, but not مستشار علي باقري."""
    before = way.keys[start - 1]
    if way.articled[start - 1] or start - 1 in way.commas:
        return True
    return start > 1 and length > 1 and before not in taken.PREPOSITIONS and before not in taken.IMPERSONAL


def _alike(ways: Sequence[Mention], actors: _Actors) -> Pairs:
    """The same words, the same person with another title, the same number of the same."""
    seen: dict[Key, Mention] = {}
    for way in ways:
        for key in (way.bares, way.core if way.full else (), _counted(way)):
            if key:
                yield seen.setdefault(key, way), way


def _counted(way: Mention) -> Key:
    """Number and noun of what is counted: ثلاثة مصارف طرنوبية, المصارف الثلاثة; all names of two sides are one."""
    if len(way.bares) == 1:
        return ("", "2") if way.bares[0] in _SIDES and way.articled[0] else ()
    if number := taken.number(way.bares[0]):
        return ("", number, way.bares[1])
    if len(way.bares) == 2 and (number := taken.number(way.bares[1])):
        return ("", number, way.bares[0])
    return ()


def _stated(ways: Sequence[Mention], actors: _Actors) -> Pairs:
    """What stands in brackets, in quotes or after a noun like party or newspaper, and is a mention of its own."""
    wholes = {way.bares: way for way in ways}
    for way in ways:
        others = list(way.others)
        if way.bares[0] in taken.NAMING and not way.articled[0]:
            if not (len(way.keys) == 2 and way.articled[1] and way.shown[1].endswith(taken.PLURAL)):
                others.append(way.bares[1:])
            if len(way.keys) > 2 and way.articled[-1] and words.stem(way.keys[-1]):
                others.append(way.bares[1:-1])  # جمهورية مصر العربية
        if way.keys[0] in taken.OFFICES:
            others.append(way.bares[1:])
        yield from ((way, wholes[other]) for other in others if other in wholes)


def _surnames(ways: Sequence[Mention], actors: _Actors) -> Pairs:
    """The last words of one person's name; a name without title counts before its last word, or that with title."""
    full: dict[str, list[Mention]] = defaultdict(list)
    placed = set()  # names of places, as what stands before them says
    for way in ways:
        if way.full or _plain(way):
            full[way.core[-1]].append(way)
        for before, word in zip(way.keys, way.bares[1:], strict=False):
            if before in taken.PREPOSITIONS or before in taken.STATES or before in taken.TITLES:
                placed.add(word)

    def longer(way: Mention) -> Iterator[Mention]:
        name = way.core
        alone = len(name) == 1 and name[0] not in placed
        for other in full.get(name[-1], ()):
            ends = len(other.core) > len(name) and other.core[-len(name) :] == name
            if ends and (other.full or way.person or (alone and other.at < way.at)):
                yield other

    wholes = {way.bares: way for way in ways}
    for way in ways:
        if chosen := actors.only(longer(way)):
            yield way, chosen
        nisba = way.articled[-1] and words.stem(way.keys[-1])  # الرئيس الإيراني
        if way.person and way.core in wholes and not nisba:
            yield way, wholes[way.core]


def _plain(way: Mention) -> bool:
    """Whether a mention of several words may be a person's name without title."""
    first, last = way.keys[0], way.keys[-1]
    plural = first.endswith("ات") or (len(first) > 4 and way.shown[0].endswith("و"))
    return (
        1 < len(way.keys) <= taken.LONGEST
        and not (way.articled[0] or plural or first[0] == "ل")
        and not last.endswith(("يه", "يين"))
        and not (first.endswith("ين") and last.endswith("ين"))
        and not any(map(taken.common, way.keys))
    )


def _fuller(ways: Sequence[Mention], actors: _Actors) -> Pairs:
    """A title without its name, a name without all of its words: the longer one begins alike and holds all words."""
    heads: dict[str, list[Mention]] = defaultdict(list)
    for way in ways:
        heads[way.bares[0]].append(way)
    for way in ways:
        longer = (other for other in heads[way.bares[0]] if len(way.keys) > 1 and not way.full and _holds(other, way))
        if chosen := actors.only(longer):
            yield way, chosen


def _holds(longer: Mention, way: Mention) -> bool:
    """Whether a longer mention of the same head has a mention's words in their order, or is it and a person's name."""
    title = tuple(takewhile(lambda word: word != "في", way.keys))
    if longer.full and longer.person and longer.keys[: longer.person[0]] == title:
        return True
    if len(longer.keys) <= len(way.keys) or any(map(_joined, longer.keys[1:])):
        return False
    rest = iter(longer.bares[1:])
    return way.articled[-1] and all(
        any(word == other or (other[0] in "لب" and word == other[1:]) for other in rest) for word in way.bares[1:]
    )


def _joined(word: str) -> bool:
    """Whether a key inside a mention begins with a conjunction, so that the mention is of several."""
    return word[0] == "و" and len(word) > 4 and word not in taken.LEXICON


def _states(ways: Sequence[Mention], actors: _Actors) -> Pairs:
    """The government of a state that is mentioned, by the state's name or its nisba; its people by the nisba."""
    wholes = {way.bares: way for way in ways}
    roots: dict[str | None, list[Mention]] = defaultdict(list)
    for way in ways:
        if len(way.keys) == 1 and way.bares[0] not in taken.LEXICON:
            roots[words.root(way.keys[0])].append(way)
    for way in ways:
        governing = len(way.keys) > 1 and way.bares[0] in taken.GOVERNING
        found = wholes.get(way.bares[1 + (way.keys[1] == "في") :]) if governing else None
        if not found and len(way.keys) == 1 + governing:
            stem = words.stem(way.keys[-1])
            found = actors.only(other for other in roots[stem] if other is not way) if stem in roots else None
        if found and not any(other.person for other in actors.of[found].ways):
            actors.pointing.add(way)
            yield way, found


def _nouns(ways: Sequence[Mention], actors: _Actors) -> Pairs:
    """A definite noun alone is the one earlier mention that begins with it, or else the one later."""
    heads = _heads(ways)
    for way in ways:
        if len(way.keys) == 1 and way.articled[0]:
            yield from _recalled(way, heads[way.bares[0]], actors)


def _possessives(ways: Sequence[Mention], actors: _Actors) -> Pairs:
    """So is a noun with a possessive (نقابتهم), which may also be a mention of the noun alone."""
    wholes = {way.bares: way for way in ways}
    heads = _heads(ways)
    for way in ways:
        if len(way.keys) == 1 and not way.articled[0]:
            nouns = taken.owned(way.shown[0])
            alone = [wholes[noun,] for noun in nouns if (noun,) in wholes]
            yield from _recalled(way, [*alone, *(other for noun in nouns for other in heads[noun])], actors)


def _recalled(way: Mention, found: Sequence[Mention], actors: _Actors) -> Pairs:
    """The one of the mentions found that a noun recalls; a plural recalls none that is indefinite."""
    certain = [other for other in found if any(other.articled)]
    if certain or way.shown[0].endswith(taken.PLURAL):
        found = certain
    chosen = actors.only([other for other in found if other.at < way.at] or found)
    if chosen and not actors.of[way].entry:
        actors.pointing.add(way)
        yield way, chosen


def _heads(ways: Sequence[Mention]) -> dict[str, list[Mention]]:
    """Mentions by the nouns that may recall them: their first, and one that another mention puts before their name."""
    wholes = {way.bares: way for way in ways}
    heads: dict[str, list[Mention]] = defaultdict(list)
    for way in ways:
        if len(way.keys) > 1 and not taken.PARTS & set(way.bares):
            heads[way.bares[bool(taken.number(way.bares[0]))]].append(way)
        if len(way.keys) > 1 and way.bares[0] in taken.NAMING:
            heads[way.bares[1]].append(way)
        for noun in way.bares[1 : way.person[0]] if way.person else ():
            if noun in taken.TITLES:
                heads[noun].append(way)
        for at, noun in enumerate(way.keys):
            if at and noun in taken.NAMING:
                inside = (way.bares[at + 1 : end] for end in range(at + 2, at + 2 + taken.LONGEST))
                heads[noun] += [wholes[name] for name in inside if name in wholes]
    return heads


def _called(actor: _Actor, pointing: set[Mention]) -> Name:
    """The actor's entry, or its fullest mention without title, in the nominative where one is."""
    if actor.entry:
        return Name(actor.entry.name, actor.entry.wikidata)
    wholes = {way.bares for way in actor.ways}

    def fullness(way: Mention) -> tuple[bool, int, int, int, list[str]]:
        name = _name(way, wholes)
        return way.full, len(name), sum(word.endswith(("ون", "ان", "و")) for word in name), way.times, name

    able = [way for way in actor.ways if way not in pointing] or actor.ways
    return Name(" ".join(_name(max(able, key=fullness), wholes)))


def _name(way: Mention, wholes: set[Key]) -> list[str]:
    """The words of a mention without title or صحيفة before a name, and without what a comma divides from the name."""
    if way.full and way.person:
        return way.shown[slice(*way.person)]
    if way.bares[0] in taken.OUTLETS and (way.bares[1:] in wholes or way.bares[1:] in way.others):
        return way.shown[1:]
    end = min(way.commas, default=len(way.shown)) + 1
    return (way.shown[end:] if taken.owned(way.shown[0]) else way.shown[:end]) or way.shown
