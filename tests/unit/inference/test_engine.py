"""One engine for all runtimes: the exam, its tolerances, and what it refuses."""

import numpy as np
import pytest
import torch

from khabar.config import MachineConfig
from khabar.errors import ConfigError, GateError
from khabar.inference import probes
from khabar.inference.engine import TOLERANCE
from khabar.inference.predictors.bundle import forward, in_memory, open_
from khabar.models import bundle
from khabar.schema import Example
from unit.inference import tiny_bundle


@pytest.fixture
def made():
    return tiny_bundle.engine()


def test_the_exam_is_passed_on_its_own_record(made):
    engine, _ = made
    asked = probes.record(engine)
    assert len(asked) == 2 * (len(probes.TEXTS) + 1)
    assert engine.examine(asked) == 0
    assert engine.examine([]) == 0


def test_a_changed_weight_fails_the_exam_and_names_the_row(made):
    engine, classifier = made
    asked = probes.record(engine)
    with torch.no_grad():
        classifier.heads["stance"].bias[0] += 0.5
    with pytest.raises(GateError, match=r"probe \d+ \(stance, '.+'\) is off by .* over 1e-04 for fp32"):
        engine.examine(asked)


def test_an_answer_that_is_not_a_number_fails_the_exam(made):
    engine, classifier = made
    asked = probes.record(engine)
    with torch.no_grad():
        classifier.heads["stance"].bias[0] = float("nan")
    with pytest.raises(GateError, match="off by nan"):
        engine.examine(asked)


@pytest.mark.parametrize(("precision", "passes"), [("fp32", False), ("bf16", True), ("int8", True)])
def test_each_precision_has_its_tolerance(made, precision, passes):
    engine, _ = made
    asked = probes.record(engine)
    engine.precision = precision
    label = next(iter(asked[0].probabilities))
    off = {**asked[0].probabilities, label: asked[0].probabilities[label] + 0.01}
    asked[0] = asked[0].model_copy(update={"probabilities": off})
    if passes:
        assert engine.examine(asked) == pytest.approx(0.01)
    else:
        with pytest.raises(GateError, match="probe 0"):
            engine.examine(asked)


def test_a_bundle_passes_in_bf16_within_its_tolerance(bundle_folder):
    machine = MachineConfig(device="cpu", precision="bf16")
    engine = open_(bundle_folder, machine)
    assert engine.precision == "bf16"
    worst = engine.examine(bundle.read_probes(bundle_folder))
    assert 0 < worst <= TOLERANCE["bf16"]


def test_a_model_in_training_on_cpu_answers_in_fp32_whatever_the_machine_trains_in(made):
    engine, classifier = made
    half = in_memory(classifier, engine.card, engine.tokenizer, MachineConfig(device="cpu", precision="bf16"))
    assert half.examine(probes.record(engine)) == 0


def test_a_task_without_a_head_is_refused(made):
    engine, _ = made
    example = Example(id="1", article="1", group="1", task="stance_pair", text="نص", target="نص")
    with pytest.raises(ConfigError, match="has no head for stance_pair; it has event_type, stance"):
        engine.predict([example])


def test_no_examples_have_no_answers(made):
    assert made[0].predict([]) == []


def test_batches_of_any_size_give_the_same_logits(made):
    engine, classifier = made
    asked = probes.questions(engine.tasks)
    whole = engine.logits(asked)
    engine.batch_tokens = 64
    engine.forward = forward(classifier, MachineConfig(device="cpu"))
    np.testing.assert_allclose(engine.logits(asked), whole, atol=1e-5)
