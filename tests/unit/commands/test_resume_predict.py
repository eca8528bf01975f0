"""Interrupted reading goes on where it stopped, and the file is the same to the byte."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from khabar.commands import _output, predict
from khabar.config import resource
from khabar.errors import ConfigError
from khabar.inference import model
from unit.inference import tiny_bundle
from unit.inference.tiny_bundle import TEXT

ROWS = 480


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_bundle.write(tmp_path_factory.mktemp("made") / "bundle")


@pytest.fixture
def small_chunks(monkeypatch):
    """The journal is written every 32 rows."""
    monkeypatch.setattr(model, "CHUNK", 32)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.jsonl"
    rows = [{"id": f"a{n}", "text": f"{TEXT} {n} " * (1 + n % 2), "questions": ["إيران | هدنة"]} for n in range(ROWS)]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    lines[5], lines[70], lines[200] = "{", '{"text": ""}', '{"text": 5}'
    path.write_text("\n".join(lines), "utf-8")
    return path


def config(folder, source, output, **fields):
    plain = {
        "machine": {"device": "cpu", "threads": 1},
        "model": str(folder),
        "input": str(source),
        "output": str(output),
    }
    return predict.Config.of({**plain, **fields})


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def stop(monkeypatch, at, error=KeyboardInterrupt):
    """The journal is written `at` times, then the process goes down with half a piece on disk."""
    mark = _output.Files.mark
    count = 0

    def counted(self, rows):
        nonlocal count
        mark(self, rows)
        count += 1
        if count == at:
            self.write("half a pie")
            self.bad({"half": 1})
            self.file.flush()
            self.bad_rows.flush()
            raise error

    monkeypatch.setattr(_output.Files, "mark", counted)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet", "out.html", "tasks.json"])
def test_the_file_is_the_same_to_the_byte(folder, source, tmp_path, capsys, monkeypatch, name):
    fields = {"format": "label_studio"} if name == "tasks.json" else {}
    short = tmp_path / "short.jsonl"
    short.write_text("".join(source.read_text("utf-8").splitlines(keepends=True)[:100]), "utf-8")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    predict.run(config(folder, short, whole / name, **fields))
    for at in (1, 2):  # twice
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            stop(patch, at)
            predict.run(config(folder, short, broken / name, **fields))
        assert "The same command goes on from there" in capsys.readouterr().err
    predict.run(config(folder, short, broken / name, **fields))
    err = capsys.readouterr().err
    assert err.startswith(f"Going on with {broken / name}.part: 96 rows are done.\n")
    assert "100 articles (96 of them before)" in err
    assert "2 bad rows" in err
    assert left(broken) == left(whole) == sorted([name, f"{name}.errors.jsonl"])
    for file in left(whole):
        assert (broken / file).read_bytes() == (whole / file).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_process_that_is_shot_goes_on(folder, source, tmp_path, sent):
    whole, broken = tmp_path / "whole" / "out.jsonl", tmp_path / "broken" / "out.jsonl"
    line = [sys.executable, "-m", "khabar", "predict", f"model={folder}", f"input={source}", f"output={broken}"]
    line += ["machine.device=cpu", "machine.threads=1"]
    env = {**os.environ, "PYTHONPATH": str(resource("src"))}
    process = subprocess.Popen(line, env=env, stderr=subprocess.PIPE, text=True)
    journal = broken.with_name("out.jsonl.part.json")

    def marked():
        try:
            return json.loads(journal.read_text())["rows"]
        except FileNotFoundError:
            return 0

    while process.poll() is None and marked() < 96:
        time.sleep(0.001)
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    done = json.loads(journal.read_text())["rows"]
    assert 96 <= done < ROWS
    assert not broken.exists()
    if sent == signal.SIGINT:
        assert process.returncode == 130
        assert f"Stopped after {done} rows. The same command goes on from there." in err
    predict.run(config(folder, source, whole))
    predict.run(config(folder, source, broken))
    assert left(broken.parent) == ["out.jsonl", "out.jsonl.errors.jsonl"]
    for name in left(whole.parent):
        assert (broken.parent / name).read_bytes() == (whole.parent / name).read_bytes()
    assert len(broken.read_text("utf-8").splitlines()) == ROWS


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"threshold": 0.9}, "threshold"),
        ({"questions": ["مصر"]}, "questions"),
        ({"format": "text"}, "format"),
        ({"errors": "bad.jsonl"}, "place of the bad rows"),
    ],
)
def test_other_work_starts_anew_and_says_what_is_other(folder, source, tmp_path, capsys, monkeypatch, fields, named):
    monkeypatch.chdir(tmp_path)
    output = tmp_path / "out.jsonl"
    source.write_text("\n".join(source.read_text("utf-8").splitlines()[40:80]), "utf-8")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop(patch, 1)
        predict.run(config(folder, source, output))
    predict.run(config(folder, source, output, **fields))
    err = capsys.readouterr().err
    assert f"Starting anew: {output}.part was begun with another {named}." in err
    assert "40 articles in" in err


def test_an_input_that_changed_starts_anew(folder, source, tmp_path, capsys, monkeypatch):
    output = tmp_path / "out.jsonl"
    lines = source.read_text("utf-8").splitlines()[100:140]
    source.write_text("\n".join(lines), "utf-8")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop(patch, 1)
        predict.run(config(folder, source, output))
    source.write_text("\n".join(lines[:-1]), "utf-8")
    predict.run(config(folder, source, output))
    assert "was begun with another input." in capsys.readouterr().err
    assert len(output.read_text("utf-8").splitlines()) == 39


def test_never_means_never_and_a_journal_that_lies_is_not_believed(folder, source, tmp_path, capsys, monkeypatch):
    output = tmp_path / "out.jsonl"
    source.write_text("\n".join(source.read_text("utf-8").splitlines()[100:140]), "utf-8")

    def interrupted():
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            stop(patch, 1)
            predict.run(config(folder, source, output))
        capsys.readouterr()

    interrupted()
    predict.run(config(folder, source, output, resume="never"))
    assert "Going on" not in capsys.readouterr().err
    part, journal = (tmp_path / f"out.jsonl.part{suffix}" for suffix in ("", ".json"))
    for damage, told in (
        (lambda: part.write_text("short"), "is shorter than out.jsonl.part.json says"),
        (lambda: journal.write_text('{"rows": 32'), "can't be read"),
        (lambda: journal.write_text('{"rows": 32}'), "can't be read"),
        (part.unlink, "is shorter"),
    ):
        interrupted()
        damage()
        predict.run(config(folder, source, output))
        err = capsys.readouterr().err
        assert told in err
        assert "Going on" not in err
        assert len(output.read_text("utf-8").splitlines()) == 40


def test_two_processes_do_not_write_one_file(folder, source, tmp_path):
    output = tmp_path / "out.jsonl"
    held = _output.Files(output, _output.side_file(str(output), None), {}, resume=True)
    with pytest.raises(ConfigError, match="Another process writes"):
        predict.run(config(folder, source, output))
    held.close()


@pytest.mark.usefixtures("small_chunks")
def test_standard_input_says_that_it_can_not_go_on(folder, source, tmp_path, capsys, monkeypatch):
    output = tmp_path / "out.jsonl"
    with source.open("rb") as file, monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(sys, "stdin", open(os.dup(file.fileno()), encoding="utf-8"))  # noqa: SIM115, PTH123
        stop(patch, 1)
        try:
            predict.run(config(folder, "-", output))
        finally:
            sys.stdin.close()
    err = capsys.readouterr().err
    assert f"Stopped after 32 rows. They are in {output}.part; standard input can't be gone on with." in err
    assert left(tmp_path) == ["in.jsonl", "out.jsonl.errors.jsonl.part", "out.jsonl.part"]
