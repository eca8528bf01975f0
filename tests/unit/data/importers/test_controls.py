"""Controls of annotation tools become tasks, and asked tasks find their control."""

import pytest

from khabar.config import DataConfig
from khabar.data.importers._controls import Control, assign, known, marking, narrow, own, tasks
from khabar.errors import DataError

QUAD = ("verbal conflict", "material conflict", "verbal cooperation", "material cooperation")


def config(*asked, **changes):
    return DataConfig(name="t", importer="files", tasks=("any",), default_tasks=asked or ("any",), **changes)


def control(name, *labels, several=False, spans=False, **more):
    return Control(name, labels, several, spans, **more)


OWN = [
    (control("event_type", "AID"), "event_type"),  # the name is enough
    (control("q1", "AID", "PROTEST"), "event_type"),
    (control("q1", "AID", "PROTEST", several=True, spans=True), "event_type"),
    (control("q1", *QUAD), "event_quad"),  # event_quad5 holds them too, and one more
    (control("q1", *QUAD, "none"), "event_quad5"),
    (control("q1", "favor", "against", asks=("target",)), "stance_target"),
    (control("q1", "favor", "against", asks=("holder", "target")), "stance"),
    (control("reader", "event", spans=True), "reader"),
    (control("q1", "actor", "event", "claim", spans=True), "reader"),
    (control("q1", "actor", "event", several=True, spans=True, empty=True), "reader_roles"),
]


@pytest.mark.parametrize(("given", "name"), OWN, ids=lambda value: getattr(value, "name", value))
def test_a_task_of_khabars_own_that_fits_is_taken(given, name):
    assert tasks([given], config()) == {name: own()[name]}


def test_label_map_speaks_for_labels_in_other_words():
    spelling = {"stance_target": {"مؤيد": "favor", "معارض": "against"}}
    given = [control("موقف", "مؤيد", "معارض", asks=("target",))]
    assert list(tasks(given, config(label_map=spelling))) == ["stance_target"]
    assert assign(given, config("stance_target", label_map=spelling)) == {"موقف": "stance_target"}


def test_a_control_that_marks_layers_is_the_asked_tasks():
    layers, roles = control("q1", "actor", "event", "claim", spans=True), control("q1", "actor", "event", spans=True)
    assert marking([layers, control("q2", "AID", "PROTEST", spans=True)], config()) == {"q1": own()["reader"]}
    assert marking([roles], config()) == {"q1": own()["reader_roles"]}
    assert marking([roles], config("reader")) == {"q1": own()["reader"]}
    assert marking([layers], config("reader_roles")) == {"q1": own()["reader"]}  # it lacks the claims
    assert marking([layers], config(columns={"reader_roles": "q1"})) == {"q1": own()["reader_roles"]}
    assert marking([control("reader", "actor", "event")], config()) == {}  # a choice
    spelt = config(label_map={"reader": {"A": "actor", "B": "event", "C": "claim"}})
    assert marking([control("q1", "A", "B", "C", spans=True)], spelt) == {"q1": own()["reader"]}


NEW = [
    (control("Sentiment (v2)", "pos", "neg"), ("sentiment_v2", "single", "article", ("neg", "pos"))),
    (control("النبرة", "حاد", "هادئ", several=True), ("alnbra", "multi", "article", ("حاد", "هادئ"))),
    (control("ner", "PER", "ORG", spans=True), ("ner", "single", "sentence", ("ORG", "PER"))),
    (control("ner", "PER", "ORG", spans=True, empty=True), ("ner", "multi", "sentence", ("ORG", "PER"))),
    (control("q", "yes", "no"), ("q", "single", "article", ("no", "yes"))),  # of assault or of protest: nobody knows
    (control("q", "agree", "disagree", asks=("target",)), ("q", "single", "article", ("agree", "disagree"))),
    (control("q", "favor", "against"), ("q", "single", "article", ("against", "favor"))),  # towards nobody
    (control("stance", "favor", "against"), ("stance_2", "single", "article", ("against", "favor"))),
    (control("q", "none", "verbal conflict", several=True), ("q", "multi", "article", ("none", "verbal conflict"))),
]


@pytest.mark.parametrize(("given", "expected"), NEW, ids=lambda value: getattr(value, "name", ""))
def test_else_a_new_task_is_made(given, expected):
    ((name, task),) = tasks([given], config()).items()
    assert (name, task.kind, task.level, task.labels) == expected
    assert task.name == name
    assert task.asks == given.asks
    assert task.pool == ("attention" if given.asks else "mean")
    assert assign([given], config(name)) == {given.name: name}


def test_arabic_names_are_written_in_latin_letters():
    names = ["موقف", "نبرة", "شِدَّة الخبر ٢", "!", "موقف؟"]
    made = tasks([control(name, "a", "b") for name in names], config())
    assert list(made) == ["mwqf", "nbra", "shda_alkhbr_2", "task", "mwqf_2"]


