"""A Label Studio export: every kind of result, several annotators, other units of offsets, and what can be broken."""

import json

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from khabar.config import DataConfig, SplitConfig
from khabar.data import corpus, dataset
from khabar.data.importers import label_studio
from khabar.data.importers._offsets import Ruler
from khabar.data.problems import Problems
from khabar.errors import ConfigError, DataError
from khabar.schema import Task

TEXT = "📰 وصل وفد نورا إلى سيرين. هاجمت فرقة ظل القافلة.\nلم يحدث شيء بعد ذلك."
FIRST, SECOND, THIRD = "وصل وفد نورا إلى سيرين.", "هاجمت فرقة ظل القافلة.", "لم يحدث شيء بعد ذلك."


def utf16(text, words):
    """The offsets that a browser counts for some words of a text."""
    before = len(text[: text.index(words)].encode("utf-16-le")) // 2
    return {"start": before, "end": before + len(words.encode("utf-16-le")) // 2, "text": words}


def mark(words, label, region="r1", name="label", within=TEXT, **value):
    labels = [label] if isinstance(label, str) else label
    value = {**utf16(within, words), "labels": labels, **value}
    return {"id": region, "type": "labels", "from_name": name, "to_name": "text", "value": value, "origin": "manual"}


def choices(name, *labels, region="c1", kind="choices", **value):
    value = {**value, kind: list(labels)}
    return {"id": region, "type": kind, "from_name": name, "to_name": "text", "value": value}


def per_region(name, words, *labels, region="r1"):
    return choices(name, *labels, region=region, **utf16(TEXT, words))


def annotation(*result, by=1, **more):
    return {"id": 7, "completed_by": by, "was_cancelled": False, "ground_truth": False, "result": list(result), **more}


def task(*annotations, data=None, id=1, **more):
    numbered = [{**one, "id": one["id"] + number} for number, one in enumerate(annotations)]
    data = {"text": TEXT} if data is None else data
    return {
        "id": id,
        "data": data,
        "annotations": numbered,
        "drafts": [{"result": [choices("mood", "x")]}],
        "predictions": [],
        **more,
    }


def made(folder, *tasks, asked=(), **changes):
    path = folder / "export.json"
    path.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    return DataConfig(
        name="tiny",
        importer="label_studio",
        path=str(path),
        tasks=tuple(asked) or ("any",),
        default_tasks=tuple(asked) or ("any",),
        **changes,
    )


def read(config):
    """The tasks that the export answers, and its corpus."""
    found = label_studio.tasks(config)
    config = config.model_copy(update={"tasks": tuple(found), "default_tasks": tuple(found)})
    return found, corpus.read(config, found)


def rows(read, *fields):
    return [tuple(getattr(label, field) for field in fields) for label in read.labels]


def make(folder):
    """A tiny valid data set of this importer."""
    return made(
        folder,
        task(annotation(mark(FIRST, "CONSULT"), mark(SECOND, "ASSAULT", "r2")), annotation(by=2)),
        task(annotation(), data={"text": THIRD}, id=2),
        asked=("event_type",),
    )


def test_a_new_team_types_nothing_but_the_path(tmp_path):
    found, tiny = read(
        made(
            tmp_path,
            task(
                annotation(choices("النبرة", "حاد")),
                annotation(choices("النبرة", "هادئ"), by=2),
                data={"text": "خبر أول"},
            ),
            task(
                annotation(choices("النبرة", "هادئ"), by={"id": 3, "email": "a.b@example.org"}),
                data={"text": "خبر ثان"},
                id=2,
            ),
        )
    )
    assert found == {"alnbra": Task(name="alnbra", labels=("حاد", "هادئ"))}
    assert tiny.counts["answers to the control 'النبرة', which is the task alnbra"] == 3
    assert rows(tiny, "article", "annotator", "labels") == [
        ("1", "1", ("حاد",)),
        ("1", "2", ("هادئ",)),
        ("2", "3", ("هادئ",)),
    ]


def test_a_data_set_comes_of_it(tmp_path):
    texts = [f"خبر رقم {number} عن {'معركة' if number % 2 else 'معرض'}" for number in range(40)]
    exported = [
        task(annotation(choices("kind", "حرب" if number % 2 else "ثقافة")), data={"text": text}, id=number)
        for number, text in enumerate(texts)
    ]
    config = made(tmp_path, *exported)
    found = label_studio.tasks(config)
    config = config.model_copy(update={"tasks": tuple(found), "default_tasks": tuple(found), "on_leak": "warn"})
    ready = dataset.load(config, found)
    assert sum(len(ready.of(split, "kind")) for split in ready.splits) == 40


@pytest.mark.parametrize("unit", ["utf-16", "characters", "silent"])
def test_a_span_after_an_emoji_is_right(tmp_path, unit):
    result = mark(SECOND, "ASSAULT")
    start = TEXT.index(SECOND)
    if unit == "characters":
        result["value"] |= {"start": start, "end": start + len(SECOND)}
    elif unit == "silent":
        del result["value"]["text"]
    config = made(tmp_path, task(annotation(result, mark(FIRST, "CONSULT", "r2"))))
    found, tiny = read(config)
    assert list(found) == ["event_type"]
    assert [TEXT[slice(*label.span)] for label in tiny.labels] == [FIRST, SECOND]
    assert tiny.counts.get("spans that count characters rather than UTF-16 units, as their words show", 0) == (
        unit == "characters"
    )


@drawn(st.text(min_size=1), st.data())
def test_any_span_that_a_browser_counts_is_found(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    sizes = [len(text[:at].encode("utf-16-le", "surrogatepass")) // 2 for at in (start, end)]
    value = {"start": sizes[0], "end": sizes[1]}
    for said in ({}, {"text": text[start:end]}):
        assert Ruler(text).span({**value, **said}) == ((start, end), "")


def test_offsets_without_words_are_in_the_unit_that_the_option_names(tmp_path):
    start = TEXT.index(SECOND)
    result = mark(SECOND, "ASSAULT", start=start, end=start + len(SECOND))
    del result["value"]["text"]
    config = made(tmp_path, task(annotation(result)), asked=("event_type",), options={"offsets": "characters"})
    assert [label.span for label in label_studio.read(config, Problems()) if hasattr(label, "span")] == [
        (start, start + len(SECOND))
    ]


def test_a_windows_line_end_may_count_once_and_a_line_end_be_spelt_out(tmp_path):
    text = "سطر أول\r\nسطر ثان\r\nسطر ثالث"
    result = mark("سطر ثالث", "x", within=text)
    result["value"]["start"] -= 2
    result["value"]["end"] -= 2
    whole = mark("سطر أول\r\nسطر ثان", "y", "r2", within=text)
    whole["value"]["text"] = "سطر أول\\nسطر ثان"
    _, tiny = read(made(tmp_path, task(annotation(result, whole), data={"text": text})))
    assert [text[slice(*label.span)] for label in tiny.labels] == ["سطر أول\r\nسطر ثان", "سطر ثالث"]
    assert tiny.counts["spans that count a Windows line end as one, as their words show"] == 1


def test_several_labels_and_blank_answers_are_none_of_them(tmp_path):
    found, tiny = read(
        made(
            tmp_path,
            task(
                annotation(choices("topic", "a", "b"), choices("tone", "x", region="c2")),
                annotation(choices("tone", "y"), by=2),  # topic takes several labels: left blank, it is none of them
                annotation(by=3),
            ),
        )
    )
    assert (found["topic"].kind, found["tone"].kind) == ("multi", "multi")  # somebody submitted nothing at all
    assert rows(tiny, "task", "annotator", "labels") == [
        ("topic", "1", ("a", "b")),
        ("topic", "2", ()),
        ("topic", "3", ()),
        ("tone", "1", ("x",)),
        ("tone", "2", ("y",)),
        ("tone", "3", ()),
    ]


def test_a_blank_single_choice_is_no_answer(tmp_path):
    config = made(
        tmp_path,
        task(annotation(choices("q", "favor"), choices("r", "1", region="c2")), annotation(choices("r", "2"), by=2)),
        task(annotation(choices("q", "against")), annotation(by=2), id=2),
        asked=("stance_target",),
        columns={"stance_target": "q"},
    )
    labels = [noun for noun in label_studio.read(config, Problems()) if hasattr(noun, "labels")]
    assert [(label.article, label.annotator, label.labels) for label in labels] == [
        ("1", "1", ("favor",)),
        ("2", "1", ("against",)),
    ]


def test_a_control_of_another_project_was_not_left_blank(tmp_path):
    _, tiny = read(
        made(
            tmp_path,
            task(annotation(choices("topic", "a", "b")), project=1),
            task(annotation(choices("mood", "x")), id=2, project=2),
            task(annotation(choices("mood", "y")), id=3, project=2),
        )
    )
    assert rows(tiny, "article", "task") == [("1", "topic"), ("2", "mood"), ("3", "mood")]


def test_who_marks_nothing_votes_against_the_spans_of_others(tmp_path):
    found, tiny = read(
        made(
            tmp_path,
            task(
                annotation(mark(FIRST, "A"), mark(SECOND, "B", "r2")),
                annotation(mark(SECOND[:12], "B"), by=2),  # overlaps the second: another border, not a vote against it
                annotation(by=3),
            ),
            task(annotation(), annotation(by=2), data={"text": "لا شيء هنا"}, id=2),
        )
    )
    assert (found["label"].kind, found["label"].level) == ("multi", "sentence")
    texts = {"1": TEXT, "2": "لا شيء هنا"}
    said = [
        (a, by, labels, texts[a][slice(*(span or (None,)))])
        for a, by, labels, span in rows(tiny, "article", "annotator", "labels", "span")
    ]
    assert said == [
        ("1", "1", ("A",), FIRST),
        ("1", "1", ("B",), SECOND),
        ("1", "2", (), FIRST),
        ("1", "2", ("B",), SECOND[:12]),
        ("1", "3", (), FIRST),
        ("1", "3", (), SECOND[:12]),
        ("1", "3", (), SECOND),
        ("2", "1", (), texts["2"]),
        ("2", "2", (), texts["2"]),
    ]


def test_taxonomies_give_the_end_of_the_path_unless_it_is_ambiguous(tmp_path):
    found, _ = read(
        made(
            tmp_path,
            task(annotation(choices("kind", ["نزاع", "هجوم"], ["نزاع", "أخرى"], kind="taxonomy"))),
            task(annotation(choices("kind", ["تعاون", "أخرى"], ["تعاون"], kind="taxonomy")), id=2),
        )
    )
    assert found["kind"].labels == ("تعاون", "تعاون / أخرى", "نزاع / أخرى", "هجوم")
    assert found["kind"].kind == "multi"


def test_predictions_come_as_annotators_only_on_demand(tmp_path):
    given = task(annotation(choices("mood", "x")), data={"text": "نص"})
    given["predictions"] = [{"id": 5, "model_version": "khabar-1", "score": 0.5, "result": [choices("mood", "y")]}, 9]
    config = made(tmp_path, given, task(annotation(choices("mood", "y")), id=2))
    _, tiny = read(config)
    assert rows(tiny, "annotator") == [("1",), ("1",)]
    assert tiny.counts["predictions, passed over (data.options.predictions=true reads them)"] == 1
    _, tiny = read(config.model_copy(update={"options": {"predictions": "true"}}))
    assert rows(tiny, "annotator", "labels") == [("1", ("x",)), ("khabar-1", ("y",)), ("1", ("y",))]


def test_cancelled_annotations_are_counted_and_ground_truth_is_gold(tmp_path):
    _, tiny = read(
        made(
            tmp_path,
            task(
                annotation(choices("mood", "x"), was_cancelled=True),
                annotation(choices("mood", "x"), by=2),
                annotation(choices("mood", "y"), by=3, ground_truth=True),
            ),
        )
    )
    assert rows(tiny, "annotator", "labels") == [("2", ("x",)), ("gold", ("y",))]
    assert tiny.counts["cancelled annotations, passed over"] == 1


def test_no_address_is_kept(tmp_path):
    data = {"text": "نص قصير", "email": "d@example.org", "source": "نورا <e@example.org>", "group": "f@example.org"}
    given = task(
        annotation(choices("mood", "x"), by={"email": "a@example.org", "first_name": "نورا"}),
        annotation(choices("mood", "y"), by="b@example.org"),
        annotation(choices("mood", "x"), by={"id": 4, "email": "c@example.org"}),
        data=data,
    )
    given["predictions"] = [{"model_version": "g@example.org", "result": [choices("mood", "x")]}]
    given["updated_by"] = [{"email": "h@example.org"}]
    _, tiny = read(made(tmp_path, given, options={"predictions": "true"}))
    corpus.save(tiny, tmp_path / "saved")
    written = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "saved").iterdir())
    assert "@example" not in written
    assert "example.org" not in written
    annotators = [label.annotator for label in tiny.labels]
    assert annotators[2] == "4"
    assert len(set(annotators)) == 4


def test_spans_that_no_task_takes_stay_spans_and_relations_join_them(tmp_path):
    arrow = {"type": "relation", "from_id": "r1", "to_id": "r2", "direction": "right", "labels": ["agent"]}
    back = {"type": "relation", "from_id": "r1", "to_id": "r3", "direction": "left"}
    both = {"type": "relation", "from_id": "r1", "to_id": "r3", "direction": "bi", "labels": ["near", "same"]}
    given = annotation(
        mark("فرقة ظل", "ACTOR"), mark(SECOND, "ASSAULT", "r2"), mark("القافلة", ["PLACE", "Target"], "r3"),
        arrow, back, both, mark(FIRST, "CONSULT", "r4"), choices("mood", "x"),
    )  # fmt: skip
    config = made(tmp_path, task(given), asked=("event_type",), columns={"event_type": "label"})
    read = corpus.read(config, {"event_type": label_studio._controls.own()["event_type"]})
    assert [(label.labels, TEXT[slice(*label.span)]) for label in read.labels] == [
        (("CONSULT",), FIRST),
        (("ASSAULT",), SECOND),
    ]
    spans = {span.id: span for span in read.spans}
    assert [(span.layer, TEXT[span.start : span.end]) for span in read.spans] == [
        ("actor", "فرقة ظل"),
        ("assault", SECOND),  # an arrow needs its end
        ("place", "القافلة"),
        ("target", "القافلة"),
    ]
    assert [(spans[one.head].layer, one.role, spans[one.tail].layer) for one in read.relations] == [
        ("actor", "agent", "assault"),
        ("place", "related", "actor"),
        ("actor", "near", "place"),
        ("actor", "same", "place"),
        ("place", "near", "actor"),
        ("place", "same", "actor"),
    ]
    assert read.counts["answers to mood, which no asked task takes"] == 1


QUESTIONS = [
    {"holder": "نورا", "target": "سيرين", "text": "الجهة: نورا | الهدف: سيرين"},
    {"holder": "الناشر", "target": "الهدنة", "text": "الجهة: الناشر | الهدف: الهدنة"},
]


def own_format(*annotations, **more):
    return task(*annotations, data={"id": "مقال-1", "text": TEXT, "questions": QUESTIONS}, **more)


def sentence(words, region, *events, quad=()):
    results = [mark(words, "sentence", region, "sentence")]
    results += [per_region("event_type", words, *events, region=region)] if events else []
    return results + ([per_region("event_quad5", words, *quad, region=region)] if quad else [])


def test_khabars_own_format_comes_back_whole(tmp_path):
    human = annotation(
        *sentence(FIRST, "s0", "CONSULT", "AGREE"), *sentence(SECOND, "s1", "ASSAULT", quad=["material conflict"]),
        *sentence(THIRD, "s2", quad=["none"]), choices("stance_0", "favor"), choices("stance_1", "none", region="q1"),
    )  # fmt: skip
    model = {
        "model_version": "khabar-ab12",
        "result": [*sentence(FIRST, "s0", "CONSULT"), *sentence(SECOND, "s1"), choices("stance_1", "against")],
    }
    config = made(tmp_path, own_format(human, predictions=[model]), options={"predictions": "true"})
    found, tiny = read(config)
    assert list(found) == ["event_type", "event_quad5", "stance"]
    assert {label.article for label in tiny.labels} == {"مقال-1"}
    said = [
        (a, t, labels, s and TEXT[slice(*s)], h, to)
        for a, t, labels, s, h, to in rows(tiny, "annotator", "task", "labels", "span", "holder", "target")
    ]
    assert said == [
        ("1", "event_type", ("CONSULT", "AGREE"), FIRST, None, None),
        ("1", "event_type", ("ASSAULT",), SECOND, None, None),
        ("1", "event_type", (), THIRD, None, None),
        ("khabar-ab12", "event_type", ("CONSULT",), FIRST, None, None),
        ("khabar-ab12", "event_type", (), SECOND, None, None),
        ("1", "event_quad5", (), FIRST, None, None),
        ("1", "event_quad5", ("material conflict",), SECOND, None, None),
        ("1", "event_quad5", ("none",), THIRD, None, None),
        ("khabar-ab12", "event_quad5", (), FIRST, None, None),
        ("khabar-ab12", "event_quad5", (), SECOND, None, None),
        ("1", "stance", ("favor",), None, "نورا", "سيرين"),
        ("1", "stance", ("none",), None, "الناشر", "الهدنة"),
        ("khabar-ab12", "stance", ("against",), None, "الناشر", "الهدنة"),
    ]
    assert (tiny.spans, tiny.relations) == ((), ())


def test_an_answer_for_a_region_may_leave_out_the_offsets(tmp_path):
    given = [mark(FIRST, "sentence", "s0", "sentence"), choices("event_type", "AID", region="s0")]
    config = made(tmp_path, task(annotation(*given, *sentence(SECOND, "s1", "ASSAULT"))), asked=("event_type",))
    labels = [noun for noun in label_studio.read(config, Problems()) if hasattr(noun, "labels")]
    assert [(label.labels, TEXT[slice(*label.span)]) for label in labels] == [(("AID",), FIRST), (("ASSAULT",), SECOND)]


def test_what_is_said_of_some_marks_is_not_asked_of_the_others(tmp_path):
    found, tiny = read(
        made(
            tmp_path,
            task(annotation(mark(SECOND, "EVENT"), per_region("time", SECOND, "past"), mark("القافلة", "ACTOR", "r2"))),
            task(
                annotation(mark(FIRST, "EVENT"), per_region("time", FIRST, "past", "near"), mark(THIRD, "EVENT", "r3")),
                id=2,
            ),
            task(annotation(mark("القافلة", "ACTOR")), id=3),
        )
    )
    assert (found["time"].kind, found["time"].level) == ("multi", "sentence")
    assert [
        (a, labels, TEXT[slice(*span)])
        for a, labels, span, name in rows(tiny, "article", "labels", "span", "task")
        if name == "time"
    ] == [
        ("1", ("past",), SECOND),
        ("2", ("past", "near"), FIRST),
        ("2", (), THIRD),
    ]


def test_the_text_and_all_else_is_found_by_name(tmp_path):
    data = {
        "body": "نص أول",
        "title": "عنوان",
        "date": "2024-05-01",
        "source": "أ",
        "url": "u",
        "group": 4,
        "target": "سيرين",
        "part": "test",
    }
    given = [
        task(annotation(choices("q", "favor")), data=data, id=11),
        task(annotation(choices("q", "against"), by=2), data=data, id=11),
        task(annotation(choices("q", "none")), data={"body": "نص ثان", "target": "نورا", "id": "x"}, id=12),
    ]
    config = made(tmp_path, *given, split=SplitConfig(rule="field", field="part"))
    found, tiny = read(config)
    assert list(found) == ["stance_target"]
    article = tiny.articles["11"]
    assert (article.text, article.title, article.date, article.source, article.url) == (
        "نص أول",
        "عنوان",
        "2024-05-01",
        "أ",
        "u",
    )
    assert article.meta == {"group": "4", "part": "test"}
    assert rows(tiny, "article", "annotator", "target") == [
        ("11", "1", "سيرين"),
        ("11", "2", "سيرين"),
        ("x", "1", "نورا"),
    ]
    named = config.model_copy(update={"columns": {"text": "body", "group": "part", "title": "source"}})
    assert read(named)[1].articles["11"].group == "test"


def test_rows_of_one_id_must_be_one_article(tmp_path):
    given = [
        task(annotation(choices("q", "a", "b")), data={"text": text, "id": "x"}, id=id_)
        for id_, text in ((1, "أ"), (5, "ب"))
    ]
    with pytest.raises(
        DataError, match=r"export.json, task 5: id: 'x' is taken by export.json, task 1, of another text"
    ):
        read(made(tmp_path, *given))
    _, tiny = read(made(tmp_path, *given, on_error="skip"))
    assert list(tiny.articles) == ["x"]


BROKEN = [
    (mark(FIRST, "A", within="📰📰 " + TEXT), "value: [8, 31) of the text is 'فد نورا"),
    (mark(FIRST, "A", end=999), "value: [3, 999) lies outside the text (70 UTF-16 units)"),
    (mark(FIRST, "A", start=1), "value: [1, 26) of the text is"),  # amid the emoji
    (mark(FIRST, "A", start=1, text=None), "value: [1, 26) lies outside the text"),
    (mark(FIRST, "A", start=20, end=20), "value: [20, 20) lies outside"),
    (mark(FIRST, "A", start="/p[1]"), "value: start and end are '/p[1]' and 26, no whole numbers. khabar reads spans"),
    (mark(FIRST, 4), "value: the labels of 'label' are no list"),
    (mark(FIRST, [" "]), "value: a label of 'label' is ' '"),
    (choices("q", 4), "value: a label of 'q' is 4"),
    ({"type": "choices", "value": {"choices": ["a"]}}, "result: it has no from_name or no value"),
    ({"type": "relation", "from_id": "r1", "labels": []}, "relation: it has no from_id or to_id"),
    ({"type": "relation", "from_id": "r8", "to_id": "r9"}, "relation: it joins the region 'r9', which is not there"),
    (choices("side", "x", region="gone"), "region: side is answered for a region that does not exist"),
]


@pytest.mark.parametrize(("result", "told"), BROKEN, ids=[told[:50] for _, told in BROKEN])
def test_a_broken_result_is_a_problem_with_its_place(tmp_path, result, told):
    good = annotation(
        mark(FIRST, "A", "r8"), per_region("side", FIRST, "x", region="r8"), choices("mood", "m", "n"), by=2
    )
    good["result"] += [mark(SECOND, "B", "r7"), per_region("side", SECOND, "y", region="r7")]
    config = made(tmp_path, task(good, id=31), task(annotation(result, mark(THIRD, "B", "r8")), id=52))
    with pytest.raises(DataError) as error:
        read(config)
    assert f"1 problem in the data:\n  export.json, task 52: {told}" in str(error.value)
    _, tiny = read(config.model_copy(update={"on_error": "skip"}))
    assert tiny.counts["bad rows skipped"] == 1
    assert len(tiny.articles) == 2


def test_a_broken_region_is_told_once_and_leaves_no_false_none(tmp_path):
    wrong = mark(FIRST, "sentence", "s0", "sentence")
    wrong["value"]["text"] = "كلمات أخرى"
    answer = per_region("event_type", FIRST, "AID", region="s0")
    answer["value"]["text"] = "كلمات أخرى"
    arrow = {"type": "relation", "from_id": "s0", "to_id": "s1"}
    broken = annotation(wrong, answer, *sentence(SECOND, "s1"), arrow)
    whole = annotation(*sentence(SECOND, "s1", "ASSAULT"))
    config = made(tmp_path, task(broken), task(whole, id=2), asked=("event_type",))
    problems = Problems()
    labels = [noun for noun in label_studio.read(config, problems) if hasattr(noun, "labels")]
    assert [(label.article, label.labels) for label in labels] == [("2", ("ASSAULT",))]
    assert [problem.field for problem in problems.first] == ["value"]


def test_results_of_other_kinds_are_counted(tmp_path):
    text = {"id": "t", "type": "textarea", "from_name": "why", "value": {"text": ["لأن"]}}
    _, tiny = read(
        made(tmp_path, task(annotation(choices("q", "a", "b"), text, {"type": "rating", "value": {"rating": 4}})))
    )
    assert tiny.counts["results of the type textarea, which khabar does not read"] == 1
    assert tiny.counts["results of the type rating, which khabar does not read"] == 1


def test_a_question_that_is_not_there_is_a_problem(tmp_path):
    config = made(
        tmp_path, own_format(annotation(choices("stance_0", "favor"), choices("stance_2", "none"))), asked=("stance",)
    )
    with pytest.raises(DataError, match=r"questions: 'stance_2' answers question 2, counted from 0, of 2\."):
        corpus.read(config, {"stance": label_studio._controls.own()["stance"]})


def event_types(tmp_path, *tasks, **changes):
    config = made(tmp_path, *tasks, asked=("event_type",), **changes)
    return corpus.read(config, {"event_type": label_studio._controls.own()["event_type"]})


def test_a_mark_whose_label_the_task_lacks_is_no_vote_for_none(tmp_path):
    given = (
        task(  # the second annotator spells what the first marked, and overlaps the rest
            annotation(mark(FIRST, "PROTEST"), mark(SECOND, "ASSAULT", "r2")),
            annotation(mark(FIRST, "احتجاج"), mark("فرقة ظل القافلة", "احتجاج", "r2"), by=2),
        ),
        task(annotation(mark(FIRST, "احتجاج")), annotation(by=2), id=2),  # nobody marked a label of the task
        task(annotation(mark(FIRST, "PROTEST")), annotation(mark(SECOND, "احتجاج"), by=2), id=3),
        task(annotation(), id=4),
    )
    read = event_types(tmp_path, *given)
    assert rows(read, "article", "annotator", "labels") == [
        ("1", "1", ("PROTEST",)),
        ("1", "1", ("ASSAULT",)),
        ("3", "1", ("PROTEST",)),
        ("3", "2", ()),  # elsewhere in the text, where the other saw an event
        ("4", "1", ()),
    ]
    assert len(read.spans) == 4
    note = "marks with a label that event_type lacks: احتجاج (data.label_map.event_type.احتجاج=LABEL)"
    assert read.counts[note] == 4
    spelled = event_types(tmp_path, *given, label_map={"event_type": {"احتجاج": "PROTEST"}})
    assert note not in spelled.counts
    assert ("1", "2", ("PROTEST",)) in rows(spelled, "article", "annotator", "labels")


def test_a_misspelt_label_is_noted_with_the_nearest(tmp_path):
    read = event_types(
        tmp_path, task(annotation(mark(FIRST, "PROTST"), mark(SECOND, "CONSULT", "r2")), annotation(by=2))
    )
    assert rows(read, "annotator", "labels", "span") == [
        ("1", ("CONSULT",), (TEXT.index(SECOND), TEXT.index(SECOND) + len(SECOND))),
        ("2", (), (TEXT.index(SECOND), TEXT.index(SECOND) + len(SECOND))),
    ]
    assert (
        read.counts["marks with a label that event_type lacks: PROTST (data.label_map.event_type.PROTST=PROTEST)"] == 1
    )


def test_one_of_several_choices_is_looked_for_where_the_map_says_so(tmp_path):
    given = [
        task(annotation(choices("حدث", label)), data={"text": f"خبر {label}"}, id=number)
        for number, label in enumerate(("PROTEST", "ASSAULT", "ثقافة"), 1)
    ]
    config = made(tmp_path, *given, asked=("event_protest",), label_map={"event_protest": {"PROTEST": "yes"}})
    read = corpus.read(config, {"event_protest": label_studio._controls.own()["event_protest"]})
    assert rows(read, "article", "labels") == [("1", ("yes",)), ("2", ()), ("3", ())]
    assert read.counts["answers of ثقافة, which event_protest lacks: alone it means no"] == 1


BAD_FILES = [
    ('{"text": "أ", "label": ["x"]}\n{"text": "ب", "label": []}', "looks like an export of another tool: data=doccano"),
    ("", "is empty. Export the project again in the format JSON"),
    ("  \n", "is empty"),
    ("{no json", "is not JSON: Expecting property name"),
    ('{"id": 1, "data": {"text": "أ"}}', "holds a JSON dict, an export holds a list of tasks"),
    ("[]", "holds no task"),
    (
        '[{"id": 1, "text": "أ", "mood": "x", "annotator": 1, "lead_time": 3.5}]',
        "is no full export (it looks like JSON-MIN)",
    ),
    ('[{"text": "أ"}]', "is no full export: no task has data and annotations"),
    ('[{"data": {"text": "أ"}, "completions": []}]', "comes from a Label Studio before 1.0"),
    ('[{"data": {"a": "أ", "b": "ب"}, "annotations": []}]', "Which field of the data is the text? There are: a, b."),
    ("[[" * 100_000, "is not JSON"),
]


@pytest.mark.parametrize(("content", "told"), BAD_FILES, ids=[told[:40] for _, told in BAD_FILES])
def test_a_file_that_is_no_export_is_told_what_is_needed(tmp_path, content, told):
    config = made(tmp_path)
    (tmp_path / "export.json").write_text(content, encoding="utf-8")
    for reading in (label_studio.tasks, lambda config: list(label_studio.read(config, Problems()))):
        with pytest.raises(DataError) as error:
            reading(config)
        assert told in str(error.value)
    with pytest.raises(DataError, match="should be one file"):
        label_studio.tasks(config.model_copy(update={"path": str(tmp_path)}))


BAD_TASKS = [
    ("x", "data: missing or no object"),
    ({"id": 9, "data": {"text": " "}, "annotations": []}, "text: 'text' is no string"),
    ({"id": 9, "data": {"text": ["أ"]}, "annotations": []}, "text: 'text' is no string"),
    ({"id": 9, "data": {"text": "أ"}, "annotations": [4]}, "annotations: no list of objects"),
]


@pytest.mark.parametrize(("given", "told"), BAD_TASKS, ids=[told for _, told in BAD_TASKS])
def test_a_broken_task_is_a_problem(tmp_path, given, told):
    config = made(tmp_path, task(annotation(choices("q", "a", "b"))), given)
    place = "task 2" if given == "x" else "task 9"
    with pytest.raises(DataError, match=f"export.json, {place}: {told}"):
        read(config)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings_are_read(tmp_path, encoding):
    config = made(tmp_path, task(annotation(choices("q", "حاد", "هادئ"))))
    path = tmp_path / "export.json"
    path.write_text(path.read_text(encoding="utf-8"), encoding=encoding)
    assert list(read(config)[0]) == ["q"]


def test_names_that_do_not_exist_are_refused(tmp_path):
    given = task(annotation(choices("q", "a", "b")))
    for options, told in (
        ({"prediction": "true"}, "Did you mean 'predictions'"),
        ({"offsets": "utf8"}, "Did you mean 'utf16'"),
    ):
        with pytest.raises(ConfigError, match=told):
            corpus.tasks(made(tmp_path, given, options=options))
    with pytest.raises(
        ConfigError, match=r"data.columns.titel: no field and no task has that name. Did you mean 'title'"
    ):
        read(made(tmp_path, given, columns={"titel": "x"}))
    with pytest.raises(DataError, match="The data of no task has 'headline', which should hold the title"):
        read(made(tmp_path, given, columns={"title": "headline"}))


def test_where_no_task_is_found_the_bad_rows_that_may_be_why_are_told(tmp_path):
    lost = mark(FIRST, "PROTEST", start=4000, end=4020)
    with pytest.raises(DataError, match="lies outside the text"):
        label_studio.tasks(made(tmp_path, task(annotation(lost))))
