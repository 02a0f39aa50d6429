"""What a study's curves answer: verdicts, labels that are enough, claims, leakage, transfer, forecasts; one row each."""

from dataclasses import dataclass

from terrashot.domain.tasks import task_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """One task in one area at a number of labels: the best embedding beside all labels and the best floor."""

    task: str
    area: str
    n_labels: int
    features: str
    head: str
    measure: str
    score: float
    low: float | None
    """95 % interval over draws and test blocks; this and the like are None where it cannot be told."""
    high: float | None
    n_full: int | None
    """All labels, and the same feature set and head with them."""
    full_score: float | None
    floor: str | None = None
    """The floor with the highest score; None where there are no floors."""
    floor_head: str | None = None
    floor_score: float | None = None
    gain: float | None = None
    """Score less that floor's: over the same draws, on the same chips."""
    gain_low: float | None = None
    gain_high: float | None = None
    least_low: float | None = None
    """The lowest of the low ends of the gains over all floors: above 0, every one is beaten."""
    certainty: float | None = None
    """Share of the replicates in which the embedding is above every floor."""

    @property
    def beats_floors(self) -> bool | None:
        """True where the gains over all floors are surely above 0, False where that over the best is surely below; else None."""
        if self.gain_high is not None and self.gain_high < 0:
            return False
        return True if self.least_low is not None and self.least_low > 0 else None

    @property
    def place(self) -> str:
        """The task, and the area where there are several."""
        title = task_of(self.task).title
        return f"{title} in {self.area}" if self.area != "all" else title

    @property
    def sentence(self) -> str:
        """One line for a person."""
        spread = f" ({self.low:.3f} to {self.high:.3f})" if self.low is not None and self.high is not None else ""
        full = f", {self.full_score:.3f} with all {self.n_full:,}" if self.full_score is not None else ""
        found = f"{self.score:.3f}{spread} with {self.n_labels:,} labels ({self.features}, {self.head}){full}"
        return f"{self.place}: {found}; {self._floor()}"

    def _floor(self) -> str:
        if self.floor is None or self.gain is None or self.floor_score is None:
            return "no floors to compare with"
        between = (
            f", {100 * self.gain_low:+.1f} to {100 * self.gain_high:+.1f}"
            if self.gain_low is not None and self.gain_high is not None
            else ""
        )
        beside = f"best floor {self.floor_score:.3f} ({self.floor}, {self.floor_head})"
        return f"{beside}: {self._word()} ({100 * self.gain:+.1f} points{between})"

    def _word(self) -> str:
        if self.beats_floors is not None:
            return "the embedding beats every floor" if self.beats_floors else "the embedding LOSES to a floor"
        if self.gain_low is not None and self.gain_low > 0:
            return "the embedding is above it, though not surely above every floor"
        return "no clear difference from it"


@dataclass(frozen=True, slots=True)
class EnoughLabels:
    """How many labels bring one curve to a target."""

    task: str
    area: str
    features: str
    head: str
    form: str
    """`dot`: the paper's, the smallest size whose mean reaches 95 % of the score with all labels. `crossing`: where a curve
    that may only rise crosses that line. `skill`: the same for 95 % of the skill above the majority. `common`: the same
    for 95 % of the best embedding's score with all labels."""
    n_labels: float | None
    """None: not reached with all labels."""
    low: float | None
    high: float | None
    """None: open."""
    n_full: int
    """All labels."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of the paper, held against this study."""

    name: str
    """Such as `always below 500`."""
    holds: bool | None
    """None: not to be tested here."""
    estimate: float | None
    low: float | None
    high: float | None
    sentence: str
    """What the paper says, and what this study says to it."""


@dataclass(frozen=True, slots=True)
class Leak:
    """One scheme of training chips, judged on the test chips that all schemes share."""

    task: str
    area: str
    features: str
    head: str
    scheme: str
    n_labels: int
    score: float
    low: float | None
    high: float | None
    optimism: float | None
    """Score less that of the study's own scheme; None for that scheme itself."""
    optimism_low: float | None
    optimism_high: float | None


@dataclass(frozen=True, slots=True)
class LabelRange:
    """How far apart chips must lie for their labels to be unlike each other."""

    task: str
    area: str
    range_km: float | None
    """None: it cannot be told; 0: neighbours are as unlike as any."""
    moran: float | None
    """Moran's I of the nearest chips."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Labels of one area used in another."""

    task: str
    area: str
    train_area: str
    features: str
    head: str
    n_labels: int
    """All labels used."""
    n_local: int
    """Those of them from the test area."""
    score: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """How many labels a target score is expected to need."""

    task: str
    area: str
    features: str
    head: str
    n_known: int
    """Largest number of labels that the forecast saw."""
    target: float
    n_labels: float | None
    """None: the curve is expected to end below the target."""
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ForecastTest:
    """How well forecasts from few labels met what more labels then gave, over all curves."""

    n_known: int
    n_curves: int
    error: float
    """Mean absolute error of the law, in score; then of no change and of a straight line in log n."""
    error_no_change: float
    error_straight: float
    share_best: float
    """Curves on which the law is the nearest of the three."""
    coverage: float
    """Later scores inside the law's 95 % interval."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Answers:
    """All of them."""

    verdicts: tuple[Verdict, ...] = ()
    enough: tuple[EnoughLabels, ...] = ()
    claims: tuple[Claim, ...] = ()
    leakage: tuple[Leak, ...] = ()
    ranges: tuple[LabelRange, ...] = ()
    transfer: tuple[Moved, ...] = ()
    forecasts: tuple[Foreseen, ...] = ()
    forecast_tests: tuple[ForecastTest, ...] = ()
    sentences: tuple[str, ...] = ()
    """How many labels are enough, in words, the best of each task and area."""
    notes: tuple[str, ...] = ()
    """What must be said: chips left out, draws of one class, what could not be told."""
