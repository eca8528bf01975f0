import pytest

from khabar.config import DataConfig
from khabar.data import corpus
from khabar.data.examples import examples
from khabar.errors import ConfigError, DataError
from khabar.schema import Task

TEXT = "خرج سكان الحي في مسيرة.\nثم هاجم مجهولون مستودعا.\n"


def at(text, words, start=0):
    start = text.index(words, start)
    return f"{start} {start + len(words)}"


def t(id_, type_, words, text=TEXT):
    return f"{id_}\t{type_} {at(text, words)}\t{words}"


MARKS = [
    t("T1", "PROTEST", "مسيرة"),
    t("T2", "Actor", "سكان الحي"),
    t("T3", "ASSAULT", "هاجم"),
    t("T4", "Actor", "مجهولون"),
]
EVENTS = [*MARKS, "E1\tPROTEST:T1 Agent:T2", "E2\tASSAULT:T3 Agent1:T4 Cause:E1"]


def make(folder):
    """A tiny valid data set of this importer."""
    return build(folder, {"doc": EVENTS, "other": MARKS[:1]}, default_tasks=("event_type",))


def build(folder, files, **more):
    """NAME.txt and NAME.ann for each name; `files` gives the lines, or a text and the lines, None for no .ann."""
    for name, given in files.items():
        text, lines = given if isinstance(given, tuple) else (TEXT, given)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
        if lines is not None:
            (folder / f"{name}.ann").write_bytes("".join(f"{line}\n" for line in lines).encode())
    return DataConfig(name="brat", importer="brat", path=str(folder), **more)


def found(config):
    """What the cli does where no task was chosen."""
    tasks = corpus.tasks(config)
    return corpus.read(config.model_copy(update={"default_tasks": tuple(tasks)}), tasks), tasks


def marked(read, noun):
    return read.articles[noun.article].text[noun.start : noun.end]


def test_events_are_answers_and_their_roles_relations(tmp_path, tasks):
    config = build(tmp_path, {"doc": EVENTS})
    assert set(corpus.tasks(config)) == {"event_type"}
    read = corpus.read(config, tasks("event_type"))
    assert {article.id: article.text for article in read.articles.values()} == {"doc": TEXT}
    assert {(TEXT[slice(*label.span)], label.labels, label.annotator) for label in read.labels} == {
        ("مسيرة", ("PROTEST",), "gold"),
        ("هاجم", ("ASSAULT",), "gold"),
    }
    spans = {span.id: span for span in read.spans}
    assert {(span.layer, marked(read, span)) for span in spans.values()} == {
        ("protest", "مسيرة"),
        ("actor", "سكان الحي"),
        ("assault", "هاجم"),
        ("actor", "مجهولون"),
    }
    arrows = {(marked(read, spans[a.head]), a.role, marked(read, spans[a.tail]), a.label) for a in read.relations}
    assert arrows == {
        ("مسيرة", "Agent", "سكان الحي", "PROTEST"),
        ("هاجم", "Agent", "مجهولون", "ASSAULT"),
        ("هاجم", "Cause", "مسيرة", "ASSAULT"),
    }


def test_without_events_the_spans_are_what_was_asked(tmp_path):
    lines = [t("T1", "person", "سكان الحي"), t("T2", "place", "مستودعا")]
    read, tasks = found(build(tmp_path, {"doc": lines}))
    assert tasks == {"spans": Task(name="spans", labels=("person", "place"), level="sentence")}
    made, _ = examples(read, tasks["spans"])
    assert {example.unit_text: example.gold for example in made} == {"سكان الحي": ("person",), "مستودعا": ("place",)}
    assert not read.spans


def test_only_marks_that_an_asked_task_has_are_answers(tmp_path, tasks):
    read = corpus.read(build(tmp_path, {"doc": MARKS}), tasks("event_type"))
    assert {label.labels for label in read.labels} == {("PROTEST",), ("ASSAULT",)}
    assert {span.layer for span in read.spans} == {"actor"}
    assert read.counts["marks with a label that event_type lacks: Actor (data.label_map.event_type.Actor=LABEL)"] == 2


def test_two_types_on_one_stretch_are_one_answer(tmp_path, tasks):
    lines = [t("T1", "PROTEST", "مسيرة"), t("T2", "ASSAULT", "مسيرة")]
    read = corpus.read(build(tmp_path, {"doc": lines}), tasks("event_type"))
    assert [label.labels for label in read.labels] == [("PROTEST", "ASSAULT")]


