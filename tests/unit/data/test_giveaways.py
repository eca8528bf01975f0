import random

import pytest
import yaml

from khabar.config import DataConfig, project_root
from khabar.data import apart, corpus, duplicates, giveaways, repeats
from khabar.data.examples import examples
from khabar.schema import Article, Example, Task

TASK = Task(name="stance", labels=("agree", "disagree", "discuss"), asks=("target",))
MULTI = Task(name="event", labels=("هجوم", "اتفاق"), kind="multi")


def row(article, gold, group=None, text=None, target=None, task="stance"):
    return Example(
        id=f"{article}#", article=article, group=group or article, task=task, text=text or f"نص {article}",
        target=target, gold=gold if gold is None else tuple(gold),
    )  # fmt: skip


def found(splits, task=TASK, sources=None, shown=3):
    rows = [each for part in splits.values() for each in part]
    articles = {
        each.article: Article(each.article, each.text, source=(sources or {}).get(each.article)) for each in rows
    }
    copies = duplicates.find([each.text for each in rows], 1.0)
    tasks = {task.name: task}
    return [
        *repeats.conflicts(splits, tasks, copies, shown),
        *giveaways.find(splits, tasks, copies, articles, shown),
        *apart.one_sided(splits, tasks, copies, shown),
    ]


def kinds(*args, **more):
    return [finding.kind for finding in found(*args, **more)]


def claims(labels_of, groups=120, of_one=5, seed=0):
    """Claims R-n and V-n with some articles each."""
    draw = random.Random(seed)
    return [
        row(f"{'RV'[claim % 2]}-{claim}/{at}", [labels_of("RV"[claim % 2], draw)], group=f"{'RV'[claim % 2]}-{claim}")
        for claim in range(groups)
        for at in range(of_one)
    ]


def test_an_id_prefix_that_goes_with_a_label_is_found():
    rows = claims(lambda letter, draw: "disagree" if letter == "V" and draw.random() < 0.2 else "agree")
    (finding,) = found({"train": rows})
    both = sum(each.gold == ("disagree",) for each in rows)
    assert finding.kind == "id gives label away"
    assert not finding.leak
    assert (finding.splits, finding.done, finding.rows, finding.texts) == ("", "", 300, 300)
    assert f"{both} of {both} 'disagree' rows have an id that begins with 'V', as do 50% of all rows" in finding.what
    assert {"id": "V", "rows": "300", "label": "disagree", "rows_with_label": str(both)} in finding.examples


def test_what_is_chance_is_not():
    """Ten fields of labels that have nothing to do with the ids, one label a row and one a claim: no alarm."""
    for seed in range(10):
        of_rows = claims(lambda letter, draw: draw.choice(TASK.labels), seed=seed)
        drawn = random.Random(seed)
        of_claims = {each.group: drawn.choice(TASK.labels) for each in of_rows}
        rows = [row(each.article, [of_claims[each.group]], each.group) for each in of_rows]
        assert kinds({"train": of_rows}) == []
        assert kinds({"train": rows}) == []


def test_two_groups_prove_nothing():
    """500 rows, yet two claims: each has an id and a label of its own, as any two do."""
    rows = claims(lambda letter, draw: {"R": "agree", "V": "disagree"}[letter], groups=2, of_one=250)
    assert kinds({"train": rows}) == []


