"""Packed sequences lose and repeat no token; what is hidden is a function of seed and epoch; a tiny model learns it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.tiny import PIECES, vocab
from transformers import BertConfig, BertModel

from khabar.config import LoopConfig, MachineConfig, MaskingConfig
from khabar.errors import ConfigError, DataError
from khabar.models.masked import MaskedModel
from khabar.text.normalizer import from_vocab
from khabar.training.loop import Loop
from khabar.training.pretraining import HeldOut, MaskedWork, Masking, Packed, pack

TOKENIZER = from_vocab(vocab(), "arabert_v02")
CLS, SEP, MASK = (TOKENIZER.token_to_id(token) for token in ("[CLS]", "[SEP]", "[MASK]"))
TEXTS = st.lists(st.lists(st.sampled_from([*PIECES, "الحكومات", "سيوقع"]), min_size=1, max_size=60).map(" ".join))


def encoded(texts):
    return TOKENIZER.encode_batch(list(texts), add_special_tokens=False)


def packed(sequences=8, length=32):
    draw = np.random.default_rng(0)
    return pack(encoded(" ".join(draw.choice(PIECES, 40)) for _ in range(sequences * length // 30)), SEP, length)


def masking(**fields):
    return Masking(TOKENIZER, MaskingConfig(**{"length": 32, **fields}))


@given(TEXTS, st.integers(16, 40))
def test_packing_keeps_every_token_in_order_but_the_last_few(texts, length):
    made = encoded(texts)
    running = [token for one in made for token in (*one.ids, SEP)]
    if len(running) < length - 2:
        with pytest.raises(DataError, match="fill no sequence"):
            pack(made, SEP, length)
        return
    found = pack(made, SEP, length)
    assert found.ids_SN.shape[1] == length - 2
    assert found.ids_SN.ravel().tolist() == running[: found.ids_SN.size]
    assert len(running) - found.ids_SN.size < length - 2
    assert found.tokens == sum(len(one.ids) for one in made)


def test_a_word_begins_where_its_first_piece_stands():
    found = pack(encoded(["الحكومات في غزة " * 10]), SEP, 16)
    pieces = [TOKENIZER.id_to_token(token) for token in found.ids_SN[0].tolist()]
    assert found.begins_SN[0].tolist() == [not piece.startswith("##") for piece in pieces]
    assert not found.begins_SN.all()


@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([0.1, 0.2, 0.5]), st.sampled_from([0.0, 1.0]))
def test_what_is_hidden_can_be_put_back(seed, whole_words, share, pairs):
    text = packed()
    rows = np.arange(len(text))
    masks = masking(share=share, whole_words=whole_words, pairs=pairs)
    found = masks.hide(text, rows, (seed,))
    again = masks.hide(text, rows, (seed,))
    np.testing.assert_array_equal(found.ids_BL, again.ids_BL)
    np.testing.assert_array_equal(found.places_M, again.places_M)
    back = found.ids_BL.copy().ravel()
    back[found.places_M] = found.targets_M
    back = back.reshape(found.ids_BL.shape)
    assert (back[:, 0] == CLS).all()
    assert (back[:, -1] == SEP).all()
    assert not np.isin(found.targets_M, [CLS, SEP, MASK]).any()
    different = back[:, 1:-1] != text.ids_SN
    assert different.sum() <= (len(rows) if pairs else 0)  # one token of a sequence in two segments is its [SEP]
    if pairs:
        assert (found.types_BL[:, -1] == 1).all()
        first = found.types_BL.argmax(1)
        assert (back[np.arange(len(rows)), first - 1] == SEP).all()
    else:
        assert not found.types_BL.any()


def test_as_much_is_hidden_as_was_asked_for():
    text = packed(400)
    found = masking(share=0.2, pairs=0.0).hide(text, np.arange(len(text)), (0,))
    inside = ~np.isin(text.ids_SN, [SEP])
    assert len(found.places_M) / inside.sum() == pytest.approx(0.2, abs=0.01)
    shown = found.ids_BL.ravel()[found.places_M]
    assert (shown == MASK).mean() == pytest.approx(0.8, abs=0.03)
    assert (shown == found.targets_M).mean() == pytest.approx(0.1, abs=0.03)


def test_whole_words_are_hidden_whole():
    text = pack(encoded(["الحكومات والاحتجاجات في غزة وبغداد " * 40]), SEP, 64)
    found = Masking(TOKENIZER, MaskingConfig(length=64, whole_words=True, pairs=0.0)).hide(
        text, np.arange(len(text)), (0,)
    )
    hidden = np.zeros(found.ids_BL.size, bool)
    hidden[found.places_M] = True
    inside = hidden.reshape(found.ids_BL.shape)[:, 1:-1]
    for row, begins in zip(inside, text.begins_SN, strict=True):
        word = np.cumsum(begins)
        assert all(row[word == one].all() or not row[word == one].any() for one in np.unique(word))


def test_a_tokenizer_without_a_mask_is_refused():
    class Bare:
        def token_to_id(self, token):
            return {"[CLS]": 0, "[SEP]": 1}.get(token)

    with pytest.raises(ConfigError, match=r"no token \[MASK\]"):
        Masking(Bare(), MaskingConfig())


def test_an_epoch_holds_every_sequence_once_and_the_next_hides_others():
    work = MaskedWork(packed(), masking(pairs=0.0), 96, seed=1)
    first, second = work.plan(0), work.plan(1)
    count = len(work.packed)
    for plan in (first, second):
        assert sorted(i % count for batch in plan for i in batch) == list(range(count))
        assert max(map(len, plan)) == 3
    assert first != second
    assert work.plan(0) == first
    row = first[0][0]
    one, other = (work._hidden([row + epoch * count]) for epoch in (0, 1))
    assert one.places_M.tolist() != other.places_M.tolist()
    assert work.count(first[0]) == len(work._hidden(first[0]).places_M)


def tiny(seed=0):
    torch.manual_seed(seed)
    settings = BertConfig(
        vocab_size=TOKENIZER.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return MaskedModel(BertModel(settings, add_pooling_layer=False), uses_token_types=True)


def trained(folder, steps, max_steps=None, text=None):
    model = tiny()
    work = MaskedWork(text or packed(), masking(), 128, seed=3)
    config = LoopConfig(max_steps=steps, checkpoint_every=0.0, warmup=0.0, schedule="constant", keep="last")
    seen = []
    loop = Loop(
        model,
        work,
        config,
        lr=3e-3,
        machine=MachineConfig(device="cpu", progress=False),
        seed=3,
        folder=folder,
        evaluate=HeldOut(work.packed, work.masking, 128).metrics,
        log=lambda step, metrics: seen.append((step, metrics)),
    )
    if max_steps is not None:
        loop.log = lambda step, metrics: seen.append((step, metrics)) or _stop_at(max_steps, step)
    loop.run()
    return model, seen


class StoppedError(Exception):
    """The process went down."""


def _stop_at(last, step):
    if step == last:
        raise StoppedError


def test_a_tiny_model_learns_and_a_stopped_run_goes_on_bit_for_bit(tmp_path):
    whole, seen = trained(tmp_path / "whole", 60)
    losses = [metrics["loss"] for _, metrics in seen if "loss" in metrics]
    assert losses[-1] < 0.9 * losses[0]
    with pytest.raises(StoppedError):
        trained(tmp_path / "stopped", 60, max_steps=25)
    resumed, rest = trained(tmp_path / "stopped", 60)
    assert rest[0][0] == 25  # the step that was logged and not saved is taken again
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_the_loss_does_not_depend_on_how_a_step_is_cut():
    model, text = tiny().eval(), packed()
    work = MaskedWork(text, masking(), 32 * len(text), seed=0)
    hidden = work._hidden(work.plan(0)[0])
    with torch.inference_mode():
        logits = model(*(torch.from_numpy(a) for a in (hidden.ids_BL, hidden.types_BL, hidden.places_M)))
        alone = [
            model(torch.from_numpy(hidden.ids_BL[[row]]), torch.from_numpy(hidden.types_BL[[row]]), places)
            for row in range(len(text))
            for places in [torch.from_numpy(hidden.places_M[hidden.places_M // 32 == row] % 32)]
        ]
    assert torch.allclose(logits, torch.cat(alone), atol=1e-5)


def test_a_head_that_fits_is_taken_up_and_another_is_begun_anew():
    model = tiny()
    kept = model.head_tensors()
    with torch.no_grad():
        kept["cls.predictions.bias"] += 1
    goes_on = MaskedModel(model.encoder, uses_token_types=True, head=kept)
    assert goes_on.goes_on
    assert torch.equal(goes_on.head.bias, kept["cls.predictions.bias"])
    kept["cls.predictions.bias"] = torch.ones(3)
    anew = MaskedModel(model.encoder, uses_token_types=True, head=kept)
    assert not anew.goes_on
    assert not MaskedModel(model.encoder, uses_token_types=True).goes_on


def test_held_out_metrics_are_the_same_every_time():
    model = tiny()
    dev = HeldOut(packed(), masking(), 64)
    one, other = dev.metrics(model), dev.metrics(model)
    assert one == other
    assert one["dev_metric"] == one["dev/masked_accuracy"]
    assert isinstance(dev.packed, Packed)
