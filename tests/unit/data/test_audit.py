import json
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import planting

from khabar.config import AuditConfig
from khabar.data import audit, duplicates, leaks
from khabar.data.audit import Finding
from khabar.errors import DataError
from khabar.schema import Article, Example, Task
from khabar.text.folding import fold

TASK = Task(name="t", labels=("yes", "no"), level="sentence")
PAIRED = Task(name="paired", labels=("agree", "disagree"), asks=("target",), target_is="text")
TASKS = {task.name: task for task in (TASK, PAIRED)}
ARTICLES = planting.articles()
LONG = "أعلنت نقابة عمال ميناء الصفارة تعليق الإضراب الذي استمر أحد عشر يوما بعد اتفاق مع هيئة الموانئ"
NEAR = LONG.replace("أحد عشر", "تسعة")


def example(id_, text, task="t", **more):
    return Example(id=id_, article=id_, group=id_, task=task, text=text, **more)


def rows(**splits):
    return {
        name: [example(f"{name}{number}", text) for number, text in enumerate(splits.get(name, []))]
        for name in ("train", "dev", "test")
    }


def run(splits, on_leak="drop", *, brought=True, near=0.5, **config):
    examples = [row for part in splits.values() for row in part]
    copies = duplicates.find({text for row in examples for text in leaks.texts(row, TASKS[row.task])}, near)
    articles = {row.article: Article(row.article, row.text) for row in examples}
    return audit.run(splits, TASKS, copies, articles, AuditConfig(**config), on_leak, brought=brought)


def texts(splits):
    return {name: [each.text for each in part] for name, part in splits.items()}


def overlapping():
    return rows(train=["أ ب", "ت", "ث", "ج", NEAR], dev=["ا ب.", "ث", "خ"], test=["ت", "ث!", "خ", LONG])


def test_drop_takes_the_train_row_and_a_brought_dev_row_stays():
    kept, found = run(overlapping())
    assert texts(kept) == {"train": ["ج"], "dev": ["ا ب.", "ث", "خ"], "test": ["ت", "ث!", "خ", LONG]}
    assert found.counts == {
        "train rows whose text is in dev or test, exact copy, dropped": 2,
        "train rows whose text is in dev or test, normalised copy, dropped": 1,
        "train rows whose text is in dev or test, near copy, dropped": 1,
        "dev rows whose text is in test, exact copy, kept": 1,
        "dev rows whose text is in test, normalised copy, kept": 1,
    }


@pytest.mark.parametrize("on_leak", ["stop", "drop"])
def test_what_is_left_where_khabar_split_is_dropped_from_train_and_dev(on_leak):
    kept, found = run(overlapping(), on_leak, brought=False)
    assert texts(kept) == {"train": ["ج"], "dev": ["ا ب."], "test": ["ت", "ث!", "خ", LONG]}
    assert found.counts["dev rows whose text is in test, exact copy, dropped"] == 1
    assert {finding.done for finding in found.findings} == {"dropped"}


@pytest.mark.parametrize("brought", [True, False])
def test_warn_keeps_and_counts(brought):
    splits = overlapping()
    kept, found = run(splits, "warn", brought=brought)
    assert kept == splits
    assert found.counts["train rows whose text is in dev or test, near copy, kept"] == 1
    assert {finding.done for finding in found.findings} == {"kept"}


def test_findings_say_what_and_what_to_do():
    _, found = run(rows(train=["خبر أول", "خبر أوّل", "خبر ثانٍ"], test=["خبر أول"]), "warn")
    assert found.findings[:2] == (
        Finding(
            kind="exact copy",
            splits="train/test",
            rows=1,
            texts=1,
            leak=True,
            done="kept",
            what="1 train row (1 distinct text) has a text that test holds letter for letter.",
            todo="Drop them with audit.on_leak=drop; else the test figures are partly of texts that train has shown.",
            examples=(
                {
                    "id": "train0", "split": "train", "label": "", "text": "خبر أول",
                    "other_id": "test0", "other_split": "test", "other_label": "", "other_text": "خبر أول",
                },
            ),
        ),
        Finding(
            kind="normalised copy",
            splits="train/test",
            rows=1,
            texts=1,
            leak=True,
            done="kept",
            what="1 train row (1 distinct text) has a text that test holds in another spelling.",
            todo="Drop them with audit.on_leak=drop; else the test figures are partly of texts that train has shown.",
            examples=(
                {
                    "id": "train1", "split": "train", "label": "", "text": "خبر أوّل",
                    "other_id": "test0", "other_split": "test", "other_label": "", "other_text": "خبر أول",
                },
            ),
        ),
    )  # fmt: skip


