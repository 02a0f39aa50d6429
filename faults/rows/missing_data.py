"""Channels, months, kinds and modalities that are not there: what is absent is null or named, and the rest is exactly itself."""

import functools
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from faults.months import (
    CHANNELS,
    KINDS,
    MONTHS,
    N_TRAINING,
    SIDE_PX,
    STATS,
    Lack,
    MonthStore,
    absences,
    chips_of,
    of_modality,
    of_months,
    shares_of,
    store_of,
)
from faults.outcome import Case, Row, Verdict, crashed, exact, refused, silent
from faults.scene_months import scene_cases
from terrashot.domain.tables import Embeddings
from terrashot.durable.parts import DiskParts
from terrashot.embed.apart import plan_apart
from terrashot.embed.channels import ChannelPolicy
from terrashot.embed.embed import EmbedJob, embed_chips
from terrashot.embed.in_parts import embed_in_parts
from terrashot.errors import InputError
from terrashot.model.towers import Towers, make_towers
from terrashot.model.towers_config import TowersConfig
from terrashot.model.vit import VitConfig
from terrashot.steps.embed_tables import EmbedChoices, table_job, write_vectors
from terrashot.steps.progress import finish
from terrashot.store.vectors import read_embeddings

AT_ONCE = 500
"""Absences that share a table."""
RANDOM_SOAK = 2000
TOLERANCE = 1e-5
"""What other chips beside a chip, and another order of sums, may change of a float32."""
LEAST_NORM = 1e-3
"""What stands in is no zero: a mean of unit vectors of like chips is far longer."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Which channels go into a vector, and what stands in for a part that is absent."""

    channels: ChannelPolicy
    absent: str = "training-mean"

    def parts(self, modality: str) -> dict[str, list[int]]:
        """The places of the channels of each part, by its name."""
        kinds = [channel.kind for channel in CHANNELS[modality]]
        if isinstance(self.channels, tuple):
            return {"": [place for place, kind in enumerate(kinds) if kind in self.channels]}
        if self.channels == "each-date" and modality != "gunw":  # date pairs vary by chip, and have one part
            return {channel.name: [place] for place, channel in enumerate(CHANNELS[modality])}
        if self.channels in ("each", "each-date"):
            return {kind: [p for p, of in enumerate(kinds) if of == kind] for kind in KINDS[modality]}
        return {"": list(range(len(kinds)))}


