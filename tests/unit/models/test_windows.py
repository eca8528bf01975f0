"""Windows: a token of a unit is pooled exactly once, where it lies deepest, and no cut goes uncounted."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.tiny import PIECES, vocab
from tests.unit.models.conftest import tiny_classifier
from tokenizers import Tokenizer
from tokenizers.processors import RobertaProcessing

from khabar.config import WindowsConfig
from khabar.models import windows
from khabar.models.batches import PAD_TO, Pass, collate
from khabar.models.windows import Windower
from khabar.schema import Example, Task
from khabar.text.normalizer import EmptyTextError, from_vocab

CLS, SEP = 2, 3
TOKENIZER = from_vocab(vocab(), "arabert_v02")
WORDS = [*PIECES, "الحكوماتُ", "سَيُوقّع", "https://example.org/a?b=c", "1250.5", "ــ", "!!!!", "«", "قاااال", "\n", "😀"]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=120).map(" ".join)
LONG = " ".join(PIECES * 20)


def ask(text: str, **fields: object) -> Example:
    return Example(**{"id": "a1", "article": "a", "group": "a", "task": "t", "text": text, **fields})


def windower(
    length: int = 32, stride: int = 4, max_windows: int = 100, question: int = 8, **fields: object
) -> Windower:
    config = WindowsConfig(length=length, stride=stride, max_windows=max_windows, question=question)
    return Windower(**{"tokenizer": TOKENIZER, "config": config, "max_length": 512, **fields})


def tokens(text: str) -> list[int]:
    return TOKENIZER.encode(text, add_special_tokens=False).ids


def inside(text: str, start: int, end: int) -> list[int]:
    """Ids of the tokens that overlap a stretch of a text, one by one."""
    encoded = TOKENIZER.encode(text, add_special_tokens=False)
    return [token for token, (a, b) in zip(encoded.ids, encoded.offsets, strict=True) if b > start and a < end]


def pooled(found: list[Pass]) -> dict[int, list[int]]:
    """Ids of the tokens of each example's unit."""
    units: dict[int, list[int]] = {}
    for item in found:
        for unit in item.units:
            assert unit.example not in units, "an example has one unit"
            places = list(zip(unit.windows.tolist(), unit.positions.tolist(), strict=True))
            assert len(set(places)) == len(places), "a token is pooled once"
            units[unit.example] = [int(item.ids[window][position]) for window, position in places]
    return units


# what windows there are, and whose a token is

SIZES = st.tuples(st.integers(0, 200), st.integers(3, 40)).flatmap(
    lambda pair: st.tuples(st.just(pair[0]), st.just(pair[1]), st.integers(0, (pair[1] - 1) // 2))
)


@given(SIZES)
def test_windows_cover_a_text_and_neighbours_overlap(size: tuple[int, int, int]) -> None:
    count, room, overlap = size
    first = windows.starts(count, room, overlap)
    assert first[0] == 0
    assert np.all(first[1:] + overlap <= first[:-1] + room)
    assert first[-1] == max(0, count - room), "the last window is full and ends with the text"
    assert len(first) == 1 or (len(first) - 1) * (room - overlap) + overlap < count, "no window is needless"


@given(SIZES)
def test_a_token_belongs_to_the_window_in_which_it_lies_deepest(size: tuple[int, int, int]) -> None:
    count, room, overlap = size
    first = windows.starts(count, room, overlap)
    owner = windows.owners(count, first, room)

    def depth(token: int, window: int) -> float:
        """Distance to the nearer border that cuts the text; its own beginning and end cut nothing."""
        start, end = int(first[window]), int(first[window]) + room
        left = np.inf if start == 0 else token - start
        right = np.inf if end >= count else end - 1 - token
        return min(left, right)

    for token in range(count):
        assert depth(token, int(owner[token])) >= 0
        assert depth(token, int(owner[token])) == max(depth(token, window) for window in range(len(first)))


# units

LIMITS = st.integers(16, 80).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, (n - 4 - 3 - 1) // 2)))


@given(TEXTS, LIMITS, st.sampled_from([None, "غزة", "وقف إطلاق النار في غزة بين مصر و إيران"]))
def test_every_token_of_a_text_is_pooled_exactly_once(text: str, limits: tuple[int, int], target: str | None) -> None:
    if not tokens(text):
        return
    found = windower(*limits, question=4).passes([ask(text, target=target)])
    assert pooled(found) == {0: tokens(text)}
    assert all(len(ids) <= limits[0] for item in found for ids in item.ids)


@given(TEXTS, LIMITS, st.integers(1, 4), st.data())
def test_spans_get_their_own_tokens_whatever_the_limits(
    text: str, limits: tuple[int, int], max_windows: int, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)) | {0, len(text)})
    spans = [span for span in pairwise(cuts) if inside(text, *span)]
    cutter = windower(*limits, max_windows=max_windows, question=4)
    found = cutter.passes([ask(text, span=span) for span in spans])
    units = pooled(found)
    lost = 0
    for index, span in enumerate(spans):
        wanted = inside(text, *span)
        assert units[index] == wanted[: len(units[index])], "what is cut is the end"
        lost += len(wanted) - len(units[index])
    assert lost == cutter.cut.text_tokens
    assert all(len(item.ids) <= max_windows for item in found)


