"""The report at the end of an import: `figures.py` counts, `advice.py` says what to do about it.

A `Report` is the same figures printed, as JSON, as HTML or as a data card.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from khabar.config import WindowsConfig
from khabar.data import figures, split_notes
from khabar.data.dataset import Dataset
from khabar.data.examples import NONE
from khabar.data.figures import DROPPED, ENCODER, EXAMPLES, TEXT, Length, Origin, Rows, TaskRows, Tokens, Written
from khabar.data.findings import Finding
from khabar.data.wording import many, share, shown, templates


@dataclass(frozen=True)
class Action:
    """Something a person should do: what was found, and the way to change it."""

    found: str
    do: str


@dataclass(frozen=True)
class Report:
    """All figures of one import, the most important first."""

    name: str
    path: str
    licence: str
    fingerprint: str
    actions: tuple[Action, ...]
    rows: Rows
    split: str  # what made it
    split_notes: tuple[str, ...]  # what had no say in it, though somebody may have meant it to
    tasks: tuple[TaskRows, ...]
    agreement: tuple[dict[str, Any], ...]
    disagreements: int
    disagreement_examples: tuple[dict[str, str], ...]
    lengths: tuple[Length, ...]
    tokenizer: str
    windows: WindowsConfig
    reach: int
    written: Written
    findings: tuple[Finding, ...]
    origin: Origin

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, for `report.json`."""
        return {**asdict(self), "windows": self.windows.model_dump(mode="json")}

    def to_text(self) -> str:
        """What is printed: at most 100 columns, what to do first."""
        from khabar.data import report_text

        return report_text.text(self)

    def to_card(self) -> str:
        """The data card, Markdown."""
        from khabar.data import card

        return card.markdown(self)

    def to_html(self) -> str:
        """One page that needs no other file and runs no script; whatever the data holds is escaped."""
        from khabar.data import report_text

        kitchen = templates(Path(__file__).parent)
        kitchen.filters |= {
            "n": "{:,}".format,
            "share": share,
            "many": many,
            "interval": interval,
            "windows": report_text.windows,
        }
        return kitchen.get_template("report.html.j2").render(report=self, encoder=ENCODER, dropped=DROPPED)


def build(
    dataset: Dataset,
    *,
    findings: Sequence[Finding] = (),
    agreement: Sequence[Mapping[str, Any]] = (),
    disagreements: Sequence[Mapping[str, Any]] = (),
    tokens: Tokens | None = None,
    tokenizer: str = "",
    windows: WindowsConfig = WindowsConfig(),  # noqa: B008 - frozen
) -> Report:
    """Count everything.

    Args:
        dataset: as loaded, its leaks dropped or kept.
        findings: what the audit found.
        agreement: rows of `evaluation.agreement`, a figure each.
        disagreements: rows of the same, a question each on which annotators differ.
        tokens: counts the tokens of texts; None: no figure speaks of tokens.
        tokenizer: whose tokens they are.
        windows: how an encoder would read the texts.
    """
    from khabar.data import advice

    lengths, reach = figures.lengths(dataset, tokens, windows)
    corpus = dataset.corpus
    report = Report(
        name=dataset.config.name,
        path=dataset.config.path or "",
        licence=corpus.licence,
        fingerprint=dataset.fingerprint,
        actions=(),
        rows=figures.rows(dataset),
        split=split_notes.rule(dataset.config.split),
        split_notes=dataset.notes,
        tasks=tuple(figures.task_rows(dataset, task) for task in dataset.tasks.values()),
        agreement=tuple(dict(row) for row in agreement),
        disagreements=len(disagreements),
        disagreement_examples=tuple(_disagreement(row) for row in disagreements[:EXAMPLES]),
        lengths=lengths,
        tokenizer=tokenizer,
        windows=windows,
        reach=reach,
        written=figures.written(corpus.articles.values()),
        findings=tuple(_cleaned(finding) for finding in findings),
        origin=figures.origin(corpus.articles.values()),
    )
    return replace(report, actions=advice.actions(report, dataset))


def interval(row: Mapping[str, Any]) -> str:
    """An alpha of a row of agreement, with its interval where there is one."""
    if row["value"] is None:
        return "undefined, all answers being the same"
    known = row["low"] is not None
    return f"alpha {row['value']:.2f}" + (f" [{row['low']:.2f}, {row['high']:.2f}]" if known else "")


def _cleaned(finding: Finding) -> Finding:
    examples = tuple({name: shown(value, TEXT) for name, value in example.items()} for example in finding.examples)
    return replace(finding, examples=examples)


def _disagreement(row: Mapping[str, Any]) -> dict[str, str]:
    """One row of the list of disagreements, as a person reads it."""
    span = "" if row["span"] is None else f" [{row['span'][0]}, {row['span'][1]})"
    said = [f"{answer['annotator']}: {', '.join(answer['labels']) or NONE}" for answer in row["answers"]]
    asked = {name: shown(row[name], TEXT) for name in ("holder", "target") if row[name] is not None}
    return {
        "id": f"{shown(row['article'], 60)}{span}",
        **asked,
        "text": shown(row["text"], TEXT),
        "answers": "; ".join(said),
    }
