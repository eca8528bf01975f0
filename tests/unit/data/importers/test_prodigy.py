import json

import pytest

from khabar.config import DataConfig
from khabar.data import corpus
from khabar.data.examples import examples
from khabar.errors import ConfigError, DataError
from khabar.schema import Task

MARCH = "خرج سكان الحي في مسيرة ثم عادوا."
FIGHT = "هاجم مجهولون مستودعا قرب الميناء."
CALM = "كان الطقس معتدلا."


def choice(text, *accept, options=("PROTEST", "ASSAULT", "COERCE"), answer="accept", by="news-salma", **more):
    return {
        "text": text,
        "_input_hash": 1,
        "_task_hash": 2,
        "options": [{"id": name, "text": name} for name in options],
        "_view_id": "choice",
        "config": {"choice_style": "multiple"},
        "accept": list(accept),
        "answer": answer,
        "_annotator_id": by,
        "_session_id": by,
        **more,
    }


def single(text, *accept, **more):
    return choice(text, *accept, config={"choice_style": "single"}, **more)


def binary(text, label, answer="accept", by="news-salma", **more):
    return {"text": text, "label": label, "answer": answer, "_annotator_id": by, "_view_id": "classification", **more}


def manual(text, *spans, answer="accept", by="news-salma", **more):
    marks = [
        {"start": start, "end": end, "token_start": 0, "token_end": 1, "label": label} for start, end, label in spans
    ]
    return {"text": text, "spans": marks, "answer": answer, "_annotator_id": by, "_view_id": "spans_manual", **more}


def make(folder):
    """A tiny valid data set of this importer."""
    rows = [choice(MARCH, "PROTEST"), choice(FIGHT, "ASSAULT", "COERCE"), choice(CALM)]
    return build(folder, rows, default_tasks=("event_type",))


