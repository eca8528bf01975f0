import json
import re
from dataclasses import replace

import pytest

from khabar.config import DataConfig, SplitConfig, WindowsConfig
from khabar.data import dataset, figures, report, scripts
from khabar.data.findings import Finding
from khabar.schema import Task

SCRIPT = "<script>alert('خبر')</script>"
TASK = Task(name="event_protest", labels=("yes", "no"), level="sentence")


LEAK = Finding(
    kind="exact",
    splits="train/test",
    rows=2,
    texts=1,
    leak=True,
    done="kept",
    what="2 train rows hold a text that test holds letter for letter.",
    todo="drop them: audit.on_leak=drop",
    examples=({"train": "a1", "test": "a2", "text": f"نص {SCRIPT}"},),
)
CONFLICT = Finding("conflict", "train", 4, 2, False, "kept", "4 rows hold one text under two labels.", "settle", ())


def words(texts):
    return [len(text.split()) + 2 for text in texts]


@pytest.fixture
def load(tmp_path, write_jsonl):
    """A data set of rows (text, label, fields); `n` is their number."""

    def make(rows, task=TASK, split=None, **changes):
        plain = [
            {"id": f"a{number}", "text": text, "label": label, **fields}
            for number, (text, label, fields) in enumerate(rows)
        ]
        path = write_jsonl(tmp_path / "rows.jsonl", plain)
        config = DataConfig(
            name="mine",
            importer="files",
            path=str(path),
            tasks=(task.name,),
            default_tasks=(task.name,),
            split=split or SplitConfig(rule="field", field="split"),
            on_leak="warn",
            **changes,
        )
        return dataset.load(config, {task.name: task}, need=())

    return make


def rows(*, train, dev=12, test=12, **fields):
    """Numbered texts, half yes and half no."""
    sizes = {"train": train, "dev": dev, "test": test}
    return [
        (f"خرج العمال في {split} {number}", ("yes", "no")[number % 2], {"split": split, **fields})
        for split, size in sizes.items()
        for number in range(2 * size)
    ]


def test_nothing_amiss_is_nothing_to_do(load):
    made = report.build(load(rows(train=20)))
    assert made.actions == ()
    assert "What to do: nothing" in made.to_text()
    assert "Nothing: khabar found nothing amiss." in made.to_html()


def test_labels_are_counted_by_split_and_rows_by_what_became_of_them(load):
    made = report.build(load(rows(train=20, dev=3, test=12)))
    (task,) = made.tasks
    assert task.splits == {"train": 40, "dev": 6, "test": 24}
    assert task.labels == {"yes": {"train": 20, "dev": 3, "test": 12}, "no": {"train": 20, "dev": 3, "test": 12}}
    assert (task.kept, task.dropped) == (70, {})
    assert (made.rows.read, made.rows.articles, made.rows.texts, made.rows.labels) == (70, 70, 70, 70)
    assert re.search(r"yes +20 +3 +12", made.to_text())


def test_annotators_are_counted_by_split_and_what_was_dropped(load):
    def votes(text, *given, split="train"):
        return [(text, label, {"id": text, "annotator": name, "split": split}) for name, label in given]

    data = load(
        [
            *votes("مظاهرة أولى", ("سلمى", "yes"), ("باسل", "yes")),
            *votes("مظاهرة ثانية", ("سلمى", "no"), ("باسل", "yes")),
            *votes("مظاهرة ثالثة", ("سلمى", "no"), split="test"),
        ]
    )
    disagreement = {
        "task": "event_protest",
        "article": "مظاهرة ثانية",
        "span": [0, 7],
        "holder": None,
        "target": "المصنع",
        "text": "مظاهرة ثانية",
        "answers": [{"annotator": "باسل", "labels": ["yes"]}, {"annotator": "سلمى", "labels": []}],
        "settled": False,
    }
    alpha = {"task": "event_protest", "pair": None, "units": 2, "label": None, "value": 0.5, "low": 0.1, "high": 0.8}
    alphas = [alpha, {**alpha, "label": "yes", "value": 0.4}, {**alpha, "label": "no", "value": None, "low": None}]
    alphas.append({**alpha, "pair": ["باسل", "سلمى"], "value": 0.3})
    made = report.build(data, agreement=alphas, disagreements=[disagreement])
    (task,) = made.tasks
    assert task.answers == {"سلمى": 3, "باسل": 2}
    assert task.annotators["سلمى"] == {"train": {"yes": 1}, "dropped": {"no": 1}, "test": {"no": 1}}
    assert task.given == {"yes": {"سلمى": 1, "باسل": 2}, "no": {"سلمى": 2}}
    assert task.dropped == {"no majority": 1}
    found = {action.found: action.do for action in made.actions}
    assert "data.annotators.soft=true" in found["event_protest: 1 row lost, no majority"]
    assert "'yes' first (alpha 0.40)" in found["event_protest: annotators agree little, alpha 0.50 [0.10, 0.80]"]
    text = made.to_text()
    assert re.search(r"answers +3 +2", text) and "2 of these labels are on rows that were dropped" in text
    assert "by pair: باسل and سلمى 0.30 (2 rows)" in text
    assert "annotators differ on 1 row" in text
    assert made.disagreement_examples == (
        {
            "id": "مظاهرة ثانية [0, 7)",
            "target": "المصنع",
            "text": "مظاهرة ثانية",
            "answers": "باسل: yes; سلمى: (none of them)",
        },
    )


