"""The few-label protocol from Python: arrays in, curves and answers out; also for notebooks."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from html import escape

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from terrashot.domain.answers import Answers
from terrashot.domain.results import Point, dots
from terrashot.domain.split import SplitRecipe, choose_scheme, make_split
from terrashot.domain.tables import Chips, Embeddings, Labels
from terrashot.engine import available_cores
from terrashot.errors import InputError
from terrashot.evaluate.answers.answers import make_answers
from terrashot.evaluate.protocol.feature_sets import feature_sets
from terrashot.evaluate.protocol.fewshot import FewshotSettings, run_fewshot
from terrashot.evaluate.protocol.fitting import FitsDone, Workshop
from terrashot.plots.curves import accuracy_curves
from terrashot.plots.style import house_style, rendered
from terrashot.steps.progress import Event, finish, relay


@dataclass(frozen=True, slots=True, eq=False)
class FewshotAnswer:
    """Curves and what they say."""

    answers: Answers
    notes: tuple[str, ...]
    points: tuple[Point, ...]

    @property
    def table(self) -> pd.DataFrame:
        """A row a task, area, feature set, head and number of labels: mean score, spread over draws, 95 % interval."""
        return pd.DataFrame([asdict(point) for point in self.points])

    def figure(self, head: str | None = None) -> Figure:
        """Score against number of labels, of one head; without a name, of the first."""
        head = head or self.points[0].head
        return accuracy_curves(self.points, dots(self.points), head)

    def __repr__(self) -> str:
        return "\n".join(self._sentences)

    def _repr_html_(self) -> str:
        """What a notebook shows: the sentences, and the curves of the first head."""
        said = "".join(f"<li>{escape(line)}</li>" for line in self._sentences)
        with house_style():
            picture = base64.b64encode(rendered(self.figure(), "png")).decode()
        return f'<ul>{said}</ul><img alt="score against number of labels" src="data:image/png;base64,{picture}">'

    @property
    def _sentences(self) -> list[str]:
        return [*(verdict.sentence for verdict in self.answers.verdicts), *self.answers.sentences, *self.notes]


def fewshot(
    vectors: Mapping[str, np.ndarray] | np.ndarray,
    labels: Mapping[str, Sequence[object] | np.ndarray],
    *,
    chips: pd.DataFrame | None = None,
    settings: FewshotSettings | None = None,
    progress: Callable[[float], object] | None = None,
) -> FewshotAnswer:
    """Accuracy against number of labels for vectors that are at hand, beside majority and, with places, coordinates.

    Args:
        vectors: (N, D) by name, or one array; a row of NaN is a chip without it.
        labels: a column a target, in the rows of the vectors; NaN or None where unknown. Numbers are cut into two classes.
        chips: what is known of the rows, any of `id, area, group, split, lon, lat`. With groups or places the test chips lie
            apart from the training chips; without them the split is random.
        progress: called with the share that is done, from 0 to 1, now and then.

    Raises:
        InputError: columns of unequal length, NaN among numbers, too few chips or labels.
    """
    blocks = {"vectors": vectors} if isinstance(vectors, np.ndarray) else dict(vectors)
    n_chips = len(next(iter(blocks.values()), ()))
    described = _chips(pd.DataFrame(index=range(n_chips)) if chips is None else chips.reset_index(drop=True))
    _check_lengths(n_chips, {**blocks, **labels, "chips": described.ids})
    scheme, sentence = choose_scheme(described)
    split = replace(described, split=make_split(described, SplitRecipe(scheme)))
    table = Embeddings(split, {name: _finite(name, block) for name, block in blocks.items()})
    targets = Labels(split.ids, {name: _column(values) for name, values in labels.items()})
    settings = settings or FewshotSettings()
    work = run_fewshot(
        feature_sets(table, None), split, targets, settings, split_scheme=scheme, workshop=Workshop(available_cores())
    )
    tables = finish(relay(work, lambda fits: _tell(fits, progress)))
    points, answers = make_answers(tables, split, targets, settings.draws.seed)
    return FewshotAnswer(answers, (sentence, *tables.notes), tuple(points))


def _tell(fits: FitsDone, progress: Callable[[float], object] | None) -> list[Event]:
    if progress is not None and fits.total:
        progress(fits.done / fits.total)
    return []


def _chips(frame: pd.DataFrame) -> Chips:
    n = len(frame)

    def text(name: str) -> tuple[str | None, ...]:
        if name not in frame:
            return (None,) * n
        return tuple(None if pd.isna(value) else str(value) for value in frame[name])

    def number(name: str) -> np.ndarray | None:
        return frame[name].to_numpy(np.float64) if name in frame else None

    ids = tuple(f"{row:08d}" if chip_id is None else chip_id for row, chip_id in enumerate(text("id")))
    if len(set(ids)) < n:
        raise InputError(f"chips: {n - len(set(ids))} ids occur twice; each chip needs its own")
    area = tuple(name or "all" for name in text("area"))
    return Chips(ids, area, text("group"), text("split"), lon_deg=number("lon"), lat_deg=number("lat"))


def _check_lengths(n_chips: int, columns: Mapping[str, Sequence[object] | np.ndarray]) -> None:
    for name, column in columns.items():
        if len(column) != n_chips:
            raise InputError(
                f"'{name}' has {len(column)} rows, the first vectors have {n_chips}; all must have the same"
            )


def _finite(name: str, block: np.ndarray) -> np.ndarray:
    if block.ndim != 2 or block.dtype.kind != "f":
        raise InputError(f"'{name}': {block.dtype} of shape {block.shape}; vectors are floats, (chips, numbers)")
    absent, broken = np.isnan(block).all(axis=1), ~np.isfinite(block).all(axis=1)
    if (broken & ~absent).any():
        row = int(np.flatnonzero(broken & ~absent)[0])
        raise InputError(
            f"'{name}': row {row} holds NaN or infinity among numbers; a chip without a vector is NaN throughout"
        )
    return block if block.dtype in (np.float16, np.float32) else block.astype(np.float32)


def _column(values: Sequence[object] | np.ndarray) -> np.ndarray:
    """Numbers as float64 with NaN, anything else as text with None."""
    series = pd.Series(np.asarray(values, dtype=object))
    numbers = pd.to_numeric(series, errors="coerce")
    if numbers.isna().sum() == series.isna().sum():
        return numbers.to_numpy(np.float64)
    return np.array([None if pd.isna(value) else str(value) for value in series], dtype=object)