def build(folder, rows, **more):
    lines = (each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in rows)
    (folder / "export.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return DataConfig(name="prodigy", importer="prodigy", path=str(folder / "export.jsonl"), **more)


def found(config):
    """What the cli does where no task was chosen."""
    tasks = corpus.tasks(config)
    return corpus.read(config.model_copy(update={"default_tasks": tuple(tasks)}), tasks), tasks


def answers(read):
    """(text, annotator) -> labels of each answer."""
    made = {}
    for label in read.labels:
        made.setdefault((read.articles[label.article].text, label.annotator), []).append(label.labels)
    return made


def by_text(read):
    return {text: labels[0] for (text, _), labels in answers(read).items()}


def test_accepted_choices_and_the_accepted_lack_of_one(tmp_path, tasks):
    read = corpus.read(make(tmp_path), tasks("event_type"))
    assert by_text(read) == {MARCH: ("PROTEST",), FIGHT: ("ASSAULT", "COERCE"), CALM: ()}
    assert {label.annotator for label in read.labels} == {"news-salma"}


def test_the_options_are_the_labels_chosen_or_not(tmp_path):
    _, tasks = found(build(tmp_path, [single(MARCH, "a", options="abc"), single(FIGHT, "b", options="abc")]))
    assert tasks == {"choice": Task(name="choice", labels=("a", "b", "c"))}
    (tmp_path / "several").mkdir()
    _, tasks = found(build(tmp_path / "several", [choice(MARCH, "a", options="abc")]))
    assert tasks["choice"].kind == "multi"


def test_numbered_options_are_named_by_their_words(tmp_path):
    options = [{"id": 1, "text": "سلمي"}, {"id": 2, "text": "عنيف"}]
    rows = [single(MARCH, 1) | {"options": options}, single(FIGHT, 2) | {"options": options}]
    read, _ = found(build(tmp_path, rows))
    assert by_text(read) == {MARCH: ("سلمي",), FIGHT: ("عنيف",)}


def test_ignored_answers_and_rejected_choices_are_passed_over(tmp_path, tasks):
    rows = [
        choice(MARCH, "PROTEST"),
        choice(FIGHT, "ASSAULT", answer="ignore"),
        choice(CALM, "ASSAULT", answer="reject"),
        binary("نص رابع.", "PROTEST", "ignore"),
        manual("نص خامس.", (0, 2, "PROTEST"), answer="reject"),
    ]
    read = corpus.read(build(tmp_path, rows), tasks("event_type"))
    assert by_text(read) == {MARCH: ("PROTEST",)}
    assert len(read.articles) == 1
    assert read.counts["answers passed over: ignore"] == 2
    assert read.counts["answers passed over: reject"] == 2


def test_several_annotators_without_their_addresses(tmp_path, tasks):
    rows = [
        choice(MARCH, "PROTEST", by="news-salma"),
        choice(MARCH, "ASSAULT", by="news-badr%40example.org"),
        choice(MARCH, "PROTEST", by="news-badr@example.org"),
        choice(FIGHT, "ASSAULT", by="2031-02-06_10-17-19"),
        choice(FIGHT, "ASSAULT", by="2031-02-07_11-00-00"),
        choice(CALM, by=None),
    ]
    read = corpus.read(build(tmp_path, rows), tasks("event_type"))
    names = {label.annotator for label in read.labels}
    (pseudonym,) = names - {"news-salma", "unnamed"}
    assert "badr" not in repr(read)
    assert answers(read) == {
        (MARCH, "news-salma"): [("PROTEST",)],
        (MARCH, pseudonym): [("PROTEST",)],
        (FIGHT, "unnamed"): [("ASSAULT",)],
        (CALM, "unnamed"): [()],
    }
    assert read.counts["answers that a later one of the same annotator replaces"] == 1


def test_labels_asked_one_by_one_make_one_answer(tmp_path, tasks):
    rows = [
        binary(MARCH, "PROTEST"),
        binary(FIGHT, "PROTEST", "reject"),
        binary(CALM, "PROTEST", "reject"),
        binary(MARCH, "ASSAULT"),
        binary(FIGHT, "ASSAULT"),
        binary(CALM, "ASSAULT", "reject"),
    ]
    read = corpus.read(build(tmp_path, rows), tasks("event_type"))
    assert by_text(read) == {MARCH: ("PROTEST", "ASSAULT"), FIGHT: ("ASSAULT",), CALM: ()}
    assert set(corpus.tasks(build(tmp_path, rows))) == {"event_type"}


def test_a_label_that_was_not_asked_leaves_a_text_without_an_answer(tmp_path, tasks):
    rows = [binary(MARCH, "PROTEST"), binary(FIGHT, "PROTEST", "reject"), binary(FIGHT, "ASSAULT")]
    read = corpus.read(build(tmp_path, rows), tasks("event_type"))
    assert by_text(read) == {FIGHT: ("ASSAULT",)}
    assert len(read.articles) == 2
    assert read.counts["texts with labels that were not asked, passed over"] == 1
    read = corpus.read(build(tmp_path, rows, options={"unasked": "absent"}), tasks("event_type"))
    assert by_text(read) == {MARCH: ("PROTEST",), FIGHT: ("ASSAULT",)}


def test_one_accepted_label_answers_a_single_label_task(tmp_path):
    rows = [
        binary(MARCH, "peaceful"),
        binary(FIGHT, "violent"),
        binary(CALM, "peaceful", "reject"),
    ]
    read, tasks = found(build(tmp_path, rows))
    assert tasks["label"] == Task(name="label", labels=("peaceful", "violent"))
    # of two labels, the rejection of one is the other
    assert by_text(read) == {MARCH: ("peaceful",), FIGHT: ("violent",), CALM: ("violent",)}


def test_of_three_labels_one_rejection_says_too_little(tmp_path):
    rows = [binary(MARCH, "a"), binary(FIGHT, "b"), binary(CALM, "c"), binary("نص.", "a", "reject")]
    read, tasks = found(build(tmp_path, rows))
    assert tasks["label"].kind == "single"
    assert "نص." not in by_text(read)
    assert read.counts["texts with labels that were not asked, passed over"] == 1


@pytest.mark.parametrize("spelling", [{"PROTEST": "yes"}, {"PROTEST": "yes", "QUIET": "no"}])
def test_one_label_asked_of_every_text_is_a_yes_or_no(tmp_path, tasks, spelling):
    rows = [binary(MARCH, "PROTEST"), binary(CALM, "PROTEST", "reject")]
    config = build(tmp_path, rows, label_map={"event_protest": spelling})
    made, _ = examples(corpus.read(config, tasks("event_protest")), tasks("event_protest")["event_protest"])
    assert {example.text: example.gold for example in made} == {MARCH: ("yes",), CALM: ("no",)}
    read, own = found(build(tmp_path, rows))
    assert own["label"].labels == ("PROTEST", "none")
    made, _ = examples(read, own["label"])
    assert {example.text: example.gold for example in made} == {MARCH: ("PROTEST",), CALM: ("none",)}


def test_spans_answer_a_sentence_task_or_stay_spans(tmp_path, tasks):
    rows = [
        manual(MARCH, (0, 22, "PROTEST"), (4, 8, "Actor")),
        manual(MARCH, (0, 22, "PROTEST"), (17, 22, "Verb")),  # another pass over the same text
        manual(FIGHT, (0, 33, "ASSAULT"), by="news-badr"),
        manual(CALM),
    ]
    read = corpus.read(build(tmp_path, rows), tasks("event_type"))
    assert len(read.articles) == 3
    assert {(label.annotator, label.span, label.labels) for label in read.labels} == {
        ("news-salma", (0, 22), ("PROTEST",)),
        ("news-badr", (0, 33), ("ASSAULT",)),
    }
    assert len(read.labels) == 2
    assert {(span.layer, span.start, span.end) for span in read.spans} == {("actor", 4, 8), ("verb", 17, 22)}


def test_highlights_of_patterns_are_no_answers(tmp_path, tasks):
    mark = {"start": 4, "end": 8, "label": "Actor", "pattern": 3}
    rows = [choice(MARCH, "PROTEST", spans=[mark]), binary(FIGHT, "PROTEST", spans=[mark])]
    config = build(tmp_path, rows, columns={"event_type": "choice"})
    assert not corpus.read(config, tasks("event_type")).spans


def test_relations_are_passed_over_and_counted(tmp_path, tasks):
    rows = [manual(MARCH, (0, 22, "PROTEST"), relations=[{"head": 0, "child": 1, "label": "agent"}])]
    read = corpus.read(build(tmp_path, rows), tasks("event_type"))
    assert (len(read.labels), read.counts["rows whose relations are not read"]) == (1, 1)


def test_choices_and_spans_of_one_row_are_both_read(tmp_path, tasks):
    row = choice(MARCH, "PROTEST", spans=[{"start": 4, "end": 8, "label": "Actor"}], _view_id="blocks")
    read = corpus.read(build(tmp_path, [row]), tasks("event_type"))
    assert by_text(read) == {MARCH: ("PROTEST",)}
    assert [span.layer for span in read.spans] == ["actor"]


def test_meta_gives_the_question_and_the_group(tmp_path, tasks):
    stances = ("favor", "against", "none")
    rows = [
        single(MARCH, "favor", options=stances, meta={"topic": "المسيرة", "story": 7, "score": 0.5}),
        single(MARCH, "none", options=stances, meta={"topic": "البلدية", "story": 7, "score": 0.7}),
    ]
    config = build(tmp_path, rows, columns={"target": "topic", "group": "story"})
    assert set(corpus.tasks(config)) == {"stance_target"}
    read = corpus.read(config, tasks("stance_target"))
    assert {label.target: label.labels for label in read.labels} == {"المسيرة": ("favor",), "البلدية": ("none",)}
    assert [article.group for article in read.articles.values()] == ["7"]


def test_one_text_in_two_groups_is_two_articles(tmp_path, tasks):
    rows = [choice(MARCH, "PROTEST", meta={"group": "a"}), choice(MARCH, "PROTEST", meta={"group": "b"})]
    read = corpus.read(build(tmp_path, rows), tasks("event_type"))
    assert sorted(article.group for article in read.articles.values()) == ["a", "b"]


def test_a_folder_of_exports(tmp_path, tasks):
    for name, text in (("first", MARCH), ("second", FIGHT)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(choice(text, "PROTEST")) + "\n", encoding="utf-8")
    config = DataConfig(name="p", importer="prodigy", path=str(tmp_path))
    assert set(by_text(corpus.read(config, tasks("event_type")))) == {MARCH, FIGHT}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ('{"text": ', "export.jsonl:2: line: not JSON"),
        ({"answer": "accept"}, "export.jsonl:2: text: missing"),
        ({"text": MARCH, "label": "PROTEST"}, "export.jsonl:2: answer: missing. Export with: prodigy db-out"),
        (choice(MARCH, answer="acept"), "export.jsonl:2: answer: 'acept'. Did you mean 'accept'"),
        ({"text": MARCH, "answer": "accept"}, "accepts nothing"),
        (choice(MARCH, "PROTESTT"), "accept: 'PROTESTT' is no option of this row. Did you mean 'PROTEST'"),
        (choice(MARCH, options=("",)), "export.jsonl:2: options: "),
        (choice(MARCH) | {"options": {}}, "export.jsonl:2: options: {}"),
        (choice(MARCH) | {"accept": "PROTEST"}, "accept: 'PROTEST' is no list"),
        (binary(MARCH, 7), "export.jsonl:2: label: 7 is no label"),
        (manual(MARCH, (0, 4, "")), "A span is"),
        (manual(MARCH, ("0", 4, "Actor")), "export.jsonl:2: start: '0' is no whole number"),
        (manual(MARCH, (0, 900, "Actor")), "export.jsonl:2: span: [0, 900) lies outside the text"),
        (manual(MARCH) | {"spans": [{"start": 0, "end": 3, "text": "سكان", "label": "Actor"}]}, "[0, 3) is not 'سكان'"),
        (manual(MARCH) | {"spans": "x"}, "spans: 'x' is no list"),
        (choice(MARCH, id="1"), "the article '1' has another text"),
    ],
)
def test_a_bad_row_is_named(tmp_path, tasks, bad, message):
    with pytest.raises(DataError) as error:
        corpus.read(build(tmp_path, [choice(CALM, "PROTEST", id="1"), bad]), tasks("event_type"))
    assert message in str(error.value)