def test_examples_are_plain_short_and_few():
    many = [f"{LONG} {number} {LONG}" for number in range(9)]
    _, found = run(rows(train=many, test=[*many, *many]), "warn", examples=2)
    finding = found.findings[0]
    assert (finding.rows, finding.texts, len(finding.examples)) == (9, 9, 2)
    assert json.loads(json.dumps(finding.examples)) == list(finding.examples)
    assert {len(shown["text"]) for shown in finding.examples} == {100}


def test_stop_counts_and_shows_three():
    splits = rows(train=[f"نص {n}" for n in range(5)], test=[f"نص {n}" for n in range(5)])
    with pytest.raises(DataError) as error:
        run(splits, "stop")
    message = str(error.value)
    assert "5 train rows whose text is in dev or test, exact copy." in message
    assert sum(f"train{n} (train) and test{n} (test), exact copy: 'نص {n}'" in message for n in range(5)) == 3
    assert "audit.on_leak=drop" in message
    assert "audit.on_leak=warn" in message


def test_a_torn_group_is_told_of_and_stops_nothing():
    splits = rows(train=["أول", "ثان"], test=["ثالث"])
    splits["train"][0] = replace(splits["train"][0], group="وثيقة")
    splits["test"][0] = replace(splits["test"][0], group="وثيقة")
    kept, found = run(splits, "stop")
    assert kept == splits
    (finding,) = found.findings
    assert (finding.kind, finding.rows, finding.leak) == ("group in two splits", 2, False)
    assert finding.examples == ({"group": "وثيقة", "train": "1", "test": "1"},)


def test_repeats_are_counted_among_the_rows_that_stay():
    _, found = run(rows(train=["نص", "نص"], test=["نص"]))
    assert [finding.kind for finding in found.findings] == ["exact copy"]


def test_a_clean_split_stops_nothing():
    splits = rows(train=["أ"], test=["ب"])
    assert run(splits, "stop") == (splits, audit.Audit((), {}))


def test_a_row_of_another_task_with_the_same_id_stays():
    other = example("a", "غير", task="paired", target="هدف")
    splits = {"train": [example("a", "نص"), other], "dev": [], "test": [example("b", "نص")]}
    kept, _ = run(splits)
    assert kept["train"] == [other]


def test_a_row_that_leaks_twice_is_counted_once_by_its_strongest_kind():
    train = [example("a", "نص", task="paired", target="عنوان")]
    dev, test = [example("b", "نص", task="paired", target="عنوان")], [example("c", "غير", task="paired", target="نص")]
    _, found = run({"train": train, "dev": dev, "test": test})
    assert found.counts["train rows whose text is in dev or test, exact copy, dropped"] == 1
    assert [(finding.kind, finding.splits) for finding in found.findings] == [
        ("shared text of a pair", "train/test"),
        ("exact copy", "train/dev"),
        ("shared text of a pair", "dev/test"),
    ]
    assert sum(found.counts.values()) == 2


def test_what_is_no_leak_is_told_and_changes_nothing():
    train = [example(f"a{at}", "نص", gold=(label,)) for at, label in enumerate(("yes", "no"))]
    splits = {"train": train, "dev": [], "test": []}
    kept, found = run(splits, "stop")
    assert kept == splits
    assert [(finding.kind, finding.leak) for finding in found.findings] == [
        ("conflicting labels", False),
        ("exact repeat", False),
    ]
    assert found.counts == {}


short = st.lists(st.text(alphabet="اأب.ة ه", min_size=1, max_size=3), max_size=8)


