"""Read articles: events with their sentences, stances with their evidence.

Bad rows are counted, told and put aside; the exit code is 0 as long as one row could be read, else 3. Interrupted work
goes on where it stopped when the same command runs again.
"""

import importlib.metadata
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from khabar.commands import _output
from khabar.commands._articles import Reads, Source, open_source
from khabar.commands._progress import Progress
from khabar.commands._rows import Row
from khabar.config import locate
from khabar.data.wording import many, shown
from khabar.errors import ConfigError, DataError

if TYPE_CHECKING:
    from khabar.commands._formats import Format
    from khabar.commands._output import Files, Stream
    from khabar.inference.model import Model
    from khabar.inference.reader import Wanted
    from khabar.inference.readings import Reading
    from khabar.inference.watchlist import Watchlist

SHOWN = 5  # bad rows that are told one by one
ASIDE = {"machine", "model", "input", "output", "errors", "watchlist", "resume"}  # all else changes the answers


class Config(Reads):
    """Configuration of `khabar predict`."""

    format: Literal["auto", "text", "jsonl", "csv", "tsv", "parquet", "html", "label_studio", "plover"] = "auto"
    columns: dict[str, str] = Field({})
    tasks: tuple[str, ...] = ()
    whole: bool | None = None
    holders: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    threshold: float | None = Field(None, gt=0, lt=1)
    top_k: int | None = Field(None, ge=1)
    errors: str | None = None
    resume: Literal["auto", "never"] = "auto"


def run(config: Config) -> None:
    """Read every article of the input and write one answer each; bad rows are counted, told and put aside.

    Raises:
        DataError: not one row can be read.
    """
    from khabar.commands import _formats
    from khabar.inference import label_studio
    from khabar.inference.model import load
    from khabar.inference.questions import parse_question

    side, regular = _paths(config)
    names = config.names()
    asked = [parse_question(question) for question in config.questions]
    source = open_source(config.input, config.columns, [Path(config.output), *([side] if side else [])])
    for name, path in (("output", Path(config.output)), ("errors", side)):
        if path is not None and path.resolve() in {file.resolve() for file in source.files}:
            raise ConfigError(f"{name}={path} is an input, which would be overwritten. Choose another {name}=.")
    kind = _formats.choose(config.format, config.output, single=source.single)
    if kind == "parquet" and not regular:
        raise ConfigError("format=parquet needs a file: output=answers.parquet")
    model = load(config.model, config.machine)
    whole = _whole(config, model, names)

    def answers(rows: Sequence[Row]) -> Iterator["Reading"]:
        good = [row.article for row in rows if not row.error]
        readings = model.stream(
            good,
            asked,
            watchlist=names,
            threshold=config.threshold,
            tasks=config.tasks,
            top_k=config.top_k,
            whole=whole,
        )
        return (_unread(row, model) if row.error else next(readings) for row in rows)

    out: Files | Stream
    if regular and side is not None:
        key = _key(config, model, source, kind) if source.files else None
        out = _output.Files(Path(config.output), side, key, resume=config.resume == "auto")
    else:
        out = _output.Stream(config.output, side)
    form = _formats.make(kind, model, out.tally, bom=config.output != "-")
    progress = Progress(source.total(), out.rows, False if source.single else config.machine.progress)
    try:
        first = _work(source, answers, form, out, progress)
        bad = out.tally["bad"]
        out.finish(form.finish, keep=bad < out.rows or not bad)
    except KeyboardInterrupt:
        progress.close()
        _say_stopped(out)
        raise
    finally:
        progress.close()
        out.close()
    if bad and bad == out.rows:
        raise DataError(f"Not one of {many(bad, 'row')} could be read. {first}" if bad > 1 else first)
    if cut := str(model.engine.windower.cut):
        print(cut, file=sys.stderr)
    if kind == "label_studio":
        print(label_studio.hint(config.model), file=sys.stderr)
    if bad or not (source.single and config.output == "-"):
        print(_summary(out, progress), file=sys.stderr)


def _whole(config: Config, model: "Model", names: "Watchlist | None") -> "Wanted | None":
    """What a whole reading is given; None where none is wanted.

    Raises:
        ConfigError: the model can't read articles whole, and that, or something that needs it, was asked for.
    """
    from khabar.inference.reader import Wanted

    needs = bool(config.holders or config.targets or config.format == "plover")
    if config.whole is False and needs:
        raise ConfigError("holders=, targets= and format=plover are of a whole reading, which whole=false leaves out.")
    wanted = config.whole or needs or (config.whole is None and model.reads and model.engine.heads is not None)
    if not wanted:
        return None
    model.reader  # noqa: B018 - raises where it can't
    return Wanted(names, config.holders, config.targets)


