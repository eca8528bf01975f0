import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import planting

from khabar.data import candidates, duplicates
from khabar.data.duplicates import Copies, find, ties
from khabar.text.folding import fold

NEAR = 0.5
LONG = "أعلنت نقابة عمال ميناء الصفارة تعليق الإضراب الذي استمر أحد عشر يوما بعد اتفاق مع هيئة الموانئ"


ARTICLES = planting.articles()
UNITS = planting.units(ARTICLES)
WORDS = planting.words()


def long(texts):
    return [text for text in texts if len(text.split()) >= 12]


def jaccard(one, other):
    one, other = ({text[at : at + 5] for at in range(len(text) - 4)} for text in map(fold, (one, other)))
    return len(one & other) / len(one | other)


def test_kinds():
    swapped = LONG.replace("أحد عشر", "تسعة")
    copies = find([LONG, f"{LONG}!", swapped, "نص آخر لا شأن له بهذا كله على أي وجه"], NEAR)
    assert copies.kind(LONG, LONG) == "exact"
    assert copies.kind(LONG, f"{LONG}!") == "normalised"
    assert copies.kind(LONG, swapped) == "near"
    assert copies.kind(f"{LONG}!", swapped) == "near"
    assert copies.kind(LONG, "نص آخر لا شأن له بهذا كله على أي وجه") is None
    assert copies.kind(LONG, "لم يُعط قط") is None
    assert copies.cluster[LONG] == copies.cluster[swapped]
    assert copies.spelling[LONG] == copies.spelling[f"{LONG}!"] != copies.spelling[swapped]


def test_of_texts_alone_kinds_are_told_by_spelling_and_cluster():
    copies = Copies({"أ": 0, "ا": 0, "ب": 0, "ت": 1})
    assert [copies.kind("أ", other) for other in "أابت"] == ["exact", "normalised", "near", None]


def test_at_1_no_near_copies_are_looked_for():
    copies = find([LONG, f"{LONG}!", f"{LONG} أمس"], 1.0)
    assert copies.kind(LONG, f"{LONG}!") == "normalised"
    assert copies.kind(LONG, f"{LONG} أمس") is None


@pytest.mark.parametrize("texts", [[], [""], ["", " ", "!"], [LONG], ["قصير", "قصيرة"], ["\ud800" * 40, LONG]])
def test_hardly_any_texts(texts):
    copies = find(texts, NEAR)
    assert set(copies.cluster) == set(texts)
    assert len(set(copies.cluster.values())) == len({fold(text) for text in texts})


def test_what_is_near_is_decided_on_the_shingles():
    """Every pair that MinHash proposes is measured: none under the threshold is joined, whatever the hashes say."""
    copied = [*long(UNITS)[:150], *planting.plant(planting.words_changed, long(UNITS)[:150], WORDS)]
    for near in (0.6, 0.7, 0.75):
        copies = find(copied, near)
        clusters = Counter(copies.cluster.values())
        pairs = list(zip(copied[:150], copied[150:], strict=True))
        alike = {pair for pair in pairs if jaccard(*pair) >= near}
        assert {pair for pair in pairs if copies.kind(*pair)} == alike
        assert 0 < len(alike) < 150
        assert max(clusters.values()) == 2


@pytest.mark.parametrize("how", planting.SPELLINGS, ids=lambda how: how.__name__)
def test_every_spelling_of_a_text_is_that_text(how):
    copies = find([*UNITS, *(planted := planting.plant(how, UNITS, WORDS))], 1.0)
    assert all(copies.kind(text, other) in ("exact", "normalised") for text, other in zip(UNITS, planted, strict=True))
    assert len(set(copies.cluster.values())) == len({fold(text) for text in UNITS})


@pytest.mark.parametrize("how", planting.REWORDINGS, ids=lambda how: how.__name__)
def test_99_of_100_reworded_sentences_are_found(how):
    texts = long(UNITS)
    found = total = 0
    for seed in range(5):
        planted = planting.plant(how, texts, WORDS, seed)
        copies = find([*texts, *planted], NEAR)
        found += sum(copies.kind(text, other) is not None for text, other in zip(texts, planted, strict=True))
        total += len(texts)
    assert found >= 0.99 * total


