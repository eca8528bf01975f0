"""Spans and relations become examples: a sentence to mark, and questions about what is marked in it.

What is annotated is so throughout a sentence: a word without a mark is in no span, and a pair without a relation has
none. What a corpus never annotates (no span has the attribute, no relation the role) is not asked.

Who scores pairs must also have learnt to say no to what a tagger finds by mistake: training rows come with decoys, runs
of words that no annotator marked, which take part in no relation.
"""

import itertools
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from khabar.config import AnnotatorsConfig
from khabar.data import asking
from khabar.data.corpus import Corpus
from khabar.data.graph import Name, Spot, of_marks, relation
from khabar.data.ties import Ties
from khabar.schema import GOLD, HOLDERS, Example, Marks, Offsets, Relation, Span, Task
from khabar.text import sentences

DECOYS = (("actor", 3, 4), ("event", 1, 1), ("claim", 8, 2))  # layer, most words, how many are tried a sentence


def examples(corpus: Corpus, task: Task, annotators: AnnotatorsConfig) -> tuple[list[Example], dict[str, int]]:
    """A sentence to mark for each of the articles that have spans, and how many articles were dropped, by reason.

    The marks are those of annotator `gold`, else the adjudicator, else the only annotator of the article.
    """
    spans: defaultdict[str, defaultdict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
    relations: defaultdict[tuple[str, str], list[Relation]] = defaultdict(list)
    units: defaultdict[tuple[str, str], set[Offsets]] = defaultdict(set)
    for span in corpus.spans:
        if span.layer in task.labels:
            spans[span.article][span.annotator].append(span)
    for arrow in corpus.relations:
        relations[arrow.article, arrow.annotator].append(arrow)
    for label in corpus.labels:
        if label.span is not None:
            units[label.article, label.annotator].add(label.span)
    made: list[Example] = []
    dropped: Counter[str] = Counter()
    for id_ in sorted(spans):
        who = next((name for name in (GOLD, annotators.adjudicator) if name in spans[id_]), None)
        if who is None and len(spans[id_]) > 1:
            dropped["several annotators and none of them gold"] += 1
            continue
        name = who or next(iter(spans[id_]))
        article = corpus.articles[id_]
        placed = sorted(spans[id_][name], key=lambda span: (span.start, -span.end, span.id))
        ids = {span.id for span in placed}
        joined = [one for one in relations[id_, name] if {one.head, one.tail} <= {*ids, *HOLDERS}]
        marks = Marks(_sentences(article.text, units[id_, GOLD] or units[id_, name]), tuple(placed), tuple(joined))
        for start, end in marks.sentences:
            layers = {span.layer for span in placed if start <= span.start and span.end <= end}
            made.append(
                Example(
                    id=f"{id_}#{start}-{end}:{task.name}", article=id_, group=article.group, task=task.name,
                    text=article.text, span=(start, end), gold=tuple(name for name in task.labels if name in layers),
                    marks=marks,
                )
            )  # fmt: skip
    if missing := len(corpus.articles) - len(spans):
        dropped["not annotated"] = missing
    return made, dict(dropped)


def _sentences(text: str, units: set[Offsets]) -> tuple[Offsets, ...]:
    """The sentences that somebody labelled, else those of the splitter; units that overlap are no sentences."""
    ordered = sorted(units)
    apart = all(before[1] <= after[0] for before, after in itertools.pairwise(ordered))
    return tuple(ordered if ordered and apart else sentences.split(text))


def articles(rows: Iterable[Example], task: str) -> list[tuple[list[Example], Marks]]:
    """The sentences to mark by article, and what is marked in them: of an article cut to some rows, in these alone."""
    by_article: defaultdict[str, list[Example]] = defaultdict(list)
    for row in rows:
        if row.task == task and row.marks is not None and row.span is not None:
            by_article[row.article].append(row)
    found = []
    for own in by_article.values():
        own.sort(key=lambda row: row.span or (0, 0))
        every = own[0].marks
        assert every is not None
        spans = tuple(span for row in own for span in inside(row))
        ids = {*(span.id for span in spans), *HOLDERS}
        joined = tuple(one for one in every.relations if {one.head, one.tail} <= ids)
        found.append((own, Marks(tuple(row.span or (0, 0) for row in own), spans, joined)))
    return found


def inside(example: Example) -> list[Span]:
    """The spans of a sentence to mark."""
    if example.marks is None or example.span is None:
        return []
    start, end = example.span
    return [span for span in example.marks.spans if start <= span.start and span.end <= end]


def expand(rows: Sequence[Example], tasks: Mapping[str, Task], *, decoys: bool = False) -> list[Example]:
    """The rows, and after them the questions about what is marked in them, with the gold answers; some with decoys."""
    found = list(rows)
    for name, task in tasks.items():
        own: defaultdict[int, list[Example]] = defaultdict(list)
        everything: dict[int, Marks] = {}
        for row in rows:
            if row.task == name and row.marks is not None:
                own[id(row.marks)].append(row)
                everything[id(row.marks)] = row.marks
        heads = [head for head in task.heads.values() if _annotated(head, everything.values())]
        asked = {key: _Asked(marks, heads, own[key] if decoys else ()) for key, marks in everything.items()}
        for row in rows:
            if row.task == name and row.marks is not None:
                found += asked[id(row.marks)].examples(row, name)
    return found


def expand_splits(splits: Mapping[str, Sequence[Example]], tasks: Mapping[str, Task]) -> dict[str, list[Example]]:
    """Every split expanded, training rows with decoys."""
    return {name: expand(rows, tasks, decoys=name == "train") for name, rows in splits.items()}


def example(
    row: Example, name: str, ends: tuple[Spot | None, Spot], within: Offsets, holder: str | None,
    gold: tuple[str, ...] | None = None,
) -> Example:  # fmt: skip
    """A question about marks of the article of a row, as an example of the task `name`."""
    head, tail = ends
    spans = [tail] if head in (None, tail) else [head, tail]
    places = "".join(f"#{one.layer[0]}{one.start}-{one.end}" for one in spans if one)
    return Example(
        id=f"{row.article}{f'@{HOLDERS.index(holder)}' if holder else ''}{places}:{name}",
        article=row.article,
        group=row.group,
        task=name,
        text=row.text,
        span=head.at if head else None,
        holder=holder,
        tail=tail.at,
        within=within,
        gold=gold,
    )


def _decoys(row: Example) -> list[Spot]:
    """Runs of words of a sentence that are marked on no layer that they are given: the same for the same sentence."""
    assert row.span is not None and row.marks is not None
    start, end = row.span
    words = [match.span() for match in re.finditer(r"\w+", row.text[start:end])]
    draw = random.Random(f"{row.article} {start}")
    made: list[Spot] = []
    for layer, longest, count in DECOYS:
        for _ in range(count if words else 0):
            first = draw.randrange(len(words))
            last = min(len(words) - 1, first + draw.randrange(longest))
            left, right = start + words[first][0], start + words[last][1]
            taken = [(one.start, one.end) for one in row.marks.spans if one.layer == layer]
            taken += [one.at for one in made if one.layer == layer]
            if not any(begin < right and left < end_ for begin, end_ in taken):
                made.append(Spot(layer, left, right, 0.0, -1, Name(f"\0{left}")))
    return made


def _annotated(head: Task, everything: Iterable[Marks]) -> bool:
    if head.level == "span":
        return any(head.name in span.attributes for marks in everything for span in marks.spans)
    return any(arrow.role in (head.name, *head.labels) for marks in everything for arrow in marks.relations)


class _Asked:
    """What the heads ask about one article's marks, and the gold answers; the sentences that are given have decoys."""

    def __init__(self, marks: Marks, heads: Sequence[Task], decoyed: Sequence[Example]) -> None:
        gold = of_marks(marks)
        self.heads, self.sentences, self.real = heads, marks.sentences, len(gold.spots)
        self.spots = [*gold.spots, *(decoy for row in decoyed for decoy in _decoys(row))]
        self.layout = asking.Layout(marks.sentences, self.spots, decoys=range(self.real, len(self.spots)))
        self.relations = gold.relations
        same: Ties[int] = Ties()
        for later, earlier in gold.same:
            same.join(later, earlier)
        self.same = {one: number for number, ones in enumerate(same.sets()) for one in ones}

    def examples(self, row: Example, task: str) -> Iterator[Example]:
        """The questions about one sentence."""
        sentence = self.sentences.index(row.span or (0, 0))
        for head in self.heads:
            for first, tail, _ in self.layout.of_sentence(head, sentence).tolist():
                labels = self._labels(head, first, tail, sentence)
                if labels is not None:
                    ends = None if first < 0 else self.spots[first], self.spots[tail]
                    within = self.sentences[sentence]
                    yield example(row, f"{task}.{head.name}", ends, within, asking.holder(first), labels)

    def _labels(self, head: Task, first: int, tail: int, sentence: int) -> tuple[str, ...] | None:
        """The gold labels of a question, None where it has no answer."""
        if head.level == "span":
            given = self.spots[first].attributes.get(head.name, head.empty_as)
            return (given,) if given in head.labels else None
        none = () if head.kind == "multi" else (head.empty_as or "",)
        if max(first, tail) >= self.real:
            return none
        if head.links:
            one = first in self.same and self.same[first] == self.same.get(tail)
            return tuple(label for label in head.labels if label != head.empty_as) if one else none
        who = asking.holder(first) or first
        told = [label for label in head.labels if relation(self.spots, who, tail, label) in self.relations]
        return tuple(told) or none
