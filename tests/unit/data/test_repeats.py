from khabar.data import duplicates, repeats
from khabar.schema import Example

LONG = "أعلنت نقابة عمال ميناء الصفارة تعليق الإضراب الذي استمر أحد عشر يوما بعد اتفاق مع هيئة الموانئ"
NEAR = LONG.replace("أحد عشر", "تسعة")


def row(id_, text, target=None):
    return Example(id=id_, article=id_, group=id_, task="t", text=text, target=target, gold=("yes",))


def found(**splits):
    copies = duplicates.find({each.text for part in splits.values() for each in part}, 0.5)
    return {
        finding.kind: (finding.rows, finding.texts, [(e["id"], e["other_id"]) for e in finding.examples])
        for finding in repeats.find(splits, copies, 3)
    }


def test_each_row_once_by_the_closest_kind():
    train = [row("a", "نعم"), row("b", "نعم"), row("c", "نَعَم"), row("d", LONG), row("e", NEAR), row("f", "لا")]
    assert found(train=train) == {
        "exact repeat": (2, 1, [("a", "b")]),
        "normalised repeat": (1, 1, [("a", "b")]),
        "near repeat": (2, 2, [("d", "e")]),
    }


def test_another_question_or_another_split_is_no_repeat():
    assert found(train=[row("a", "نعم", "السلام"), row("b", "نعم", "الحرب")]) == {}
    assert found(train=[row("a", "نعم")], test=[row("b", "نعم")]) == {}


def test_one_row_is_one():
    rows = [row("a", "نص"), row("b", "نص"), row("c", "نصّ")]
    copies = duplicates.find({each.text for each in rows}, 0.5)
    told = [finding.what for finding in repeats.find({"train": rows}, copies, 3)]
    assert told[1] == "1 row (1 distinct text) stands more than once in its split in another spelling, asked the same."
