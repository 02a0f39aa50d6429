"""What the names of Sentinel products state: mission, times, baseline, orbit, tile.

Source: ESA, Sentinel-2 Products Specification Document, naming since 2016-12-06 (`S2A_MSIL2A_<datatake>_N<baseline>_R<orbit>_T<tile>_
<discriminator>`); Sentinel-1 Product Specification, annex A (`S1A_IW_GRDH_1SDV_<start>_<stop>_<orbit>_<datatake>_<id>`).
"""

import re
from dataclasses import dataclass

TIME = r"\d{8}T\d{6}"
TILE = r"\d{2}[C-HJ-NP-X][A-HJ-NP-Z][A-HJ-NP-V]"
# Planetary Computer leaves the baseline out of its item ids.
OPTICAL = re.compile(
    rf"(S2[A-Z])_MSIL2A_({TIME})(?:_N(\d{{2}})(\d{{2}}))?_R(\d{{3}})_T({TILE})_({TIME})(?:\.SAFE)?", re.ASCII
)
# What follows the datatake differs between catalogues: the product's own four digits, `_COG`, `_rtc`, or nothing.
RADAR = re.compile(
    rf"(S1[A-Z])_([A-Z0-9]{{2}})_[A-Z0-9_]{{4}}_[A-Z0-9]{{4}}_({TIME})_({TIME})_(\d{{6}})_([0-9A-F]{{6}})(?:_.*)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class ProductName:
    """What one name states; None where it does not."""

    platform: str | None = None
    """`sentinel-2a`."""
    identity: str | None = None
    """Without what changes from one delivery to the next."""
    tile: str | None = None
    baseline: str | None = None
    relative_orbit: int | None = None
    instrument_mode: str | None = None


def read_product_name(name: str) -> ProductName:
    """What the name of a Sentinel-2 L2A or a Sentinel-1 product states; nothing, for any other text."""
    if optical := OPTICAL.fullmatch(name):
        mission, taken, major, minor, orbit, tile, _ = optical.groups()
        baseline = f"{major}.{minor}" if major else None
        return ProductName(_platform(mission), f"{mission}_{taken}_T{tile}", tile, baseline, int(orbit) or None)
    if radar := RADAR.fullmatch(name):
        mission, mode, start, stop, orbit, datatake = radar.groups()
        identity = f"{mission}_{mode}_{start}_{stop}_{orbit}_{datatake}"
        return ProductName(_platform(mission), identity, instrument_mode=mode)
    return ProductName()


def _platform(mission: str) -> str:
    return f"sentinel-{mission[1:].lower()}"
