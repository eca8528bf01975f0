import pytest

from khabar.data import duplicates, leaks
from khabar.data.leaks import KINDS, OTHER_QUESTION, PAIR
from khabar.schema import Example, Task

TOPIC = Task(name="topic", labels=("favor", "against"), asks=("target",))
PAIRED = Task(name="paired", labels=("agree", "disagree"), asks=("target",), target_is="text")
EVENT = Task(name="event", labels=("yes", "no"), level="sentence")
TASKS = {task.name: task for task in (TOPIC, PAIRED, EVENT)}
LONG = "أعلنت نقابة عمال ميناء الصفارة تعليق الإضراب الذي استمر أحد عشر يوما بعد اتفاق مع هيئة الموانئ"
NEAR = LONG.replace("أحد عشر", "تسعة")


def row(id_, text, target=None, task="topic", **more):
    return Example(id=id_, article=id_, group=id_, task=task, text=text, target=target, **more)


def found(**splits):
    examples = [each for part in splits.values() for each in part]
    texts = {text for each in examples for text in leaks.texts(each, TASKS[each.task])}
    copies = duplicates.find(texts, 0.5)
    return [
        (leak.kind, leak.row.id, leak.other.id)
        for leak in leaks.find({"train": [], "dev": [], "test": []} | splits, TASKS, copies)
    ]


def test_every_overlap_is_found_once_for_each_other_split():
    train = [row(f"train{at}", text) for at, text in enumerate(["أ ب", "ت", "ث", "ج", NEAR])]
    dev = [row(f"dev{at}", text) for at, text in enumerate(["ا ب.", "ث", "خ"])]
    test = [row(f"test{at}", text) for at, text in enumerate(["ت", "ث!", "خ", LONG])]
    assert sorted(found(train=train, dev=dev, test=test)) == [
        ("exact copy", "dev2", "test2"),
        ("exact copy", "train1", "test0"),
        ("exact copy", "train2", "dev1"),
        ("near copy", "train4", "test3"),
        ("normalised copy", "dev1", "test1"),
        ("normalised copy", "train0", "dev0"),
        ("normalised copy", "train2", "test1"),
    ]


@pytest.mark.parametrize(
    ("train", "kind"),
    [
        (("نص", "سؤال"), "exact copy"),
        (("نص", "سؤالٌ!"), "exact copy"),
        (("نصّ", "سؤال"), "normalised copy"),
        (("نص", "غيره"), OTHER_QUESTION),
        (("نصّ", "غيره"), OTHER_QUESTION),
        (("نص", None), "exact copy"),
        (("غير", "سؤال"), None),
        (("سؤال", "نص"), None),
    ],
)
def test_an_article_under_another_question_is_a_kind_of_its_own(train, kind):
    assert [each[0] for each in found(train=[row("a", *train)], test=[row("b", "نص", "سؤال")])] == [kind] * (
        kind is not None
    )


@pytest.mark.parametrize(
    ("train", "kind"),
    [
        (("نص", "عنوان"), "exact copy"),
        (("نص", "غيره"), OTHER_QUESTION),
        (("غير", "عنوان"), PAIR),
        (("غير", "عنوانُ."), PAIR),
        (("عنوان", "غير"), PAIR),
        (("غير", "نص"), PAIR),
        (("عنوان", "نص"), PAIR),
        (("غير", "غيره"), None),
    ],
)
def test_either_text_of_a_pair_leaks_from_either_side(train, kind):
    test = [row("b", "نص", "عنوان", "paired")]
    assert [each[0] for each in found(train=[row("a", *train, "paired")], test=test)] == [kind] * (kind is not None)


def test_a_near_copy_of_a_target_leaks_only_where_targets_are_texts():
    for task, kinds in (("paired", [PAIR]), ("topic", [])):
        assert [
            each[0] for each in found(train=[row("a", "نص", LONG, task)], test=[row("b", "غير", NEAR, task)])
        ] == kinds


def test_the_strongest_kind_counts():
    test = [row("other", "نص", "غيره"), row("near", NEAR, "سؤال"), row("exact", LONG, "سؤال")]
    assert found(train=[row("a", LONG, "سؤال"), row("b", "نص", "سؤال")], test=test) == [
        ("exact copy", "a", "exact"),
        (OTHER_QUESTION, "b", "other"),
    ]
    assert KINDS[0] == "exact copy"
    assert KINDS[-1] == PAIR


def test_a_sentence_leaks_through_its_article():
    text = "جملة أولى. جملة ثانية."
    train, test = row("a", text, task="event", span=(0, 10)), row("b", text, task="event", span=(11, 22))
    assert found(train=[train], test=[test]) == [("exact copy", "a", "b")]


def test_a_text_leaks_across_tasks():
    assert found(train=[row("a", "نص", task="event")], test=[row("b", "نص", "سؤال")]) == [("exact copy", "a", "b")]


def test_texts():
    example = row("a", "أولى. ثانية.", "هدف", span=(0, 5))
    assert leaks.texts(example, TOPIC) == ("أولى.", "أولى. ثانية.")
    assert leaks.texts(example, PAIRED) == ("أولى.", "أولى. ثانية.", "هدف")
