"""`khabar labelling`: printed or written, from the command line to the file."""

from xml.etree import ElementTree

from khabar import cli
from khabar.inference.model import load
from unit.inference import tiny_bundle


def test_it_is_printed_where_no_output_is_named(capsys):
    assert cli.main(["labelling"]) == 0
    view = ElementTree.fromstring(capsys.readouterr().out)
    assert [one.get("name") for one in view.iter("Choices")] == ["event_type", "stance_{{idx}}"]


def test_it_is_written_in_utf8(tmp_path, capsys):
    path = tmp_path / "واجهة.xml"
    assert cli.main(["labelling", "task=[event_quad5]", f"output={path}"]) == 0
    assert str(path) in capsys.readouterr().out
    assert [one.get("name") for one in ElementTree.parse(path).iter("Choices")] == ["event_quad5"]


def test_an_output_that_cannot_be_written_is_bad_data(tmp_path, capsys):
    assert cli.main(["labelling", f"output={tmp_path}/no/such.xml"]) == 3
    assert "Name a file in a folder that exists" in capsys.readouterr().err


def test_without_a_task_there_is_nothing_to_write(capsys):
    assert cli.main(["labelling", "task=[]"]) == 2
    assert "task" in capsys.readouterr().err


def test_a_model_brings_its_own_tasks(tmp_path, capsys):
    folder = tiny_bundle.write(tmp_path / "bundle")
    assert cli.main(["labelling", f"model={folder}"]) == 0
    view = ElementTree.fromstring(capsys.readouterr().out)
    asked = {one.get("name").removesuffix("_{{idx}}") for one in view.iter("Choices")}
    assert asked == set(load(str(folder)).tasks)