def test_relations_equivalences_attributes_and_notes(tmp_path, tasks):
    lines = [
        *EVENTS,
        "R1\tBefore Arg1:T1 Arg2:E2",
        "*\tEquiv T2 T4",
        "A1\tNegated E1",
        "A2\tTense T3 past",
        "M1\tSpeculated T4",
        "A3\tSure R1",
        "#1\tAnnotatorNotes T1\tto be discussed",
        "N1\tReference T2 Wikidata:Q1\tx",
        "",
    ]
    read = corpus.read(build(tmp_path, {"doc": lines}), tasks("event_type"))
    spans = {span.id: marked(read, span) for span in read.spans}
    assert {(spans[a.head], a.role, spans[a.tail]) for a in read.relations if a.label is None} == {
        ("مسيرة", "Before", "هاجم"),
        ("سكان الحي", "Equiv", "مجهولون"),
    }
    assert {spans[span.id]: span.attributes for span in read.spans} == {
        "مسيرة": {"Negated": "true"},
        "هاجم": {"Tense": "past"},
        "مجهولون": {"Speculated": "true"},
        "سكان الحي": {},
    }
    assert read.counts["notes and links to databases, passed over"] == 2
    assert read.counts["attributes of relations, passed over"] == 1


def test_a_mark_in_pieces_is_one_span(tmp_path, tasks):
    lines = [*MARKS, f"T9\tActor {at(TEXT, 'سكان')};{at(TEXT, 'مسيرة')}\tسكان مسيرة"]
    read = corpus.read(build(tmp_path, {"doc": lines}), tasks("event_type"))
    (span,) = (span for span in read.spans if span.attributes)
    assert (marked(read, span), span.attributes) == ("سكان الحي في مسيرة", {"fragments": "4-8;17-22"})


def test_a_mark_over_a_line_break(tmp_path, tasks):
    words = "مسيرة.\nثم"
    lines = [f"T1\tPROTEST {at(TEXT, words)}\t{words.replace(chr(10), ' ')}"]
    read = corpus.read(build(tmp_path, {"doc": lines}), tasks("event_type"))
    assert TEXT[slice(*read.labels[0].span)] == words


def test_line_breaks_of_two_characters_count(tmp_path, tasks):
    text = TEXT.replace("\n", "\r\n")
    lines = [f"{t('T1', 'ASSAULT', 'هاجم', text)}\r"]
    read = corpus.read(build(tmp_path, {"doc": (text, lines)}), tasks("event_type"))
    assert read.articles["doc"].text == text
    assert text[slice(*read.labels[0].span)] == "هاجم"


@pytest.mark.parametrize("counted", ["\ufeff", ""])
def test_a_byte_order_mark_counted_or_not(tmp_path, tasks, counted):
    lines = [t("T1", "ASSAULT", "هاجم", counted + TEXT), t("T2", "PROTEST", "مسيرة", counted + TEXT)]
    read = corpus.read(build(tmp_path, {"doc": (TEXT.encode("utf-8-sig"), lines)}), tasks("event_type"))
    assert {TEXT[slice(*label.span)] for label in read.labels} == {"هاجم", "مسيرة"}
    assert read.counts["texts read as utf-8-sig"] == 1


def test_windows_1256_is_read(tmp_path, tasks):
    read = corpus.read(build(tmp_path, {"doc": (TEXT.encode("cp1256"), MARKS)}), tasks("event_type"))
    assert read.articles["doc"].text == TEXT


def test_folders_with_the_same_document_are_annotators(tmp_path, tasks):
    files = {
        "salma/1/doc": MARKS,
        "badr@example.org/1/doc": MARKS[:1],
        "badr@example.org/1/more": None,
    }
    read = corpus.read(build(tmp_path, files), tasks("event_type"))
    assert set(read.articles) == {"1/doc", "1/more"}
    people = {label.annotator for label in read.labels}
    assert "salma" in people
    assert len(people) == 2
    assert "badr" not in repr(read)
    assert read.counts["documents without an .ann file"] == 1


def test_other_folders_are_part_of_a_documents_name(tmp_path, tasks):
    other = TEXT.replace("هاجم", "زار")
    files = {"2030/doc": MARKS, "2031/doc": (other, [t("T1", "PROTEST", "مسيرة", other)])}
    read = corpus.read(build(tmp_path, files), tasks("event_type"))
    assert set(read.articles) == {"2030/doc", "2031/doc"}
    assert {label.annotator for label in read.labels} == {"gold"}


