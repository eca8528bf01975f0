"""Every predictor through the same checks: a bundle, its exports, and the baselines."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

import khabar
from khabar import registry
from khabar.data.fold import TrainingFold
from khabar.errors import ConfigError, DataError
from khabar.inference import probes
from khabar.models import bundle
from khabar.schema import Example, Prediction
from unit.inference import tiny_bundle

NAMES = registry.names("predictors")


def examples(tasks, rows=24, gold=True):
    """Questions with gold answers that the words give away."""
    words = ["قصف", "لقاء", "اتفاق", "رفض"]
    found = []
    for name, task in tasks.items():
        for i in range(rows):
            text = f"{words[i % 4]} الجيش مدينة غزة {i}. {words[i % 4]} مرة أخرى."
            found.append(
                Example(
                    id=f"{name}-{i}",
                    article=str(i),
                    group=str(i),
                    task=name,
                    text=text,
                    span=(0, len(text) // 2) if task.level == "sentence" else None,
                    holder="مصر" if "holder" in task.asks else None,
                    target=words[i % 2] if "target" in task.asks else None,
                    gold=(task.labels[i % 4 % len(task.labels)],) if gold else None,
                )
            )
    return found[::2] + found[1::2]  # tasks alternate


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
        tasks = {name: tiny_bundle.task(name) for name in ("event_type", "stance")}
        return module.fit(fold(examples(tasks)), examples(tasks, rows=8), tasks, 0)
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


@pytest.mark.parametrize("name", ["majority", "tfidf"])
def test_a_baseline_without_rows_still_answers(name):
    tasks = {"stance": tiny_bundle.task("stance")}
    answers = registry.load("predictors", name).fit(fold([]), [], tasks, 0).predict(examples(tasks))
    assert answers[0].probabilities == dict.fromkeys(tasks["stance"].labels, 0.25)


def test_a_predictor_that_does_not_exist_is_named():
    with pytest.raises(ConfigError, match="Did you mean 'tfidf'"):
        registry.load("predictors", "tfdif")
