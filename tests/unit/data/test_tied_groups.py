import pytest

from khabar.config import AuditConfig, DataConfig, SplitConfig
from khabar.data import dataset, report, tied_groups
from khabar.errors import DataError
from khabar.schema import Task

TASK = Task(name="event_protest", labels=("yes", "no"), level="sentence")
PLACES = ["الميناء", "الجامعة", "المصنع", "السوق", "الملعب", "الجسر", "المطار", "المسرح"]


@pytest.fixture
def load(tmp_path, write_jsonl):
    def make(texts, near=0.5, need=(), **split):
        rows = [{"id": f"a{n}", "text": text, "label": ("yes", "no")[n % 2]} for n, text in enumerate(texts)]
        path = str(write_jsonl(tmp_path / "rows.jsonl", rows))
        config = DataConfig(name="m", importer="files", path=path, tasks=(TASK.name,), split=SplitConfig(**split))
        return dataset.load(config, {TASK.name: TASK}, AuditConfig(near=near), need=need)

    return make


def template():
    return [f"تظاهر المئات من العمال صباح أمس احتجاجا على قرار إغلاق {place} في مدينة النخيل" for place in PLACES]


def others(count):
    return [" ".join(f"كلمة{n * 50 + m}" for m in range(12)) for n in range(count)]


def tied(data):
    return [finding for finding in data.audit.findings if finding.kind == tied_groups.KIND]


def test_a_template_ties_the_corpus_into_one_unit(load):
    data = load([*template(), *others(2)])
    (finding,) = tied(data)
    assert (finding.rows, finding.texts, finding.leak, finding.done) == (8, 8, False, "")
    assert finding.what == (
        "Copies tie 8 of 10 groups into 1 unit, which lies in one split; the largest holds 8 groups and "
        "8 of 10 rows (80.0%)."
    )
    assert "audit.near=0.8, or 1 for equal texts only." in finding.todo
    (example,) = finding.examples
    assert (example["group"], example["other_group"], example["groups"]) == ("a0", "a1", "8")
    assert example["text"] != example["other_text"]
    printed = report.build(data, findings=data.audit.findings).to_text()
    assert f"    e.g. a0 ~ a1, of 8 groups\n         {template()[0]}\n       ~ {template()[1]}\n" in printed
    assert tied(load([*template(), *others(2)], near=1)) == []


def test_a_small_unit_is_told_and_asks_for_nothing(load):
    (finding,) = tied(load([*template()[:2], *others(9)]))
    assert "the largest holds 2 groups and 2 of 11 rows (18.2%)" in finding.what
    assert finding.todo == ""


def test_the_advice_for_an_empty_split_names_the_cause(load):
    data = load(template())
    made = report.build(data, findings=data.audit.findings)
    found = [action.found for action in made.actions]
    empty = [n for n, what in enumerate(found) if what.endswith("is empty")]
    assert len(empty) == 2 and found.index(tied(data)[0].what) < empty[0]
    assert all("copies tie into one unit are why" in made.actions[n].do for n in empty)
    assert found.count(tied(data)[0].what) == 1
    filled = next(name for name, part in data.splits.items() if part)
    missing = next(name for name in data.splits if name != filled)
    with pytest.raises(DataError, match=rf"is in {missing}.*Copies tie 8 of 8 groups.*audit.near=0.8"):
        load(template(), need=(missing,))


@pytest.mark.parametrize(("near", "told"), [(0.8, "audit.near=1, equal texts only"), (1, "take that out of the texts")])
def test_what_to_do_depends_on_how_near_copies_are(near, told):
    assert told in tied_groups.todo(near)


def test_no_copies_tie_where_the_split_goes_otherwise(load, tmp_path, write_jsonl):
    file = write_jsonl(tmp_path / "s.jsonl", [{"article": "a0", "split": "train"}])
    assert tied(load(template(), file=str(file))) == []
    assert tied(load(template(), folds=4)) != []
