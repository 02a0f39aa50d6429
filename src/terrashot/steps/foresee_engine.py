"""What pixels and labels of Earth Engine would cost: told by `run --dry-run` before anything is asked."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from terrashot.ingest.earthengine.coherence_source import EarthEngineCoherence
from terrashot.ingest.earthengine.monthly_source import EarthEngineOptical, EarthEngineRadar
from terrashot.ingest.earthengine.window import Band, requests_for
from terrashot.ingest.source import ImagerySource
from terrashot.raster.place import RasterPlace
from terrashot.steps.answer import Answer
from terrashot.steps.chips import foreseen_chips
from terrashot.steps.earth_engine import engine_sources
from terrashot.steps.foresee_text import amount, duration
from terrashot.steps.plan import Context

SECONDS_A_REQUEST: Final = 5.0
"""Of a month of one chip; a guess, stated with the hours, which rest on it."""
MOST_AT_ONCE: Final = 40
"""Requests that the service answers at once for one project, by its quota; further ones it sends away, and they are tried again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one modality, or the labels, of one chip take."""

    questions: int
    """For what there is, and for labels."""
    pixels: int
    """Requests for pixels, at most: months without a pass need none."""
    n_bytes: int

    @property
    def requests(self) -> int:
        return self.questions + self.pixels


def cost_of_engine(context: Context, to_run: Collection[str]) -> Answer:
    """Requests, bytes and hours of each modality, and of labels; nothing is asked."""
    n_chips = len(foreseen_chips(context))
    found: dict[str, Asked] = {}
    if "ingest" in to_run and context.config.source.kind == "earthengine":
        found = {source.modality: _asked(source) for source in engine_sources(context)}
    if "labels" in to_run and context.config.labels.earthengine:
        found["labels"] = Asked(1, 0, 0)
    at_once = {name: _at_once(context, own) for name, own in found.items()}
    lines = [_sentence(name, own, n_chips, at_once[name]) for name, own in found.items()]
    facts: dict[str, Any] = {
        name: {
            "requests": own.requests * n_chips, "gigabytes": round(own.n_bytes * n_chips / 1e9, 3),
            "hours": round(_seconds(own, n_chips, at_once[name]) / 3600, 6),
        } for name, own in found.items()
    }  # fmt: skip
    return (
        Answer(("what Earth Engine will be asked, at most:", *lines), {"earthengine": facts}) if lines else Answer(())
    )


def _asked(source: ImagerySource) -> Asked:
    values, bits = [Band("values", "float32")], [Band("bits", "uint32")]
    if isinstance(source, EarthEngineOptical):
        # Bits of passes that are clear, and that were sensed.
        month = values * len(source.recipe.kinds) + bits * 2
        return _months(source, month, 2 if source.mask == "cloud_score" else 1)
    if isinstance(source, EarthEngineRadar):
        return _months(source, (values + bits) * len(source.recipe.kinds), 1)
    assert isinstance(source, EarthEngineCoherence), "there are three sources of Earth Engine"
    pixels = source.side_px**2 * source.max_channels * 4
    return Asked(1, 1, pixels)


def _months(source: EarthEngineOptical | EarthEngineRadar, bands: list[Band], questions: int) -> Asked:
    n_months = len(source.recipe.months) * len(source.recipe.sets)
    place = RasterPlace("EPSG:32632", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), source.side_px, source.side_px)
    requests = requests_for(bands, place)
    return Asked(questions, n_months * len(requests), n_months * len(bands) * source.side_px**2 * 4)


def _at_once(context: Context, asked: Asked) -> int:
    """Each process has one chip in hand, and asks for some of its months at once."""
    return min(MOST_AT_ONCE, context.workers * min(context.config.ingest.readers, max(1, asked.pixels)))


def _seconds(asked: Asked, n_chips: int, at_once: int) -> float:
    return n_chips * asked.requests * SECONDS_A_REQUEST / at_once


def _sentence(name: str, asked: Asked, n_chips: int, at_once: int) -> str:
    return (
        f"  {name}: {n_chips:,} chips, {n_chips * asked.requests:,} requests, {amount(n_chips * asked.n_bytes, 'B')}; "
        f"{duration(_seconds(asked, n_chips, at_once))} with {at_once} at once, if a request takes {SECONDS_A_REQUEST:g} s"
    )