POLICIES = {
    "mean": Policy("mean"),
    "each": Policy("each", "ridge"),
    "each-date": Policy("each-date"),
    "named": Policy(("red", "vv", "coherence")),
    "random": Policy("random"),
}


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of some absences: by policy, and once more by policy of what must not matter."""

    plain: Mapping[str, Embeddings]
    other_chips: Mapping[str, Embeddings]
    """The chips in another order."""
    other_channels: Mapping[str, Embeddings]
    """The channels in another order."""
    listed: Mapping[str, Embeddings]
    """What is absent delivered without a valid pixel, and nobody noticed."""


def cases(soak: bool, seed: int) -> Iterator[Case]:
    found = iter({**absences(), **(_many(seed) if soak else {})}.items())
    while lot := dict(islice(found, AT_ONCE)):
        tables = functools.cache(functools.partial(_tables_of, tuple(lot.values()), seed))
        for number, (name, lack) in enumerate(lot.items()):
            yield Case(f"without {name}", functools.partial(_judged, tables=tables, number=number, lack=lack))
    for name in (*CHANNELS, *(kind for kinds in KINDS.values() for kind in kinds)):
        yield Case(f"no training chip has {name}", functools.partial(_untaught, name=name))
    yield from scene_cases(soak, seed)


def _many(seed: int) -> dict[str, Lack]:
    """Every subset of the months, and random sets of channels."""
    subsets = (
        [month for place, month in enumerate(MONTHS) if number >> place & 1] for number in range(1 << len(MONTHS))
    )
    found = {f"months {' '.join(some) or 'none'}": of_months(some) for some in subsets}
    rng = np.random.default_rng([seed, 14])
    every = [(name, channel.name) for name, channels in CHANNELS.items() for channel in channels]
    for number in range(RANDOM_SOAK):
        taken = rng.random(len(every)) < rng.random()
        found[f"random channels {number}"] = frozenset(
            what for what, is_out in zip(every, taken, strict=True) if is_out
        )
    return found


def _tables_of(lacks: Sequence[Lack], seed: int) -> Tables:
    named = {_id(number): lack for number, lack in enumerate(lacks)}
    plain = store_of(named)
    shuffled = MonthStore(dict(reversed(list(plain.shows.items()))), named)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        make = functools.partial(_table, Path(folder))
        return Tables(
            {name: make(plain, policy) for name, policy in POLICIES.items()},
            {name: make(shuffled, POLICIES[name]) for name in ("each", "random")},
            {name: make(store_of(named, order=seed), POLICIES[name]) for name in ("mean", "each", "random")},
            {name: make(store_of(named, is_listed=True), POLICIES[name]) for name in ("mean",)},
        )


def _table(folder: Path, store: MonthStore, policy: Policy) -> Embeddings:
    """What a reader finds in the table that is written of these chips."""
    choices = EmbedChoices(policy.channels, policy.absent, "float32", "float32", 0, 1)  # type: ignore[arg-type]
    table = table_job(_towers(), STATS, store, chips_of(store), choices, DiskParts(folder / "parts", repr(choices)))
    number = len(list(folder.iterdir()))
    kept = embed_in_parts(table.job, table.chips.ids, table.parts, name=f"{number}", dtype="float32")
    path = folder / f"{number}.parquet"
    write_vectors(path, table, finish(kept).groups, "a model")
    return read_embeddings(path)


@functools.cache
def _towers() -> Towers:
    vit = VitConfig(width=16, depth=1, heads=2, patch_px=SIDE_PX, chip_px=SIDE_PX)
    return make_towers(TowersConfig(tuple(CHANNELS), vit, embedding=6), 0)


@functools.cache
def _alone() -> dict[str, np.ndarray]:
    """The vector of each channel of each training chip (N, C, D), made once and apart from all others."""
    store = store_of({})
    plans = tuple(plan.block for plan in plan_apart(store, tuple(CHANNELS), store.chip_ids, STATS))
    raw = finish(embed_chips(EmbedJob(_towers(), STATS, store, plans, 0), store.chip_ids))
    return {name: parts.astype(np.float64) for name, parts in raw.parts.items()}


def _id(number: int) -> str:
    return f"x{number:04d}"


def _judged(folder: Path, tables: Callable[[], Tables], number: int, lack: Lack) -> Verdict:
    try:
        found = tables()
    except Exception as error:
        return crashed(f"{type(error).__name__}: {error}")
    wrong = [
        f"{name}, {modality}: {complaint}"
        for name, policy in POLICIES.items()
        for modality in found.plain[name].blocks
        for complaint in _complaints(found.plain[name], policy, modality, number=number, lack=lack)
    ]
    for what, tolerance in (("other_chips", 0.0), ("other_channels", TOLERANCE), ("listed", TOLERANCE)):
        for name, other in getattr(found, what).items():
            wrong += [
                f"{name}, {what}: {text}" for text in _differences(found.plain[name], other, _id(number), tolerance)
            ]
    return silent("; ".join(wrong[:2])) if wrong else exact()


def _complaints(table: Embeddings, policy: Policy, modality: str, *, number: int, lack: Lack) -> Iterator[str]:
    """In what a chip's row is not what the channels that are there give."""
    row, shown = table.chips.ids.index(_id(number)), number % N_TRAINING
    parts = policy.parts(modality)
    left = {
        part: [place for place in places if (modality, CHANNELS[modality][place].name) not in lack]
        for part, places in parts.items()
    }
    there = [place for places in left.values() for place in places]
    vector, n_channels = table.parts(modality)[row], int(table.n_channels[modality][row])
    is_random = policy.channels == "random"
    if n_channels != (min(1, len(there)) if is_random else len(there)):
        yield f"{n_channels} channels counted of {len(there)}"
    if not there:
        if np.isfinite(vector).any() or np.isfinite(table.valid_fraction[modality][row]):
            yield "something in the place of a whole modality"
        return
    if not np.isfinite(vector).all():
        yield "NaN inside a vector"
        return
    alone, share = _alone()[modality], float(table.valid_fraction[modality][row])
    if is_random:
        near = np.abs(alone[shown, there] - vector[0]).max(axis=1)
        if near.min() > TOLERANCE:
            yield "a vector of none of the channels that are there"
        there = [there[int(near.argmin())]]
    elif any(
        _is_wrong(vector[place], alone, shown, left[part], parts[part], policy) for place, part in enumerate(parts)
    ):
        yield "other numbers than the mean over the rest gives"
    if abs(share - shares_of(shown, modality)[there].mean()) > TOLERANCE:
        yield f"a valid fraction of {share}"
    absent = [part for part, places in left.items() if not places]
    if table.kinds.get(modality) and _named(table, modality, row) != absent:
        yield f"{_named(table, modality, row)} are named as absent, {absent} are"


