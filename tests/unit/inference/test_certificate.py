"""The certificate measures what two models answer; in fp32 a difference on real text ends the export."""

import json
from dataclasses import replace

import pytest
from tests.unit.inference import tiny_bundle

from khabar.config import MachineConfig
from khabar.errors import DataError, GateError
from khabar.inference import certificate
from khabar.inference.certificate import certify, compare, timed, with_questions
from khabar.inference.engine import TOLERANCE
from khabar.inference.model import Model, load
from khabar.models import bundle
from khabar.models.export import onnx

ARTICLES = [{"id": str(i), "text": tiny_bundle.TEXT + f"\nأكد الوزير اتفاق {i}."} for i in range(4)]
MACHINE = MachineConfig(threads=1)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("certificate")
    source = tiny_bundle.write(home / "bundle", spread=0.1)
    for precision in ("fp32", "int8"):
        onnx.write(source, home / precision, precision=precision)
    return source, home


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_certificate_tells_probe_text_size_and_speed(folders, precision):
    source, home = folders
    made = certify(source, home / precision, MACHINE, "articles.jsonl", iter(ARTICLES), 3)
    assert (made.runtime, made.precision, made.bundle) == ("onnx", precision, bundle.fingerprint(source))
    assert made.probe == {"questions": 14, "largest": made.probe["largest"], "allowed": TOLERANCE[precision]}
    assert made.probe["largest"] <= TOLERANCE[precision]
    sentences = [a for a in load(str(source)).predict(ARTICLES[:3]) for a in a.answers]
    assert made.articles == 3
    assert made.difference.answers == len(sentences) + 3  # and each outlet's stance on its headline
    assert 0 <= made.difference.mean <= made.difference.largest <= 0.2
    assert made.size["export"] == pytest.approx(sum(f.stat().st_size for f in (home / precision).iterdir()) / 2**20)
    assert all(speed.articles > 0 and speed.tokens > speed.articles for speed in made.speed.values())
    assert {"khabar", "onnxruntime", "torch"} <= made.packages.keys()
    told = "\n".join(made.lines())
    assert f"({TOLERANCE[precision]:.0e} allowed for {precision})" in told
    assert "3 articles of articles.jsonl" in told
    assert type(made).of(json.loads(json.dumps(made.model_dump(mode="json")))) == made


def test_without_a_text_the_probe_alone_is_told(folders):
    source, home = folders
    made = certify(source, home / "fp32", MACHINE, None, iter(()), 3)
    assert made.difference is None
    assert not any(line.startswith(("text", "speed")) for line in made.lines())


def test_a_difference_on_real_text_fails_fp32_and_is_told_of_int8(folders, monkeypatch):
    source, home = folders

    def off(ours, theirs):
        return compare(ours, theirs).model_copy(update={"largest": 0.3})

    monkeypatch.setattr(certificate, "compare", off)
    with pytest.raises(GateError, match=r"does not read articles\.jsonl as the bundle does: .* of article '\d'"):
        certify(source, home / "fp32", MACHINE, "articles.jsonl", iter(ARTICLES), 2)
    made = certify(source, home / "int8", MACHINE, "articles.jsonl", iter(ARTICLES), 2)
    assert made.difference.largest == 0.3


def test_a_difference_is_counted_by_hand():
    engine, _ = tiny_bundle.engine("stance")
    ours = timed(Model(engine, uri="x"), list(with_questions(ARTICLES, engine.tasks.values()))).answers
    name, answer = ours[1]
    first, second = list(answer.probabilities)[:2]
    moved = answer.probabilities | {
        first: answer.probabilities[first] + 0.25,
        second: answer.probabilities[second] - 0.05,
    }
    other = [*ours[:1], (name, replace(answer, probabilities=moved, labels=("?",))), *ours[2:]]
    found = compare(ours, other)
    assert (found.answers, found.alike) == (4, 3)
    assert found.largest == pytest.approx(0.25)
    assert found.mean == pytest.approx(0.3 / 16)
    assert found.where == "stance of article '1'"
    with pytest.raises(DataError):
        compare(ours, other[1:])
    with pytest.raises(DataError, match="nothing that both"):
        compare([], [])


def test_the_headline_is_asked_where_an_article_brings_no_question():
    asks, plain = tiny_bundle.task("stance"), tiny_bundle.task("event_type")
    text = {"text": "\n  عنوان الخبر \nقال."}
    own = {"text": "قال.", "questions": ["غزة"]}
    found = list(with_questions([text, own, {"text": " "}], [plain, asks]))
    assert [one["questions"] for one in found] == [[("الناشر", "عنوان الخبر")], ["غزة"], []]
    assert next(with_questions([text], [plain]))["questions"] == []


def test_measuring_counts_tokens_and_leaves_the_engine_as_it_was():
    engine, _ = tiny_bundle.engine("event_type")
    before = engine.forward
    found = timed(Model(engine, uri="x"), ARTICLES)
    assert engine.forward is before
    tokens = sum(len(engine.tokenizer.encode(article["text"]).ids) for article in ARTICLES)
    assert found.speed.tokens / found.speed.articles * len(ARTICLES) == pytest.approx(tokens)
