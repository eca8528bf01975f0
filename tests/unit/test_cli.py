"""The command line: what it composes, what it refuses and in which words, and how it ends."""

import itertools
import json
import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from khabar import cli
from khabar.commands import predict, train, ui
from khabar.errors import ConfigError, DataError, GateError

HEAVY = {"torch", "transformers", "mlflow", "datasets", "evaluate", "tokenizers", "sklearn", "pandas", "onnxruntime"}


def job(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, object]:
    """The configuration that a command line composes."""
    assert cli.main([*argv, "--cfg", "job"]) == 0
    return yaml.safe_load(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 2) -> str:
    """What a command line is refused with."""
    assert cli.main(list(argv)) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err.strip()


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the commands train and predict are called with, in place of running them."""
    calls: list[object] = []
    monkeypatch.setattr(train, "run", calls.append)
    monkeypatch.setattr(train, "multirun", calls.append, raising=False)
    monkeypatch.setattr(predict, "run", calls.append)
    return calls


def test_help_lists_every_command_and_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in ([], ["--help"], ["-h"]):
        assert cli.main(argv) == 0
        out = capsys.readouterr().out
        for name in ("train", "evaluate", "export", "ingest", "predict", "ui"):
            assert f"\n  {name} " in out
        assert "khabar predict input=مقال.txt" in out


def test_help_of_a_command_shows_groups_choices_fields_and_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "--help"]) == 0
    out = capsys.readouterr().out
    for part in ("data=seeds", "un_quadclass", "task=[]", "event_quad5", "encoder=mini", "arabert", "experiment=null"):
        assert part in out
    assert "seed=0" in out
    assert "resume=auto" in out
    assert "auto: go on with the newest unfinished run" in out
    assert out.count("\n  khabar train") == 3
    assert "-m key=a,b" in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("khabar ")


@pytest.mark.parametrize(
    "argv",
    [["--help"], ["train", "--help"], ["train", "--cfg", "job"], ["train", "loop.lr=-5"], ["train", "data=un"], ["x"]],
    ids=" ".join,
)
def test_help_cfg_and_errors_import_nothing_heavy(argv: list[str]) -> None:
    program = (
        "import sys\nfrom khabar.cli import main\n"
        f"main({argv!r})\nprint(sorted(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_python_m_khabar() -> None:
    done = subprocess.run([sys.executable, "-m", "khabar", "trian"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'train'" in done.stderr


def test_tasks_default_to_those_of_the_data_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(job(capsys, "train")["task"]) == ["event_type", "stance"]
    assert list(job(capsys, "train", "data=un_quadclass")["task"]) == ["event_quad5"]
    assert list(job(capsys, "train", "experiment=debug")["task"]) == ["event_type", "stance"]
    assert list(job(capsys, "train", "task=[]", "data.default_tasks=[stance]")["task"]) == ["stance"]
    assert list(job(capsys, "ingest", "data=unified_fc")["task"]) == ["stance_claim"]


def test_a_field_of_a_default_task_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    task = job(capsys, "train", "task.stance.pool=mean")["task"]
    assert task["stance"]["pool"] == "mean"
    assert task["event_type"]["labels"][0] == "AGREE"


def test_groups_choose_and_values_are_laid_over_them(capsys: pytest.CaptureFixture[str]) -> None:
    config = job(
        capsys,
        "train",
        "loop.lr=1e-4",
        "task=[stance]",
        "experiment=debug",
        "windows=short",
        "+seed=3",
        "++resume=never",
    )
    assert list(config["task"]) == ["stance"]
    assert config["windows"]["length"] == 256
    assert config["loop"]["lr"] == 1e-4
    assert config["loop"]["max_steps"] == 2
    assert (config["seed"], config["resume"]) == (3, "never")


def test_a_single_task_needs_no_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(job(capsys, "train", "data=un_quadclass", "task=event_quad")["task"]) == ["event_quad"]


def test_interpolations_are_resolved(capsys: pytest.CaptureFixture[str]) -> None:
    assert job(capsys, "train", "track.run_name=${data.name}-${seed}")["track"]["run_name"] == "seeds-0"
    assert "nope" in refused(capsys, "train", "resume=${nope}")


@pytest.mark.parametrize(
    "text",
    [
        "مقال.txt",
        "a=b=c",
        "تقرير (1) ~#.txt",
        "إيران | مصر",
        "it's.txt",
        "a[1.txt",
        "x:y",
        "~",
        "C:\\مجلد\\a.txt",
    ],
)
def test_text_that_hydra_cannot_lex_arrives_whole(capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert job(capsys, "predict", f"input={text}")["input"] == text


def test_lists_of_arabic(capsys: pytest.CaptureFixture[str]) -> None:
    asked = "questions=[إيران | وقف إطلاق النار, الأمم المتحدة, 'أ، ب, ج']"
    assert job(capsys, "predict", asked)["questions"] == ["إيران | وقف إطلاق النار", "الأمم المتحدة", "'أ، ب, ج'"[1:-1]]


def test_arabic_keys_and_mappings(capsys: pytest.CaptureFixture[str]) -> None:
    config = job(
        capsys,
        "train",
        "data=files",
        "task=[stance]",
        "data.columns.label=الفئة",
        "data.label_map.stance.مؤيد=favor",
        "data.label_map.event_type={احتجاج: PROTEST, هجوم: ASSAULT}",
    )
    assert config["data"]["columns"]["label"] == "الفئة"
    assert config["data"]["label_map"] == {
        "stance": {"مؤيد": "favor"},
        "event_type": {"احتجاج": "PROTEST", "هجوم": "ASSAULT"},
    }


@given(
    st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=",$"), min_size=1).map(lambda t: f"ا{t}")
)
def test_any_text_without_a_comma_is_one_value(text: str) -> None:
    assert cli.parse("input", text) == text


@given(
    st.lists(
        st.text(st.characters(categories=["Ll", "Lo", "Lu"]), min_size=1).map(lambda t: f"ا {t} | ب"),
        min_size=1,
        max_size=5,
    )
)
def test_any_list_of_texts_arrives(texts: list[str]) -> None:
    assert cli.parse("questions", f"[{', '.join(texts)}]") == texts


def test_all_errors_at_once_with_path_asked_allowed_and_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(
        capsys,
        "train",
        "loop.lr=-5",
        "loop.epoks=2",
        "lr=3",
        "loop.schedule=liner",
        "track.run_name=12",
        "windows.length=64",
        "seed=1.5",
        "task=event_quad",
    ).splitlines()
    assert len(said) == 8
    assert "loop.lr: asked -5, allowed: > 0" in said
    assert "loop.epoks: there is no such field. Did you mean loop.epochs?" in said
    assert "lr: there is no such field. Did you mean encoder.lr or loop.lr?" in said
    assert "loop.schedule: asked liner. Did you mean 'linear'? There are: constant, cosine, linear." in said
    assert """track.run_name: asked 12, allowed: a text, that is, quoted: "track.run_name='12'\"""" in said
    assert "seed: asked 1.5, allowed: a whole number" in said
    assert any(line.startswith("windows: length 64 leaves -35 tokens") for line in said)
    assert any("the data set seeds does not offer event_quad" in line for line in said)


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("data=seed", ["Did you mean 'seeds'?", "un_quadclass"]),
        ("task=[stance,stnce]", ["task=stnce", "Did you mean 'stance'?"]),
        ("encoder=[mini]", ["one name is expected", "encoder.field=value"]),
        ("data={name: x}", ["one name is expected"]),
        ("encoder=null", ["no such choice"]),
        ("seed", ["'seed' is not an override", "key=value"]),
        ("=3", ["is not an override"]),
        ("~seed", ["nothing is deleted", "seed=null"]),
        ("loop.lr=1,2", ["Add -m", "names 2 values", "\"loop.lr='1,2'\""]),
        ("data.path=مقال,خبر", ["Add -m", "names 2 values"]),
        ("seed=range(0,3)", ["Add -m", "names 3 values"]),
        ("loop.lr=interval(0,1)", ["a sweep lists its values"]),
        ("hydra.run.dir=x", ["hydra: there is no such field"]),
        ("task.stanc.pool=max", ["stanc is not among the chosen tasks, event_type, stance"]),
        ("task.stance.pol=max", ["Did you mean task.stance.pool?"]),
        ("loop.lr.x=1", ["loop.lr: asked"]),
        ("loop.lr=nan", ["loop.lr: asked nan, allowed: a finite number"]),
        ("data.split.trian=3", ["Did you mean data.split.train?"]),
        ("suite.baselines=majority", ["suite.baselines: asked majority, allowed: a list"]),
        ("resume=${x", ["resume: no viable alternative"]),
        ("encoder._target_=os.system", ["encoder._target_: there is no such field"]),
        ("--seed=3", ["There is no option '--seed=3'", "seed=3"]),
        ("--cfg=hydra", ["--cfg job"]),
    ],
)
def test_one_mistake(capsys: pytest.CaptureFixture[str], override: str, parts: list[str]) -> None:
    said = refused(capsys, "train", override)
    for part in parts:
        assert part in said