def test_prefixes_within_a_group_count_too():
    draw = random.Random(0)
    rows = []
    for at in range(200):
        label = draw.choice(("agree", "disagree"))
        rows.append(row(f"{'pos' if label == 'agree' else 'neg'}_{at}", [label], group=str(at // 10)))
    assert kinds({"train": rows}) == ["id gives label away"]


def test_a_group_id_may_give_away_what_the_article_id_does_not():
    rows = [
        row(str(at), ["disagree" if at % 3 == 0 else "agree"], group=f"{'F' if at % 3 == 0 else 'T'}{at}")
        for at in range(90)
    ]
    (finding,) = found({"train": rows})
    assert "have a group id that begins with 'F'" in finding.what


def test_ids_that_are_texts_or_hashes_are_passed_over():
    draw = random.Random(0)
    rows = []
    for at in range(300):
        label = draw.choice(("agree", "disagree"))
        start = "نعم" if label == "agree" and draw.random() < 0.2 else "".join(draw.choices("ابتثجح", k=8))
        rows.append(row(f"{start}{at}", [label]))
    assert kinds({"train": rows}) == []


def test_a_source_that_goes_with_a_label_is_found_in_a_multi_label_task():
    draw = random.Random(0)
    rows, sources = [], {}
    for at in range(200):
        source = draw.choice(("وكالة الصواري", "صحيفة المرفأ", None))
        sources[str(at)] = source
        labels = ["اتفاق"] * (draw.random() < 0.5) + ["هجوم"] * (
            draw.random() < (0.7 if source == "وكالة الصواري" else 0.2)
        )
        rows.append(row(str(at), labels, task="event"))
    (finding,) = found({"train": rows}, MULTI, sources)
    assert finding.kind == "source gives label away"
    assert "'هجوم' rows have the source 'وكالة الصواري'" in finding.what


def test_to_have_no_source_may_give_a_label_away():
    rows = [row(str(at), ["agree" if at % 2 else "disagree"]) for at in range(100)]
    sources = {str(at): "صحيفة المرفأ" for at in range(100) if at % 2}
    (finding,) = found({"train": rows}, sources=sources)
    assert "50 of 50 'disagree' rows have no source, as do 50% of all rows" in finding.what


def test_rows_without_gold_do_not_count():
    rows = claims(lambda letter, draw: "agree" if letter == "R" else "disagree")
    assert kinds({"train": [row(each.article, None, each.group) for each in rows]}) == []


def test_conflicting_labels():
    train = [row("a", ["agree"], text="نص"), row("b", ["discuss"], text="نصّ!"), row("c", ["agree"], text="غير")]
    test = [row("d", ["agree"], text="نص"), row("e", ["agree"], text="غير"), row("f", None, text="غير")]
    (finding,) = found({"train": train, "dev": [], "test": test, "more": []})[:1]
    assert finding.kind == "conflicting labels"
    assert (finding.rows, finding.texts, finding.leak) == (3, 1, False)
    assert "1 text stands more than once, asked the same, with different labels: 3 rows" in finding.what
    assert finding.what.endswith(", in more than one split.")
    assert finding.examples == (
        {
            "id": "a#", "split": "train", "label": "agree", "text": "نص",
            "other_id": "b#", "other_split": "train", "other_label": "discuss", "other_text": "نصّ!",
        },
    )  # fmt: skip


def test_other_questions_may_have_other_answers():
    one, other = row("a", ["agree"], text="نص", target="س"), row("b", ["discuss"], text="نص", target="ص")
    assert kinds({"train": [one, other]}) == []
    assert kinds({"train": [one, row("c", ["discuss"], text="نص", target="س.")]}) == ["conflicting labels"]


def test_the_order_of_labels_is_no_conflict():
    rows = [row("a", ["هجوم", "اتفاق"], text="نص", task="event"), row("b", ["اتفاق", "هجوم"], text="نص", task="event")]
    assert kinds({"train": rows}, MULTI) == []
    (finding,) = found({"train": [*rows, row("c", [], text="نص", task="event")]}, MULTI)
    assert finding.examples[0]["other_label"] == "none of them"


def test_targets_of_one_split_only():
    train = [row(f"a{at}", ["agree"], target="اللقاح") for at in range(4)] + [row("b", ["agree"], target="التحول")]
    test = [row("c", ["agree"], target="اللقاحُ"), row("d", ["agree"], target="المرأة")]
    (finding,) = found({"train": train, "dev": [], "test": test}, shown=1)
    assert finding.kind == "target in one split only"
    assert (finding.rows, finding.leak) == (2, False)
    assert "2 of 3 targets stand in one split only: 'التحول' in train (1 row); and 1 more" in finding.what
    assert kinds({"train": train, "dev": [], "test": []}) == []
    claim = TASK.model_copy(update={"target_is": "text"})
    assert kinds({"train": train, "test": test}, claim) == []


def test_labels_of_one_split_only():
    train = [row(f"a{at}", ["agree"]) for at in range(3)]
    test = [row("b", ["agree"]), row("c", ["disagree"])]
    (finding,) = found({"train": train, "dev": train[:0], "test": test})
    assert finding.kind == "label in one split only"
    assert "1 of 2 labels stands in one split only: 'disagree' in test (1 row)" in finding.what
    assert "macro-F1 counts one that test lacks as 0" in finding.todo


@pytest.mark.parametrize(
    ("id_", "prefix"), [("V-12/3", "V"), ("AAW_ARB_2008", "AAW"), ("12-V", ""), ("", ""), ("نص", "نص")]
)
def test_prefix(id_, prefix):
    assert giveaways.prefix(id_) == prefix


@pytest.mark.real_data
def test_the_ids_of_unified_fc_give_disagree_away(real_data):
    plain = yaml.safe_load((project_root() / "configs/data/unified_fc.yaml").read_text(encoding="utf-8"))
    task = yaml.safe_load((project_root() / "configs/task/stance_claim.yaml").read_text(encoding="utf-8"))
    tasks = {"stance_claim": Task.of(task)}
    read = corpus.read(DataConfig.of({**plain, "path": str(real_data / "unified_fc")}), tasks)
    rows, _ = examples(read, tasks["stance_claim"])
    copies = duplicates.Copies({})
    made = list(giveaways.find({"train": rows}, tasks, copies, read.articles, 3))
    assert [finding.kind for finding in made if "away" in finding.kind] == ["id gives label away"]
    assert "58 of 62 'disagree' rows have an id that begins with 'V', as do 38% of all rows" in made[-1].what
