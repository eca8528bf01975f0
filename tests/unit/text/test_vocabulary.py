"""A learnt vocabulary has BERT's special tokens first, the preset's stand-ins, and the words of the texts."""

import pytest

from khabar.errors import DataError
from khabar.text import normalizer, vocabulary

TEXTS = [
    "أكد وزير الخارجية أن الحكومة رفضت الاتفاق في القاهرة https://a.example " * 3,
    "قصف الجيش المدينة ورفض المجلس",
] * 20


def test_a_vocabulary_of_the_size_that_was_asked_for():
    made = vocabulary.learn(TEXTS, 110, "arabert_v02")
    assert made.get_vocab_size() == 110
    first = [made.id_to_token(number) for number in range(5)]
    assert first == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert made.token_to_id("[رابط]") is not None
    assert "[رابط]" in made.encode("انظر https://a.example").tokens
    assert made.encode("وزير الخارجية").tokens == ["[CLS]", "وزير", "الخارجية", "[SEP]"]
    assert vocabulary.learn(TEXTS, 110, "arabert_v02").to_str() == made.to_str()


def test_it_is_read_back_as_it_was(tmp_path):
    made = vocabulary.learn(TEXTS, 100, "arabert_v02")
    normalizer.save(made, tmp_path, 64)
    assert normalizer.load(tmp_path).to_str() == made.to_str()


def test_texts_that_hold_fewer_pieces_are_an_error():
    with pytest.raises(DataError, match="5,000 were asked for"):
        vocabulary.learn(TEXTS, 5_000, "arabert_v02")
