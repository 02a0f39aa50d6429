"""Which training chips are labelled in a repeat."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from terrashot.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """The chips that are labelled in one fit."""

    asked: int | None
    """None: all of the pool."""
    repeat: int
    rows: Int64[np.ndarray, " n"]


def seed_of(*names: object) -> int:
    """A seed, 0 to 2^63 - 1, of these names alone; the same on every machine."""
    digest = hashlib.blake2b("/".join(map(str, names)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def nested_draws(n_pool: int, sizes: Sequence[int], rng: np.random.Generator) -> list[Int64[np.ndarray, " n"]]:
    """Growing uniform samples without replacement, each containing the one before, one a size.

    Nesting makes a curve over sizes compare like with like: the 250-label point sees the 100-label point's chips and 150
    more.

    Raises:
        InputError: the largest size exceeds the pool.
    """
    if max(sizes) > n_pool:
        raise InputError(f"asked for {max(sizes)} labels, only {n_pool} training chips have one")
    order = rng.permutation(n_pool)
    return [order[:size] for size in sizes]


def draws_of(
    pool: Int64[np.ndarray, " N"], sizes: Sequence[int | None], repeat: int, names: Sequence[object]
) -> list[Draw]:
    """One repeat's draws from the pool, one a size; which chips depends on the names, the repeat and the size alone."""
    rng = np.random.default_rng(seed_of(*names, repeat))
    found = nested_draws(len(pool), [len(pool) if size is None else size for size in sizes], rng)
    return [Draw(size, repeat, pool[drawn]) for size, drawn in zip(sizes, found, strict=True)]


def resampled_draw(
    pool: Int64[np.ndarray, " N"], groups: Sequence[str], size: int, repeat: int, names: Sequence[object]
) -> Draw:
    """A draw from a pool whose groups were themselves drawn with replacement.

    Draws of over a third of a pool hardly differ from each other, so their spread hides that the pool itself is a sample
    (Efron and Tibshirani 1993, chapter 8: resample what was sampled, here groups of neighbours).

    Args:
        groups: group or spatial block of each chip of the pool.
    """
    rng = np.random.default_rng(seed_of(*names, "resampled", repeat))
    unique, member = np.unique(np.array(groups, dtype=str), return_inverse=True)
    rows_of = [pool[member == number] for number in range(len(unique))]
    taken = np.concatenate([rows_of[number] for number in rng.integers(0, len(unique), len(unique))])
    return Draw(size, repeat, rng.choice(taken, size, replace=len(taken) < size))


def sizes_within(sizes: Sequence[int], n_pool: int, where: str) -> list[int]:
    """The sizes that leave at least one training chip undrawn; the full set comes on its own.

    Raises:
        InputError: even the smallest asks for more chips than there are; names area, count and size.
    """
    kept = [size for size in sizes if size < n_pool]
    if not kept and n_pool < min(sizes):
        raise InputError(
            f"{where}: {n_pool} training chips have a label and every modality, the smallest draw asks for {min(sizes)}; "
            "add chips, or a smaller size in [fewshot] sizes"
        )
    return kept