def test_names_of_annotators_can_be_read_in_full(load):
    long = "عبد الرحمن بن مصطفى الشريف"

    def by(names):
        data = load([("خبر", "yes", {"id": "a", "annotator": name, "split": "train"}) for name in names])
        return report.build(data).to_text()

    two = by([long, "سلمى"])
    assert re.search(rf"^ +{long} +سلمى$|^ +سلمى +{long}$", two, re.MULTILINE) and "in full:" not in two
    many = by([f"{long} {n}" for n in range(9)])
    assert max(map(len, many.splitlines())) <= 100
    assert "  in full: " in many and "  2 more: " in many
    assert all(f"{long} {n}" in " ".join(many.split()) for n in range(9))


def test_the_split_and_what_had_no_say_in_it_are_told(load):
    made = report.build(load(rows(train=20), split=SplitConfig(test_values=("x",))))
    note = "articles bring a split (meta 'split': train, dev, test), which rule=hash does not use"
    for shown in (made.to_text(), made.to_html().replace("&#39;", "'")):
        words = " ".join(shown.split())
        assert "Split: hash of the group, 70/15/15; copies stay together" in words
        assert note in words and "ignored: data.split.test_values (rule hash)" in words
    assert load(rows(train=20), split=SplitConfig()).summary().count(note) == 1
    assert "Split: meta 'split', train: train; dev: dev; test: test" in report.build(load(rows(train=20))).to_text()


def test_a_note_is_counted_where_there_are_several(load):
    data = load(rows(train=20))
    data.counts.update({"u.tsv read as utf-16": 1, "rows without an answer": 2})
    text = report.build(data).to_text()
    assert "  noted: u.tsv read as utf-16\n" in text and "  noted: rows without an answer: 2\n" in text


def test_what_to_do_begins_with_leaks(load):
    made = report.build(load(rows(train=20, test=5)), findings=[CONFLICT, LEAK])
    assert [action.do.split(":")[0] for action in made.actions] == [
        "drop them",
        "read the intervals and not the scores of these; add rows",  # the split was brought along: no folds
        "settle",
    ]
    assert "labels with under 10 rows in test: yes 5, no 5" in made.actions[1].found
    lines = made.to_text().splitlines()
    assert lines[4] == "  1. 2 train rows hold a text that test holds letter for letter."


def test_a_leak_that_was_dropped_is_shown_and_asks_for_nothing(load):
    made = report.build(load(rows(train=20)), findings=[replace(LEAK, done="dropped")])
    assert made.actions == ()
    assert "holds letter for letter. Dropped." in made.to_text()
    assert "<b>dropped</b>" in made.to_html()


def test_only_the_first_actions_are_printed(load):
    findings = [LEAK] * 8
    made = report.build(load(rows(train=20)), findings=findings)
    text = made.to_text()
    assert "  6. " in text and "  7. " not in text
    assert "and 2 more, in report.html and report.json" in text
    assert made.to_html().count("<li>") == 8


def test_an_empty_split_and_a_label_never_seen(load):
    made = report.build(load([(f"خبر {n}", "yes", {"split": "train"}) for n in range(20)]))
    found = [action.found for action in made.actions]
    assert found == ["event_protest: dev is empty", "event_protest: test is empty", "event_protest: never in train: no"]


def test_rows_lost_point_to_the_task_that_takes_them(tmp_path, write_jsonl):
    quad = Task(name="event_quad", kind="multi", level="sentence", labels=("a", "b"))
    view = Task(name="event_quad5", level="sentence", labels=("none", "a", "b"), reads="event_quad", empty_as="none")
    plain = [{"text": f"نص {n}", "label": label} for n, label in enumerate(["a", "", "a|b", "b"])]
    config = DataConfig(
        name="mine",
        importer="files",
        path=str(write_jsonl(tmp_path / "quads.jsonl", plain)),
        tasks=("event_quad", "event_quad5"),
        default_tasks=("event_quad5",),
        split=SplitConfig(train=100, dev=0),
    )
    made = report.build(dataset.load(config, {"event_quad5": view, "event_quad": quad}))
    task, both = made.tasks
    assert task.given == {"none": {"gold": 1}, "a": {"gold": 2}, "b": {"gold": 2}}
    lost = next(action for action in made.actions if "two or more labels" in action.found)
    assert lost.do.startswith("train on task=event_quad instead")
    assert both.labels["(none of them)"] == {"train": 1, "dev": 0, "test": 0}


