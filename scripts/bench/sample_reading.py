"""The sample article as a model reads it beside the gold reading, errors marked; Markdown.

python -m scripts.bench.sample_reading [MODEL]

The gold spans and relations are put together by the same rules as what the model found. An event of the model stands
beside the gold one whose trigger it shares; what stands beside nothing was missed, or found where there is nothing.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import khabar
from khabar.config import AnnotatorsConfig, resource
from khabar.data import corpus, marks
from khabar.data.graph import Graph, of_marks
from khabar.inference import assemble, watchlist
from khabar.inference.accounts import Event, Participant, Stance, names
from khabar.schema import Task, overlap

SAMPLE = "seeds/sample"


def main() -> None:
    """Read and compare."""
    model = khabar.load(sys.argv[1] if len(sys.argv) > 1 else "models:/khabar-event_type-reader@candidate")
    task = next(task for task in model.tasks.values() if task.marks)
    text, gold = gold_graph(task)
    events, event_of = assemble.events(gold, text, None)
    stances = assemble.stances(gold, text, events, event_of)
    account = model.read(text, watchlist=watchlist.load(resource(f"{SAMPLE}/watchlist.yaml")))[0]
    print("| gold: type, status | who → to whom | the model |\n|---|---|---|")
    left = list(account.events)
    right = 0
    for event in events:
        mine = [one for one in left if shared(event, one)]
        left = [one for one in left if one not in mine]
        best = max(mine, key=lambda one: agreement(event, one), default=None)
        right += best is not None and agreement(event, best) == 3
        print(f"| {event.type}, {event.status} | {parts(event)} | {compared(event, best)} |")
    print(f"\n{len(events)} gold events, {right} right in type, actors and recipients;", end=" ")
    print(f"{len(left)} of the model beside none.")
    print("\n| gold: holder | stance | target | the model |\n|---|---|---|---|")
    hits = 0
    for stance in stances:
        same = [one for one in account.stances if alike(stance, one)]
        marked = [f"{'✓' if one.label == stance.label else '✗'} {one.label}" for one in same]
        said = ", ".join(dict.fromkeys(marked))
        hits += any(one.label == stance.label for one in same)
        print(f"| {stance.holder} | {stance.label} | {stance.target[:60]} | {said or '✗ not found'} |")
    print(f"\n{len(stances)} gold stances, {hits} found with their label; the model has {len(account.stances)}.")


def gold_graph(task: Task) -> tuple[str, Graph]:
    """The text of the sample and its gold marks as what a perfect reader would have found."""
    read = corpus.load(Path(resource(SAMPLE)))
    rows, _ = marks.examples(read, task, AnnotatorsConfig())
    held = rows[0].marks
    assert held is not None
    return rows[0].text, of_marks(held)


def shared(one: Event, other: Event) -> bool:
    """Whether two events have a trigger in common."""
    return any(overlap((a.start, a.end), (b.start, b.end)) for a in one.mentions for b in other.mentions)


def agreement(gold: Event, found: Event) -> int:
    """How many of type, actors and recipients are right."""
    return (
        (gold.type == found.type)
        + (who(gold.actors) == who(found.actors))
        + (who(gold.recipients) == who(found.recipients))
    )


def who(participants: Sequence[Participant]) -> set[str]:
    """Their names."""
    return {one.name for one in participants}


def parts(event: Event) -> str:
    """Actors and recipients."""
    return f"{names(event.actors) or '—'} → {names(event.recipients) or '—'}"


def compared(gold: Event, found: Event | None) -> str:
    """The model's version, each part with its mark."""
    if found is None:
        return "✗ missed"
    marked = [
        (found.type, gold.type == found.type),
        (found.status, gold.status == found.status),
        (names(found.actors) or "—", who(gold.actors) == who(found.actors)),
        (names(found.recipients) or "—", who(gold.recipients) == who(found.recipients)),
    ]
    return "; ".join(f"{'✓' if right else '✗'} {text}" for text, right in marked)


def alike(gold: Stance, found: Stance) -> bool:
    """Whether both are about one holder and one target: an actor by its name, else a span that overlaps."""
    if gold.holder != found.holder or gold.kind != found.kind:
        return False
    if gold.kind == "actor":
        return gold.target == found.target
    ours, theirs = ([(each.target_start or 0, each.target_end or 0) for each in one.evidence] for one in (gold, found))
    return any(overlap(one, other) for one in ours for other in theirs)


if __name__ == "__main__":
    main()