def test_a_map_finds_the_control_of_an_asked_task():
    given = [control("label", "ASSAULT", "PROTEST", "CONSULT"), control("tone", "calm", "loud")]
    spelling = {"event_protest": {"PROTEST": "yes"}}
    assert assign(given, config("event_protest", label_map=spelling)) == {"label": "event_protest"}
    with pytest.raises(DataError, match="Nothing in the file answers event_protest"):
        assign(given, config("event_protest", label_map={"event_protest": {"MARCH": "yes"}}))


def test_a_lone_label_is_a_question_where_it_was_withheld():
    (task,) = tasks([control("hit", "مهم", spans=True, empty=True), control("all", "x")], config()).values()
    assert (task.labels, task.kind, task.empty_as, task.level) == (("مهم", "none"), "single", "none", "sentence")
    with pytest.raises(DataError, match=r"No task can be made .* 'all' \(x\)\. A task needs two labels"):
        tasks([control("all", "x")], config())


def test_names_and_tasks_are_taken_once():
    given = [
        control("a b", "1", "2"),
        control("a-b", "3", "4"),
        control("x", "AID", "AGREE"),
        control("y", "AID", "ASSAULT"),
    ]
    made = tasks(given, config())
    assert list(made) == ["a_b", "a_b_2", "event_type", "y"]
    assert assign(given, config(*made)) == {"a b": "a_b", "a-b": "a_b_2", "x": "event_type", "y": "y"}
    assert set(known(given, config())) == set(own()) | set(made)
    given = [control("2q.", "1", "2"), control("q", "3", "4")]  # who bears the name goes first
    assert assign(given, config(*tasks(given, config()))) == {"2q.": "q_2", "q": "q"}


def test_a_control_of_the_own_name_goes_before_one_whose_labels_fit():
    given = [control("x", "AID", "AGREE"), control("event_type", "AID", "AGREE")]
    assert list(tasks(given, config())) == ["x", "event_type"]
    assert assign(given, config("event_type")) == {"event_type": "event_type"}


def test_a_misleading_name_gives_way_to_what_was_asked():
    given = [
        control("stance", "AID", "AGREE", spans=True),
        control("موقف", "favor", "against", asks=("holder", "target")),
        control("tone", "favor", "against", asks=("target",)),
    ]
    made = tasks(given, config())
    assert list(made) == ["event_type", "stance", "stance_target"]
    assert assign(given, config(*made)) == dict(zip(["stance", "موقف", "tone"], made, strict=True))


def test_columns_name_the_control():
    given = [control("q1", "yes", "no"), control("q2", "yes", "no")]
    with pytest.raises(DataError, match=r"event_protest could be answered by several controls: 'q1' \(yes, no\); 'q2'"):
        assign(given, config("event_protest"))
    asked = config("event_protest", "event_assault", columns={"event_protest": "q2"})
    assert assign(given, asked) == {"q2": "event_protest", "q1": "event_assault"}
    with pytest.raises(
        DataError, match=r"data.columns.event_protest=q3: the file has no such control. There are: q1, q2"
    ):
        assign(given, config("event_protest", columns={"event_protest": "q3"}))
    with pytest.raises(DataError, match="would both be answered by 'q1'"):
        assign(given, config("event_protest", "event_assault", columns={"event_protest": "q1", "event_assault": "q1"}))


def test_an_asked_task_without_a_control_is_an_error_that_lists_them():
    with pytest.raises(DataError) as error:
        assign([control("mood", "جيد", "سيئ")], config("stance_target"))
    assert "Nothing in the file answers stance_target (favor, against, none). It asks: 'mood' (جيد, سيئ)." in str(
        error.value
    )
    assert "data.columns.stance_target=CONTROL" in str(error.value)
    with pytest.raises(DataError, match=r"answers nothing_known\. It asks: nothing"):
        assign([], config("nothing_known"))


def test_a_task_that_reads_another_takes_its_answers():
    assert assign([control("event_quad", *QUAD, several=True)], config("event_quad5")) == {"event_quad": "event_quad"}
    assert assign([control("q", *QUAD)], config("event_quad5")) == {"q": "event_quad"}
    assert assign([control("q", *QUAD, "none")], config("event_quad5")) == {"q": "event_quad5"}
    assert assign([control("event_quad5", *QUAD)], config("event_quad5")) == {"event_quad5": "event_quad5"}


def test_marks_of_events_are_narrowed_to_what_is_asked():
    given = [control("label", "ACTOR", "AID", "ASSAULT", spans=True), control("chosen", "AID", "ACTOR", spans=True)]
    assert [one.labels for one in narrow(given, config("event_type"), {"label"})] == [
        ("AID", "ASSAULT"),
        ("AID", "ACTOR"),
    ]
    assert narrow(given, config("label"), {"label"}) == tuple(given)
    assert narrow(given, config("label", "event_type"), {"label"}) == tuple(given)
    assert narrow(given, config("event_protest"), {"label"}) == tuple(given)
    named = control("event_type", "ACTOR", "AID", spans=True)  # a wrong label of it is a mistake to be told
    assert narrow([named], config("event_type"), {"event_type"}) == (named,)