def _paths(config: Config) -> tuple[Path | None, bool]:
    """Where bad rows go, and whether the answers go to a file that can be gone on with."""
    output = Path(config.output)
    if output.is_dir():
        raise ConfigError(f"output={output} is a folder. Name a file in it.")
    side = _output.side_file(config.output, config.errors)
    if side is not None and side.resolve() == output.resolve():
        raise ConfigError(f"errors and output are the same file, {output}.")
    return side, _output.side_file(config.output, None) is not None


def _key(config: Config, model: "Model", source: Source, kind: str) -> dict[str, str]:
    """What the answers depend on: where it has not changed, unfinished work can go on."""
    parts = {
        "version of khabar": importlib.metadata.version("khabar"),
        "model": model.about,
        "input": source.stamp(),
        "device": config.machine.model_dump(include={"device", "precision"}),
        "watchlist": locate(config.watchlist).read_text("utf-8-sig") if config.watchlist else None,
        **config.model_dump(mode="json", exclude=ASIDE),
        "format": [kind, config.output != "-"],
        "place of the bad rows": config.errors,
    }
    return {name: _output.digest(part) for name, part in parts.items()}


def _work(
    source: Source,
    answers: Callable[[Sequence[Row]], Iterator["Reading"]],
    form: "Format",
    out: "Files | Stream",
    progress: Progress,
) -> str:
    """Answer what is left of the input, a chunk at a time; the result is the first bad row of this start, in words."""
    from khabar.inference.model import CHUNK
    from khabar.inference.readings import findings

    rows = itertools.islice(source.rows, out.rows, None)
    if not out.rows:
        out.write(form.head)
    told: list[str] = []
    while chunk := list(itertools.islice(rows, CHUNK)):
        first = out.rows
        for number, (row, reading) in enumerate(zip(chunk, answers(chunk), strict=True), first):
            if piece := form.piece(number, row, reading):
                out.write((form.between if out.tally["written"] else "") + piece)
                out.tally["written"] += 1
            if reading.error:
                out.tally["bad"] += 1
                out.bad({"place": str(row.place), "id": reading.id, "error": reading.error, "row": row.raw})
                if len(told) < SHOWN:
                    told.append(shown(f"{row.place}: {reading.error}", 300))
                    if not source.single:
                        progress.say(told[-1] + (" More bad rows are only counted." if len(told) == SHOWN else ""))
            out.tally["empty"] += not (reading.error or any(findings(reading)))
            progress.at(number + 1)
        # of whole chunks only: begun elsewhere, a chunk's batches would be others, and so its last digits
        out.mark(first + len(chunk))
    out.write(form.tail)
    return told[0] if told else ""


def _unread(row: Row, model: "Model") -> "Reading":
    """The answer to a bad row."""
    from khabar.inference.readings import Reading

    text = row.article.get("text") or ""
    title = row.article.get("title") or text.strip().partition("\n")[0]
    return Reading(row.article.get("id") or str(row.place), title, model=model.about, error=f"{row.error}.")


def _say_stopped(out: "Files | Stream") -> None:
    if not isinstance(out, _output.Files) or not out.rows:
        return
    on = f"They are in {out.part}; standard input can't be gone on with."
    if out.key is not None:
        on = "The same command goes on from there."
    print(f"\nStopped after {many(out.rows, 'row')}. {on}", file=sys.stderr)


def _summary(out: "Files | Stream", progress: Progress) -> str:
    """One line on what was done."""
    from khabar.commands._formats import QUOTED

    before = f" ({progress.first:,} of them before)" if progress.first else ""
    parts = [f"{many(out.rows, 'article')}{before} in {progress.seconds():,.1f} s, {progress.rate()}"]
    parts += [f"{out.tally['empty']:,} without a finding"]
    if quoted := out.tally[QUOTED]:
        parts.append(f"{many(quoted, 'cell')} that a spreadsheet could run got a ' in front")
    if bad := out.tally["bad"]:
        where = str(out.side) if out.side else "not kept, errors=PATH keeps them"
        parts.append(f"{many(bad, 'bad row')} ({where})")
    return "; ".join(parts) + "."