def _named(table: Embeddings, modality: str, row: int) -> list[str]:
    return [kind for kind, is_out in zip(table.kinds[modality], table.absent[modality][row], strict=True) if is_out]


def _is_wrong(
    part: np.ndarray, alone: np.ndarray, shown: int, left: list[int], places: list[int], policy: Policy
) -> bool:
    """Whether a part is not the mean of what is left of it, or, of nothing, what stands in for it."""
    if left:
        return bool(np.abs(part - _unit_mean(alone[shown, left])).max() > TOLERANCE)
    if policy.absent == "training-mean":
        wanted = np.mean([_unit_mean(of_chip[places]) for of_chip in alone], axis=0)
        return bool(np.abs(part - wanted).max() > TOLERANCE)
    return bool(np.linalg.norm(part) < LEAST_NORM)


def _unit_mean(vectors: np.ndarray) -> np.ndarray:
    mean = vectors.mean(axis=0)
    unit: np.ndarray = mean / np.linalg.norm(mean)
    return unit


def _differences(table: Embeddings, other: Embeddings, chip_id: str, tolerance: float) -> Iterator[str]:
    """How the row of a chip differs in two tables whose parts may lie in other orders."""
    row, again = table.chips.ids.index(chip_id), other.chips.ids.index(chip_id)
    for name in table.blocks:
        kinds = table.kinds.get(name, ("",))
        order = [other.kinds.get(name, ("",)).index(kind) for kind in kinds]
        if not np.allclose(
            table.parts(name)[row], other.parts(name)[again][order], rtol=0, atol=tolerance, equal_nan=True
        ):
            yield f"another vector of {name}"
        if table.n_channels[name][row] != other.n_channels[name][again]:
            yield f"another count of {name}"
        if name in table.absent and (table.absent[name][row] != other.absent[name][again][order]).any():
            yield f"other absences of {name}"


def _untaught(folder: Path, name: str) -> Verdict:
    """Nothing can stand in for what no training chip has: it is no part of the vector, or the table is refused."""
    lack = of_modality(name) if name in CHANNELS else _kind_everywhere(name)
    training = {f"train{number:02d}": lack for number in range(N_TRAINING)}
    store = store_of({**training, "whole": frozenset(), "like them": lack})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            table = _table(folder, store, POLICIES["each"])
    except InputError as error:
        return refused() if "no training chip has some of the parts" in str(error) else crashed(str(error))
    rows = [table.chips.ids.index(chip_id) for chip_id in ("whole", "like them")]
    for modality, block in table.blocks.items():
        is_out = modality == name or KINDS[modality] == (name,)
        if name in table.kinds[modality] and not is_out:
            return silent(f"a part {name}, of which nothing is known")
        if not np.isfinite(block[rows[0]]).all() or np.isfinite(block[rows[1]]).all() == is_out:
            return silent(f"{modality}: not the vectors of the chips")
    return exact()


def _kind_everywhere(kind: str) -> Lack:
    return frozenset((name, c.name) for name, found in CHANNELS.items() for c in found if c.kind == kind)


ROW = Row("missing_data", "channel, month, kind, modality or date pair that is not there", cases)
