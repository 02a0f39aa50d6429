"""Rows of a user's labels made bad in known places: exactly those are told, each by its number with the reason."""

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas
import numpy as np
import shapely

from faults.outcome import Case, Row, Verdict, crashed, exact, refused, silent
from terrashot.areas.place import chips_of_areas
from terrashot.domain.area import Area, box_outline
from terrashot.domain.tables import Chips
from terrashot.errors import TerrashotError
from terrashot.labels.own.join import OwnTarget, own_target
from terrashot.own_label_sections import OwnLabelsSection
from terrashot.store.csv_text import FORMULA, csv_bytes

Point = list[object]
"""Longitude, latitude, class."""
QUICK, SOAK, N_ROWS = 4, 2400, 100
FORMS = ("csv", "geojson", "parquet")
FIRST_ROW = {"csv": 2, "geojson": 1, "parquet": 1}
SECTION = {"how": "majority", "column": "crop", "classes": ("maize", "rice")}
WAYS: dict[str, tuple[Callable[[Point, Point], Point], str]] = {
    "out of the area": (lambda own, other: [own[0] + 5, *own[1:]], "lies in no chip"),  # type: ignore[operator]
    "near the zero island": (lambda own, other: [own[0] * 1e-6, own[1] * 1e-6, own[2]], "lies in no chip"),  # type: ignore[operator]
    "swapped axes": (lambda own, other: [own[1], own[0], own[2]], "lies in no chip"),
    "longitude beyond 180": (lambda own, other: [own[0] + 360, *own[1:]], "no degrees"),  # type: ignore[operator]
    "latitude beyond 90": (lambda own, other: [own[0], own[1] + 90, own[2]], "no degrees"),  # type: ignore[operator]
    "no class": (lambda own, other: [*own[:2], ""], "has no class"),
    "an unknown class": (lambda own, other: [*own[:2], "mais"], "unknown class 'mais'"),
    "HTML": (lambda own, other: [*own[:2], "<img src=x onerror=alert(1)>"], "unknown class '<img"),
    "a formula": (lambda own, other: [*own[:2], "=cmd|' /C calc'!A0"], "unknown class"),
    "signs for a terminal": (lambda own, other: [*own[:2], "\x1b[2Jrice"], "cannot be shown"),
    "a name of a page": (lambda own, other: [*own[:2], "rice" * 1000], "has 4,000 characters"),
    "another alphabet": (lambda own, other: [*own[:2], "riсe"], "unknown class"),
    "a row twice": (lambda own, other: list(other), "repeats row"),
    "no place": (lambda own, other: [float("nan"), own[1], own[2]], ""),
}
"""By kind: a good row and the one before it, as a bad row; and words of the reason."""


@functools.cache
def _chips() -> Chips:
    return chips_of_areas([Area("a", box_outline(9.0, 45.0, 9.1, 45.1))], 640.0)[0]


def cases(soak: bool, seed: int) -> Iterator[Case]:
    for form in FORMS:
        for way in WAYS:
            for number in range(SOAK if soak else QUICK):
                run = functools.partial(_run, form=form, ways=(way,), seed=(seed, number))
                yield Case(f"{form}: {way} {number}", run)
        run = functools.partial(_run, form=form, ways=tuple(WAYS), seed=(seed, 0))
        yield Case(f"{form}: all together", run)
        yield Case(f"{form}: none", functools.partial(_run, form=form, ways=(), seed=(seed, 1)))


def _run(folder: Path, form: str, ways: tuple[str, ...], seed: tuple[int, int]) -> Verdict:
    rng, chips = np.random.default_rng([*seed, 17]), _chips()
    rows: list[Point] = [
        [float(chips.lon_deg[n]), float(chips.lat_deg[n]), ("maize", "rice")[n % 2]]  # type: ignore[index]
        for n in range(N_ROWS)
    ]
    expected: dict[int, tuple[int, str]] = {}
    # Every other row alone is bent, so that the one before it is good.
    places = rng.permutation(np.arange(1, N_ROWS, 2))
    for way in ways:
        for _ in range(int(rng.integers(1, 4))):
            place, places = int(places[0]), places[1:]
            bend, words = WAYS[way]
            rows[place] = bend(rows[place], rows[place - 1])
            expected[place + FIRST_ROW[form]] = (place, words)
    path = _written(folder, form, rows)
    try:
        found = own_target(path, OwnLabelsSection(file=path, **SECTION), chips)  # type: ignore[arg-type]
    except TerrashotError as error:
        return crashed(f"refused as a whole: {error}")
    return _judged(found, expected)


def _judged(found: OwnTarget, expected: dict[int, tuple[int, str]]) -> Verdict:
    told = dict(found.bad.in_order)
    if told.keys() != expected.keys():
        return silent(f"told {sorted(told)}, made bad {sorted(expected)}")
    wrong = [told[number] for number, (_, words) in expected.items() if words not in told[number]]
    listed = csv_bytes(("row", "reason"), list(told.items())).decode()
    if wrong or not found.bad.sentence.isprintable() or any(text.startswith(FORMULA) for text in told.values()):
        return silent(f"not as it should be told: {wrong[:1] or listed[:200]}")
    bent = {place for place, _ in expected.values()}
    right = [None if n in bent else ("maize", "rice")[n % 2] for n in range(N_ROWS)]
    if found.values[:N_ROWS].tolist() != right:
        return silent("a chip has another label than its good row")
    return refused() if told else exact()


def _written(folder: Path, form: str, rows: list[Point]) -> Path:
    path = folder / f"labels.{form}"
    if form == "csv":
        lines = ["lon,lat,crop", *(",".join((repr(row[0]), repr(row[1]), f'"{row[2]}"')) for row in rows)]
        path.write_text("\n".join(lines))
    elif form == "geojson":
        features = [
            {"type": "Feature", "properties": {"crop": row[2]}, "geometry": _geometry(row)} for row in rows
        ]  # fmt: skip
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    else:
        points = [None if row[0] != row[0] else shapely.Point(row[0], row[1]) for row in rows]
        geopandas.GeoDataFrame({"crop": [row[2] for row in rows]}, geometry=points, crs=4326).to_parquet(path)
    return path


def _geometry(row: Point) -> dict[str, object] | None:
    return None if row[0] != row[0] else {"type": "Point", "coordinates": row[:2]}


ROW = Row("bad_labels", "bad rows among a user's labels: places, classes, repeats, names made to harm", cases)
