"""Which training chips are labelled in a repeat."""

import hashlib
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from terrashot.errors import InputError


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
