"""The report on a data set as the commands make it: its figures, what annotators differ on, and the files of both."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from khabar.config import WindowsConfig, resource

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from khabar.data.dataset import Dataset
    from khabar.data.figures import Tokens
    from khabar.data.report import Report
    from khabar.evaluation.agreement import Agreement
    from khabar.tracking import Run

EMBEDDED = "those of the embedded encoder (seeds/encoder; another encoder has its own)"
JSON, HTML, DISAGREEMENTS = "report.json", "report.html", "disagreements.jsonl"
BATCH = 64  # texts


def start(run: "Run", config: Any, data: "Dataset", splits: Sequence[str]) -> None:  # noqa: ANN401 - of a command
    """Tell a run what it runs: configuration, data of these splits, code, packages, machine and how busy that is."""
    begin(run, config)
    rows = {split: len(data.splits[split]) for split in splits}
    run.data(config.data.name, data.fingerprint, config.data.path or config.data.name, rows)


def begin(run: "Run", config: Any) -> None:  # noqa: ANN401 - of a command
    """Tell a run its configuration, code, packages, machine and how busy that is."""
    from khabar.tracking import surroundings

    run.params(config.model_dump(mode="json"))
    run.tags(surroundings.machine())
    for name, text in surroundings.files(diff=config.track.code_diff).items():
        run.text(text, f"code/{name}")
    if config.track.system_metrics:
        run.watch()


def agreement(data: "Dataset") -> "Agreement":
    """How far the annotators agree on the tasks of a data set."""
    from khabar.evaluation import agreement as agreements

    return agreements.measure(data.corpus, data.tasks, adjudicator=data.config.annotators.adjudicator)


def report(
    data: "Dataset",
    tokenizer: "Tokenizer | None" = None,
    whose: str = EMBEDDED,
    *,
    windows: WindowsConfig = WindowsConfig(),  # noqa: B008 - frozen
    agreed: "Agreement | None" = None,
) -> "Report":
    """All figures of a data set.

    Args:
        data: as loaded.
        tokenizer: counts the tokens; None: the embedded encoder's.
        whose: whose tokens they are, in words.
        windows: how the texts would be read.
        agreed: what `agreement` returned, where it is known already.
    """
    from khabar.data import report as reports
    from khabar.text import normalizer

    found = (agreed or agreement(data)).to_rows()
    return reports.build(
        data,
        findings=data.audit.findings,
        agreement=found["alphas"],
        disagreements=found["disagreements"],
        tokens=_counter(tokenizer or normalizer.load(resource("seeds/encoder"))),
        tokenizer=whose,
        windows=windows,
    )


def files(made: "Report") -> dict[str, str]:
    """The report by file name, as JSON and as HTML."""
    plain = json.dumps(made.to_dict(), ensure_ascii=False, indent=1)
    return {JSON: plain + "\n", HTML: made.to_html()}


def actions(made: "Report") -> str:
    """What to do about the data, for a run that has more to say; empty where there is nothing."""
    from khabar.data.wording import printable

    return "\n".join(printable(line) for action in made.actions for line in (f"  {action.found}", f"  -> {action.do}"))


def write(folder: Path, made: "Report", agreed: "Agreement") -> list[str]:
    """Write `report.json`, `report.html` and, where annotators differ, `disagreements.jsonl`; their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files(made).items():
        (folder / name).write_text(text, "utf-8")
    rows = agreed.to_rows()["disagreements"]
    (folder / DISAGREEMENTS).unlink(missing_ok=True)  # of an earlier state of the data
    if not rows:
        return [JSON, HTML]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / DISAGREEMENTS).write_text(lines, "utf-8")
    return [JSON, HTML, DISAGREEMENTS]


def say(what: str) -> None:
    """A line on stderr before something that may take a while."""
    print(what, file=sys.stderr, flush=True)


def _counter(tokenizer: "Tokenizer") -> "Tokens":
    """Counts the tokens of texts, with a bar on a terminal if it takes more than a moment."""
    from tqdm import tqdm

    def count(texts: Sequence[str]) -> list[int]:
        counts: list[int] = []
        with tqdm(total=len(texts), desc="tokens", unit="text", delay=2, disable=None, leave=False) as bar:
            for at in range(0, len(texts), BATCH):
                counts += [len(found.ids) for found in tokenizer.encode_batch(texts[at : at + BATCH])]
                bar.update(len(counts) - bar.n)
        return counts

    return count