def test_sentences_share_the_windows_of_their_article() -> None:
    text = "قال رئيس. أكد وزير. رفض مجلس."
    spans = [(0, 9), (10, 19), (20, 29)]
    (one,) = windower().passes([ask(text, span=span) for span in spans])
    assert len(one.ids) == 1
    assert pooled([one]) == {i: inside(text, *span) for i, span in enumerate(spans)}


def test_the_sentences_of_a_long_article_are_packed_and_none_is_lost() -> None:
    sentence = "قال رئيس مجلس."
    text = " ".join([sentence] * 60)
    spans = [(i * (len(sentence) + 1), i * (len(sentence) + 1) + len(sentence)) for i in range(60)]
    cutter = windower(max_windows=2)
    found = cutter.passes([ask(text, span=span) for span in spans])
    assert len(found) > 3
    assert all(len(item.ids) <= 2 for item in found)
    assert pooled(found) == {i: inside(text, *span) for i, span in enumerate(spans)}
    assert str(cutter.cut) == ""


def test_a_sentence_is_read_with_the_text_around_it() -> None:
    text = "قال رئيس. أكد وزير."
    (one,) = windower().passes([ask(text, span=(10, 19))])
    assert one.ids[0].tolist() == [CLS, *tokens(text), SEP]


def test_without_leaves_a_stretch_out_of_the_unit_and_not_out_of_the_windows() -> None:
    text = "قال رئيس. أكد وزير. رفض مجلس."
    (one,) = windower().passes([ask(text), ask(text)], [(), ((9, 20),)])  # it touches its neighbours
    assert pooled([one]) == {0: tokens(text), 1: inside(text, 0, 9) + inside(text, 20, 29)}
    assert one.ids[0].tolist() == [CLS, *tokens(text), SEP]


def test_texts_and_questions_that_differ_get_passes_of_their_own() -> None:
    asked = [ask("قال رئيس"), ask("قال رئيس", target="غزة"), ask("أكد وزير"), ask("قال رئيس", target="غزة")]
    found = windower().passes(asked)
    assert [[unit.example for unit in item.units] for item in found] == [[0], [1, 3], [2]]


@pytest.mark.parametrize("text", ["", " \n", "ـــ"])
def test_a_text_of_which_nothing_is_left_is_an_error_that_names_the_example(text: str) -> None:
    with pytest.raises(EmptyTextError, match="'a7'"):
        windower().passes([ask("قال"), ask(text, id="a7")])


def test_a_span_of_which_nothing_is_left_is_an_error_that_names_the_example() -> None:
    with pytest.raises(EmptyTextError, match=r"'s2'.*ــــ"):
        windower().passes([ask("قال ــــ رئيس", id="s2", span=(4, 8))])


def test_a_question_of_which_nothing_is_left_is_an_error_that_names_the_example() -> None:
    with pytest.raises(EmptyTextError, match="question of 'a7'"):
        windower().passes([ask("قال", id="a7", target="ـــ")])


# templates


def test_a_text_alone_stands_between_cls_and_sep() -> None:
    (one,) = windower().passes([ask("قال رئيس")])
    assert one.ids[0].tolist() == TOKENIZER.encode("قال رئيس").ids
    assert one.types[0].tolist() == [0, 0, 0, 0]
    assert one.units[0].positions.tolist() == [1, 2]


def test_the_question_is_segment_a_and_the_window_segment_b() -> None:
    (one,) = windower().passes([ask("قال رئيس", target="غزة")])
    pair = TOKENIZER.encode("غزة", "قال رئيس")
    assert one.ids[0].tolist() == pair.ids == [CLS, *tokens("غزة"), SEP, *tokens("قال رئيس"), SEP]
    assert one.types[0].tolist() == pair.type_ids == [0, 0, 0, 1, 1, 1]
    assert one.units[0].positions.tolist() == [3, 4]


@pytest.fixture
def roberta() -> Tokenizer:
    """`<s> A </s></s> B </s>`, all of type 0."""
    made = from_vocab(vocab(), "none")
    made.post_processor = RobertaProcessing(("</s>", SEP), ("<s>", CLS), False)
    return made


def test_the_pair_template_of_roberta_is_read_off_its_tokenizer(roberta: Tokenizer) -> None:
    (one,) = windower(tokenizer=roberta).passes([ask("قال رئيس", target="غزة")])
    pair = roberta.encode("غزة", "قال رئيس")
    assert one.ids[0].tolist() == pair.ids == [CLS, *tokens("غزة"), SEP, SEP, *tokens("قال رئيس"), SEP]
    assert one.types[0].tolist() == [0] * 7
    assert one.units[0].positions.tolist() == [4, 5]