def test_a_group_of_another_command_is_an_unknown_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "ui", "data=seeds") == "data: there is no such field. khabar ui has: port."


def test_a_quoted_comma_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert job(capsys, "train", "data.path='a,b.csv'")["data"]["path"] == "a,b.csv"


def test_commands_with_a_typo(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["trian"], ["trian", "--help"], ["trian", "-m", "seed=0,1"]):
        assert "Did you mean 'train'?" in refused(capsys, *argv)


def test_a_run_receives_the_record(received: list[object]) -> None:
    assert cli.main(["train", "seed=7", "data=un_quadclass"]) == 0
    (config,) = received
    assert isinstance(config, train.Config)
    assert (config.seed, config.data.name, list(config.task)) == (7, "un_quadclass", ["event_quad5"])


def test_compose_gives_what_a_run_receives(received: list[object]) -> None:
    assert cli.main(["train", "seed=7"]) == 0
    assert cli.compose("train", [("seed", "7")]) == received[0]


def test_a_multirun_is_the_product_in_order(received: list[object]) -> None:
    assert (
        cli.main(["train", "-m", "loop.lr=1e-4,3e-4", "seed=range(0,2)", "task=[event_type],[stance]", "resume=x"]) == 0
    )
    (runs,) = received
    told = [told for told, _ in runs]
    product = itertools.product(["0.0001", "0.0003"], ["0", "1"], ["[event_type]", "[stance]"])
    assert told == [[f"loop.lr={lr}", f"seed={seed}", f"task={task}"] for lr, seed, task in product]
    assert [(run.loop.lr, run.seed, *run.task) for _, run in runs][:3] == [
        (1e-4, 0, "event_type"),
        (1e-4, 0, "stance"),
        (1e-4, 1, "event_type"),
    ]
    assert {run.resume for _, run in runs} == {"x"}


