"""Word vectors out of counts: what word embeddings may begin with instead of noise."""

import numpy as np
from numpy.typing import NDArray

WINDOW = 5  # tokens on either side
SMOOTHING = 0.75  # exponent of a context's frequency (Levy, Goldberg and Dagan 2015)
SPREAD = 0.02  # standard deviation of BERT's weights as they begin


def ppmi_svd(ids: NDArray[np.int32], vocabulary: int, width: int, seed: int) -> NDArray[np.float32]:
    """Vectors [vocabulary, width] of the tokens of a running text.

    They are the SVD of the tokens' positive pointwise mutual information. A token at distance d counts 1 / d; one that
    the text lacks gets noise.

    Args:
        ids: the text, one token after the other.
        vocabulary: how many tokens there are.
        width: of a vector.
        seed: of the noise and of the randomised SVD (Halko, Martinsson and Tropp 2011).
    """
    from scipy.sparse import coo_matrix, csr_matrix
    from sklearn.utils.extmath import randomized_svd

    counts = csr_matrix((vocabulary, vocabulary), dtype=np.float32)
    for distance in range(1, WINDOW + 1):
        pair = ids[:-distance], ids[distance:]
        weight = np.full(len(pair[0]), 1 / distance, np.float32)
        one = coo_matrix((weight, pair), shape=(vocabulary, vocabulary)).tocsr()
        counts = counts + one + one.T
    row, context = (np.asarray(counts.sum(axis), np.float64).ravel() for axis in (1, 0))
    smooth = context**SMOOTHING
    found = counts.tocoo()
    share = found.data * smooth.sum() / (row[found.row] * smooth[found.col])
    kept = share > 1
    ppmi = csr_matrix((np.log(share[kept]), (found.row[kept], found.col[kept])), shape=counts.shape)
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=(vocabulary, width))
    rank = min(width, vocabulary - 1)
    left, values, _ = randomized_svd(ppmi, rank, n_iter=3, random_state=seed)
    there = row > 0
    vectors[there, :rank] = (left * np.sqrt(values))[there]
    vectors /= np.maximum(1e-9, vectors.std(0))  # the first directions hold most; all are to be heard alike
    return (SPREAD * vectors).astype(np.float32)
