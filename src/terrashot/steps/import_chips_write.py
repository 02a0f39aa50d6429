"""The tables of an imported chip folder, written once all its images lie there; `chips.csv` last."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from terrashot.areas.partition_files import partition_files, partition_outlines
from terrashot.domain.tables import Chips
from terrashot.durable.files import remove, write_bytes
from terrashot.ingest.geetiles.chip import Outcome
from terrashot.ingest.geetiles.labels import CROPLAND, MIN_VALID, WATER, Value, codes_of, share_of
from terrashot.ingest.geetiles.lattice import footprint
from terrashot.ingest.geetiles.names import IMAGERY
from terrashot.ingest.geetiles.plan import ImportPlan
from terrashot.ingest.geetiles.stored import Mended
from terrashot.ingest.monthly import optical_channels, radar_channels, radar_differences
from terrashot.steps.answer import Answer
from terrashot.steps.import_chips_found import Found

TARGETS: Final = ("vegetation", "builtup", "cropland", "water")
REPORT: Final = "import.json"
OURS: Final = (*IMAGERY, "chips.csv", "labels.csv", "s2rgbm.toml", "s1grdm.toml", REPORT, "inputs.json")
"""What an import writes, and `--overwrite` may remove; the partitions files are written over."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a person must be told, and the same as facts."""

    notes: tuple[str, ...]
    facts: Mapping[str, Any]


def write_folder(out: Path, found: Found, outcomes: Sequence[Outcome], kind: str) -> Told:
    """The channel files, labels, partitions and the report; then `chips.csv`, by which the folder is whole."""
    plan = found.plan
    wrote: dict[str, int] = {name: sum(name in one.wrote for one in outcomes) for name in IMAGERY}
    for name in IMAGERY:
        if not wrote[name]:
            remove(out / name)
    _write_channel_files(out, plan, wrote)
    labels = _labels(found, outcomes)
    if labels:
        write_bytes(out / "labels.csv", _labels_csv(found, labels))
    chips = replace(
        found.chips, footprint=np.array([footprint(plan.place(job.bounds_deg)) for job in found.jobs], dtype=object)
    )
    _write_partitions(out, chips)
    told = _told(outcomes, wrote, labels)
    write_bytes(out / REPORT, (json.dumps({"kind": kind, **told.facts}, indent=1, sort_keys=True) + "\n").encode())
    write_bytes(out / "chips.csv", _chips_csv(found))
    return told


def _write_partitions(out: Path, chips: Chips) -> None:
    """Outlines, and splits where all chips have one; none beside groups, nor where some have a split, which chips.csv alone tells."""
    if all(chips.split):
        for files in partition_files(chips):
            area = files.geojson.partition("_partitions_")[0]
            write_bytes(out / f"{area}.geojson", files.features)
            write_bytes(out / f"{area}_splits.csv", files.rows)
    elif not any(chips.split) and not any(chips.group):
        for area, features in partition_outlines(chips).items():
            write_bytes(out / f"{area}.geojson", features)
            remove(out / f"{area}_splits.csv")


def answer_of(out: Path, kind: str, found: Found, outcomes: Sequence[Outcome], told: Told) -> Answer:
    """What the command says."""
    with_each = ", ".join(f"{count} with {name}" for name, count in told.facts["with"].items())
    failed = {one.id: dict(one.failed) for one in outcomes if one.failed}
    lines = [f"wrote {out}: {len(found.chips)} chips, {with_each}"]
    lines += [f"{len(failed)} chips failed in part, as was allowed, the first {next(iter(failed))}"] if failed else []
    lines += [f"next: terrashot new STUDY --template folder --chips {out}"]
    return Answer(
        tuple(lines), {"out": str(out), "kind": kind, "chips": len(found.chips), "failed": failed, **told.facts}
    )


def _write_channel_files(out: Path, plan: ImportPlan, wrote: Mapping[str, int]) -> None:
    """Kinds, and what readers derive; names, units and dates stand in the images."""
    optical, radar = optical_channels(plan.optical_months), radar_channels(plan.radar_months, plan.radar_sets)
    differences = radar_differences(plan.radar_months, plan.radar_sets)
    derived = [f"{one.minuend} - {one.subtrahend}" for one in differences]
    for name, channels, lines in (("s2rgbm", optical, []), ("s1grdm", radar, derived)):
        if wrote[name]:
            text = f"kinds = {json.dumps([channel.kind for channel in channels])}\n"
            text += f"differences = {json.dumps(lines)}\n" if lines else ""
            write_bytes(out / f"{name}.toml", text.encode())


