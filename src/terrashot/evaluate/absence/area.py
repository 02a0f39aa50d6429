"""One area: its heads learnt on whole chips and on chips that lack something, and all that they say of the test chips."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from terrashot.domain.absence_scores import AbsenceScore, Standing
from terrashot.domain.results import BlockScores
from terrashot.errors import InputError
from terrashot.evaluate.absence.altered import Altered, Material
from terrashot.evaluate.absence.cases import Case
from terrashot.evaluate.absence.judging import Lot, Version, fits_of, judged
from terrashot.evaluate.absence.likeness import UNKNOWN, Partners
from terrashot.evaluate.absence.rows import Told, rows_of
from terrashot.evaluate.protocol.comparison import Comparison
from terrashot.evaluate.protocol.feature_sets import CONCATENATED
from terrashot.evaluate.protocol.fitting import FitSettings

LEARNT_WITHOUT = ("modality", "kind", "month")
"""Cases of which heads are also learnt without it."""

Done = tuple[str, float]
"""What heads are learnt on, and about how many seconds of it are done."""
Work = Generator[Done, None, list[BlockScores]]


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """What is the same for all areas."""

    material: Material
    cases: Mapping[Case, tuple[Standing, ...]]
    """With what may stand in; the first leaves nothing out."""
    fits: FitSettings
    workers: int

    @property
    def met(self) -> list[tuple[Case, Standing]]:
        """Every case with each of its strategies."""
        return [(case, strategy) for case, strategies in self.cases.items() for strategy in strategies]

    @property
    def learnt(self) -> list[Case]:
        """Cases of which heads are also learnt without it."""
        return [case for case in self.cases if case.kind in LEARNT_WITHOUT]

    def cost(self, comparison: Comparison) -> float:
        """Seconds of an area's fits, roughly."""
        fits = fits_of(comparison, CONCATENATED, self.fits)
        return (1 + len(self.learnt)) * sum(fit.cost(self.material.length) for fit in fits)

    def features(self, case: Case) -> str:
        """The study's name of the feature set that is left, so that its heads are the study's own."""
        gone = case.left_out if case.kind == "modality" else ()
        names = [name for name in self.material.whole if name not in gone]
        return names[0] if len(names) == 1 else "+".join(names) if gone else CONCATENATED


def measure_area(comparison: Comparison, bench: Bench) -> Generator[Done, None, tuple[list[AbsenceScore], list[str]]]:
    """A row a case, answer, strategy, task and number of labels; and what must be said."""
    told: dict[str, Told] = {}
    blocks = yield from _met(comparison, bench, told)
    notes = []
    for case in bench.learnt:
        try:
            blocks += yield from _learnt(comparison, bench, case, told)
        except InputError as error:
            notes.append(f"heads without {case.title} could not be learnt in {comparison.area}: {error}")
    with threadpool_limits(1):
        return list(rows_of(comparison.area, blocks, told, bench.fits.seed)), notes


def _met(comparison: Comparison, bench: Bench, told: dict[str, Told]) -> Work:
    """Heads learnt on whole chips judge every version of the test chips."""
    material, features = bench.material, bench.features(next(iter(bench.cases)))
    whole = material.full(comparison.judge)
    n_parts = {name: parts.shape[1] for name, parts in material.whole.items()}
    versions = []
    with threadpool_limits(1):
        partners = Partners(whole, n_parts, shared=material.vectors.shared)
        for case, strategy in bench.met:
            altered = material.met(case, comparison.judge, strategy)
            likeness, share = partners.likeness(altered.vectors), float(altered.stood_in.mean())
            versions.append(_version("met", case, altered))
            told[versions[-1].key] = Told(case, "met", strategy, features, likeness, share)
    lot = Lot(features, material.full(comparison.learn), tuple(versions))
    return (yield from _judged(comparison, bench, lot, "all that is there"))


def _learnt(comparison: Comparison, bench: Bench, case: Case, told: dict[str, Told]) -> Work:
    """Heads learnt on chips that lack what the test chips lack."""
    features = bench.features(case)
    without = bench.material.learnt(case, comparison.learn, comparison.judge)
    version = _version("learnt", case, without.judge)
    share = float(without.judge.stood_in.mean())
    told[version.key] = Told(case, "learnt", without.judge.strategy, features, UNKNOWN, share)
    lot = Lot(features, without.learn, (version,))
    return (yield from _judged(comparison, bench, lot, f"without {case.title}"))


def _version(answer: str, case: Case, altered: Altered) -> Version:
    return Version(f"{answer}/{case.kind}/{case.title}/{altered.strategy}", altered.vectors)


def _judged(comparison: Comparison, bench: Bench, lot: Lot, title: str) -> Work:
    work = judged(comparison, lot, bench.fits, bench.workers)
    while True:
        try:
            fit = next(work)
        except StopIteration as stop:
            return stop.value
        yield title, fit.cost(bench.material.length)
