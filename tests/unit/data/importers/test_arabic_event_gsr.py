import csv
import json
from collections import Counter

import pytest

from khabar.config import DataConfig
from khabar.data import corpus, dataset
from khabar.data.examples import examples
from khabar.data.importers._event_marks import align, runs
from khabar.data.importers.arabic_event_gsr import group
from khabar.errors import ConfigError, DataError

HEADER = ["", "accept", "event_type", "id", "label", "reject", "text", "total"]
ATTACK = "قصفت القوات أمس «حي البستان»، ثم اقتحمت القوات السوق."
MARCH = "تظاهر سكان القرية أمام البلدية."
SPELLING = {name: {"easy no": "no", "difficult no": "no"} for name in ("event_assault", "event_protest")}


def row(id_="XYZ_20300101.0001-4", text=ATTACK, label="yes", accept=3, reject=0, total=None):
    return ["0", accept, "-", id_, label, reject, text, accept + reject if total is None else total]


def coder(verb=(), source=(), target=(), source_role=(), target_role=()):
    return {
        "source_actor": list(source),
        "verb": list(verb),
        "target_actor": list(target),
        "source_role": dict(source_role),
        "target_role": dict(target_role),
    }


def entry(*coders, source="XYZ_20300101.0001-4", text=ATTACK, verb="", by="", to="", id_="5b"):
    return {
        "source": source,
        "_id": id_,
        "text": text,
        "spans": list(coders),
        "event_type": "ASSAULT",
        "source_gold": by,
        "verb_gold": verb,
        "target_gold": to,
    }


ASSAULT = [
    row(),
    row("XYZ_20300101.0001-9", "اجتمع المجلس اليوم.", "easy no", 0, 3),
    row("XYZ_20300105.0002-1", "نفى الوزير وقوع هجوم.", "difficult no", 2, 2),
    row("XYZ_20300106.0003-1", "سقطت قذيفة قديمة.", "ambiguous", 2, 1),
    row("XYZ_20300107.0001-2", MARCH, "easy no", 0, 1),
]
PROTEST = [
    row("XYZ_20300107.0001-2", MARCH),
    row("abcdef_36", "دعا الاتحاد إلى إضراب.", "difficult no", 4, 2),
    row("abcdef_37", "أنهى العمال الإضراب.", "ambiguous", 0, 1),
]
SPANS = [
    entry(
        coder(["قصفت", "اقتحمت"], ["القوات"], ["حي", "البستان"], target_role={"main": "None", "role": "CVL"}),
        coder(["قصفت"], ["القوات", "أمس"], ["حي", "البستان", "السوق"]),
        verb="قصفت",
        by="القوات",
        to="البستان حي",
    )
]


def make(folder):
    """A tiny valid data set of this importer."""
    return build(folder)


