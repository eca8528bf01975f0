"""Vectors of words that keep the same company are alike."""

import numpy as np

from khabar.models.vectors import SPREAD, ppmi_svd


def test_words_of_the_same_company_are_alike_and_absent_ones_noise():
    draw = np.random.default_rng(0)
    # 0 and 1 are exchangeable among 2-5, 6 and 7 among 8-11; 12 is never there
    text = []
    for _ in range(2000):
        head, company = ((0, 1), range(2, 6)) if draw.random() < 0.5 else ((6, 7), range(8, 12))
        text += [*draw.choice(list(company), 3), draw.choice(head), *draw.choice(list(company), 3)]
    vectors = ppmi_svd(np.array(text, np.int32), 13, 4, seed=0)
    assert vectors.shape == (13, 4)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors.std(0), SPREAD, rtol=1e-4)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    alike = unit @ unit.T
    assert min(alike[0, 1], alike[6, 7]) > 0.8 > max(alike[0, 6], alike[1, 7])
    np.testing.assert_array_equal(vectors, ppmi_svd(np.array(text, np.int32), 13, 4, seed=0))


def test_more_width_than_words_is_filled_with_noise():
    vectors = ppmi_svd(np.array([0, 1, 2, 1, 0] * 20, np.int32), 4, 8, seed=0)
    assert np.isfinite(vectors).all()
    assert (vectors.std(0) > 0).all()
