import dataclasses
import random

import pytest

from khabar.config import DataConfig
from khabar.data import corpus
from khabar.data.corpus import Corpus
from khabar.data.problems import Problems
from khabar.errors import ConfigError, DataError
from khabar.schema import Article, Label, Relation, Span


def small():
    articles = {
        "a": Article(id="a", text="عنوان\nنص 🌍 «مقتبس»", title="عنوان", meta={"group": "g", "n": [1, 2]}),
        "b": Article(id="b", text="خبر آخر", date="2020-01-01", source="س", url="http://x"),
    }
    labels = (
        Label(id="1", article="a", annotator="x", task="event_type", labels=()),
        Label(
            id="2",
            article="a",
            annotator="gold",
            task="stance",
            labels=("favor",),
            span=(0, 5),
            holder="أ",
            target="ب",
            evidence=(6, 8),
            adjudicates=("1",),
            reason="لأن",
        ),
    )
    spans = (
        Span(id="s", article="a", annotator="x", layer="actor", start=0, end=5, attributes={"role": "r"}),
        Span(id="t", article="a", annotator="x", layer="actor", start=6, end=8),
    )
    relations = (Relation(id="r", article="a", annotator="x", head="s", tail="t", role="of"),)
    return Corpus("small", articles, labels, spans, relations, "MIT", {})


def test_a_corpus_survives_the_disk(tmp_path):
    corpus.save(small(), tmp_path / "new" / "small")
    loaded = corpus.load(tmp_path / "new" / "small")
    assert loaded.fingerprint == small().fingerprint
    for part in ("name", "articles", "labels", "spans", "relations"):
        assert getattr(loaded, part) == getattr(small(), part)
    assert loaded.counts == {"articles": 2, "labels": 2, "spans": 2, "relations": 1, "rows read": 7}


def test_the_files_are_readable_and_leave_empty_fields_out(tmp_path):
    corpus.save(small(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["annotations.jsonl", "articles.jsonl"]
    first = (tmp_path / "annotations.jsonl").read_text(encoding="utf-8").splitlines()[0]
    assert first == '{"kind": "label", "id": "1", "article": "a", "annotator": "x", "task": "event_type", "labels": []}'
    assert "«مقتبس»" in (tmp_path / "articles.jsonl").read_text(encoding="utf-8")


def test_a_save_that_fails_leaves_the_old_file(tmp_path):
    corpus.save(small(), tmp_path)
    before = (tmp_path / "articles.jsonl").read_text(encoding="utf-8")
    broken = dataclasses.replace(small(), articles={"a": Article(id="a", text="x", meta={"bad": object()})})
    with pytest.raises(TypeError):
        corpus.save(broken, tmp_path)
    assert (tmp_path / "articles.jsonl").read_text(encoding="utf-8") == before
    assert len(list(tmp_path.iterdir())) == 2


def test_the_fingerprint_ignores_order_and_sees_every_change():
    one = small()
    shuffled = dataclasses.replace(
        one, articles=dict(reversed(one.articles.items())), labels=one.labels[::-1], spans=one.spans[::-1], name="other"
    )
    assert shuffled.fingerprint == one.fingerprint
    text = one.articles | {"b": dataclasses.replace(one.articles["b"], text="خبر اخر")}
    empty = (dataclasses.replace(one.labels[0], labels=("AID",)), one.labels[1])
    changed = [dataclasses.replace(one, articles=text), dataclasses.replace(one, labels=empty)]
    changed += [dataclasses.replace(one, relations=()), dataclasses.replace(one, spans=one.spans[:1])]
    assert len({one.fingerprint, *(each.fingerprint for each in changed)}) == 5


def test_a_missing_or_wrong_path(tmp_path, tasks):
    config = DataConfig(name="mine", importer="seeds", tasks=("event_type",), default_tasks=("event_type",))
    with pytest.raises(ConfigError, match=r"'mine' does not say where it lies. Give it: data.path="):
        corpus.read(config, tasks("event_type"))
    (tmp_path / "corpus").mkdir()
    with pytest.raises(DataError, match=r"does not exist: looked for .*corpsu.* Did you mean 'corpus'"):
        corpus.read(config.model_copy(update={"path": str(tmp_path / "corpsu")}), tasks("event_type"))
    with pytest.raises(ConfigError, match=r"no 'seed' among the importers. Did you mean 'seeds'"):
        corpus.read(config.model_copy(update={"importer": "seed"}), tasks("event_type"))


def test_problems_count_rows_not_faults():
    problems = Problems()
    for number in random.Random(0).sample(range(5), 5):
        problems.at("f", number)
        problems.add("x", "a.", "b")
        problems.add("y", "a.", "b")
    problems.note("odd", 3)
    assert problems.settle("skip") == {"rows read": 5, "odd": 3, "bad rows skipped": 5}
    with pytest.raises(DataError, match="10 problems"):
        problems.settle("stop")
    assert Problems().settle("stop") == {"rows read": 0}


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ('{"id": "b", "text": "نص \\ud83d"}', "text: holds half a character"),
        ('{"id": "b", "text": "نص", "meta": {"group": "\\ud83d"}}', "meta: holds half a character"),
        ('{"id": "b", "text": "نص", "meta": {"n": NaN}}', "meta: holds a number that is not finite"),
        ("[" * 100_000, "line: not JSON"),
    ],
)
def test_what_no_file_can_hold_is_a_bad_row(tmp_path, row, field):
    (tmp_path / "articles.jsonl").write_text('{"id": "a", "text": "نص"}\n' + row + "\n", "utf-8")
    (tmp_path / "annotations.jsonl").write_text(
        '{"kind": "label", "id": "1", "article": "b", "annotator": "x", "task": "t", "labels": []}\n', "utf-8"
    )
    with pytest.raises(DataError, match=field) as caught:
        corpus.load(tmp_path)
    assert "articles.jsonl:2" in str(caught.value)


def test_no_address_of_an_annotator_stays(tmp_path):
    (tmp_path / "articles.jsonl").write_text('{"id": "a", "text": "نص"}\n', "utf-8")
    rows = (
        '{"kind": "label", "id": "1", "article": "a", "annotator": "Rim@press.example", "task": "t", "labels": []}',
        '{"kind": "span", "id": "1", "article": "a", "annotator": "rim@press.example", "layer": "x", "start": 0,'
        ' "end": 1}',
    )
    (tmp_path / "annotations.jsonl").write_text("\n".join(rows), "utf-8")
    read = corpus.load(tmp_path)
    assert read.labels[0].annotator == read.spans[0].annotator
    assert "@" not in read.labels[0].annotator