def test_a_multirun_sweeps_over_choices_and_arabic(received: list[object]) -> None:
    assert cli.main(["train", "-m", "windows=default,short", "data.path=مقال,'a,b'", "seed=choice(1,2)"]) == 0
    (runs,) = received
    assert [(run.windows.length, run.data.path, run.seed) for _, run in runs] == list(
        itertools.product([512, 256], ["مقال", "a,b"], [1, 2])
    )


def test_a_multirun_of_one(received: list[object]) -> None:
    assert cli.main(["train", "--multirun", "seed=4"]) == 0
    assert [told for told, _ in received[0]] == [["seed=4"]]


def test_every_combination_is_checked_before_the_first_starts(
    capsys: pytest.CaptureFixture[str], received: list[object]
) -> None:
    said = refused(capsys, "train", "-m", "loop.lr=1e-4,-1")
    assert said.splitlines() == ["With loop.lr=-1:", "loop.lr: asked -1, allowed: > 0"]
    assert received == []


def test_only_train_takes_m(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "ui", "-m", "port=1,2") == "khabar ui takes no -m; khabar train does."


def test_a_multirun_shows_every_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "-m", "seed=0,1", "--cfg", "job"]) == 0
    assert [each["seed"] for each in yaml.safe_load_all(capsys.readouterr().out)] == [0, 1]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (GateError("off by 0.3"), 1, "off by 0.3"),
        (ConfigError("no such model"), 2, "no such model"),
        (DataError("row 3"), 3, "row 3"),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (SystemExit(5), None, ""),
    ],
)
def test_exit_codes(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int | None,
    said: str,
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(ui, "run", fail)
    if code is None:
        with pytest.raises(SystemExit):
            cli.main(["ui"])
    else:
        assert refused(capsys, "ui", code=code) == said


def test_an_unforeseen_exception_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ui, "run", fail)
    with pytest.raises(ZeroDivisionError):
        cli.main(["ui"])


