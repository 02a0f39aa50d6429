"""Which vectors are most similar, and how often a chip's other view is found among all others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64

BLOCK_ROWS = 2048
ROUNDING = 1e-6
"""Similarities of unit vectors in float32 that differ by less are ties."""
QUERIES_AT_ONCE, ROWS_AT_ONCE = 1024, 8192
SPARE = 32
"""Candidates kept beyond k: their similarities are worked out once more in float64, which settles the order."""


def nearest(
    queries: Float[np.ndarray, "Q D"],
    table: Float[np.ndarray, "N D"],
    k: int,
    *,
    own: Int64[np.ndarray, " Q"] | None = None,
) -> tuple[Int64[np.ndarray, "Q {k}"], Float64[np.ndarray, "Q {k}"]]:
    """Row numbers in `table` of the `k` rows most similar to each query, the best first, and their inner products.

    Exact: in the order of the inner products in float64, ties by the lower row number, whatever the number of threads.
    Neither side is longer than 1. A row with NaN is never found; where fewer than `k` are, and for a query with NaN, the
    rest is -1 and NaN. Memory does not grow with the product of both lengths, and a float16 table is converted in blocks.

    Args:
        own: of each query, the row in `table` that it is itself, which is not found; -1 for none.
    """
    rows = np.full((len(queries), k), -1, dtype=np.int64)
    products = np.full((len(queries), k), np.nan)
    known = np.flatnonzero(~np.isnan(queries).any(axis=1))
    for start in range(0, len(known), QUERIES_AT_ONCE):
        asked = known[start : start + QUERIES_AT_ONCE]
        theirs = np.full(len(asked), -1) if own is None else own[asked]
        found = _candidates(queries[asked].astype(np.float32), table, theirs, most=2 * k + SPARE)
        for number, query in enumerate(asked):
            some, is_all = found.of(number, k)
            best = _best(queries[query], some if is_all else _all_but(int(theirs[number]), len(table)), table, k)
            rows[query, : len(best[0])], products[query, : len(best[0])] = best
    return rows, products


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """The rows that seem most similar to some queries; flat, by query, then by falling product."""

    query: Int64[np.ndarray, " n"]
    row: Int64[np.ndarray, " n"]
    product: Float32[np.ndarray, " n"]
    most: int
    """Of one query."""
    rounding: float
    """By how much the difference of two products may be wrong."""

    def of(self, query: int, k: int) -> tuple[Int64[np.ndarray, " n"], bool]:
        """A query's candidates, and whether its `k` best are surely among them."""
        first, end = np.searchsorted(self.query, (query, query + 1))
        products = self.product[first:end]
        is_all = end - first < self.most or products[-1] < products[k - 1] - self.rounding
        return self.row[first:end], bool(is_all)

    def thresholds(self, n_queries: int) -> Float32[np.ndarray, " Q"]:
        """Of each query the product below which no further row is of use."""
        counts = np.bincount(self.query, minlength=n_queries)
        lowest = np.full(n_queries, -np.inf, dtype=np.float32)
        full = counts == self.most
        lowest[full] = self.product[np.cumsum(counts)[full] - 1]
        return lowest

    def joined(
        self, query: Int64[np.ndarray, " m"], row: Int64[np.ndarray, " m"], product: Float32[np.ndarray, " m"]
    ) -> "_Candidates":
        """These and further ones, as many of each query as may be."""
        query, row = np.append(self.query, query), np.append(self.row, row)
        product = np.append(self.product, product)
        order = np.lexsort((row, -product, query))
        of = query[order]
        order = order[np.arange(len(of)) - np.searchsorted(of, of) < self.most]
        return _Candidates(query[order], row[order], product[order], self.most, self.rounding)


