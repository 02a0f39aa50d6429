"""The missing-data report of a study and a model: what each absence costs, met by trained heads and learnt without."""

from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Int64

from terrashot.domain.absence import LONGEST, AbsenceStrategy
from terrashot.domain.absence_scores import AbsenceReport, AbsenceScore
from terrashot.domain.channel_vectors import ChannelVectors, PartPolicy
from terrashot.domain.tables import Labels
from terrashot.errors import InputError
from terrashot.evaluate.absence.altered import Material
from terrashot.evaluate.absence.area import Bench, measure_area
from terrashot.evaluate.absence.cases import cases_of
from terrashot.evaluate.protocol.comparison import Comparison, DrawSettings, compare_areas, labelled_chips, left_out
from terrashot.evaluate.protocol.fitting import FitsDone, FitSettings
from terrashot.evaluate.protocol.repeats import BUDGETS
from terrashot.evaluate.protocol.sampling import seed_of

MOST_CHIPS = 20_000
"""Of more chips a sample is measured."""


@dataclass(frozen=True, slots=True)
class AbsenceSettings:
    """How the study makes vectors and draws labels."""

    channels: PartPolicy
    strategy: AbsenceStrategy = "ridge"
    """What the study puts in the place of a kind of channel that a chip lacks; of no use with the policy `mean`."""
    draws: DrawSettings = field(default_factory=DrawSettings)
    fits: FitSettings = field(default_factory=FitSettings)
    """One head is used, `logistic` if it is among them, for it is fast and leaves nothing to chance; else the first. A numeric
    target takes the first that can learn it. Of several numbers of trees or depths the first is taken."""


def sampled_rows(n_chips: int, seed: int) -> Int64[np.ndarray, " n"]:
    """Rows of the chips to measure, in order: all, or a random sample of 20,000."""
    if n_chips <= MOST_CHIPS:
        return np.arange(n_chips)
    rng = np.random.default_rng(seed_of(seed, "missing-data report"))
    return np.sort(rng.permutation(n_chips)[:MOST_CHIPS])


def measure_absence(
    vectors: ChannelVectors,
    labels: Labels,
    settings: AbsenceSettings,
    *,
    split_scheme: str,
    n_chips: int,
    workers: int = 1,
) -> Generator[FitsDone, None, AbsenceReport]:
    """Every case in every task and area, in the end; progress on the way. Chips, draws, heads and intervals are those of the
    few-label protocol.

    Args:
        vectors: of all chips, or of `sampled_rows`; the report says which.
        n_chips: all that the study has.

    Raises:
        MisalignedError: vectors and labels share no chip.
        InputError: too few training chips have every modality and kind of channel, or no test chip has.
    """
    material = Material(vectors, settings.channels, settings.strategy)
    labelled = labelled_chips(vectors.chips, labels, material.complete)
    if not len(labelled.chips):
        raise InputError(
            f"missing-data report: no chip with labels has something of {', '.join(vectors.modalities)} at once; "
            "without whole chips there is nothing to compare with"
        )
    comparisons = [_of_budgets(one) for one in compare_areas(labelled, _draws(settings.draws), split_scheme)]
    cases = {case: material.strategies(case) for case in cases_of(vectors)}
    bench = Bench(material, cases, settings.fits, workers)
    total, done = sum(map(bench.cost, comparisons)), 0.0
    scores: list[AbsenceScore] = []
    notes = [*_sampled(len(vectors.chips), n_chips), *labelled.notes, *left_out(comparisons), *_without_ridge(material)]
    for one in comparisons:
        work = measure_area(one, bench)
        while True:
            try:
                title, seconds = next(work)
            except StopIteration as stop:
                found, said = stop.value
                break
            done = min(done + seconds, total)
            yield FitsDone(one.area, title, done, total)
        scores += found
        notes += said
    return AbsenceReport(tuple(scores), tuple(dict.fromkeys(notes)))


def _draws(settings: DrawSettings) -> DrawSettings:
    """The study's, of the two budgets; its smallest size goes along so that an area with few chips is refused by the same rule."""
    return replace(settings, sizes=tuple(sorted({min(settings.sizes), *BUDGETS})))


def _of_budgets(comparison: Comparison) -> Comparison:
    return comparison.with_draws(
        {task.task: [draw for draw in task.draws if draw.asked in (*BUDGETS, None)] for task in comparison.tasks}
    )


def _sampled(n_measured: int, n_chips: int) -> list[str]:
    if n_measured == n_chips:
        return []
    return [f"measured on a random sample of {n_measured:,} of the {n_chips:,} chips"]


def _without_ridge(material: Material) -> list[str]:
    if "ridge" in material.models:
        return []
    return [
        f"no ridge was learnt: vectors are longer than {LONGEST:,} numbers ({material.length:,}), or fewer than two training "
        "chips have every part"
    ]
