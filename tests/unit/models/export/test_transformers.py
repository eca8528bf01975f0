"""A transformers export answers plain `pipeline("text-classification")` as khabar answers; what can't is refused."""

import json
import shutil

import pytest
import torch
from tests.tiny import roberta_config, vocab
from tests.unit.inference import tiny_bundle
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModelForSequenceClassification, AutoTokenizer, RobertaModel, pipeline

import khabar
from khabar.config import MachineConfig
from khabar.errors import ConfigError, DataError
from khabar.inference import probes
from khabar.inference.predictors.bundle import in_memory, open_
from khabar.models import bundle
from khabar.models.classifier import Classifier
from khabar.models.export import transformers
from khabar.schema import Example

TEXTS = [
    "قصف الجيش مدينة غزة.",
    "نعم",
    "سَيُوقّع الجانبان الاتفاق «خلال 48 ساعة» https://example.com a@b.com @user!!!! <br> ١٢٣",
    "أكد رئيس الحكومة أن إيران رفضت وقف إطلاق النار، ودعا مجلس الأمم المتحدة إلى اتفاق.",
]
QUESTION = ("مصر", "وقف إطلاق النار")
CPU = MachineConfig(device="cpu")


def roberta(folder, *names):
    """A bundle over a random RoBERTa: other special tokens, two between the segments, no token types."""
    made, _ = tiny_bundle.engine(*names, pool="cls")
    words = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *vocab()[5:]]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    config = roberta_config(len(words), max_position_embeddings=514, initializer_range=0.5)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        classifier = Classifier(RobertaModel(config, add_pooling_layer=False), made.tasks, uses_token_types=False)
        for module in (*classifier.heads.values(), *(pool.dense for pool in classifier.pools.values())):
            torch.nn.init.normal_(module.weight, std=0.5)
            torch.nn.init.normal_(module.bias, std=0.5)
    card = made.card.model_copy(update={"uses_token_types": False, "pad_id": 1})
    engine = in_memory(classifier.eval(), card, tokenizer, CPU)
    bundle.write(folder, classifier, tokenizer, card, probes.record(engine))
    return folder


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(architecture, task) -> the bundle and its export; the bundle has both heads, the export one."""
    home = tmp_path_factory.mktemp("transformers")
    sources = {
        "bert": tiny_bundle.write(home / "bert", pool="cls"),
        "roberta": roberta(home / "roberta", "event_type", "stance"),
    }
    found = {}
    for kind, source in sources.items():
        for task in ("event_type", "stance"):
            transformers.write(source, home / f"{kind}-{task}", task=task)
            found[kind, task] = source, home / f"{kind}-{task}"
    return found


CASES = pytest.mark.parametrize(
    ("kind", "task"), [(kind, task) for kind in ("bert", "roberta") for task in ("event_type", "stance")]
)


def ask(task, text):
    holder, target = QUESTION if task == "stance" else (None, None)
    return Example(id=text, article=text, group=text, task=task, text=text, holder=holder, target=target)


@CASES
@pytest.mark.parametrize("batch", [1, 4])
def test_a_plain_pipeline_gives_the_same_labels_and_probabilities(exported, kind, task, batch):
    source, folder = exported[kind, task]
    asked = [ask(task, text) for text in TEXTS]
    classify = pipeline("text-classification", model=str(folder), device="cpu", top_k=None, batch_size=batch)
    given = [{"text": e.question, "text_pair": e.text} if task == "stance" else e.text for e in asked]
    for answer, own in zip(classify(given), open_(source, CPU).predict(asked), strict=True):
        plain = {row["label"]: row["score"] for row in answer}
        assert plain == pytest.approx(own.probabilities, abs=1e-5)
        if task == "stance":
            assert (answer[0]["label"],) == own.labels  # the pipeline's first is the surest
        else:
            card = json.loads((folder / "khabar.json").read_text("utf-8"))
            cuts = dict(zip(card["tasks"][task]["labels"], card["thresholds"][task], strict=True))
            assert {label for label, p in plain.items() if p >= cuts[label]} == set(own.labels)


@CASES
def test_khabar_reads_the_folder_as_it_reads_the_bundle(exported, kind, task):
    source, folder = exported[kind, task]
    long = "\n".join(TEXTS * 30)
    ours, theirs = (
        [a for a in khabar.load(str(path), CPU).predict(long, [QUESTION])[0].answers if a.task == task]
        for path in (source, folder)
    )
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs, strict=True):
        assert other.probabilities == pytest.approx(one.probabilities, abs=1e-5)
        assert (other.labels, other.span) == (one.labels, one.span)


@CASES
def test_plain_auto_tokenizer_gives_the_same_ids_and_types(exported, kind, task):
    _, folder = exported[kind, task]
    own, plain = Tokenizer.from_file(str(folder / "tokenizer.json")), AutoTokenizer.from_pretrained(folder)
    for text in TEXTS:
        for inputs in ((text,), (QUESTION[1], text)):
            expected, found = own.encode(*inputs), plain(*inputs)
            assert found["input_ids"] == expected.ids
            assert ("token_type_ids" in found) == (kind == "bert")
            assert found.get("token_type_ids", expected.type_ids) == expected.type_ids
    assert plain.cls_token == {"bert": "[CLS]", "roberta": "<s>"}[kind]
    assert plain.pad_token_id == bundle.read_card(folder).pad_id
    assert plain.model_max_length == 512


def test_labels_are_names_and_the_class_is_named(exported):
    for (kind, task), (_, folder) in exported.items():
        model = AutoModelForSequenceClassification.from_pretrained(folder)
        labels = bundle.read_card(folder).tasks[task].labels
        assert tuple(model.config.id2label.values()) == labels
        assert model.config.label2id == {label: i for i, label in enumerate(labels)}
        assert model.config.problem_type.startswith("multi" if task == "event_type" else "single")
        name = {"bert": "BertForSequenceClassification", "roberta": "RobertaForSequenceClassification"}[kind]
        assert model.config.architectures == [type(model).__name__] == [name]


def test_the_readme_tells_the_call_and_the_thresholds(exported):
    multi = (exported["bert", "event_type"][1] / "README.md").read_text("utf-8")
    assert 'pipeline("text-classification", model=FOLDER, top_k=None)' in multi
    assert "| AGREE | 0.500 |" in multi
    single = (exported["bert", "stance"][1] / "README.md").read_text("utf-8")
    assert '{"text": question, "text_pair": article}' in single
    assert "| threshold |" not in single


def test_the_exam_of_the_folder_is_that_of_its_head(exported):
    _, folder = exported["bert", "stance"]
    assert {probe.task for probe in bundle.read_probes(folder)} == {"stance"}
    assert bundle.read_card(folder).temperature == {"stance": 1.0}


def test_one_head_of_several_must_be_chosen(exported, tmp_path):
    source, _ = exported["bert", "stance"]
    with pytest.raises(ConfigError, match="choose task= of event_type, stance"):
        transformers.write(source, tmp_path / "x")
    with pytest.raises(ConfigError, match="task=stnce: the model has event_type, stance"):
        transformers.write(source, tmp_path / "x", task="stnce")
    with pytest.raises(ConfigError, match="int8 is for format=onnx"):
        transformers.write(source, tmp_path / "x", task="stance", precision="int8")
    assert not (tmp_path / "x").exists()


def test_another_pool_is_refused_with_what_would_work(tmp_path):
    with pytest.raises(ConfigError, match=r"Train with task\.stance\.pool=cls"):
        transformers.write(tiny_bundle.write(tmp_path / "b", "stance"), tmp_path / "x")


def test_an_encoder_with_another_head_is_refused(exported, tmp_path):
    source, _ = exported["bert", "stance"]
    settings = json.loads((source / "config.json").read_text())
    with pytest.raises(ConfigError, match="bert, roberta, xlm-roberta, camembert; this one is 'electra'"):
        transformers._fits({**settings, "model_type": "electra"}, bundle.read_card(source).tasks["stance"])


def test_an_export_is_no_source(exported, tmp_path):
    with pytest.raises(ConfigError, match="is an export itself"):
        transformers.write(exported["bert", "stance"][1], tmp_path / "x")


def test_a_changed_file_is_refused(exported, tmp_path):
    for name in ("config.json", "model.safetensors", "tokenizer_config.json"):
        copy = shutil.copytree(exported["bert", "stance"][1], tmp_path / name)
        with (copy / name).open("ab") as file:
            file.write(b" ")
        with pytest.raises(DataError, match=name):
            khabar.load(str(copy))
