"""Whole readings scored: a predictor reads the gold articles from end to end, whatever it is."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from khabar.data import marks
from khabar.evaluation import reading, spans
from khabar.schema import Example, Predictor, Task

if TYPE_CHECKING:
    from khabar.evaluation.scored import Scored
    from khabar.inference.graph import Graph


def questions(tasks: Mapping[str, Task]) -> dict[str, Task]:
    """The names under which whole readings are scored, as tasks for tables: labels and main metric."""
    made: dict[str, Task] = {}
    for name, task in tasks.items():
        if not task.marks:
            continue
        made[f"{name}.overlap"] = _named(f"{name}.overlap", task.labels)
        if not task.reads_whole:
            continue
        made[f"{name}.candidates"] = _named(f"{name}.candidates", ("role", "stance"), "micro_recall")
        for level in reading.LEVELS:
            made[f"{name}.events_{level}"] = _named(f"{name}.events_{level}", task.heads["type"].labels)
            if "stance" in task.heads:
                labels = tuple(label for label in task.heads["stance"].labels if label != "none")
                made[f"{name}.stances_{level}"] = _named(f"{name}.stances_{level}", labels)
    return made


def _named(name: str, labels: Sequence[str], metric: str = "micro_f1") -> Task:
    # model_construct: what is scored here is no layer that a model could mark
    return Task.model_construct(
        name=name, labels=tuple(labels), kind="spans", level="span", main_metric=metric, heads={}
    )


def scored(
    predictor: Predictor, task: Task, examples: Sequence[Example], cuts: Mapping[str, tuple[float, ...]]
) -> dict[str, "Scored"]:
    """Spans by overlap, candidates, and tuples at both levels, by the names of `questions`.

    Sentence tuples are what was found, before anything is merged; article tuples are those of the account. `cuts` are
    thresholds of a predictor that has none of its own (`_cuts.among_found`).
    """
    from khabar.inference import reader
    from khabar.inference.graph import PredictorScorer, build
    from khabar.inference.watchlist import Watchlist

    read = marks.articles(examples, task.name)
    every = [example for rows, _ in read for example in rows]
    answers = {answer.example: answer for answer in predictor.predict(every)}
    marked = [answers[example.id].spans for example in every]
    found = {f"{task.name}.overlap": spans.scored(task, every, marked, exact=False)}
    if not task.reads_whole:
        return found
    names = questions({task.name: task})
    labels = names[f"{task.name}.stances_article"].labels if f"{task.name}.stances_article" in names else ()
    both = reading.Readings(task.heads["type"].labels, labels)
    for rows, held in read:
        text = rows[0].text
        scorer = PredictorScorer(predictor, task, rows, cuts)
        graph = build(task, held.sentences, scorer, partial(reader.named, text, Watchlist(())))
        both.add(reading.of_marks(held), _plain(graph), _account(graph, text), rows[0].group)
    made = {"candidates": both.candidates()}
    for level in reading.LEVELS:
        made |= {f"events_{level}": both.events(level), f"stances_{level}": both.stances(level)}
    return found | {f"{task.name}.{name}": each for name, each in made.items() if f"{task.name}.{name}" in names}


def _plain(graph: "Graph") -> reading.Graph:
    pieces = [
        reading.Piece(spot.layer, spot.start, spot.end, spot.name.name if spot.name else "", spot.type)
        for spot in graph.spots
    ]
    roles = [(role.event, role.actor, role.role) for role in graph.roles]
    stances = [(taken.holder, taken.target, taken.label) for taken in graph.stances]
    return reading.Graph(graph.sentences, pieces, roles, stances)


def _account(graph: "Graph", text: str) -> reading.Graph:
    """What is left once it is put together: events by their first trigger, stances by the label of all sentences."""
    from khabar.inference import assemble

    events, event_of = assemble.events(graph, text, None)
    pieces: list[reading.Piece] = []
    roles: list[tuple[int, int, str]] = []
    for event in events:
        first = event.mentions[0]
        number = len(pieces)
        pieces.append(reading.Piece("event", first.start, first.end, type=event.type))
        for role, part in (("actor", event.actors), ("recipient", event.recipients)):
            for one in part:
                roles.append((number, len(pieces), role))
                pieces.append(reading.Piece("actor", one.start, one.end, one.name))
    called = {spot.name.name: spot for spot in reversed(graph.spots) if spot.name}
    stances: list[tuple[int | str, int, str]] = []
    for stance in assemble.stances(graph, text, events, event_of):
        holder: int | str = stance.holder
        if stance.holder in called:
            spot = called[stance.holder]
            holder = len(pieces)
            pieces.append(reading.Piece("actor", spot.start, spot.end, stance.holder))
        for each in stance.evidence:
            if each.target_start is not None and each.target_end is not None:
                stances.append((holder, len(pieces), stance.label))
                kind = stance.kind
                pieces.append(reading.Piece(kind, each.target_start, each.target_end, stance.target))
    return reading.Graph(graph.sentences, pieces, roles, stances)
