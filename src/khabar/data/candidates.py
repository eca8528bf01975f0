"""Pairs of texts that may be near copies, found without comparing every two: by MinHash bands and by long windows.

Both ways put texts into buckets. Within a bucket a text is paired with the bucket's first text and with the three
before it, so that ten thousand copies of one text give some tens of thousands of pairs, not fifty million.

Legend: n texts, C runs of characters, H permutations, P pairs. A pair is two places in the list, the smaller first.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Hashes = NDArray[np.uint64]

SHINGLE = 5  # characters; two unrelated news articles share 2% of such runs
PERMUTATIONS = 128
MISSED = 0.01  # at most this share of the pairs right at the threshold shares no band
LONG = 24  # characters, about five words; hardly two texts share such a window by chance
SAMPLED = 16  # one long window in so many is kept, chosen by its hash, so the same ones in every text
SHARED = 0.1  # of the shorter text's sampled windows, for a pair worth comparing
BACK = 3  # neighbours in a bucket that a text is paired with
CHUNK = 1_000_000  # characters hashed at once
SEED = 1


def alike(texts: Sequence[str], near: float) -> "Ints":
    """Pairs [P, 2] whose Jaccard similarity of shingles may reach `near`; every text has SHINGLE characters or more.

    Two texts of similarity s share one of b bands of r rows with probability 1 - (1 - s^r)^b (Leskovec, Rajaraman and
    Ullman, Mining of Massive Datasets, section 3.4); r is the largest that misses 1% at `near`.
    """
    import numpy as np
    from rensa import RMinHashLSH

    rows, bands = _bands(near)
    index = RMinHashLSH(threshold=near, num_perm=rows * bands, num_bands=bands)
    matrices = []
    for start, chunk in _chunks(texts):
        matrices.append(_signatures(chunk, rows * bands))
        index.insert_matrix(matrices[-1], start_key=start)
    flagged = np.flatnonzero([flag for matrix in matrices for flag in index.query_duplicate_flags_matrix(matrix)])
    del index, matrices
    if len(flagged) == 0:
        return np.zeros((0, 2), dtype=np.int64)
    # hashed a second time, for to hold the signatures of all texts as Python numbers takes longer
    signatures_nH = np.concatenate(
        [
            np.array(_signatures(chunk, rows * bands).to_rows(), dtype=np.uint32)
            for _, chunk in _chunks([texts[at] for at in flagged.tolist()])
        ]
    )
    places = np.arange(len(flagged))
    cuts = range(0, rows * bands, rows)
    pairs, _ = _merged(len(flagged), (_neighbours(_hashed(signatures_nH[:, at : at + rows]), places) for at in cuts))
    least = near - 3 * np.sqrt(near * (1 - near) / (rows * bands))  # three standard errors below
    likely: Ints = flagged[pairs[_agreement(signatures_nH, pairs) >= least]]
    return likely


def overlapping(texts: Sequence[str]) -> "Ints":
    """Pairs [P, 2] that share some long windows, as where a part of one text stands in the other."""
    import numpy as np

    hashes, owners = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.int64)]
    for start, chunk in _chunks(texts):
        found, counts = _windows(chunk, LONG)
        sampled = found % np.uint64(SAMPLED) == 0
        hashes.append(found[sampled])
        owners.append(np.repeat(np.arange(start, start + len(chunk)), counts)[sampled])
    owner = np.concatenate(owners)
    pairs, shared = _merged(len(texts), [_neighbours(np.concatenate(hashes), owner)])
    sizes = np.bincount(owner, minlength=len(texts))
    likely: Ints = pairs[shared >= np.maximum(2, SHARED * sizes[pairs].min(axis=1))]
    return likely


def _bands(near: float) -> tuple[int, int]:
    """Rows of a band and number of bands."""
    for rows in range(PERMUTATIONS, 1, -1):
        if (1 - near**rows) ** (PERMUTATIONS // rows) <= MISSED:
            return rows, PERMUTATIONS // rows
    return 1, PERMUTATIONS


def _chunks(texts: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Runs of texts of about CHUNK characters, and where each begins."""
    start = size = 0
    for end, text in enumerate(texts, 1):
        size += len(text)
        if size >= CHUNK or end == len(texts):
            yield start, texts[start:end]
            start, size = end, 0


def _signatures(texts: Sequence[str], permutations: int) -> Any:  # noqa: ANN401 - rensa declares no types
    import numpy as np
    from rensa import RMinHash

    hashes, counts = _windows(texts, SHINGLE)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint64)
    return RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, num_perm=permutations, seed=SEED)


def _windows(texts: Sequence[str], width: int) -> "tuple[Hashes, Ints]":
    """Hashes [C] of all runs of `width` characters, text after text, and how many each text has [n]."""
    import numpy as np

    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    lengths = np.array([len(text) for text in texts])
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(codes))  # characters from here to the text's end
    hashes = _hashed(np.lib.stride_tricks.sliding_window_view(codes, width))
    return hashes[left[: len(hashes)] >= width], np.maximum(lengths - width + 1, 0)


def _hashed(rows: "NDArray[np.uint32]") -> "Hashes":
    """One 64-bit hash of each row; the last two lines spread what a sum of products leaves uneven."""
    import numpy as np

    hashes = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T:
        hashes *= np.uint64(0x9E3779B97F4A7C15)
        hashes += column
    hashes ^= hashes >> np.uint64(29)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    return hashes ^ (hashes >> np.uint64(32))


def _neighbours(keys: "Hashes", owners: "Ints") -> "Iterator[tuple[Ints, Ints]]":
    """Lefts and rights of the pairs within the buckets of equal keys; `owners` rise."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    keys, owners = keys[order], owners[order]
    places = np.arange(len(keys))
    new = np.ones(len(keys), dtype=bool)
    new[1:] = keys[1:] != keys[:-1]
    first = np.maximum.accumulate(np.where(new, places, 0))
    yield owners[first], owners
    for back in range(1, BACK + 1):
        inside = places[places - back > first]  # the first itself is paired above
        yield owners[inside - back], owners[inside]


def _merged(size: int, buckets: "Iterable[Iterator[tuple[Ints, Ints]]]") -> "tuple[Ints, Ints]":
    """The distinct pairs [P, 2] of all buckets, in order, and how often each came up [P]."""
    import numpy as np

    numbers, counts = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    for bucket in buckets:
        found = np.concatenate([(left * size + right)[left < right] for left, right in bucket])
        numbers, place = np.unique(np.concatenate([numbers, found]), return_inverse=True)
        before = np.concatenate([counts, np.ones_like(found)])
        counts = np.bincount(place, before, len(numbers)).astype(np.int64)
    return np.stack([numbers // size, numbers % size], axis=1), counts


def _agreement(signatures_nH: "NDArray[np.uint32]", pairs: "Ints") -> "NDArray[np.float64]":
    """The share of equal permutations of each pair [P], an estimate of its Jaccard similarity."""
    import numpy as np

    parts = np.array_split(pairs, max(1, len(pairs) // 10_000))
    return np.concatenate([(signatures_nH[part[:, 0]] == signatures_nH[part[:, 1]]).mean(axis=1) for part in parts])