def test_bad_rows_are_left_out_and_counted(tmp_path, tasks):
    config = build(tmp_path, [choice(MARCH, "PROTEST"), "{", "3"], on_error="skip")
    read = corpus.read(config, tasks("event_type"))
    assert (len(read.labels), read.counts["bad rows skipped"]) == (1, 2)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [{"id": 1, "text": MARCH, "label": ["PROTEST"]}] * 3,
            "export.jsonl is no export of prodigy, it looks like one of doccano: data=doccano",
        ),
        (["[", "]"], "is a JSON array, not one JSON object a line. Export with: prodigy db-out"),
        ([], "holds no row"),
        ([choice(MARCH, "PROTEST", answer="ignore")], "No task can be made"),
        ([binary(MARCH, "PROTEST")], "No task can be made of what the annotators answered: 'label' (PROTEST)"),
    ],
)
def test_another_export_is_told_of(tmp_path, rows, message):
    with pytest.raises(DataError) as error:
        corpus.tasks(build(tmp_path, rows))
    assert message in str(error.value)


def test_an_option_that_does_not_exist_is_told_of(tmp_path, tasks):
    with pytest.raises(ConfigError, match="Did you mean 'unasked'"):
        corpus.read(build(tmp_path, [choice(MARCH)], options={"unaskd": "absent"}), tasks("event_type"))
