"""The health card: every measure of every block, and of blocks with each other."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from jaxtyping import Float64, Int64
from threadpoolctl import threadpool_limits

from terrashot.domain.health import EmbeddingProbe, HealthCard, Measure
from terrashot.domain.tables import Embeddings
from terrashot.health.agreement import agreement_measure
from terrashot.health.channels import channels_measure, kinds_measure
from terrashot.health.drift import drift_measure
from terrashot.health.duplicates import duplicate_measures
from terrashot.health.features import Features, block_features, image_features, shared_features
from terrashot.health.invariance import batch_measure, workers_measure
from terrashot.health.judge import unmeasured
from terrashot.health.mixing import mixing_measure
from terrashot.health.neighbours import neighbour_measure
from terrashot.health.partners import partner_measure
from terrashot.health.places import places_km
from terrashot.health.quantised import quantisation_measure
from terrashot.health.rows import RowFacts, look_at_rows, row_measures
from terrashot.health.seams import seam_measures
from terrashot.health.spectrum import spectrum_measures
from terrashot.health.survey import Survey, make_survey, numbers

MOST_OF_AREAS = 4000
NOTHING_PROBED = EmbeddingProbe()


def card_of(
    table: Embeddings, *, floors: Embeddings | None = None, probe: EmbeddingProbe = NOTHING_PROBED, seed: int = 0
) -> HealthCard:
    """What can be measured of the table, and what cannot.

    The order of the rows changes nothing, and neither does the number of threads. A table in half precision is never
    converted as a whole.

    Args:
        floors: simple features of the same chips, of which `image_stats:...` are compared with.
        probe: what was measured on model and images.

    Raises:
        MisalignedError: the two tables share no chip.
    """
    survey, images = make_survey(table, seed), image_features(table, floors)
    facts = {name: look_at_rows(block, len(table.kinds.get(name, ("",)))) for name, block in table.blocks.items()}
    # One thread: how many there are decides in which order a product is added up.
    with threadpool_limits(1):
        measures = tuple(_measures(survey, facts, images, probe))
    seen = [min(survey.most(name), int(own.usable.sum())) for name, own in facts.items()]
    return HealthCard(measures, len(table.chips), max(seen, default=0), seed, table.model)


def _measures(
    survey: Survey, facts: Mapping[str, RowFacts], images: Mapping[str, Features], probe: EmbeddingProbe
) -> Iterator[Measure]:
    for block, own in facts.items():
        yield from row_measures(block, own)
        yield from _of_channels(survey.table, block, own, probe)
        yield from _of_vectors(survey, block, own, probe)
        yield from _of_chips(survey, block, own, images.get(block))
    for left, right in combinations(facts, 2):
        both = survey.sound(facts[left].usable & facts[right].usable)
        views = (shared_features(survey.table, name) for name in (left, right))
        yield agreement_measure(survey, *views, rows=both)
        yield partner_measure(survey, left, right, both)
    yield batch_measure(probe.batch)
    yield workers_measure(probe.workers)


def _of_vectors(survey: Survey, block: str, facts: RowFacts, probe: EmbeddingProbe) -> Iterator[Measure]:
    """What the vectors alone tell."""
    sample = survey.sample(block, facts.usable)
    yield from spectrum_measures(sample)
    yield from duplicate_measures(survey, block, survey.sound(facts.usable))
    yield quantisation_measure(sample, probe.quantised, survey.seed)


def _of_chips(survey: Survey, block: str, facts: RowFacts, images: Features | None) -> Iterator[Measure]:
    """What the vectors tell together with areas, places and images."""
    sound, places = survey.sound(facts.usable), places_km(survey.table.chips)
    yield from _of_areas(survey, block, sound, places, images)
    yield neighbour_measure(survey, block, sound, places, images)
    yield from seam_measures(survey, block, sound, places)
    if images is None:
        yield unmeasured("agreement", f"{block} & images", "needs simple features of the same images (--floors)")
    else:
        yield agreement_measure(survey, block_features(survey.table, block), images, rows=sound)


def _of_areas(
    survey: Survey,
    block: str,
    sound: Int64[np.ndarray, " n"],
    places: Float64[np.ndarray, "N 3"],
    images: Features | None,
) -> Iterator[Measure]:
    """How the areas differ, where there are some."""
    rows = survey.some(sound[survey.area[sound] >= 0], MOST_OF_AREAS, "areas")
    if len(np.unique(survey.area[rows])) < 2:
        yield from (unmeasured(name, block, "one area") for name in ("drift", "mixing"))
        return
    yield drift_measure(block, numbers(survey.table.blocks[block], rows), survey.area[rows])
    yield mixing_measure(survey, block, rows, places, images)


def _of_channels(table: Embeddings, block: str, facts: RowFacts, probe: EmbeddingProbe) -> Iterator[Measure]:
    """What is told of the channels that went in."""
    if block in table.n_channels:
        there = (probe.channels_there or {}).get(block)
        went_in, some = table.n_channels[block][facts.there], None if there is None else there[facts.there]
        yield channels_measure(block, went_in, some, probe.policy)
    else:
        yield unmeasured("channels", block, "the table does not tell how many channels went in")
    if probe.without_kind is not None and block in probe.without_kind:
        yield kinds_measure(block, probe.without_kind[block])
    else:
        yield unmeasured("kinds", block, "needs the model and the images")
