import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khabar.data import frozen
from khabar.data.corpus import Corpus
from khabar.data.frozen import Frozen
from khabar.errors import DataError
from khabar.schema import Article, Example


def corpus_of(*ids):
    return Corpus("c", {id_: Article(id=id_, text=f"نص {id_}") for id_ in ids}, (), (), (), "MIT", {})


def example(id_, target=None, task="t"):
    return Example(id=f"{id_}?{target}", article=id_, group=id_, task=task, text=f"نص {id_}", target=target)


PARTS = {"train": [example("ب"), example("أ"), example("أ", task="u")], "dev": [], "test": [example("c", "الصحة")]}


def test_the_file(tmp_path):
    corpus = corpus_of("أ", "ب", "c")
    frozen.write(frozen.freeze(PARTS, "hash", corpus), tmp_path / "new" / "split.jsonl")
    lines = (tmp_path / "new" / "split.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0]) == {"khabar": "split", "rule": "hash", "corpus": corpus.fingerprint}
    assert lines[1:] == [
        '{"article": "c", "split": "test"}',
        '{"article": "أ", "split": "train"}',
        '{"article": "ب", "split": "train"}',
    ]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["split.jsonl"]


def test_questions_on_one_article_may_part_ways():
    parts = {
        "train": [example("a", "الصحة"), example("b", "الصحة")],
        "test": [example("a", "التعليم"), example("a", "السلام")],
    }
    by_target = {("a", "الصحة"): "train", ("a", "التعليم"): "test", ("a", "السلام"): "test"}
    assert frozen.freeze(parts, "target", corpus_of()).rows == {**by_target, ("b", "الصحة"): "train"}
    assert frozen.freeze(parts, "hash", corpus_of()).rows == {**by_target, ("b", None): "train"}
    found = frozen.freeze(parts, "hash", corpus_of())
    assert (found.of("a", "السلام"), found.of("a", "غيره"), found.of("a", None)) == ("test", None, None)
    assert (found.of("b", "غيره"), found.of("b", None), found.of("c", None)) == ("train", "train", None)


keys = st.tuples(st.text(min_size=1), st.none() | st.text())


@given(st.dictionaries(keys, st.sampled_from(frozen.SPLITS), min_size=1), st.randoms())
def test_what_is_written_is_read(tmp_path_factory, rows, random):
    folder = tmp_path_factory.mktemp("frozen")
    shuffled = Frozen(dict(random.sample(list(rows.items()), len(rows))), "hash", "f")
    frozen.write(Frozen(rows, "hash", "f"), folder / "one")
    frozen.write(shuffled, folder / "two")
    assert frozen.read(folder / "one") == Frozen(rows, "hash", "f")
    assert (folder / "one").read_bytes() == (folder / "two").read_bytes()
    assert shuffled.fingerprint == Frozen(rows).fingerprint


def test_the_fingerprint_is_of_the_decisions():
    rows = {("a", None): "train", ("b", "الصحة"): "test"}
    prints = [Frozen(rows).fingerprint]
    prints += [Frozen({**rows, key: "dev"}).fingerprint for key in (("a", None), ("b", "الصحة"), ("b", "غيره"))]
    assert len(set(prints)) == 4


def test_rows_by_hand(tmp_path, write_jsonl):
    path = write_jsonl(
        tmp_path / "mine.jsonl", [{"article": "a", "split": "dev"}, "", {"article": "a", "split": "dev"}]
    )
    assert frozen.read(path) == Frozen({("a", None): "dev"}, None, None)


def test_a_file_of_another_corpus(tmp_path):
    path = tmp_path / "split.jsonl"
    frozen.write(Frozen({("b", None): "dev", ("a", "الصحة"): "test", ("a", "غيره"): "test"}), path)
    assert frozen.of_corpus(path, corpus_of("a", "z")).articles == {"a", "b"}
    with pytest.raises(
        DataError, match=r"another corpus: of its 2 articles, such as 'a', none is among the 1 of c, such"
    ):
        frozen.of_corpus(path, corpus_of("z"))
    assert frozen.of_corpus(path, corpus_of()).rows


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{", "line: not JSON"),
        ("[]", "line: a JSON list"),
        ({"split": "dev"}, "article: missing or no string"),
        ({"article": 3, "split": "dev"}, "article: missing or no string"),
        ({"article": "b"}, "split: missing or no string"),
        ({"article": "b", "split": "tset"}, "split: 'tset' is no split. Did you mean 'test'"),
        (
            {"article": "b", "split": "dev", "targets": "x"},
            "targets: no field of a frozen split. Did you mean 'target'",
        ),
        ({"article": "b", "split": "dev", "target": 1}, "target: no string"),
        ({"article": "a", "split": "test"}, "split: 'a' was 'dev' before. Keep one"),
        ({"khabar": "split"}, "khabar: no field"),
    ],
)
def test_bad_lines(row, told, tmp_path, write_jsonl):
    path = write_jsonl(tmp_path / "bad.jsonl", [{"khabar": "split"}, {"article": "a", "split": "dev"}, row])
    with pytest.raises(DataError, match=rf"1 bad line in the frozen split .*bad.jsonl:\n  bad.jsonl:3: {told}"):
        frozen.read(path)


@pytest.mark.parametrize(
    ("head", "told"),
    [({"khabar": "bundle"}, '"bundle" is no split'), ({"khabar": "split", "rule": 1}, "rule: no string")],
)
def test_another_file(head, told, tmp_path, write_jsonl):
    path = write_jsonl(tmp_path / "bad.jsonl", [head, {"article": "a", "split": "dev"}])
    with pytest.raises(DataError, match=rf"bad.jsonl:1: .*{told}"):
        frozen.read(path)


def test_many_bad_lines(tmp_path, write_jsonl):
    with pytest.raises(DataError, match=r"(?s)25 bad lines.*bad.jsonl:20: .*\n  \.\.\. and 5 more"):
        frozen.read(write_jsonl(tmp_path / "bad.jsonl", ["{"] * 25))


def test_no_file_and_an_empty_one(tmp_path, write_jsonl):
    with pytest.raises(DataError, match=r"There is no frozen split .*none.jsonl. Write one with khabar ingest"):
        frozen.read(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="names no article"):
        frozen.read(write_jsonl(tmp_path / "empty.jsonl", [{"khabar": "split"}]))
