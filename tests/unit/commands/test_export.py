"""`khabar export` from the command line: what is written, what is told, what is refused and leaves nothing behind."""

import json

import pytest
from tests.unit.inference import tiny_bundle

import khabar
from khabar import cli
from khabar.models import bundle


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return tiny_bundle.write(tmp_path_factory.mktemp("export") / "bundle", spread=0.1)


@pytest.fixture
def text(tmp_path):
    rows = [{"id": str(i), "text": tiny_bundle.TEXT} for i in range(3)]
    path = tmp_path / "articles.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def export(source, text, output, *more):
    return cli.main(["export", f"model={source}", f"text={text}", "limit=2", f"output={output}", *more])


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_an_export_carries_its_certificate_under_the_manifest(source, text, tmp_path, capsys, precision):
    assert export(source, text, tmp_path / "out", f"precision={precision}") == 0
    said = capsys.readouterr().out
    written = json.loads((tmp_path / "out" / "certificate.json").read_text("utf-8"))
    assert (written["runtime"], written["precision"], written["articles"]) == ("onnx", precision, 2)
    assert written["bundle"] == bundle.fingerprint(source)
    assert all(line in said for line in ("size ", "probe ", f"2 articles of {text}", "decide alike", "tokens/s"))
    assert khabar.load(str(tmp_path / "out")).predict(tiny_bundle.TEXT)[0].answers
    with (tmp_path / "out" / "certificate.json").open("a") as file:
        file.write(" ")
    assert cli.main(["predict", f"model={tmp_path / 'out'}", f"input={text}"]) == 3


def test_two_exports_of_one_model_have_one_fingerprint(source, text, tmp_path):
    for name in ("a", "b"):
        assert export(source, text, tmp_path / name, "text=null") == 0
    assert bundle.fingerprint(tmp_path / "a") == bundle.fingerprint(tmp_path / "b") != bundle.fingerprint(source)


def test_a_copied_bundle_is_the_bundle(source, text, tmp_path, capsys):
    assert export(source, text, tmp_path / "out", "format=bundle") == 0
    assert bundle.fingerprint(tmp_path / "out") == bundle.fingerprint(source)
    assert not (tmp_path / "out" / "certificate.json").exists()
    assert "text " not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["format=onxx"], 2, "Did you mean 'onnx'"),
        (["format=openvino", "precision=int8"], 2, "int8 is for format=onnx"),
        (["precision=int4"], 2, "precision"),
        (["format=transformers"], 2, "choose task= of event_type, stance"),
        (["format=transformers", "task=stance"], 2, "task.stance.pool=cls"),
        (["task=stance"], 2, "task= is for format=transformers"),
        (["text=nowhere.jsonl"], 3, "nowhere.jsonl"),
        (["limit=0"], 2, "limit"),
    ],
)
def test_what_is_refused_leaves_nothing(source, text, tmp_path, capsys, words, code, said):
    assert export(source, text, tmp_path / "out", *words) == code
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == [text.name]


def test_a_model_that_fails_its_exam_is_not_kept(text, tmp_path, capsys):
    harsh = tiny_bundle.write(tmp_path / "bundle")
    assert export(harsh, text, tmp_path / "out", "precision=int8") == 1
    assert "does not bear int8" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.part").exists()


def test_a_folder_that_is_no_export_is_left_alone(source, text, tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    assert export(source, text, tmp_path / "mine") == 2
    assert (tmp_path / "mine" / "notes.txt").read_text() == "x"
