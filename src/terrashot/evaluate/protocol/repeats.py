"""How many draws a mean needs, and draws that also tell how much the pool itself matters."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from scipy.stats import t as student

from terrashot.domain.results import Result
from terrashot.evaluate.protocol.comparison import Comparison, DrawSettings, TaskDraws
from terrashot.evaluate.protocol.sampling import Draw, draws_of, resampled_draw

FEWEST_LABELS, HALF_WIDTH = 100, 0.02
"""From so many labels on, a mean is to be known so well as far as draws go."""
BUDGETS = (100, 250)
"""Numbers of labels of which a verdict is given."""


def half_width_of_draws(scores: Float64[np.ndarray, " R"]) -> float:
    """Half of the 95 % interval of a mean over draws (Student 1908); infinite for one draw."""
    n = len(scores)
    return float(student.ppf(0.975, n - 1) * scores.std(ddof=1) / n**0.5) if n > 1 else float("inf")


def repeats_needed(scores: Float64[np.ndarray, " R"], most: int) -> int:
    """Draws after which the half width would be at most 2 points, the spread being as it is now; `most` at most."""
    if len(scores) < 2 or half_width_of_draws(scores) <= HALF_WIDTH:
        return len(scores)
    spread = float(scores.std(ddof=1))
    counts = np.arange(len(scores), max(most, len(scores)) + 1)
    enough = student.ppf(0.975, counts - 1) * spread / counts**0.5 <= HALF_WIDTH
    return int(counts[np.argmax(enough)]) if enough.any() else int(counts[-1])


def more_draws(
    comparison: Comparison, results: Sequence[Result], settings: DrawSettings, most: int
) -> dict[str, list[Draw]]:
    """By task, the draws to add; the same for every feature set and head, as many as the least certain one needs."""
    wanted = {}
    for task in comparison.tasks:
        need = _needs(task, comparison.area, results, most)
        repeats = range(settings.repeats, max(need.values(), default=0))
        names = (settings.seed, task.task, comparison.area)
        wanted[task.task] = [
            draw
            for repeat in repeats
            for draw in draws_of(task.pool, sorted(size for size, n in need.items() if n > repeat), repeat, names)
        ]
    return wanted


def resampled_draws(comparison: Comparison, settings: DrawSettings) -> dict[str, list[Draw]]:
    """By task, draws of the verdict's sizes from resampled pools, where the size exceeds a third of the pool."""
    wanted = {}
    for task in comparison.tasks:
        groups = [comparison.groups[position] for position in task.pool]
        sizes = [n for n in settings.sizes if n in BUDGETS and len(task.pool) / 3 < n < len(task.pool)]
        names = (settings.seed, task.task, comparison.area)
        wanted[task.task] = [
            resampled_draw(task.pool, groups, size, repeat, names)
            for repeat in range(settings.repeats)
            for size in sizes
        ]
    return wanted


def _needs(task: TaskDraws, area: str, results: Sequence[Result], most: int) -> dict[int, int]:
    """Repeats needed by size, over all feature sets and heads."""
    scores: dict[tuple[int, str, str], list[float]] = {}
    for row in results:
        if (row.task, row.area) == (task.task, area) and (row.n_labels_asked or 0) >= FEWEST_LABELS:
            scores.setdefault((row.n_labels, row.features, row.head), []).append(row.score)
    needs: dict[int, int] = {}
    for (size, _, _), own in scores.items():
        needs[size] = max(needs.get(size, 0), repeats_needed(np.array(own), most))
    return needs
