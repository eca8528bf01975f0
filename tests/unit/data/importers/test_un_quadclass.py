import json

import pytest

from khabar.data import corpus, dataset
from khabar.errors import DataError
from khabar.text.folding import fold


def answer(annotator, *labels):
    return {"annotator": annotator, "labels": list(labels)}


def row(id_="2001/x/pv_1/2:1", text="وقع الطرفان اتفاقا جديدا.", *answers):
    return {"id": id_, "batch": "b", "ar": text, "en": "", "annotations": list(answers)}


def make(folder):
    """A tiny valid data set of this importer."""
    rows = [
        row("2001/x/pv_1/2:1", "وقع الطرفان اتفاقا جديدا.", answer(0, "Material Cooperation"), answer(1)),
        row("2001/x/pv_1/2:2", "انتهى العرض.", answer(0), answer(0, "Verbal Conflict"), answer(2)),
    ]
    return build(folder, rows)


def build(folder, rows):
    from khabar.config import DataConfig

    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "annotations.jsonl").write_text(text, encoding="utf-8")
    names = ("Verbal Cooperation", "Material Cooperation", "Verbal Conflict", "Material Conflict")
    return DataConfig(
        name="un_quadclass",
        importer="un_quadclass",
        path=str(folder),
        tasks=("event_quad", "event_quad5"),
        default_tasks=("event_quad5",),
        label_map={"event_quad": {name: name.lower() for name in names}},
    )


def test_one_label_an_answer_grouped_by_document(tmp_path, tasks):
    read = corpus.read(make(tmp_path), tasks("event_quad5"))
    assert {article.group for article in read.articles.values()} == {"2001/x/pv_1"}
    assert [(label.annotator, label.labels) for label in read.labels] == [
        ("0", ("material cooperation",)),
        ("1", ()),
        ("0", ()),
        ("0", ("verbal conflict",)),
        ("2", ()),
    ]


def test_the_path_may_be_the_file(tmp_path, tasks):
    config = make(tmp_path)
    same = config.model_copy(update={"path": str(tmp_path / "annotations.jsonl")})
    assert corpus.read(same, tasks("event_quad")).fingerprint == corpus.read(config, tasks("event_quad")).fingerprint


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"ar": "نص", "annotations": []}, "annotations.jsonl:1: id"),
        ({"id": "a/1", "ar": "نص"}, "annotations.jsonl:1: annotations"),
        ({"id": "a/1", "ar": "نص", "annotations": [{"labels": []}]}, "annotations.jsonl:1: annotations"),
        (row("a/1", "نص", answer(0, "Verbal Conflit")), "no label of event_quad. Did you mean 'verbal conflict'"),
        (row("a/1", "نص", answer(0, "none")), "'none' is no label of event_quad"),
        (row("a/1", " ", answer(0)), "has no text"),
    ],
)
def test_a_bad_row_is_named(tmp_path, tasks, bad, message):
    with pytest.raises(DataError) as error:
        corpus.read(build(tmp_path, [bad]), tasks("event_quad5"))
    assert message in str(error.value)


@pytest.mark.real_data
@pytest.mark.parametrize("task", ["event_quad", "event_quad5"])
def test_the_real_sentences(real, data_config, tasks, task):
    data = dataset.load(data_config("un_quadclass", path=real("un_quadclass")), tasks(task))
    assert len(data.corpus.articles) == 6608
    assert len({article.group for article in data.corpus.articles.values()}) == 385
    dropped = sum(count for what, count in data.counts.items() if "dropped" in what)
    assert sum(map(len, data.splits.values())) + dropped == 6608
    assert data.counts[f"{task}, dropped, not annotated"] == 1
    texts = {split: {fold(example.unit_text) for example in rows} for split, rows in data.splits.items()}
    groups = {split: {example.group for example in rows} for split, rows in data.splits.items()}
    for left, right in (("train", "dev"), ("train", "test"), ("dev", "test")):
        assert not texts[left] & texts[right]
        assert not groups[left] & groups[right]
    assert not data.warnings
