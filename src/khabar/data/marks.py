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
from collections.abc import Iterable, Mapping, Sequence

from khabar.config import AnnotatorsConfig
from khabar.data.asking import Asked, Candidate, Layout
from khabar.data.corpus import Corpus
from khabar.data.ties import Ties
from khabar.schema import GOLD, HOLDERS, Example, Marks, Offsets, Relation, Span, Task
from khabar.text import sentences

CONTINUES = "continues"  # the attribute of a later part of a span, with the id of the first
DECOYS = (("actor", 3, 4), ("event", 1, 1), ("claim", 8, 2))  # layer, most words, how many are tried a sentence
ENTITY = "entity"  # the attribute of an actor: one name for all its mentions


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
    for relation in corpus.relations:
        relations[relation.article, relation.annotator].append(relation)
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
        own = [row for row in rows if row.task == name and row.marks is not None]
        if not task.heads or not own:
            continue
        everything = {id(row.marks): row.marks for row in own if row.marks is not None}
        known = {head.name for head in task.heads.values() if _annotated(head, everything.values())}
        gold = {key: _Gold(marks) for key, marks in everything.items()}
        added: defaultdict[int, list[Candidate]] = defaultdict(list)
        for row in own if decoys else ():
            added[id(row.marks)] += _decoys(row)
        layouts = {key: Layout(it.sentences, [*it.candidates, *added[key]]) for key, it in gold.items()}
        for row in own:
            answers, layout = gold[id(row.marks)], layouts[id(row.marks)]
            for head in (head for head in task.heads.values() if head.name in known):
                for asked in layout.questions(head, answers.sentences.index(row.span or (0, 0))):
                    labels = answers.labels(head, asked)
                    if labels is not None:
                        found.append(example(row, name, head, asked, labels))
    return found


def expand_splits(splits: Mapping[str, Sequence[Example]], tasks: Mapping[str, Task]) -> dict[str, list[Example]]:
    """Every split expanded, training rows with decoys."""
    return {name: expand(rows, tasks, decoys=name == "train") for name, rows in splits.items()}


def example(row: Example, task: str, head: Task, asked: Asked, gold: tuple[str, ...] | None = None) -> Example:
    """A question about marks as an example of `TASK.HEAD`."""
    places = "".join(f"#{one.layer[0]}{one.start}-{one.end}" for one in (asked.head, asked.tail) if one is not None)
    holder = f"@{HOLDERS.index(asked.holder)}" if asked.holder else ""
    other = asked.tail or asked.head
    return Example(
        id=f"{row.article}{holder}{places}:{task}.{head.name}",
        article=row.article,
        group=row.group,
        task=f"{task}.{head.name}",
        text=row.text,
        span=asked.head.at if asked.head else None,
        holder=asked.holder,
        tail=other.at if other else None,
        within=asked.within,
        gold=gold,
    )


def _decoys(row: Example) -> list[Candidate]:
    """Runs of words of a sentence that are marked on no layer that they are given: the same for the same sentence."""
    assert row.span is not None and row.marks is not None
    start, end = row.span
    words = [match.span() for match in re.finditer(r"\w+", row.text[start:end])]
    draw = random.Random(f"{row.article} {start}")
    made: list[Candidate] = []
    for layer, longest, count in DECOYS:
        for _ in range(count if words else 0):
            first = draw.randrange(len(words))
            last = min(len(words) - 1, first + draw.randrange(longest))
            left, right = start + words[first][0], start + words[last][1]
            taken = [(one.start, one.end) for one in row.marks.spans if one.layer == layer]
            taken += [one.at for one in made if one.layer == layer]
            if not any(begin < right and left < end_ for begin, end_ in taken):
                made.append(Candidate(layer, left, right, f"\0{left}", "", decoy=True))
    return made


def _annotated(head: Task, everything: Iterable[Marks]) -> bool:
    if head.level == "span":
        return any(head.name in span.attributes for marks in everything for span in marks.spans)
    return any(
        relation.role == head.name or relation.role in head.labels
        for marks in everything
        for relation in marks.relations
    )


class _Gold:
    """The answers of one article's marks."""

    def __init__(self, marks: Marks) -> None:
        self.sentences = marks.sentences
        self.by_id = {span.id: span for span in marks.spans}
        whole = [span for span in marks.spans if CONTINUES not in span.attributes]
        self.candidates = [_candidate(span) for span in whole]
        self.attributes = {(span.layer, span.start, span.end): span.attributes for span in whole}
        self.roles: defaultdict[tuple[str, str], set[str]] = defaultdict(set)  # of two keys
        self.stances: dict[tuple[str, str, Offsets], str] = {}  # an actor is a target in one sentence
        same: Ties[str] = Ties()
        for relation in marks.relations:
            head, tail = self._key(relation.head), self._key(relation.tail)
            if relation.role == "stance":
                start = self.by_id[relation.tail].start
                within = next((at for at in marks.sentences if at[0] <= start < at[1]), (0, 0))
                self.stances[head, tail, within] = relation.label or ""
            elif relation.role == "same_event":
                same.join(head, tail)
            else:
                self.roles[head, tail].add(relation.role)
        self.same = {key: number for number, keys in enumerate(same.sets()) for key in keys}

    def _key(self, name: str) -> str:
        return name if name in HOLDERS else _key(_candidate(self.by_id[name]))

    def labels(self, head: Task, asked: Asked) -> tuple[str, ...] | None:
        """The gold labels of a question, None where it has no answer."""
        if head.level == "span":
            assert asked.head is not None
            given = self.attributes[asked.head.layer, *asked.head.at].get(head.name, head.empty_as)
            return (given,) if given in head.labels else None
        assert asked.tail is not None
        left = asked.holder or (_key(asked.head) if asked.head else "")
        right = _key(asked.tail)
        if asked.tail.decoy or (asked.head and asked.head.decoy):
            return () if head.kind == "multi" else (head.empty_as or "",)
        if head.name == "same_event":
            return ("yes" if left in self.same and self.same[left] == self.same.get(right) else "no",)
        if head.name == "stance":
            return (self.stances.get((left, right, asked.within), head.empty_as or ""),)
        return tuple(label for label in head.labels if label in self.roles[left, right])


def _candidate(span: Span) -> Candidate:
    return Candidate(
        span.layer, span.start, span.end, span.attributes.get(ENTITY, span.id), span.attributes.get("type", "")
    )


def _key(one: Candidate) -> str:
    """What relations are compared by: an actor's entity, else the place."""
    return one.entity if one.layer == "actor" else f"{one.layer} {one.start}-{one.end}"