def test_windows_of_roberta_keep_to_the_length(roberta: Tokenizer) -> None:
    found = windower(tokenizer=roberta).passes([ask(LONG, target="غزة")])
    assert {len(ids) for item in found for ids in item.ids} == {32}
    assert pooled(found) == {0: tokens(LONG)}


# limits


def test_the_question_stands_in_every_window() -> None:
    (one,) = windower().passes([ask(LONG, target="وقف إطلاق النار")])
    asked = [CLS, *tokens("وقف إطلاق النار"), SEP]
    assert len(one.ids) > 5
    assert all(ids[: len(asked)].tolist() == asked for ids in one.ids)


def test_a_long_question_is_cut_and_counted() -> None:
    cutter = windower(question=8)
    (one,) = cutter.passes([ask("قال", target=" ".join(PIECES[:11]))])
    assert one.ids[0].tolist() == [CLS, *tokens(" ".join(PIECES[:8])), SEP, *tokens("قال"), SEP]
    assert (cutter.cut.questions, cutter.cut.question_tokens) == (1, 3)
    assert str(cutter.cut) == "cut off: 3 tokens of 1 long questions (windows.question)"


def test_a_text_over_max_windows_loses_its_end_and_that_is_counted() -> None:
    cutter = windower(max_windows=2)
    (one,) = cutter.passes([ask(LONG)])
    kept = pooled([one])[0]
    assert len(one.ids) == 2
    assert kept == tokens(LONG)[: len(kept)]
    assert (cutter.cut.texts, cutter.cut.text_tokens) == (1, len(tokens(LONG)) - len(kept))
    assert "windows.max_windows" in str(cutter.cut)


@pytest.mark.parametrize("max_length", [512, 128, 100, 64, 16])
def test_an_encoder_shorter_than_the_windows_still_reads_all(max_length: int) -> None:
    cutter = Windower(TOKENIZER, WindowsConfig(max_windows=1000), max_length)
    question = " ".join(PIECES * 3)
    found = cutter.passes([ask(LONG, target=question)])
    asked = min(96, max_length // PAD_TO * PAD_TO // 2)
    assert pooled(found) == {0: tokens(LONG)}
    assert cutter.cut.question_tokens == len(tokens(question)) - asked
    assert all(item.length <= max_length for item in found)


def test_padding_stays_within_the_positions_of_the_encoder(tasks) -> None:
    model = tiny_classifier(tasks, positions=50)
    found = Windower(TOKENIZER, WindowsConfig(length=50, stride=4, question=8), 50).passes([ask(LONG)])
    assert forward(model, found).isfinite().all()


# what a model says


def forward(model: torch.nn.Module, found: list[Pass]) -> torch.Tensor:
    """Logits in the order of the examples."""
    batch = collate(found, 0)
    arrays = (batch.ids_WL, batch.mask_WL, batch.types_WL, batch.membership_UT)
    with torch.inference_mode():
        logits = model(*(torch.from_numpy(array) for array in arrays))
    return logits[np.argsort(batch.examples)]


def test_logits_do_not_depend_on_the_neighbours_in_the_batch(classifier) -> None:
    asked = [
        ask("قال رئيس", task="cls"),
        ask(LONG, target="وقف إطلاق النار"),
        ask(LONG, span=(5, 30)),
        ask(LONG, span=(300, 500)),
        ask("أكد وزير مصر. رفض مجلس.", target="غزة"),
    ]
    cutter = windower()
    together = forward(classifier, cutter.passes(asked))
    alone = torch.cat([forward(classifier, cutter.passes([one])) for one in asked])
    backwards = forward(classifier, cutter.passes(asked[::-1])).flip(0)
    assert together.std() > 0.1, "random weights that tell texts apart"
    assert torch.allclose(together, alone, rtol=0, atol=1e-5)
    assert torch.allclose(together, backwards, rtol=0, atol=1e-5)


def test_a_unit_of_a_cls_task_is_a_text_of_its_own() -> None:
    text = "قال رئيس. أكد وزير مصر."
    tasks = {pool: Task(name=pool, labels=("yes", "no"), level="sentence", pool=pool) for pool in ("cls", "mean")}
    asked = [ask(text, span=span, task=pool) for pool in tasks for span in ((0, 9), (10, 23))]
    found = windower(tasks=tasks).passes(asked)
    read = [[TOKENIZER.decode(ids.tolist()) for ids in item.ids] for item in found]
    assert read == [["قال رئيس."], ["أكد وزير مصر."], ["قال رئيس. أكد وزير مصر."]]
    assert [[unit.example for unit in item.units] for item in found] == [[0], [1], [2, 3]]


def test_a_mark_of_which_nothing_is_left_is_read_as_its_sentence() -> None:
    text = "وقف <b> في غزة"
    pair = Example(
        id="p", article="a", group="a", task="reader.role", text=text, span=(0, 3), tail=(4, 7), within=(0, len(text))
    )
    cutter = Windower(from_vocab(vocab(), "arabert_v02"), WindowsConfig(), 512)
    (one,) = cutter.passes([pair])
    assert one.pairs[0].tail == one.pairs[0].within != one.pairs[0].head
