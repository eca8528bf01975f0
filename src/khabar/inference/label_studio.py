"""What a model read, as Label Studio tasks whose predictions annotators correct instead of starting from nothing.

The control names are those of `khabar labelling`: `sentence` marks every sentence, also those without an event; a
control named after a task answers it, `TASK_0` to the first of `data.questions`; a control named after a task that
marks holds what was marked, described and joined by the names of `data/regions.py`. Import the file as it is.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from khabar.data import regions
from khabar.data.graph import ENTITY, Graph
from khabar.inference.readings import Answer, Reading
from khabar.schema import Offsets, Relation, Span, question
from khabar.text import utf16

KEPT = ("title", "date", "source", "url")  # of an article, where it has them
DIGITS = 6  # of a score


def task(
    article: Mapping[str, Any],
    reading: Reading,
    extra: Mapping[str, Any] | None = None,
    graph: Graph | None = None,
    marking: str = "reader",
) -> dict[str, Any]:
    """One article with what a model read out of it.

    The score of the prediction is how sure the model is of its answers on average (see `confidence`), so that Label
    Studio can show the least sure first; what it marked and joined counts with its probability. An article that could
    not be read has no prediction, and says why in `meta`.

    Args:
        article: `text`, and perhaps title, date, source and url.
        reading: of that text.
        extra: further fields of `meta`.
        graph: what was marked in that text.
        marking: the name of the task that marks.
    """
    text = article["text"]
    asked = list(dict.fromkeys((a.holder, a.target) for a in reading.answers if a.target is not None))
    data = {"id": reading.id, "text": text, **{name: article[name] for name in KEPT if article.get(name)}}
    data["questions"] = [
        {name: part for name, part in (("holder", holder), ("target", target)) if part}
        | {"text": question(holder, target)}
        for holder, target in asked
    ]
    made: dict[str, Any] = {"data": data, "predictions": []}
    sure = [confidence(answer) for answer in reading.answers]
    results = list(_results(text, reading.answers, asked))
    if graph is not None:
        spans, relations = nouns(graph, reading.id, version(reading.model))
        scores = {span.id: round(spot.score, DIGITS) for span, spot in zip(spans, graph.spots, strict=True)}
        results += regions.results(text, spans, relations, marking, scores)
        sure += [spot.score for spot in graph.spots]
        sure += [role.score for role in graph.roles]
        sure += [one.probabilities[one.label] for one in graph.stances]
    if sure:
        prediction = {
            "model_version": version(reading.model),
            "score": round(sum(sure) / len(sure), DIGITS),
            "result": results,
        }
        made["predictions"].append(prediction)
    if meta := {**(extra or {}), **({"error": reading.error} if reading.error else {})}:
        made["meta"] = meta
    return made


def nouns(graph: Graph, article: str, annotator: str) -> tuple[list[Span], list[Relation]]:
    """What was found in an article as an annotator's spans, in the order of its spots, and relations."""
    ids = [f"{article}@{annotator}.s{number}" for number in range(len(graph.spots))]
    spans = [
        Span(
            id=id_,
            article=article,
            annotator=annotator,
            layer=spot.layer,
            start=spot.start,
            end=spot.end,
            attributes={**({ENTITY: spot.called} if spot.called else {}), **spot.attributes},
        )
        for id_, spot in zip(ids, graph.spots, strict=True)
    ]
    found: list[tuple[str, str, str, str | None]] = [
        (ids[one.event], ids[one.actor], one.role, None) for one in graph.roles
    ]
    for taken in graph.stances:
        holder = taken.holder if isinstance(taken.holder, str) else ids[taken.holder]
        found.append((holder, ids[taken.target], "stance", taken.label))
    found += [(ids[later], ids[earlier], "same_event", None) for later, earlier in graph.same]
    relations = [
        Relation(
            id=f"{article}@{annotator}.r{number}",
            article=article,
            annotator=annotator,
            head=head,
            tail=tail,
            role=role,
            label=label,
        )
        for number, (head, tail, role, label) in enumerate(found)
    ]
    return spans, relations


def lines(tasks: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The pieces of one JSON array, a task a line, as they come."""
    yield "["
    for count, one in enumerate(tasks):
        plain = json.dumps(one, ensure_ascii=False)
        if not _whole(plain):  # half a character can't be written but by its escape
            plain = json.dumps(one)
        yield f"{',' if count else ''}\n{plain}"
    yield "\n]\n"


def hint(model: str) -> str:
    """Where the labelling configuration comes from that a model's tasks need."""
    return f"The project's labelling configuration: khabar labelling model={model} output=labelling.xml"


def version(about: Mapping[str, str | None]) -> str:
    """The model as an annotator: one name for the same weights, however they were loaded."""
    return f"khabar-{(about.get('fingerprint') or 'model')[:8]}"


def confidence(answer: Answer) -> float:
    """How sure a model is of an answer, 0..1: the lowest probability, over all labels, of what it decided of the label.

    Where one label is chosen of several that exclude each other, that is the probability of the chosen one.
    """
    return min(p if label in answer.labels else 1 - p for label, p in answer.probabilities.items())


def _results(
    text: str, answers: Iterable[Answer], asked: Sequence[tuple[str | None, str | None]]
) -> Iterator[dict[str, Any]]:
    places = utf16.offsets(text)
    regions: dict[Offsets, str] = {}
    numbers = itertools.count()
    for answer in answers:
        if answer.span is None:
            control = answer.task
            if answer.target is not None:
                control += f"_{asked.index((answer.holder, answer.target))}"
            if answer.labels:
                yield _choices(f"q{next(numbers)}", control, answer, {})
            continue
        start, end = answer.span
        where = {"start": places[start], "end": places[end], "text": text[start:end]}
        if answer.span not in regions:
            regions[answer.span] = f"s{len(regions)}"
            mark = {"type": "labels", "from_name": "sentence", "to_name": "text"}
            yield {"id": regions[answer.span], **mark, "value": {**where, "labels": ["sentence"]}}
        if answer.labels:
            yield _choices(regions[answer.span], answer.task, answer, where)


def _choices(name: str, control: str, answer: Answer, where: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "type": "choices",
        "from_name": control,
        "to_name": "text",
        "value": {**where, "choices": list(answer.labels)},
        "score": round(min(answer.probabilities[label] for label in answer.labels), DIGITS),
    }


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