def build(folder, assault=ASSAULT, protest=PROTEST, spans=SPANS, header=HEADER, **options):
    for name, rows in (("assault", assault), ("protest", protest)):
        if rows is not None:
            with (folder / f"{name}_gsr.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([header, *rows])
    text = spans if isinstance(spans, str) else json.dumps(spans, ensure_ascii=False)
    (folder / "assault_spans.json").write_text(text, encoding="utf-8")
    return DataConfig(
        name="arabic_event_gsr",
        importer="arabic_event_gsr",
        path=str(folder),
        tasks=("event_assault", "event_protest"),
        default_tasks=("event_assault", "event_protest"),
        label_map=SPELLING,
        options=options,
        on_leak="drop",
    )


def settled(config, tasks, name):
    """The answers that count, by sentence, and what was dropped."""
    made, dropped = examples(corpus.read(config, tasks("event_assault", "event_protest")), tasks(name)[name])
    return {example.article: example.gold[0] for example in made}, dropped


def test_the_group_is_the_document():
    assert group("XYZ_20300101.0001-4") == "XYZ_20300101.0001"
    assert group("a-b_20300101.0001-4") == "a-b_20300101.0001"
    assert group("abcdef_36") == "abcdef"
    assert group("Outlet") == "Outlet"


def test_the_published_label_decides_and_ambiguous_sentences_have_no_answer(tmp_path, tasks):
    config = make(tmp_path)
    assault, dropped = settled(config, tasks, "event_assault")
    assert list(assault.values()) == ["yes", "no", "no", "no"]
    assert dropped == {"not annotated": 3}
    protest, _ = settled(config, tasks, "event_protest")
    assert protest == {"XYZ_20300107.0001-2": "yes", "abcdef_36": "no"}  # four of six accepted: published as no
    read = corpus.read(config, tasks("event_assault", "event_protest"))
    assert read.counts["event_assault: ambiguous, without an answer"] == 1
    assert read.counts["event_protest: ambiguous, without an answer"] == 1
    assert read.counts["rows read"] == 9
    votes = Counter((label.annotator, *label.labels) for label in read.labels if label.article == "abcdef_36")
    assert votes == {("gold", "no"): 1} | {
        (f"vote-{number}", "yes" if number < 5 else "no"): 1 for number in range(1, 7)
    }


def test_a_sentence_that_both_files_hold_is_one_article_with_two_answers(tmp_path, tasks):
    read = corpus.read(make(tmp_path), tasks("event_assault", "event_protest"))
    assert len(read.articles) == 7
    both = [label.task for label in read.labels if label.article == "XYZ_20300107.0001-2" and label.annotator == "gold"]
    assert both == ["event_assault", "event_protest"]
    data = dataset.load(make(tmp_path), tasks("event_assault", "event_protest"), need=())
    places = {example.article: split for split, rows in data.splits.items() for example in rows}
    assert len(places) == 5
    assert places["XYZ_20300101.0001-4"] == places["XYZ_20300101.0001-9"]


def test_the_majority_of_the_votes(tmp_path, tasks):
    config = build(tmp_path, votes="majority")
    assault, dropped = settled(config, tasks, "event_assault")
    assert list(assault.values()) == ["yes", "no", "yes", "no"]
    assert dropped["no majority"] == 1
    assert settled(config, tasks, "event_protest")[0]["abcdef_36"] == "yes"


def test_unanimous_votes_of_two_or_more(tmp_path, tasks):
    assault, _ = settled(build(tmp_path, votes="unanimous"), tasks, "event_assault")
    assert list(assault.values()) == ["yes", "no"]
    read = corpus.read(build(tmp_path, votes="unanimous"), tasks("event_assault"))
    assert read.counts["event_assault: not unanimous, without an answer"] == 3


def test_an_unknown_option_or_rule_names_those_that_exist(tmp_path, tasks):
    with pytest.raises(ConfigError, match=r"data.options.votes=publised.* Did you mean 'published'\? .*majority"):
        corpus.read(build(tmp_path, votes="publised"), tasks("event_assault"))
    with pytest.raises(ConfigError, match=r"data.options.vote: .* Did you mean 'votes'"):
        corpus.read(build(tmp_path, vote="published"), tasks("event_assault"))


def test_words_are_found_in_order_and_as_near_as_can_be():
    text = "القوات قالت إن القوات، دخلت السوق وسوقا"
    assert [text[slice(*at)] for at in align(text, ["القوات", "دخلت"])] == ["القوات", "دخلت"]
    assert align(text, ["القوات", "دخلت"])[0][0] == text.rindex("القوات")
    assert align(text, ["السوق"]) == [(text.index("السوق"), text.index("السوق") + 5)]
    assert align(text, ["سوقا"]) == [(text.index("سوقا"), text.index("سوقا") + 4)]  # a part of a word
    assert align(text, ["دخلت", "القوات"]) is None
    assert align(text, ["غائب"]) is None
    assert align(text, []) == []


def test_words_side_by_side_are_one_span_and_words_apart_are_several():
    text = "أ «ب ج»، د هـ"
    assert [text[slice(*at)] for at in runs(text, [(0, 1), (3, 4), (5, 6), (11, 13)])] == ["أ «ب ج", "هـ"]


def test_marks_become_spans_and_relations_of_each_coder_and_of_gold(tmp_path, tasks):
    read = corpus.read(make(tmp_path), tasks("event_assault", "event_protest"))
    shown = [
        (span.annotator, span.layer, ATTACK[span.start : span.end], dict(span.attributes))
        for span in read.spans
        if span.article == "XYZ_20300101.0001-4"
    ]
    first, second = "5b@coder-1/verb-1", "5b@coder-2/target-1"
    assert shown == [
        ("coder-1", "event", "قصفت", {"type": "ASSAULT"}),
        ("coder-1", "event", "اقتحمت", {"continues": first}),
        ("coder-1", "actor", "القوات", {"as": "source"}),
        ("coder-1", "actor", "حي البستان", {"as": "target", "role": "CVL"}),
        ("coder-2", "event", "قصفت", {"type": "ASSAULT"}),
        ("coder-2", "actor", "القوات أمس", {"as": "source"}),
        ("coder-2", "actor", "حي البستان", {"as": "target"}),
        ("coder-2", "actor", "السوق", {"continues": second}),
        ("gold", "event", "قصفت", {"type": "ASSAULT"}),
        ("gold", "actor", "القوات", {"as": "source"}),
        ("gold", "actor", "حي البستان", {"as": "target"}),
    ]
    assert Counter((arrow.annotator, arrow.role) for arrow in read.relations) == {
        (annotator, role): 1 for annotator in ("coder-1", "coder-2", "gold") for role in ("actor", "recipient")
    }
    arrow = next(arrow for arrow in read.relations if arrow.id == "5b@coder-1/target")
    assert (arrow.head, arrow.tail) == (first, "5b@coder-1/target-1")


def test_marks_that_fit_nothing_are_counted_and_disturb_no_task(tmp_path, tasks):
    spans = [
        entry(coder(["غائبة"], ["القوات"]), coder([], [], []), coder(source_role={})),
        entry(coder(["أعلن"]), source="Outlet", text="أعلن الناطق الخبر.", id_="5c"),
    ]
    config = build(tmp_path, spans=spans)
    read = corpus.read(config, tasks("event_assault", "event_protest"))
    assert read.counts["marks whose words the text does not hold in their order"] == 1
    assert read.counts["span entries whose text no sentence has"] == 1
    assert read.articles["spans/5c"].group == "Outlet"
    assert not [label for label in read.labels if label.article == "spans/5c"]
    assert next((span.layer, span.attributes) for span in read.spans if span.id.startswith("5b@coder-1")) == (
        "actor",
        {"as": "source"},
    )
    assert not read.relations


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row(label="maybe"), ":2: label: 'maybe' is none of yes, difficult no"),
        (row(accept="x", total=3), ":2: accept: 'x' is no count of votes"),
        (row(total=5), ":2: total: 3 accepted and 0 rejected, of 5"),
        (row(accept=0, reject=0), ":2: total: 0 accepted and 0 rejected, of 0"),
        (row(id_=""), ":2: id: '' is empty"),
        (row(text=" "), "has no text"),
        (row()[:4], ":2: line: 4 cells, the header has 8"),
    ],
)
def test_a_bad_row_is_named(tmp_path, tasks, bad, message):
    bad = [str(cell) for cell in bad]
    with pytest.raises(DataError) as error:
        corpus.read(build(tmp_path, [bad], spans=[]), tasks("event_assault"))
    assert "assault_gsr.csv" in str(error.value)
    assert message in str(error.value)