@pytest.mark.parametrize("how", [*planting.REWORDINGS, planting.sentence_dropped], ids=lambda how: how.__name__)
def test_every_reworded_article_is_found(how):
    planted = planting.plant(how, ARTICLES, WORDS)
    copies = find([*ARTICLES, *planted], NEAR)
    assert all(copies.kind(text, other) == "near" for text, other in zip(ARTICLES, planted, strict=True))
    assert len(set(copies.cluster.values())) == len(ARTICLES)


def test_texts_of_different_stories_are_no_copies():
    copies = find([*ARTICLES, *UNITS], NEAR)
    assert len(set(copies.cluster.values())) == len({fold(text) for text in (*ARTICLES, *UNITS)})


def test_an_article_within_a_longer_one_is_a_copy_and_a_quotation_is_not():
    article, other = ARTICLES[:2]
    half, tenth = article[: len(article) // 2], article[: len(article) // 10]
    copies = find([article, half, tenth, f"{other}\n{tenth}"], NEAR)
    assert copies.kind(article, half) == "near"
    assert copies.kind(article, tenth) is None
    assert copies.kind(f"{other}\n{tenth}", tenth) is None


def test_short_texts_are_copies_only_where_they_are_equal():
    copies = find(["قال الوزير أمس", "قال الوزير أمسِ", "قال الوزير اليوم"], 0.1)
    assert copies.kind("قال الوزير أمس", "قال الوزير أمسِ") == "normalised"
    assert copies.kind("قال الوزير أمس", "قال الوزير اليوم") is None


def test_ties():
    assert not ties("قال الوزير: إن الأمر لم يُحسم بعد.")
    assert ties(LONG)
    assert not ties("قَـــــــالَ! ... " * 3 + " " * 100)


def test_the_order_of_the_texts_does_not_matter():
    texts = [*UNITS, *planting.plant(planting.words_changed, UNITS, WORDS)]
    shuffled = random.Random(0).sample(texts, len(texts))
    one, other = find(texts, NEAR), find(shuffled, NEAR)
    assert one.cluster == other.cluster
    assert one.spelling == other.spelling


def test_many_copies_of_one_text_are_compared_a_few_times_each(monkeypatch):
    """Boilerplate must not cost the square of its count: 2,000 copies have two million pairs."""
    draw = random.Random(0)
    texts = [f"{LONG} بتاريخ {draw.randrange(10**9)}" for _ in range(2000)]
    compared = []
    shingles = duplicates._shingles
    monkeypatch.setattr(duplicates, "_shingles", lambda text: compared.append(text) or shingles(text))
    copies = find(texts, NEAR)
    assert len(set(copies.cluster.values())) == 1
    assert len(compared) < 3 * len(texts)
    pairs = candidates.alike(sorted(map(fold, texts)), NEAR)
    assert len(pairs) < 200 * len(texts)


@given(st.floats(0.05, 0.99))
def test_bands_miss_at_most_one_pair_in_a_hundred_at_the_threshold(near):
    rows, bands = candidates._bands(near)
    assert 1 <= rows * bands <= candidates.PERMUTATIONS
    if near > 0.1:
        assert (1 - near**rows) ** bands <= 0.01


@given(st.lists(st.text(alphabet="ابتث", min_size=30, max_size=60), min_size=1, max_size=6), st.integers(1, 30))
def test_windows_stay_within_their_texts(texts, width):
    hashes, counts = candidates._windows(texts, width)
    assert counts.tolist() == [len(text) - width + 1 for text in texts]
    runs = [text[at : at + width] for text in texts for at in range(len(text) - width + 1)]
    assert len(hashes) == len(runs)
    assert len(set(hashes.tolist())) == len(set(runs))
    assert len(set(zip(runs, hashes.tolist(), strict=True))) == len(set(runs))
