"""Whole readings scored: a predictor reads the gold articles from end to end, whatever it is."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from khabar.evaluation import reading, spans
from khabar.schema import Example, Predictor, Task

if TYPE_CHECKING:
    from khabar.evaluation.scored import Scored
    from khabar.inference.graph import Graph


def whole(task: Task) -> bool:
    """Whether a task has what a reading needs: types, and roles."""
    return {"type", "role"} <= task.heads.keys()


def questions(tasks: Mapping[str, Task]) -> dict[str, Task]:
    """The names under which whole readings are scored, as tasks for tables: labels and main metric."""
    made: dict[str, Task] = {}
    for name, task in tasks.items():
        if not task.marks:
            continue
        made[f"{name}.overlap"] = _named(f"{name}.overlap", task.labels)
        if not whole(task):
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


def scored(predictor: Predictor, task: Task, examples: Sequence[Example]) -> dict[str, "Scored"]:
    """Spans by overlap, candidates, and tuples at both levels, by the names of `questions`."""
    from khabar.inference import reader
    from khabar.inference.graph import PredictorScorer, build
    from khabar.inference.watchlist import Watchlist

    articles: dict[str, list[Example]] = {}
    for example in examples:
        if example.task == task.name:
            articles.setdefault(example.article, []).append(example)
    every = [example for rows in articles.values() for example in rows]
    answers = {answer.example: answer for answer in predictor.predict(every)}
    marked = [answers[example.id].spans for example in every]
    found = {f"{task.name}.overlap": spans.scored(task, every, marked, exact=False)}
    if not whole(task):
        return found
    stances = task.heads["stance"].labels if "stance" in task.heads else ()
    both = reading.Readings(task.heads["type"].labels, tuple(label for label in stances if label != "none"))
    for rows in articles.values():
        marks = rows[0].marks
        assert marks is not None
        named = partial(reader.named, rows[0].text, Watchlist(()))
        graph = build(task, marks.sentences, PredictorScorer(predictor, task, rows), named)
        both.add(reading.of_marks(marks), _plain(graph), rows[0].group)
    found |= {f"{task.name}.candidates": each for each in [both.candidates()] if each is not None}
    for level in reading.LEVELS:
        for name, each in (("events", both.events(level)), ("stances", both.stances(level))):
            if each is not None and f"{task.name}.{name}_{level}" in questions({task.name: task}):
                found[f"{task.name}.{name}_{level}"] = each
    return found


def _plain(graph: "Graph") -> reading.Graph:
    pieces = [
        reading.Piece(spot.layer, spot.start, spot.end, spot.name.name if spot.name else "", spot.type)
        for spot in graph.spots
    ]
    roles = [(role.event, role.actor, role.role) for role in graph.roles]
    stances = [(taken.holder, taken.target, taken.label) for taken in graph.stances]
    return reading.Graph(graph.sentences, pieces, roles, stances)
