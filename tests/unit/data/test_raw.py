"""What may be pre-trained on: no remnants, nothing twice, nothing like what must stay unseen."""

import pytest

from khabar.data import raw
from khabar.errors import DataError

WORDS = "قال وزير الخارجية إن الحكومة رفضت الاتفاق الذي عرض عليها في القاهرة قبل يومين من بدء المفاوضات"


def article(number: int, extra: str = "") -> str:
    body = " ".join(f"{word}{number}" for word in WORDS.split())
    return f"{body}. {extra}{' '.join(reversed(body.split()))}."


def test_short_and_repeated_articles_are_left_out():
    found = raw.choose([article(1), "خبر قصير", article(1), article(1).replace("أ", "ا"), article(2)])
    assert found.texts == (article(1), article(2))
    assert found.left_out == {"under 20 words": 1, "there before": 2}


def test_copies_are_held_out_together():
    texts = [article(number) for number in range(30)] + [
        article(number).replace("القاهرة", "بغداد") for number in range(30)
    ]
    training, held_out = raw.part(texts, 0.2)
    assert sorted(training + held_out) == sorted(texts)
    assert len(held_out) == 12
    assert not {text.replace("القاهرة", "بغداد") for text in training} & {
        text.replace("القاهرة", "بغداد") for text in held_out
    }
    assert raw.part(texts[::-1], 0.2)[1] != training
    assert set(raw.part(texts[::-1], 0.2)[1]) == set(held_out)
    with pytest.raises(DataError, match="no copies"):
        raw.part([article(1), article(1).replace("القاهرة", "بغداد")], 0.2)


def test_what_is_like_an_unseen_text_is_left_out():
    sentence = "أعلنت شركة طرنوبية أنها ستغلق مصنعها في المدينة الساحلية بعد عام. "
    texts = [article(1), article(2), article(3, sentence), article(4)]
    near = article(2).replace("الحكومة2", "الحكومات2")
    found = raw.choose(texts, [near, sentence.strip()])
    assert found.texts == (article(1), article(4))
    assert found.left_out == {"like a text that must stay unseen": 2}
    assert raw.choose(texts).texts == tuple(texts)