def test_a_document_that_differs_between_annotators_is_named(tmp_path, tasks):
    files = {"a/x": MARKS, "b/x": MARKS, "a/y": MARKS, "b/y": (TEXT + "!", MARKS)}
    with pytest.raises(DataError, match=r"b/y\.txt: text: a/y\.txt, the same document of another annotator"):
        corpus.read(build(tmp_path, files), tasks("event_type"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T9 PROTEST 0 3 خرج", "doc.ann:5: line: 'T9 PROTEST 0 3 خرج'. A line is T1<TAB>TYPE 0 4<TAB>the words"),
        ("X1\tPROTEST 0 3", "doc.ann:5: line"),
        ("T9\tPROTEST 0\tخ", "doc.ann:5: span: 'PROTEST 0'"),
        ("T9\tPROTEST 3 3\tx", "doc.ann:5: offsets: [3, 3) lies outside the text"),
        ("T9\tPROTEST 0 900\tx", f"doc.ann:5: offsets: [0, 900) lies outside the text ({len(TEXT)} characters)"),
        ("T9\tPROTEST 0 3\tهاجم", "doc.ann:5: offsets: the text there is 'خرج', not 'هاجم'."),
        ("T9\tPROTEST 0 3;5 900\tx", "doc.ann:5: offsets: [5, 900)"),
        ("T1\tPROTEST 0 3\tخرج", "doc.ann:5: id: 'T1' is taken already, in line 1"),
        ("E1\tPROTEST", "doc.ann:5: event: 'PROTEST'"),
        ("E1\tPROTEST:T99", "doc.ann:5: id: there is no span or event 'T99'"),
        ("E1\tPROTEST:T1 Agent:T99", "doc.ann:5: id: there is no span or event 'T99'"),
        ("E1\tPROTEST:T1 Agent", "doc.ann:5: line: 'Agent'. A line is E1"),
        ("R1\tBefore Arg1:T1 Arg2:T99", "doc.ann:5: id: there is no span or event 'T99'"),
        ("R1\tBefore Arg1:T1", "doc.ann:5: relation: 'Before Arg1:T1'. A line is R1"),
        ("*\tEquiv T1 T99", "doc.ann:5: id"),
        ("A1\tNegated", "doc.ann:5: attribute: 'Negated'"),
        ("A1\tNegated E9", "doc.ann:5: id: there is no span or event 'E9'"),
        ("A1\t ", "doc.ann:5: line"),
    ],
)
def test_a_bad_line_is_named(tmp_path, tasks, line, message):
    with pytest.raises(DataError) as error:
        corpus.read(build(tmp_path, {"doc": [*MARKS, line]}), tasks("event_type"))
    assert message in str(error.value)
    assert str(error.value).startswith("1 problem in the data")


def test_bad_lines_are_left_out_and_counted(tmp_path, tasks):
    config = build(tmp_path, {"doc": [*MARKS, "T9\tPROTEST 0 900\tx", "?"]}, on_error="skip")
    read = corpus.read(config, tasks("event_type"))
    assert (len(read.labels), read.counts["bad rows skipped"]) == (2, 2)


def test_annotations_without_their_text_are_named(tmp_path, tasks):
    config = build(tmp_path, {"doc": MARKS})
    (tmp_path / "lone.ann").write_text("T1\tPROTEST 0 3\tx\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"lone\.ann: file: there is no lone\.txt beside it"):
        corpus.read(config, tasks("event_type"))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds 0 .txt files and no .ann file. brat keeps its annotations as NAME.txt and NAME.ann"),
        ({"doc": None}, "holds 1 .txt files and no .ann file"),
        ({"doc": []}, "No task can be made of what the annotators answered: nothing"),
        ({"doc": MARKS[:1]}, "'spans' (PROTEST)"),
    ],
)
def test_a_folder_of_something_else_is_told_of(tmp_path, files, message):
    with pytest.raises(DataError) as error:
        corpus.tasks(build(tmp_path, files))
    assert message in str(error.value)


def test_a_file_is_no_folder(tmp_path, tasks):
    config = build(tmp_path, {"doc": MARKS}).model_copy(update={"path": str(tmp_path / "doc.ann")})
    with pytest.raises(DataError, match=rf"is no folder\. .*data\.path={tmp_path}"):
        corpus.read(config, tasks("event_type"))


@pytest.mark.parametrize("more", [{"options": {"x": "y"}}, {"columns": {"group": "story"}}])
def test_a_setting_that_does_not_exist_is_told_of(tmp_path, tasks, more):
    with pytest.raises(ConfigError):
        corpus.read(build(tmp_path, {"doc": MARKS}, **more), tasks("event_type"))


def test_a_folder_that_is_named_like_a_text_is_no_text(tmp_path):
    config = build(tmp_path, {"doc": EVENTS, "old.txt/kept": MARKS})
    (tmp_path / "more.ann").mkdir()
    read, _ = found(config)
    assert set(read.articles) == {"doc", "old.txt/kept"}