@given(short, short, short, st.booleans())
def test_after_drop_train_overlaps_nothing(train, dev, test, brought):
    kept, found = run(rows(train=train, dev=dev, test=test), "drop", brought=brought)
    folded = {name: {fold(text) for text in part} for name, part in texts(kept).items()}
    assert not folded["train"] & (folded["dev"] | folded["test"])
    assert len(kept["test"]) == len(test)
    assert len(kept["dev"]) == len(dev) if brought else not folded["dev"] & folded["test"]
    gone = sum(count for what, count in found.counts.items() if what.endswith("dropped"))
    assert gone == sum(map(len, (train, dev, test))) - sum(map(len, kept.values()))


def planted_found(splits, planted):
    """Rows that were planted and found, planted, found and not planted; the kinds."""
    part = rows(**splits)
    plants = [example(f"plant{at}", text) for at, text in enumerate(planted)]
    part["train"] = random.Random(0).sample(part["train"] + plants, len(part["train"] + plants))
    kept, report = run(part)
    gone = {row.id for row in part["train"]} - {row.id for row in kept["train"]}
    hits = {row.id for row in plants} & gone
    return len(hits), len(plants), len(gone - hits), {finding.kind for finding in report.findings}


def test_a_clean_split_has_no_leaks():
    splits = rows(
        train=planting.units(ARTICLES[:30]), dev=planting.units(ARTICLES[30:40]), test=planting.units(ARTICLES[40:])
    )
    assert run(splits, "stop")[1].findings == ()
    splits = rows(train=ARTICLES[:30], dev=ARTICLES[30:40], test=ARTICLES[40:])
    assert run(splits, "stop")[1].findings == ()


@pytest.mark.parametrize("how", planting.SPELLINGS, ids=lambda how: how.__name__)
@pytest.mark.parametrize("of", ["sentences", "articles"])
def test_every_copy_in_another_spelling_is_found(how, of):
    cut = {"train": ARTICLES[:30], "dev": ARTICLES[30:40], "test": ARTICLES[40:]}
    splits = cut if of == "articles" else {name: planting.units(part) for name, part in cut.items()}
    planted = planting.plant(how, [*splits["dev"], *splits["test"]], planting.words())
    hits, plants, others, kinds = planted_found(splits, planted)
    assert (hits, others) == (plants, 0)
    assert kinds <= {"exact copy", "normalised copy"}


@pytest.mark.parametrize("how", planting.REWORDINGS, ids=lambda how: how.__name__)
def test_99_of_100_reworded_sentences_are_found(how):
    splits = {"train": planting.units(ARTICLES[:20]), "test": planting.units(ARTICLES[20:])}
    planted = planting.plant(how, [text for text in splits["test"] if len(text.split()) >= 12], planting.words())
    hits, plants, others, kinds = planted_found(splits, planted)
    assert plants > 300
    assert hits >= 0.99 * plants
    assert others == 0
    assert kinds == {"near copy"}


@pytest.mark.parametrize("how", [*planting.REWORDINGS, planting.sentence_dropped], ids=lambda how: how.__name__)
def test_every_reworded_article_is_found(how):
    splits = {"train": ARTICLES[:20], "test": ARTICLES[20:]}
    planted = planting.plant(how, splits["test"], planting.words())
    assert planted_found(splits, planted) == (30, 30, 0, {"near copy"})


def test_either_headline_of_a_pair_is_found_wherever_it_stands():
    units = planting.units(ARTICLES)
    train = [
        example(f"train{at}", *units[2 * at : 2 * at + 1], task="paired", target=units[2 * at + 1]) for at in range(150)
    ]
    test = [example(f"test{at}", units[at], task="paired", target=units[at + 1]) for at in range(400, 600, 2)]
    draw = random.Random(0)
    plants = []
    for at, row in enumerate(test):
        text, target = draw.choice(
            [
                (row.text, units[at + 610]),
                (units[at + 610], row.text),
                (row.target, units[at + 610]),
                (units[at + 610], row.target),
            ]
        )
        plants.append(example(f"plant{at}", text, task="paired", target=target))
    kept, report = run({"train": train + plants, "dev": [], "test": test})
    assert kept["train"] == train
    assert {finding.kind for finding in report.findings} == {
        "shared text of a pair",
        "same article, other question",
    }
    assert sum(finding.rows for finding in report.findings) == 100
