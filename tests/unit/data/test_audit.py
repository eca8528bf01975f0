import pytest
from hypothesis import given
from hypothesis import strategies as st

from khabar.data import audit
from khabar.errors import DataError
from khabar.schema import Example


def example(id_, text, task="t", **more):
    return Example(id=id_, article=id_, group=id_, task=task, text=text, **more)


def rows(**splits):
    return {
        name: [example(f"{name}{number}", text) for number, text in enumerate(splits.get(name, []))]
        for name in ("train", "dev", "test")
    }


def texts(splits):
    return {name: [each.text for each in part] for name, part in splits.items()}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("أعلنت", "اعلنت"),
        ("إلى", "الي"),
        ("آخر", "اخر"),
        ("ٱلخبر", "الخبر"),
        ("مدرسة", "مدرسه"),
        ("مَدْرَسَةٌ", "مدرسة"),
        ("خــبر", "خبر"),
        ("مسؤول شيء قائد", "مسوول شي قايد"),
        ("«قال»: نعم!", "قال نعم"),
        ("قال\n\tنعم", "قال نعم "),
        ("عام ٢٠١٥", "عام 2015"),
        ("عام ۲۰۱۵", "عام 2015"),
        ("ﻻ ﷲ", "لا الله"),
        ("UN قال", "un قال"),
        ("كتب\u200fه\u200c", "كتبه"),
        ("کتاب علی", "كتاب علي"),
    ],
)
def test_ways_of_writing_fold_alike(one, other):
    assert audit.fold(one) == audit.fold(other)


@pytest.mark.parametrize(("one", "other"), [("قال 7", "قال 8"), ("نعم", "لا"), ("!", "؟"), ("كتب", "كاتب")])
def test_other_texts_do_not(one, other):
    assert audit.fold(one) != audit.fold(other)


@given(st.text())
def test_folding_twice_is_folding_once(text):
    once = audit.fold(text)
    assert bool(once) == bool(text.strip())
    assert audit.fold(f" {text}\n") == once


def test_every_overlap_is_found_once_for_each_other_split():
    splits = rows(train=["أ ب", "ت", "ث", "ج"], dev=["ا ب.", "ث", "خ"], test=["ت", "ث!", "خ"])
    found = {(leak.row.id, leak.other.id, leak.kind) for leak in audit.find(splits)}
    assert found == {
        ("train0", "dev0", "normalised"),
        ("train1", "test0", "exact"),
        ("train2", "dev1", "exact"),
        ("train2", "test1", "normalised"),
        ("dev1", "test1", "normalised"),
        ("dev2", "test2", "exact"),
    }


def test_drop_takes_the_train_row_and_a_published_dev_row_stays():
    splits = rows(train=["أ ب", "ت", "ث", "ج"], dev=["ا ب.", "ث", "خ"], test=["ت", "ث!", "خ"])
    kept, counts = audit.resolve(splits, "drop")
    assert texts(kept) == {"train": ["ج"], "dev": ["ا ب."], "test": ["ت", "ث!", "خ"]}
    assert counts == {
        "train rows whose text is in dev or test, exact, dropped": 2,
        "train rows whose text is in dev or test, normalised, dropped": 1,
        "dev rows whose text is in test, exact, dropped": 1,
        "dev rows whose text is in test, normalised, dropped": 1,
    }
    kept, counts = audit.resolve(splits, "drop", published=True)
    assert texts(kept) == {"train": ["ج"], "dev": ["ا ب.", "ث", "خ"], "test": ["ت", "ث!", "خ"]}
    assert counts["dev rows whose text is in test, exact, kept"] == 1


def test_warn_keeps_and_counts():
    splits = rows(train=["أ"], test=["ا"])
    kept, counts = audit.resolve(splits, "warn")
    assert kept == splits
    assert counts == {"train rows whose text is in dev or test, normalised, kept": 1}


def test_stop_counts_and_shows_three():
    splits = rows(train=[f"نص {n}" for n in range(5)], test=[f"نص {n}" for n in range(5)])
    with pytest.raises(DataError) as error:
        audit.resolve(splits, "stop")
    message = str(error.value)
    assert "5 train rows whose text is in dev or test, exact." in message
    assert sum(f"train{n} (train) and test{n} (test)" in message for n in range(5)) == 3
    assert "data.on_leak=drop" in message
    assert "data.on_leak=warn" in message
    assert audit.resolve(rows(train=["أ"], test=["ب"]), "stop")[1] == {}


def test_the_question_does_not_hide_a_text():
    splits = {"train": [example("a", "نص", target="س")], "dev": [], "test": [example("b", "نص", target="ص")]}
    assert len(audit.find(splits)) == 1


def test_a_sentence_leaks_through_its_article():
    text = "أولى. ثانية."
    splits = {"train": [example("a", text, span=(0, 5))], "dev": [], "test": [example("b", text, span=(6, 12))]}
    assert [leak.kind for leak in audit.find(splits)] == ["exact"]


def test_a_row_of_another_task_with_the_same_id_stays():
    splits = {"train": [example("a", "نص"), example("a", "غير", task="u")], "dev": [], "test": [example("b", "نص")]}
    kept, _ = audit.resolve(splits, "drop")
    assert [(each.id, each.task) for each in kept["train"]] == [("a", "u")]


short = st.lists(st.text(alphabet="اأب.ة ه", min_size=1, max_size=3), max_size=8)


@given(short, short, short, st.booleans())
def test_after_drop_train_overlaps_nothing(train, dev, test, published):
    kept, counts = audit.resolve(rows(train=train, dev=dev, test=test), "drop", published=published)
    folded = {name: {audit.fold(text) for text in part} for name, part in texts(kept).items()}
    assert not folded["train"] & (folded["dev"] | folded["test"])
    assert len(kept["test"]) == len(test)
    assert len(kept["dev"]) == len(dev) if published else not folded["dev"] & folded["test"]
    gone = sum(count for what, count in counts.items() if what.endswith("dropped"))
    assert gone == sum(map(len, (train, dev, test))) - sum(map(len, kept.values()))