def test_an_id_that_comes_twice(tmp_path, tasks):
    with pytest.raises(DataError, match=r"assault_gsr.csv:3: id: 'XYZ_20300101.0001-4' is taken already"):
        corpus.read(build(tmp_path, [row(), row()]), tasks("event_assault"))
    with pytest.raises(DataError, match=r"protest_gsr.csv:2: text: the sentence .* has another text in an earlier row"):
        corpus.read(build(tmp_path, [row()], [row(text=MARCH)]), tasks("event_assault"))


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ("{oops", "assault_spans.json is not JSON"),
        ("{}", "is a JSON dict, not a list of entries"),
        ([5], "assault_spans.json, entry 1: entry: a JSON int"),
        ([entry() | {"text": 5}], "entry 1: text: missing or no string"),
        ([entry() | {"spans": {}}], "entry 1: spans: missing or no list"),
        ([entry({"verb": "قصفت"})], "entry 1: spans: verb is no list of words"),
        ([entry(coder() | {"source_actor": None})], "entry 1: spans: source_actor is no list of words"),
        ([{"source": "x"}], "entry 1: _id: missing or no string"),
    ],
)
def test_broken_spans_are_named(tmp_path, tasks, spans, message):
    with pytest.raises(DataError) as error:
        corpus.read(build(tmp_path, spans=spans), tasks("event_assault"))
    assert message in str(error.value)


def test_a_missing_column_and_a_missing_file(tmp_path, tasks):
    config = build(tmp_path, [], header=HEADER[:-1])
    with pytest.raises(DataError, match=r"assault_gsr.csv has no column total"):
        corpus.read(config, tasks("event_assault"))
    (tmp_path / "assault_gsr.csv").write_text("")
    with pytest.raises(DataError, match="holds no row"):
        corpus.read(config, tasks("event_assault"))
    (tmp_path / "assault_gsr.csv").unlink()
    with pytest.raises(DataError, match=r"assault_gsr.csv, which is missing there"):
        corpus.read(config, tasks("event_assault"))
    # the other task alone needs its own table
    build(tmp_path, None, PROTEST)
    assert len(corpus.read(config, tasks("event_protest")).articles) == 4


@pytest.mark.real_data
def test_the_real_sentences(real, data_config, tasks):
    data = dataset.load(
        data_config("arabic_event_gsr", path=real("arabic_event_gsr")), tasks("event_assault", "event_protest")
    )
    read = data.corpus
    assert read.counts["rows read"] == 2552 + 2047 + 299 + 183
    assert len(read.articles) == 2552 + 2047 - 3 + 2  # three sentences stand in both tables, two have marks alone
    gold = Counter((label.task, *label.labels) for label in read.labels if label.annotator == "gold")
    assert gold == {
        ("event_assault", "yes"): 269,
        ("event_assault", "no"): 444 + 1717,
        ("event_protest", "yes"): 81,
        ("event_protest", "no"): 328 + 1370,
    }
    assert read.counts["marks whose words the text does not hold in their order"] == 1
    groups = {article.id: article.group for article in read.articles.values()}
    places = {}
    for split, rows in data.splits.items():
        for example in rows:
            places.setdefault(groups[example.article], set()).add(split)
    assert all(len(splits) == 1 for splits in places.values())