def test_lengths(load):
    texts = [" ".join(["كلمة"] * count) for count in range(1, 21)] + [" ".join(["كلمة"] * 511)]
    data = load([(text, "yes", {"split": "train"}) for text in texts])
    (length,) = report.build(data, tokens=words, tokenizer="words").lengths
    assert (length.words.median, length.words.p95, length.words.most) == (11, 20, 511)
    assert (length.tokens.median, length.tokens.most) == (13, 513)
    assert (length.counted, length.over, length.cut) == (21, 1, 0)
    assert length.longest[0] == "a20 (513)"
    text = report.build(data, tokens=words, tokenizer="words").to_text()
    assert "nothing is cut off below 7,200, so nothing is" in text
    (plain,) = report.build(data).lengths
    assert plain.tokens is None
    without = report.build(data)
    assert "tokens" not in without.to_text() and "over 512" not in without.to_html()


def test_the_reach_is_where_the_windower_begins_to_cut(load):
    pytest.importorskip("torch")
    from khabar.models.windows import Windower
    from khabar.schema import Example
    from tiny import plain_tokenizer

    windows = WindowsConfig(length=32, stride=4, max_windows=3, question=8)
    tokenizer = plain_tokenizer()

    def tokens(texts):
        return [len(found.ids) for found in tokenizer.encode_batch(list(texts))]

    def cut(count, target):
        windower = Windower(tokenizer, windows, 512)
        text = " ".join(["في"] * count)
        windower.passes([Example(id="1", article="1", group="1", task="t", text=text, target=target)])
        return windower.cut.texts

    asking = Task(name="stance_target", labels=("favor", "against"), asks=("target",))
    for task, target in ((TASK, None), (asking, "وقف إطلاق النار")):
        fields = {"split": "train", **({} if target is None else {"target": target})}

        def built(count, task=task, fields=fields):
            rows = [(" ".join(["في"] * count), task.labels[0], fields)]
            return report.build(load(rows, task), tokens=tokens, tokenizer="tiny", windows=windows)

        reach = built(1).reach
        assert [cut(reach, target), cut(reach + 1, target)] == [0, 1]
        assert [built(count).lengths[0].cut for count in (reach, reach + 1)] == [0, 1]
    action = next(action for action in built(reach + 1).actions if "their tail is not read" in action.found)
    assert "windows.max_windows=6" in action.do


def test_the_sample_is_the_same_whatever_the_order(load, monkeypatch):
    monkeypatch.setattr(figures, "SAMPLE", 5)
    asked = []

    def tokens(texts):
        asked.append(set(texts))
        return words(texts)

    data = rows(train=10)
    for order in (data, data[::-1]):
        made = report.build(load(order), tokens=tokens, tokenizer="words")
    assert len(asked[0]) == 5 and asked[0] == asked[1]
    assert "counted on 5 of 68 texts, chosen by hash" in made.to_text()


@pytest.mark.parametrize(
    ("text", "script", "language"),
    [
        ("قال الوزير إن الميناء يعمل", "Arabic", None),
        ("قال المتحدث باسم شركة گوگل في بيروت", "Arabic", None),
        ("قال وزیر الزراعة فی کلمة ألقاها", "Arabic", None),
        ("این بندر چند روز پیش باز شد و کشتی‌ها برگشتند", "Arabic", "Persian"),
        ("یہ بندرگاہ چند دن پہلے کھل گئی ہے", "Arabic", "Urdu"),
        ("The port is open", "Latin", None),
        ("Порт открыт", "Cyrillic", None),
        ("הנמל פתוח", "Hebrew", None),
        ("港口开放", scripts.EAST, None),
        ("123 ... ـــ", scripts.NO_LETTERS, None),
    ],
)
def test_scripts_and_languages(text, script, language):
    found = scripts.profile(text)
    assert (found.script, found.language) == (script, language)


def test_the_small_signs_of_a_text():
    found = scripts.profile("قَالَ ﻻ ﷲ ٣ 4 ۵ فی ﷺ")
    assert (found.marks, found.forms, found.persian) == (2, 1, 1)
    assert found.digits == {"European", "Arabic-Indic", "Persian"}
    assert found.letters == found.arabic == 8