def test_a_closed_pipe_is_no_noise() -> None:
    program = f'{sys.executable} -c \'from khabar.cli import main; import sys; sys.exit(main(["train", "--help"]))\''
    done = subprocess.run(["bash", "-c", f"{program} | true; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.strip() in ("0", "141")


def test_help_is_no_longer_than_a_screen_is_wide(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["train", "--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 120


def test_the_printed_configuration_is_the_record_in_json_types(capsys: pytest.CaptureFixture[str]) -> None:
    plain = job(capsys, "train", "seed=3")
    assert train.Config.model_validate_json(json.dumps(plain)) == cli.compose("train", [("seed", "3")])


@pytest.mark.parametrize(
    ("text", "several"),
    [
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        ("[a,b]", ["[a,b]"]),
        ("[ا,ب]", ["[ا,ب]"]),
        ("[ا,ب],[ج]", ["[ا,ب]", "[ج]"]),
        ("'ا,ب'", ["'ا,ب'"]),
        ("ا,ب", ["ا", "ب"]),
        ("{ا: ب, ج: د}", ["{ا: ب, ج: د}"]),
        ("range(1,4)", ["1", "2", "3"]),
        ("ا),ب", ["ا)", "ب"]),
    ],
)
def test_alternatives(text: str, several: list[str]) -> None:
    assert cli.alternatives("key", text) == several


@pytest.mark.parametrize("value", ["calm", "null", "[a]"])
def test_a_task_found_in_a_file_and_set_to_what_is_no_mapping(capsys, tmp_path, value):
    export = tmp_path / "export.jsonl"
    lines = [{"text": f"خبر {number}", "label": [("calm", "alarmed")[number % 2]]} for number in range(4)]
    export.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    line = ("train", "data=doccano", f"data.path={export}")
    assert "task.label: asked" in refused(capsys, *line, f"task.label={value}")
    assert job(capsys, *line, "task.label.main_metric=mcc")["task"]["label"]["main_metric"] == "mcc"


def test_a_file_of_two_tasks_is_narrowed_by_name(capsys, tmp_path):
    export = tmp_path / "export.jsonl"
    texts = [{"text": f"خبر {number} عن الميناء", "answer": "accept"} for number in range(4)]
    options = [{"id": name} for name in ("calm", "alarmed")]
    lines = [{**text, "options": options, "accept": [options[at % 2]["id"]]} for at, text in enumerate(texts)]
    for at, label in enumerate(("opening", "closing", "opening", "closing")):
        lines.append({"text": f"مقال {at}", "answer": "accept", "spans": [{"start": 0, "end": 4, "label": label}]})
    export.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    line = ("train", "data=prodigy", f"data.path={export}")
    found = job(capsys, *line)
    assert len(found["task"]) == 2 and set(found["data"]["default_tasks"]) == set(found["task"])
    one = next(iter(found["task"]))
    assert list(job(capsys, *line, f"data.tasks=[{one}]")["task"]) == [one]
    assert "data.tasks names nothing_such. There are: " in refused(capsys, *line, "data.tasks=[nothing_such]")


def test_a_wrong_field_of_a_data_set_whose_file_is_asked_is_told_alone(capsys, tmp_path):
    said = refused(capsys, "train", "data=doccano", f"data.path={tmp_path}", "data.limit=-1")
    assert "data.limit" in said and "task: missing" not in said
