"""Vectors of single channels whose truth is known, for a study of any size."""

import numpy as np

from terrashot.domain.channel_vectors import ChannelVectors, ModalityChannels
from terrashot.domain.tables import Chips, Labels

MONTHS = ("2020-01", "2020-02")


def chips_of(n, areas=("north",)):
    """Chips dealt into the areas in turn: of five in a row three train, one is tested, one chooses; groups of ten."""
    area = tuple(areas[i % len(areas)] for i in range(n))
    split = tuple(("train", "train", "train", "test", "val")[(i // len(areas)) % 5] for i in range(n))
    return Chips(tuple(f"c{i:05d}" for i in range(n)), area, tuple(f"g{i // 10}" for i in range(n)), split)


def modality(signal, kinds, months, *, noise=0.3, seed=0, absent=0.0, size=6):
    """A channel a kind and month (one without a name where the month is None), each much the same view of the signal in all
    modalities, with noise."""
    rng = np.random.default_rng(seed)
    pairs = [(month, kind) for month in months for kind in kinds]
    base, made = np.random.default_rng(0).standard_normal((signal.shape[1], size)), []
    for _ in pairs:
        turn = base + 0.3 * rng.standard_normal(base.shape)
        vectors = signal @ turn + noise * rng.standard_normal((len(signal), size))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors[rng.random(len(signal)) < absent] = np.nan
        made.append(vectors)
    names = tuple(None if month is None else f"{month}_{kind}" for month, kind in pairs)
    return ModalityChannels(
        names, tuple(kind for _, kind in pairs), tuple(month for month, _ in pairs),
        np.stack(made, axis=1).astype(np.float32),
    )  # fmt: skip


def study(n=500, areas=("north",), absent=0.0):
    """Optical and radar channels in two months and coherence of date pairs; the label hangs on what all of them show."""
    rng = np.random.default_rng(1)
    truth = rng.standard_normal((n, 3))
    shown = {
        "s2rgbm": modality(truth, ("red", "blue"), MONTHS, seed=2, absent=absent),
        "s1grdm": modality(truth, ("vv", "vh", "vv-vh"), MONTHS, seed=3, absent=absent),
        "gunw": modality(truth, ("coherence",), (None,) * 3, noise=1.0, seed=4, absent=absent),
    }
    chips = chips_of(n, areas)
    return ChannelVectors(chips, shown), Labels(chips.ids, {"wet": truth[:, 0] + 0.2 * rng.standard_normal(n)})
