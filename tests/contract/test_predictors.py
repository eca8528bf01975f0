"""Every predictor through the same checks: a bundle, its exports, and the baselines."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

import khabar
from khabar import registry
from khabar.commands import _scoring
from khabar.data import marks
from khabar.data.fold import TrainingFold
from khabar.errors import ConfigError, DataError
from khabar.inference import probes
from khabar.models import bundle
from khabar.schema import OUTLET, Example, Marks, Prediction, Relation, Span, flat
from unit.inference import tiny_bundle

NAMES = registry.names("predictors")


WORDS = ["قصف", "لقاء", "اتفاق", "رفض"]


def examples(tasks, rows=24, gold=True):
    """Questions with gold answers that the words give away."""
    found = marked(tasks, rows, gold)
    for name, task in tasks.items():
        if task.level in ("span", "pair"):
            continue
        for i in range(rows):
            text = f"{WORDS[i % 4]} الجيش مدينة غزة {i}. {WORDS[i % 4]} مرة أخرى."
            found.append(
                Example(
                    id=f"{name}-{i}",
                    article=str(i),
                    group=str(i),
                    task=name,
                    text=text,
                    span=(0, len(text) // 2) if task.level == "sentence" else None,
                    holder="مصر" if "holder" in task.asks else None,
                    target=WORDS[i % 2] if "target" in task.asks else None,
                    gold=(task.labels[i % 4 % len(task.labels)],) if gold else None,
                )
            )
    return found[::2] + found[1::2]  # tasks alternate


def marked(tasks, rows, gold):
    """Sentences to mark, an article each, and what is asked of their spans, for those tasks that are about spans."""
    reader = tiny_bundle.task("reader")
    types = reader.heads["type"].labels
    found = []
    for i in range(rows):
        text = f"{WORDS[i % 4]} الجيش مدينة غزة {i} وقال إن {WORDS[i % 4]} آخر قريب."

        def span(id_, layer, part, n=i, text=text, **attributes):
            start = text.index(part)
            return Span(id=id_, article=str(n), annotator="gold", layer=layer, start=start, end=start + len(part),
                        attributes=attributes)  # fmt: skip

        def relation(id_, head, tail, role, label=None, n=i):
            return Relation(id=id_, article=str(n), annotator="gold", head=head, tail=tail, role=role, label=label)

        claim = f"{WORDS[i % 4]} آخر قريب"
        again = text.rindex(WORDS[i % 4])
        spans = [
            span("e", "event", WORDS[i % 4], type=types[i % 4], mode="demo", status="happened"),
            span("a", "actor", "الجيش"),
            span("b", "actor", f"مدينة غزة {i}"),
            span("c", "claim", claim),
            replace(span("f", "event", WORDS[i % 4], type=types[i % 4], status="planned"), start=again,
                    end=again + len(WORDS[i % 4])),
        ]  # fmt: skip
        relations = [
            relation("1", "e", "a", "actor"),
            relation("2", "e", "b", "recipient"),
            relation("3", "a", "b", "stance", "against"),
            relation("4", OUTLET, "c", "stance", "favor"),
            relation("5", "f", "e", "same_event"),
        ]
        ordered = tuple(sorted(spans, key=lambda one: (one.start, -one.end)))
        about = Marks(((0, len(text)),), ordered, tuple(relations))
        found.append(
            Example(id=f"reader-{i}", article=str(i), group=str(i), task="reader", text=text, span=(0, len(text)),
                    gold=reader.labels, marks=about)
        )  # fmt: skip
    asked = [example for example in marks.expand(found, {"reader": reader}) if example.task in tasks]
    return asked if gold else [replace(example, gold=None, marks=None) for example in asked]


def fold(rows):
    return TrainingFold({"train": rows})


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("bundles")
    source = tiny_bundle.write(root / "torch")
    made = {"bundle": source}
    for name in registry.names("formats"):  # a format that no predictor of its name opens fails here
        given = tiny_bundle.write(root / "cls", "event_type", pool="cls") if name == "transformers" else source
        registry.load("formats", name).write(given, root / name)
        made[name] = root / name
    return made


@pytest.fixture(scope="module", params=NAMES)
def predictor(request, folders):
    """A fitted or opened predictor of each kind; a new kind that neither opens nor fits fails here."""
    module = registry.load("predictors", request.param)
    if hasattr(module, "fit"):
        tasks = {name: tiny_bundle.task(name) for name in ("event_type", "stance", "reader")}
        train, dev = examples(flat(tasks)), examples(flat(tasks), rows=8)
        return _scoring.baselines((request.param,), fold(train), dev, tasks, 0)[0]
    return module.open_(folders[request.param])


def test_one_answer_an_example_in_order(predictor):
    asked = examples(predictor.tasks, gold=False)
    answers = predictor.predict(asked)
    assert predictor.name
    assert all(isinstance(answer, Prediction) for answer in answers)
    assert [(answer.example, answer.task) for answer in answers] == [(example.id, example.task) for example in asked]
    assert close(predictor.predict(asked[5:6])[0], answers[5])
    assert predictor.predict([]) == []


def close(one, other):
    return one.probabilities == pytest.approx(other.probabilities, abs=1e-5)


def test_a_probability_for_each_label_and_decisions_among_them(predictor):
    for answer in predictor.predict(examples(predictor.tasks, gold=False)):
        task = predictor.tasks[answer.task]
        assert tuple(answer.probabilities) == task.labels
        assert all(0 <= p <= 1 for p in answer.probabilities.values())
        assert set(answer.labels) <= set(task.labels)
        if task.kind == "single":
            assert sum(answer.probabilities.values()) == pytest.approx(1)
            assert answer.labels == (max(answer.probabilities, key=answer.probabilities.__getitem__),)
        plain = {"probabilities": answer.probabilities, "labels": answer.labels}
        assert json.loads(json.dumps(plain))["probabilities"] == answer.probabilities


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_an_export_answers_as_torch_does(folders, kind):
    asked = probes.questions(bundle.read_card(folders["bundle"]).tasks)
    ours, theirs = (registry.load("predictors", name).open_(folders[name]).predict(asked) for name in ("bundle", kind))
    assert all(close(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_an_export_needs_neither_torch_nor_transformers(folders, kind):
    script = (
        "import sys, khabar; model = khabar.load(sys.argv[1]);"
        "assert model.predict(['قصف الجيش مدينة غزة.'], [('مصر', 'غزة')])[0].stances;"
        "print(sorted({'torch', 'transformers', 'mlflow', 'pandas', 'sklearn'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script, folders[kind]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_a_folder_without_the_runtimes_file_is_refused(folders):
    with pytest.raises(DataError, match=r"holds no model\.onnx"):
        registry.load("predictors", "onnx").open_(folders["bundle"])
    with pytest.raises(DataError, match=r"holds no openvino_model\.xml"):
        registry.load("predictors", "openvino").open_(folders["bundle"])
    for kind in ("bundle", "transformers"):
        with pytest.raises(DataError, match=r"lacks config\.json and model\.safetensors"):
            registry.load("predictors", kind).open_(folders["onnx"])


@pytest.mark.parametrize("name", registry.names("formats"))
def test_load_opens_every_export_by_its_card(folders, name):
    model = khabar.load(str(folders[name]))
    assert model.engine.card.runtime == name
    assert model.predict(tiny_bundle.TEXT, [tiny_bundle.QUESTION])[0].answers


@pytest.mark.parametrize(("runtime", "error"), [("majority", DataError), ("of_tomorrow", ConfigError)])
def test_a_card_that_names_no_runtime_is_refused(folders, tmp_path, runtime, error):
    copy = shutil.copytree(folders["bundle"], tmp_path / "copy")
    bundle.write_card(copy, bundle.read_card(copy).model_copy(update={"runtime": runtime}))
    bundle.seal(copy)
    with pytest.raises(error, match=runtime):
        khabar.load(str(copy))


def test_a_card_that_was_changed_to_another_runtime_is_refused(folders, tmp_path):
    copy = shutil.copytree(folders["bundle"], tmp_path / "copy")
    bundle.write_card(copy, bundle.read_card(copy).model_copy(update={"runtime": "onnx"}))
    with pytest.raises(DataError, match=r"khabar\.json .* has changed"):
        khabar.load(str(copy))


def test_tfidf_learns_what_the_words_give_away_and_keeps_a_constant_label():
    tasks = {name: tiny_bundle.task(name) for name in ("event_type", "stance")}
    fit = registry.load("predictors", "tfidf").fit
    train = examples(tasks)
    learned = fit(fold(train), [], tasks, 0).predict(train)
    assert sum(set(e.gold) <= set(a.labels) for e, a in zip(train, learned, strict=True)) > 0.8 * len(train)
    same = [e for e in train if e.gold == ("AGREE",)]
    assert {answer.labels for answer in fit(fold(same), [], {"event_type": tasks["event_type"]}, 0).predict(same)} == {
        ("AGREE",)
    }


def test_the_strength_of_the_svm_is_the_best_on_dev():
    from khabar.evaluation import metrics, rows

    fit = registry.load("predictors", "tfidf").fit
    tasks = {"event_type": tiny_bundle.task("event_type")}
    train, dev = examples(tasks, rows=60), examples(tasks, rows=20)
    # every third gold answer of dev says otherwise, so that not all strengths do equally well
    dev = [replace(row, gold=(tasks["event_type"].labels[0],)) if i % 3 == 0 else row for i, row in enumerate(dev)]

    def score(**more):
        answers = fit(fold(train), dev, tasks, 0, **more).predict(dev)
        task = tasks["event_type"]
        return float(metrics.compute(rows.from_predictions(task, dev, answers), task.main_metric))

    alone = [score(strengths=(strength,)) for strength in (0.1, 0.03, 0.3, 1.0)]
    assert score() == max(alone)


def test_the_baselines_answer_all_that_is_asked_between_them():
    tasks = {name: tiny_bundle.task(name) for name in ("event_type", "stance", "reader")}
    made = _scoring.baselines(("majority", "tfidf", "rules"), fold(examples(flat(tasks))), [], tasks, 0)
    majority, tfidf, rules = (set(each.tasks) for each in made)
    assert majority == flat(tasks).keys() - {"reader"}
    assert tfidf == {"event_type", "stance"}
    assert rules == flat(tasks).keys() - tfidf
    plain = {"event_type": tasks["event_type"]}
    alone = _scoring.baselines(("majority", "tfidf", "rules"), fold(examples(plain)), [], plain, 0)
    assert [each.name for each in alone] == ["majority", "TF-IDF + SVM"]


@pytest.mark.parametrize("name", ["majority", "tfidf"])
def test_a_baseline_without_rows_still_answers(name):
    tasks = {"stance": tiny_bundle.task("stance")}
    answers = registry.load("predictors", name).fit(fold([]), [], tasks, 0).predict(examples(tasks))
    assert answers[0].probabilities == dict.fromkeys(tasks["stance"].labels, 0.25)


def test_a_predictor_that_does_not_exist_is_named():
    with pytest.raises(ConfigError, match="Did you mean 'tfidf'"):
        registry.load("predictors", "tfdif")
