"""The few-label protocol: every task, area, feature set, head, size and repeat, on the same chips and the same draws.

Source: Allen et al. 2023, arXiv:2310.00119, section 4.2. The rules of comparison stand in docs/few-labels.md.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from terrashot.domain.results import is_floor
from terrashot.domain.tables import Chips, Labels
from terrashot.evaluate.protocol.comparison import Comparison, DrawSettings, compare_areas, labelled_chips, left_out
from terrashot.evaluate.protocol.feature_sets import CONCATENATED, FeatureSet
from terrashot.evaluate.protocol.fitting import FitsDone, FitSettings, Fitted, Workshop, cost_of, fit_comparisons
from terrashot.evaluate.protocol.leakage import leakage_comparisons
from terrashot.evaluate.protocol.repeats import more_draws, resampled_draws
from terrashot.evaluate.protocol.transfer import transfer_comparisons


@dataclass(frozen=True, slots=True)
class FewshotSettings:
    """The protocol's numbers."""

    draws: DrawSettings = field(default_factory=DrawSettings)
    fits: FitSettings = field(default_factory=FitSettings)
    most_repeats: int = 40
    """Repeats are added up to so many where the draws alone leave a mean too uncertain."""
    leakage: bool = True
    """Also the leakage meter."""
    transfer: bool = True
    """Also labels of one area in another."""


@dataclass(frozen=True, slots=True)
class FewshotTables:
    """All that the protocol gives."""

    fitted: Fitted = field(default_factory=Fitted)
    resampled: Fitted = field(default_factory=Fitted)
    """Fits on resampled pools, for certainty alone: no mean is taken over them."""
    leakage: Fitted = field(default_factory=Fitted)
    """Training chips from beside the test chips and from elsewhere, on half of the test chips; `split_scheme` says which."""
    transfer: Fitted = field(default_factory=Fitted)
    """Training chips of one area, test chips of another."""
    notes: list[str] = field(default_factory=list)
    """What must be said: chips left out, draws of one class."""


def run_fewshot(
    features: Mapping[str, FeatureSet],
    chips: Chips,
    labels: Labels,
    settings: FewshotSettings,
    *,
    split_scheme: str,
    workshop: Workshop,
) -> Generator[FitsDone, None, FewshotTables]:
    """Every fit of the protocol, in the end; progress on the way.

    Args:
        features: by name, in the chips' rows. All are compared on the chips that have every one of them.

    Raises:
        MisalignedError: features and labels share no chip.
        InputError: an area has too few training chips, no test chip, or a label that is all alike.
    """
    whole = np.logical_and.reduce([own.complete(len(chips)) for own in features.values()])
    labelled = labelled_chips(chips, labels, whole)
    own = compare_areas(labelled, settings.draws, split_scheme)
    again = [one.with_draws(resampled_draws(one, settings.draws)) for one in own]
    leaking = leakage_comparisons(labelled, settings.draws, split_scheme) if settings.leakage else []
    moved = transfer_comparisons(labelled, settings.draws, split_scheme) if settings.transfer else []
    # Leakage and transfer: of the embedding as a whole and the best simple features, with the first head.
    shown = {name: features[name] for name in of_interest(features)}
    first_head = replace(settings.fits, heads=settings.fits.heads[:1])
    job = _Job(workshop)
    job.plan(features, [*own, *again], settings.fits)
    job.plan(shown, [*leaking, *moved], first_head)
    fitted = yield from job.fit(features, own, settings.fits)
    more = [one.with_draws(more_draws(one, fitted.results, settings.draws, settings.most_repeats)) for one in own]
    job.plan(features, more, settings.fits)
    fitted.extend((yield from job.fit(features, more, settings.fits)))
    fitted.results.sort(key=lambda row: (row.task, row.area))
    resampled = yield from job.fit(features, again, settings.fits)
    leakage = yield from job.fit(shown, leaking, first_head)
    transfer = yield from job.fit(shown, moved, first_head)
    notes = [*labelled.notes, *left_out(own), *_one_class_note([*own, *more])]
    return FewshotTables(fitted, resampled, leakage, transfer, notes)


@dataclass(slots=True)
class _Job:
    """Several lots of fits whose progress is told as that of one."""

    workshop: Workshop
    done: float = 0.0
    total: float = 0.0

    def plan(
        self, features: Mapping[str, FeatureSet], comparisons: Sequence[Comparison], settings: FitSettings
    ) -> None:
        """These will be fitted too."""
        self.total += cost_of(features, comparisons, settings)

    def fit(
        self, features: Mapping[str, FeatureSet], comparisons: Sequence[Comparison], settings: FitSettings
    ) -> Generator[FitsDone, None, Fitted]:
        """The outcome of a lot that was planned."""
        before, work = self.done, fit_comparisons(features, comparisons, settings, self.workshop)
        while True:
            try:
                event = next(work)
            except StopIteration as stop:
                return stop.value
            self.done = before + event.done
            yield replace(event, done=self.done, total=self.total)


def of_interest(features: Iterable[str]) -> list[str]:
    """All embeddings together, or each where they are not put together; and image statistics."""
    names = list(features)
    learnt = [CONCATENATED] if CONCATENATED in names else [name for name in names if not is_floor(name)]
    return [*learnt, *(["image_stats"] if "image_stats" in names else [])]


def _one_class_note(comparisons: Sequence[Comparison]) -> list[str]:
    draws = [
        task.learn.y[draw.rows]
        for one in comparisons for task in one.tasks if not task.learn.is_regression for draw in task.draws
    ]  # fmt: skip
    count = sum(len(np.unique(y)) == 1 for y in draws)
    return [f"{count} draws hold one class only; they are kept and scored as a constant predictor"] if count else []
