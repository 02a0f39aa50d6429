"""The paper's claims on a study: true or false here, by how much, and how surely.

Source: Allen et al. 2023, arXiv:2310.00119, section 4.2. Intervals are over other draws and other test blocks of the same tasks
and areas; where there are few blocks and many areas they are somewhat too wide. A cell is a task, an
area and a size. Axes: T replicates, S sizes, C cells.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64
from scipy.stats import chi2

from terrashot.domain.answers import Claim
from terrashot.domain.results import is_floor
from terrashot.evaluate.certainty.bootstrap import Replicates
from terrashot.evaluate.certainty.curve import Curve, scores_by_draw
from terrashot.evaluate.certainty.enough import TAIL, Scored, own_crossing
from terrashot.evaluate.certainty.intervals import stretched
from terrashot.evaluate.protocol.feature_sets import CONCATENATED

RADAR = "s1grdm"
FEW_LABELS = 50
MARGINAL = 0.03
"""The paper gives no number for `marginally`; this one is ours."""


def claims(scored: Sequence[Scored]) -> list[Claim]:
    """Each claim of the paper, tested on the embeddings' accuracies. The curves are of one head; the paper's is the forest."""
    learnt = [one for one in scored if not is_floor(one.curve.features) and not one.curve.is_regression]
    by_place = _by_place(learnt)
    return [
        _reached("always below 500", learnt, 500, always=True),
        _reached("mostly below 250", learnt, 250, always=False),
        _steady("spread at few labels", learnt, range(FEW_LABELS + 1), bound=0.05),
        _steady("spread above", learnt, range(FEW_LABELS + 1, 10**12), bound=0.01),
        _radar_best(by_place),
        _all_better(by_place),
    ]


def _by_place(learnt: Sequence[Scored]) -> list[dict[str, Replicates]]:
    """By task and area, the scores of each feature set; they share their sizes."""
    places: dict[tuple[str, str], dict[str, Replicates]] = {}
    for one in learnt:
        places.setdefault((one.curve.task, one.curve.area), {})[one.curve.features] = one.scores
    return list(places.values())


def _reached(name: str, learnt: Sequence[Scored], n_labels: int, *, always: bool) -> Claim:
    """By the crossing, which says whether `n_labels` would do; a full set that is no larger says nothing."""
    what = f"95 % of the full-label accuracy with fewer than {n_labels} labels"
    reaches = [
        own_crossing(one)
        for one in learnt
        if one.curve.full is not None and len(one.curve.sizes) > 1 and one.curve.sizes[-1] > n_labels
    ]
    if not reaches:
        return _untested(name, f"{what}: no curve has more than {n_labels} labels in all")
    estimate = float(np.mean([reach.estimate < n_labels for reach in reaches]))
    replicates = np.stack([reach.replicates for reach in reaches])
    shares = np.where(np.isnan(replicates).any(axis=0), np.nan, (replicates < n_labels).mean(axis=0))
    count = round(estimate * len(reaches))
    text = f"the paper: {'always' if always else 'mostly'}; here {count} of {len(reaches)} curves reach {what}"
    return _claim(name, count == len(reaches) if always else estimate > 0.5, estimate, shares, text)


def _steady(name: str, learnt: Sequence[Scored], sizes: range, *, bound: float) -> Claim:
    """By the largest standard deviation over draws; its interval is that of one of normal scores (chi-square)."""
    where = f"at {FEW_LABELS} labels or fewer" if sizes.start == 0 else f"above {FEW_LABELS} labels"
    found = [spread for one in learnt for spread in _spreads(one.curve, sizes)]
    if not found:
        return _untested(name, f"standard deviation over draws {where}: no size was drawn more than once")
    spreads = np.array([spread for spread, _ in found])
    largest, df = max(found)
    low, high = largest * np.sqrt(df / chi2.ppf([1 - TAIL, TAIL], df))
    text = (
        f"the paper: below {bound}; here the standard deviation over draws {where} is {largest:.3f} at most "
        f"({low:.3f} to {high:.3f}), {np.median(spreads):.3f} in the middle, "
        f"below {bound} in {(spreads < bound).sum()} of {len(spreads)} curves and sizes"
    )
    return Claim(name, largest < bound, largest, float(low), float(high), text)


def _spreads(curve: Curve, sizes: range) -> list[tuple[float, int]]:
    """Standard deviation over draws, and its degrees of freedom, of each of the sizes that was drawn more than once."""
    scores = scores_by_draw(curve, np.ones((1, len(curve.n))))
    return [
        (float(own.std(ddof=1)), len(own) - 1)
        for size, own, full in zip(curve.sizes, scores, curve.is_full, strict=True)
        if size in sizes and len(own) > 1 and not full
    ]


def _radar_best(places: Sequence[Mapping[str, Replicates]]) -> Claim:
    """Best in more than half of the cells; ties are no win."""
    gains = [_gain(place, RADAR, rivals) for place in places if RADAR in place and (rivals := _single(place, RADAR))]
    if not gains:
        return _untested("radar best", f"no task has {RADAR} beside another single modality")
    gain, gains_of = (np.concatenate(part, axis=-1) for part in zip(*gains, strict=True))
    wins = np.where(np.isnan(gains_of).any(axis=1), np.nan, (gains_of > 0).mean(axis=1))
    text = (
        f"the paper: in general; here {RADAR} is the best single modality in {(gain > 0).sum()} of {gain.size} cells, on average "
        f"{_points(float(gain.mean()), gains_of.mean(axis=1))} over the next best of each"
    )
    share = float((gain > 0).mean())
    return _claim("radar best", share > 0.5, share, wins, text)


def _all_better(places: Sequence[Mapping[str, Replicates]]) -> Claim:
    """By more than nothing and at most 3 points."""
    both = [place for place in places if CONCATENATED in place and len(place) > 1]
    gains = [_gain(place, CONCATENATED, [_best_single(place)]) for place in both]
    if not gains:
        return _untested("all better", f"no task has {CONCATENATED} beside a single modality")
    gain, gains_of = (np.concatenate(part, axis=-1) for part in zip(*gains, strict=True))
    mean, means = float(gain.mean()), gains_of.mean(axis=1)
    text = (
        f"the paper: marginally better; here {CONCATENATED} is {_points(mean, means)} over the best single modality "
        f"of each task and area, on average over {gain.size} cells"
    )
    return _claim("all better", 0 < mean <= MARGINAL, mean, means, text)


def _single(place: Mapping[str, Replicates], without: str) -> list[str]:
    return [name for name in place if name not in (CONCATENATED, without)]


def _best_single(place: Mapping[str, Replicates]) -> str:
    """The single modality that is the best on average over the sizes."""
    return max(_single(place, CONCATENATED), key=lambda name: float(place[name].estimate.mean()))


def _gain(
    place: Mapping[str, Replicates], features: str, rivals: Sequence[str]
) -> tuple[Float64[np.ndarray, " S"], Float64[np.ndarray, "T S"]]:
    """How far the features are above the best of the rivals, and the same in each replicate."""
    gaps = [place[features].minus(place[rival]) for rival in rivals]
    estimate = np.min([gap.estimate for gap in gaps], axis=0)
    return estimate, np.min([stretched(gap) for gap in gaps], axis=0)


def _claim(name: str, holds: bool, estimate: float, replicates: Float64[np.ndarray, " T"], text: str) -> Claim:
    return Claim(name, holds, estimate, *_ends(estimate, replicates), text)


def _ends(estimate: float, replicates: Float64[np.ndarray, " T"]) -> tuple[float | None, float | None]:
    """They hold the estimate: a largest of several, or a share near 0 or 1, lies at the edge of its replicates."""
    if np.isnan(replicates).any():
        return None, None
    low, high = np.quantile(replicates, [TAIL, 1 - TAIL])
    return min(float(low), estimate), max(float(high), estimate)


def _points(gain: float, replicates: Float64[np.ndarray, " T"]) -> str:
    low, high = _ends(gain, replicates)
    between = "" if low is None or high is None else f" ({100 * low:+.1f} to {100 * high:+.1f})"
    return f"{100 * gain:+.1f} points{between}"


def _untested(name: str, why: str) -> Claim:
    return Claim(name, None, None, None, None, f"not tested, {why}")