def _labels(found: Found, outcomes: Sequence[Outcome]) -> dict[str, list[Value | None]]:
    """By target the value of each chip; a target that no chip has is left out."""
    by_tile = any(one.classes for one in outcomes)
    counts = [
        {int(k): float(v) for k, v in one.classes.items()} if by_tile else dict(found.shares.get(one.id, {}))
        for one in outcomes
    ]
    codes = codes_of({number for one in counts for number in one}, when_unclear="codes" if by_tile else "places")
    labels: dict[str, list[Value | None]] = {
        name: [_value(one.labels.get(name)) for one in outcomes] for name in ("vegetation", "builtup")
    }
    for name, code in (("cropland", CROPLAND), ("water", WATER)):
        labels[name] = [share_of(one, codes, code) if one else None for one in counts]
    return {name: values for name, values in labels.items() if any(value is not None for value in values)}


def _value(told: Sequence[float] | None) -> Value | None:
    return None if told is None else (float(told[0]), float(told[1]))


def _labels_csv(found: Found, labels: Mapping[str, Sequence[Value | None]]) -> bytes:
    names = [column for name in labels for column in (name, f"{name}_valid_fraction")]
    rows = [
        [chip_id, *(cell for values in labels.values() for cell in _cells(values[row]))]
        for row, chip_id in enumerate(found.chips.ids)
    ]
    return _csv(["id", *names], rows)


def _cells(value: Value | None) -> tuple[str, str]:
    """The value, empty where too little of the chip is valid; and the valid share."""
    if value is None:
        return "", ""
    return (repr(value[0]) if value[1] >= MIN_VALID else ""), repr(value[1])


def _chips_csv(found: Found) -> bytes:
    chips = found.chips
    assert chips.lon_deg is not None and chips.lat_deg is not None, "partitions have places"
    columns = zip(chips.ids, chips.area, chips.split, chips.group, chips.lon_deg, chips.lat_deg, strict=True)
    rows = [[i, a, s or "", g or "", f"{lon:.6f}", f"{lat:.6f}"] for i, a, s, g, lon, lat in columns]
    return _csv(["id", "area", "split", "group", "lon", "lat"], rows)


def _csv(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerows([names, *rows])
    return text.getvalue().encode()


def _told(outcomes: Sequence[Outcome], wrote: Mapping[str, int], labels: Mapping[str, Sequence[Value | None]]) -> Told:
    notes = []
    mended: dict[str, dict[str, int]] = {}
    for name in ("s2rgbm", "s1grdm"):
        total = sum((Mended(**one.mended[name]) for one in outcomes if name in one.mended), Mended())
        if total.pixels:
            mended[name] = {field: getattr(total, field) for field in Mended.__dataclass_fields__}
            notes.append(_sentence(name, total))
    pairs = [one.n_pairs for one in outcomes]
    if wrote["gunw"]:
        notes.append(f"gunw: {min(pairs)} to {max(pairs)} pairs a chip, {sum(not n for n in pairs)} chips without any")
    for name, values in labels.items():
        known = sum(value is not None and value[1] >= MIN_VALID for value in values)
        notes.append(
            f"label '{name}': {known} chips; {len(values) - known} have no tile, or under {MIN_VALID:.0%} of it is valid"
        )
    facts = {"with": dict(wrote), "mended": mended, "pairs": {"least": min(pairs), "most": max(pairs), "all": sum(pairs)},
             "labels": sorted(labels)}  # fmt: skip
    return Told(tuple(notes), facts)


def _sentence(name: str, total: Mended) -> str:
    zeros = f"of zeros {total.zeros_absent:,} were taken for no data and {total.zeros_kept:,} for values"
    if name == "s1grdm":
        return f"s1grdm: {total.unwrapped:,} of {total.pixels:,} numbers had wrapped and are decibels again; {zeros}"
    return (
        f"s2rgbm: {total.saturated:,} of {total.pixels:,} numbers are at the top (reflectance of 0.3 or more); {zeros}"
    )