def test_what_is_not_arabic_is_shown(load):
    odd = [
        ("The port is open", "yes", {"split": "train"}),
        ("این بندر چند روز پیش باز شد", "yes", {"split": "train"}),
        ("ﻗﺎﻝ ﺍﻟﻮﺯﻳﺮ", "no", {"split": "train"}),
        ("قال الوزیر", "no", {"split": "train"}),
    ]
    made = report.build(load([*rows(train=20), *odd]))
    written = made.written
    assert written.scripts == {"Arabic": 91, "Latin": 1}
    assert (written.languages, written.foreign, written.forms, written.persian) == ({"Persian": 1}, 1, 1, 1)
    assert [(example["id"], example["in"]) for example in written.examples] == [("a88", "Latin"), ("a89", "Persian")]
    found = " ".join(action.found for action in made.actions)
    for part in ("half Arabic letters", "perhaps not Arabic", "presentation forms", "the Persian ک or ی"):
        assert f"1 of 92 texts {part}" in found or part in found


def test_the_cleaning_drops_the_letters_that_the_advice_is_about():
    from khabar.config import resource
    from khabar.text import normalizer

    tokenizer = normalizer.load(resource("seeds/encoder"))
    for letter in "کیﻻﻗ":
        assert tokenizer.encode(letter, add_special_tokens=False).ids == []


def test_sources_and_dates(load):
    data = rows(train=3, dev=0, test=0, source="وكالة المرسى", date="2024-05-01")
    data[0][2].update(source=None, date="2023-01-02T10:00:00Z")
    data[1][2].update(source="وكالة الجبل", date="أمس")
    data[2][2].update(date=None)
    origin = report.build(load(data)).origin
    assert origin.sources == {"وكالة المرسى": 4, "وكالة الجبل": 1}
    assert (origin.first, origin.last) == ("2023-01-02", "2024-05-01")
    assert (origin.without_source, origin.without_date, origin.odd_dates) == (1, 1, 1)
    assert "from 2023-01-02 to 2024-05-01" in report.build(load(data)).to_text()


def test_the_page_escapes_whatever_the_data_holds(load):
    fields = {"split": "train", "annotator": SCRIPT, "source": SCRIPT}
    task = TASK.model_copy(update={"labels": (SCRIPT, '"><img src=x onerror=alert(1)>')})
    data = load([(f"{SCRIPT} news of the day", task.labels[0], {**fields, "id": SCRIPT})], task, licence=SCRIPT)
    more = load(
        [
            (f"{SCRIPT} the news", task.labels[0], {**fields, "id": SCRIPT}),
            (f"{SCRIPT} the news", task.labels[1], {**fields, "id": SCRIPT, "annotator": "'\"><b>"}),
        ],
        task,
    )
    for made in (report.build(data, findings=[LEAK]), report.build(more, findings=[LEAK], tokens=words, tokenizer="x")):
        page = made.to_html()
        assert "<script" not in page and "<img" not in page and "<b>'" not in page
        assert "&lt;script&gt;alert(" in page
        # nothing is fetched and nothing runs
        assert "default-src 'none'" in page
        assert not re.search(r"(?:src|href)\s*=|url\(|@import", page.replace("&#34;&gt;&lt;img src=x", ""))


def test_the_page_lets_arabic_run_right_to_left(load):
    page = report.build(load(rows(train=20)), findings=[LEAK]).to_html()
    assert '<html lang="en" dir="ltr">' in page
    assert re.search(r'<span class="text" dir="auto">نص', page)


def test_the_text_fits_a_terminal_and_holds_no_control_characters(load):
    long = "\x1b[31mنص طويل\u202e " + "كلمة " * 100
    fields = {"split": "train", "source": "وكالة " * 30}
    finding = Finding(
        **{**vars(LEAK), "examples": ({"text": long},), "todo": "drop " * 60, "what": "the same \x07 text"}
    )
    made = report.build(
        load([(f"The news of the port, told at length in Latin letters {long[:30]}", "yes", fields)]),
        findings=[finding],
        tokens=words,
        tokenizer="x",
    )
    assert max(map(len, made.to_text().splitlines())) <= 100
    for shown in (
        made.to_text().replace("\n", ""),
        made.written.examples[0]["text"],
        made.findings[0].examples[0]["text"],
    ):
        assert shown.isprintable()


def test_the_figures_are_json(load):
    data = load(rows(train=20))
    made = report.build(data, findings=[LEAK], tokens=words, tokenizer="words")
    plain = json.loads(json.dumps(made.to_dict(), allow_nan=False))
    assert plain["tasks"][0]["labels"]["yes"] == {"train": 20, "dev": 12, "test": 12}
    assert plain["fingerprint"] == data.fingerprint
    assert plain["windows"]["length"] == 512
    assert plain["findings"][0]["rows"] == 2


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 0, "0%"), (0, 9, "0%"), (9, 9, "100%"), (1, 3, "33.3%"), (1, 9999, "<0.1%"), (9998, 9999, ">99.9%")],
)
def test_a_share_is_never_rounded_to_none_or_all(part, whole, shown):
    assert report.share(part, whole) == shown
