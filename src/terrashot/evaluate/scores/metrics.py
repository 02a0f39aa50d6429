"""Scores of one fit on the test chips; NaN where a score is not defined."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64
from scipy.stats import rankdata


@dataclass(frozen=True, slots=True)
class Scores:
    """All scores of one fit; None where undefined."""

    accuracy: float
    balanced_accuracy: float | None
    f1: float | None
    auc: float | None
    average_precision: float | None
    mcc: float | None
    brier: float | None


def score(y: Int64[np.ndarray, " N"], probabilities: Float[np.ndarray, "N K"]) -> Scores:
    """Scores of class probabilities; the predicted class is the most probable, of equals the first.

    Of two classes the second is the positive one; f1, auc and average precision are its own. Of more, they are means over
    the classes that occur in the test chips.
    """
    n_classes = probabilities.shape[1]
    confusion = confusion_matrix(y, probabilities.argmax(axis=1), n_classes)
    occurring = np.flatnonzero(confusion.sum(axis=1))
    judged: list[int] = [1] if n_classes == 2 else occurring.tolist()
    positives = [y == k for k in judged]
    both = len(occurring) > 1
    return Scores(
        accuracy=float(np.trace(confusion) / len(y)),
        balanced_accuracy=float(np.mean(_recall(confusion)[occurring])),
        f1=_mean([f1(confusion, k) for k in judged]),
        auc=_mean([auc(p, probabilities[:, k]) for k, p in zip(judged, positives, strict=True)]) if both else None,
        average_precision=_mean(
            [average_precision(p, probabilities[:, k]) for k, p in zip(judged, positives, strict=True)]
        ),
        mcc=_defined(mcc(confusion)),
        brier=float(((probabilities - np.eye(n_classes)[y]) ** 2).sum(axis=1).mean() / (2 if n_classes == 2 else 1)),
    )


def confusion_matrix(
    y: Int64[np.ndarray, " N"], predicted: Int64[np.ndarray, " N"], n_classes: int
) -> Int64[np.ndarray, "K K"]:
    """Counts by true class (rows) and predicted class (columns)."""
    return np.bincount(y * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)


def f1(confusion: Int64[np.ndarray, "K K"], k: int) -> float:
    """Harmonic mean of precision and recall of class k; NaN where it neither occurs nor is predicted."""
    total = confusion[k].sum() + confusion[:, k].sum()
    return float(2 * confusion[k, k] / total) if total else float("nan")


def auc(positive: Bool[np.ndarray, " N"], probability: Float[np.ndarray, " N"]) -> float:
    """Share of (positive, negative) pairs in which the positive is more probable, ties half (Mann and Whitney 1947)."""
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return float("nan")
    ranks = rankdata(probability)[positive].sum()
    return float((ranks - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def average_precision(positive: Bool[np.ndarray, " N"], probability: Float[np.ndarray, " N"]) -> float:
    """Mean precision over the recalls that the thresholds reach; NaN without a positive. Equal probabilities count at once."""
    if not positive.any():
        return float("nan")
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(positive[order])
    last = np.append(np.flatnonzero(np.diff(probability[order])), len(order) - 1)
    precision, found = hits[last] / (last + 1), hits[last]
    return float((precision * np.diff(found, prepend=0)).sum() / positive.sum())


def mcc(confusion: Int64[np.ndarray, "K K"]) -> float:
    """Matthews' correlation for any number of classes; NaN where truth or prediction is constant (Gorodkin 2004)."""
    true, predicted = confusion.sum(axis=1).astype(float), confusion.sum(axis=0).astype(float)
    n = confusion.sum()
    spread = np.sqrt(n**2 - (true**2).sum()) * np.sqrt(n**2 - (predicted**2).sum())
    return float((np.trace(confusion) * n - (true * predicted).sum()) / spread) if spread else float("nan")


def _recall(confusion: np.ndarray) -> np.ndarray:
    occurring = confusion.sum(axis=1)
    return np.diag(confusion) / np.where(occurring, occurring, 1)


def _mean(values: list[float]) -> float | None:
    known = [value for value in values if value == value]
    return float(np.mean(known)) if known else None


def _defined(value: float) -> float | None:
    return value if value == value else None
