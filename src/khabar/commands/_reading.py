"""Whole readings scored: a predictor reads the gold articles from end to end, whatever it is."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from khabar.data import marks
from khabar.data.graph import Graph, Name, Role, Spot, Taken, of_marks
from khabar.evaluation import reading, spans
from khabar.schema import Example, Predictor, Task

if TYPE_CHECKING:
    from khabar.evaluation.scored import Scored


def main_metric(name: str) -> str:
    """The metric that says most of what `scored` names so."""
    return "micro_recall" if name.endswith(".candidates") else "micro_f1"


def scored(
    predictor: Predictor, task: Task, examples: Sequence[Example], cuts: Mapping[str, tuple[float, ...]]
) -> dict[str, "Scored"]:
    """`TASK.overlap`, spans by overlap; of a reader also `.candidates` and tuples (`.events_article`, ...).

    Sentence tuples are what was found, before anything is merged; article tuples are those of the account. `cuts` are
    the thresholds of relations among spans that were found (`_cuts.among_found`).
    """
    from khabar.inference import reader
    from khabar.inference.graph import PredictorScorer, build

    read = marks.articles(examples, task.name)
    every = [example for rows, _ in read for example in rows]
    answers = {answer.example: answer for answer in predictor.predict(every)}
    marked = [answers[example.id].spans for example in every]
    found = {"overlap": spans.scored(task, every, marked, exact=False)}
    if task.reads_whole:
        stance = task.heads.get("stance")
        labels = [label for label in stance.labels if label != stance.empty_as] if stance else []
        both = reading.Compared(task.heads["type"].labels, labels)
        for rows, held in read:
            text = rows[0].text
            scorer = PredictorScorer(predictor, task, rows, cuts)
            graph = build(task, held.sentences, scorer, partial(reader.named, text, None))
            both.add(of_marks(held), graph, _account(graph, text), rows[0].group)
        found["candidates"] = both.candidates()
        for level in reading.LEVELS:
            found[f"events_{level}"] = both.events(level)
            if stance:
                found[f"stances_{level}"] = both.stances(level)
    return {f"{task.name}.{name}": each for name, each in found.items()}


def _account(graph: Graph, text: str) -> Graph:
    """What is left once it is put together: events by their first trigger, stances by the label of all sentences."""
    from khabar.inference import assemble

    spots: list[Spot] = []

    def add(layer: str, start: int, end: int, name: str = "", type_: str = "") -> int:
        spots.append(Spot(layer, start, end, 1.0, -1, Name(name) if layer == "actor" else None, {"type": type_}))
        return len(spots) - 1

    events, event_of = assemble.events(graph, text, None)
    roles: list[Role] = []
    for event in events:
        trigger = event.mentions[0]
        number = add("event", trigger.start, trigger.end, type_=event.type)
        for role, part in (("actor", event.actors), ("recipient", event.recipients)):
            roles += [Role(number, add("actor", one.start, one.end, one.name), role, one.score) for one in part]
    called = {spot.called: spot for spot in reversed(graph.spots) if spot.name}
    stances: list[Taken] = []
    for stance in assemble.stances(graph, text, events, event_of):
        spot = called.get(stance.holder)
        holder = add("actor", *spot.at, stance.holder) if spot else stance.holder
        for each in stance.evidence:
            if each.target_start is not None and each.target_end is not None:
                target = add(stance.kind, each.target_start, each.target_end, stance.target)
                stances.append(Taken(holder, target, stance.label, stance.probabilities))
    return Graph(graph.sentences, spots, roles, stances)