def _candidates(
    queries: Float32[np.ndarray, "Q D"], table: Float[np.ndarray, "N D"], own: Int64[np.ndarray, " Q"], *, most: int
) -> _Candidates:
    nothing = np.empty(0, dtype=np.int64)
    # Each product of two vectors of D numbers, no longer than 1, is wrong by D / 2^24 at most, their rounding by 2 / 2^24.
    rounding = (queries.shape[1] + 2) * 2.0**-23
    found = _Candidates(nothing, nothing, np.empty(0, dtype=np.float32), most, rounding)
    for start in range(0, len(table), ROWS_AT_ONCE):
        # Rows times queries: a quarter faster than queries times rows where queries are few.
        similar = table[start : start + ROWS_AT_ONCE].astype(np.float32, copy=False) @ queries.T
        here = np.flatnonzero((own >= start) & (own < start + len(similar)))
        similar[own[here] - start, here] = np.nan
        passed = similar >= _tightened(found.thresholds(len(queries)), similar, most)
        # Flat: `nonzero` of two axes takes ten times as long where little is found.
        row, query = np.divmod(np.flatnonzero(passed), len(queries))
        if len(row):
            found = found.joined(query, row + start, similar[row, query])
    return found


def _tightened(
    thresholds: Float32[np.ndarray, " Q"], similar: Float32[np.ndarray, "n Q"], most: int
) -> Float32[np.ndarray, " Q"]:
    """Thresholds that a block of products sets itself where there are none: else all of the first block would pass."""
    if np.isfinite(thresholds).all() or len(similar) < most:
        return thresholds
    # NaN, which sorts last, is set aside by `fmax`.
    return np.fmax(thresholds, -np.partition(-similar, most - 1, axis=0)[most - 1])


def _best(
    query: Float[np.ndarray, " D"], rows: Int64[np.ndarray, " n"], table: Float[np.ndarray, "N D"], k: int
) -> tuple[Int64[np.ndarray, " m"], Float64[np.ndarray, " m"]]:
    """The `k` best of these rows with their products, each worked out on its own, so that equal rows have equal products."""
    best, products = np.empty(0, dtype=np.int64), np.empty(0)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        further = (np.ascontiguousarray(table[some], dtype=np.float64) * query).sum(axis=1)
        is_known = ~np.isnan(further)
        best, products = np.append(best, some[is_known]), np.append(products, further[is_known])
        order = np.lexsort((best, -products))[:k]
        best, products = best[order], products[order]
    return best, products


def _all_but(row: int, n_rows: int) -> Int64[np.ndarray, " n"]:
    rows = np.arange(n_rows)
    return rows[rows != row]


def partner_ranks(left: Float[np.ndarray, "N D"], right: Float[np.ndarray, "N D"]) -> Int64[np.ndarray, " N"]:
    """How many rows of `right` are at least as similar to each row of `left` as its partner, which has the same number.

    Rows have unit length. 0 is the best; a tie counts against the partner, so that collapsed vectors score as chance or
    worse.
    """
    ranks = np.empty(len(left), dtype=np.int64)
    for start in range(0, len(left), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        similar = left[rows] @ right.T
        own = similar[np.arange(len(similar)), np.arange(start, start + len(similar))]
        ranks[rows] = (similar >= own[:, None] - ROUNDING).sum(axis=1) - 1
    return ranks


def one_vector(parts: Float[np.ndarray, "N K D"]) -> Float32[np.ndarray, "N D"]:
    """Unit-length means over the parts of each row: what is comparable between modalities of other kinds of channels.

    A row of NaN stays so.
    """
    means = parts.mean(axis=1, dtype=np.float32)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return np.divide(means, lengths, out=means, where=lengths > 0)


def recall_at(
    left: Float[np.ndarray, "N D"], right: Float[np.ndarray, "N D"], ks: Sequence[int] = (1, 5, 10)
) -> dict[int, float]:
    """Share of rows whose partner is among the k most similar, by k; NaN without rows."""
    ranks = partner_ranks(left, right)
    return {k: float((ranks < k).mean()) if len(ranks) else float("nan") for k in ks}


def chance_recall(n: int, k: int) -> float:
    """The recall of guessing among n."""
    return min(1.0, k / n) if n else float("nan")
