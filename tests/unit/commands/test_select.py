"""`khabar select`: what it leaves out, what it writes, and what it refuses."""

import io
import json
import sys

import pytest

from khabar.commands import select
from khabar.data import rows
from khabar.errors import ConfigError, DataError
from khabar.inference.model import load
from khabar.schema import Article, Label
from unit.inference import tiny_bundle
from unit.inference.tiny_bundle import TEXT

SENTENCES = (
    "قصف الجيش مدينة غزة. رفض المجلس اتفاق الحرب.",
    "دعا رئيس الحكومة إلى لقاء في بغداد. أكد الوزير وقف إطلاق النار.",
    "تظاهرة في القاهرة ضد الحرب. هدد رئيس الوزراء مجلس الأمم المتحدة.",
    "وقع الوزير اتفاق مساعدات. زيارة رئيس مصر إلى السعودية.",
    "احتجاج في بغداد بين الجيش والدولة. هجوم على مدينة.",
)
POOL = [{"id": f"a{number}", "text": text} for number, text in enumerate(SENTENCES)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_bundle.write(tmp_path_factory.mktemp("made") / "bundle")


@pytest.fixture
def selected(folder, tmp_path, capsys, monkeypatch):
    """What the command prints and says of a pool."""

    def run(articles=POOL, **fields):
        lines = "".join(json.dumps(article, ensure_ascii=False) + "\n" for article in articles)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines.encode()), encoding="utf-8"))
        select.run(select.Config.of({"machine": {"device": "cpu"}, "model": str(folder), **fields}))
        printed = capsys.readouterr()
        return printed.out, printed.err

    return run


def objects(printed):
    return [json.loads(line) for line in printed.split("\n") if line]


def ids(printed):
    return [row["id"] for row in objects(printed)]


def test_the_rows_are_the_articles_in_order_with_rank_score_and_why(selected):
    given = [{**article, "source": "الوكالة", "more": [1]} for article in POOL]
    out, err = selected(given, budget=3)
    chosen = objects(out)
    assert [row["select"]["rank"] for row in chosen] == [1, 2, 3]
    for row in chosen:
        told = row.pop("select")
        assert 0 < told["score"] <= 1
        assert told["why"].startswith("uncertainty 0.")
        assert row in given
    assert "3 of 5 articles, by mixed." in err


@pytest.mark.parametrize("strategy", ["mixed", "uncertainty", "diversity", "rare", "random"])
def test_the_choice_is_the_same_whatever_the_order(selected, strategy):
    first = ids(selected(POOL, budget=3, strategy=strategy)[0])
    assert first == ids(selected(POOL[::-1], budget=3, strategy=strategy)[0])
    assert len(set(first)) == 3


def test_copies_of_a_story_are_not_chosen_twice(selected):
    wire = [{"id": f"w{number}", "text": SENTENCES[0] + " " * number + "\n"} for number in range(20)]
    for strategy in ("mixed", "uncertainty", "diversity", "rare"):
        chosen = ids(selected([*wire, *POOL[1:]], budget=5, strategy=strategy)[0])
        assert sum(name.startswith("w") for name in chosen) == 1


def test_a_budget_over_the_pool_takes_all_and_says_what_was_left_out(selected):
    out, err = selected([*POOL, {"id": "e", "text": ""}, POOL[0], {"text": TEXT}], budget=99)
    assert len(ids(out)) == 6
    assert "6 of 6 articles (1 unreadable, 1 there twice left out), by mixed, 99 were asked for." in err


def test_what_a_corpus_annotates_is_left_out_by_id_and_by_text(selected, tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    articles = [
        Article("a0", "نص آخر تماما"),
        Article("other", f"«{SENTENCES[1]}»"),
        Article("a2", SENTENCES[2]),
    ]
    labels = [
        Label(id=name, article=name, annotator="1", task="event_type", labels=("AID",), span=(0, 5))
        for name in ("a0", "other")
    ]
    for name, nouns in ((rows.ARTICLES, articles), (rows.ANNOTATIONS, labels)):
        (corpus / name).write_text("".join(rows.dumps(rows.plain(noun)) + "\n" for noun in nouns), "utf-8")
    out, err = selected(annotated=str(corpus), budget=9)
    assert set(ids(out)) == {"a2", "a3", "a4"}
    assert "2 annotated already left out" in err


def test_what_a_file_of_ids_names_is_left_out(selected, tmp_path):
    path = tmp_path / "done.jsonl"
    path.write_text('{"id": "a0"}\n\n{"id": "x", "text": "' + SENTENCES[3] + '"}\n', "utf-8")
    out, _ = selected(annotated=str(path), budget=9)
    assert set(ids(out)) == {"a1", "a2", "a4"}
    path.write_text('{"id": "a0"}\n{"name": 1}\n', "utf-8")
    with pytest.raises(DataError, match="id"):
        selected(annotated=str(path))


def test_label_studio_gets_the_answers_of_the_chosen_to_correct(selected, folder, tmp_path):
    output = tmp_path / "next.json"
    out, err = selected(budget=2, format="label_studio", output=str(output), questions=["مصر | اتفاق"])
    tasks = json.loads(output.read_text("utf-8"))
    assert out == ""
    assert [task["meta"]["select"]["rank"] for task in tasks] == [1, 2]
    model = load(str(folder))
    for task in tasks:
        reading = model.predict({"text": task["data"]["text"]}, [("مصر", "اتفاق")])[0]
        (stance,) = [one for one in task["predictions"][0]["result"] if one["from_name"] == "stance_0"]
        assert stance["value"]["choices"] == [reading.stances[0].label]
    assert "khabar labelling model=" in err


def test_shares_of_labels_come_from_the_annotated(folder):
    tasks = {"event_quad5": tiny_bundle.task("event_quad5"), "stance": tiny_bundle.task("stance")}
    labels = [
        Label(id=str(number), article="a", annotator="1", task="event_quad", labels=given)
        for number, given in enumerate([("verbal conflict",), ("verbal conflict",), (), ("material conflict",)])
    ]
    found = select._Annotated(labels=labels).shares(tasks)
    assert found[:4].tolist() == pytest.approx([1 / 6, 1 / 6, 3 / 6, 2 / 6])
    assert all(share != share for share in found[4:])


def test_tasks_narrows_what_counts(selected):
    assert len(ids(selected(tasks=["event_type"], strategy="rare", budget=2)[0])) == 2
    with pytest.raises(ConfigError, match=r"does not answer 'event_typ'.*event_type"):
        selected(tasks=["event_typ"])


def test_a_pool_of_nothing_is_refused(selected, tmp_path):
    with pytest.raises(DataError, match=r"1 articles were given and none is left to choose \(1 unreadable\)"):
        selected([{"text": " "}])
    with pytest.raises(DataError, match="there is no such file"):
        selected(annotated=str(tmp_path / "nowhere"))
