"""Scores of predicted values on the test chips."""

import numpy as np
from jaxtyping import Float64
from scipy.stats import spearmanr


def score_values(truth: Float64[np.ndarray, " N"], values: Float64[np.ndarray, " N"]) -> dict[str, float | None]:
    """R2, mean absolute error in the label's unit, and Spearman's correlation of ranks; None where undefined.

    R2 is 1 minus the squared error over that of the test chips' own mean: 0 is what their mean would give, below 0 is worse.
    """
    spread = float(((truth - truth.mean()) ** 2).sum())
    both_vary = np.ptp(truth) > 0 and np.ptp(values) > 0
    return {
        "accuracy": None, "balanced_accuracy": None, "f1": None, "auc": None, "average_precision": None, "mcc": None, "brier": None,
        "r2": 1 - float(((values - truth) ** 2).sum()) / spread if spread else None,
        "mae": float(np.abs(values - truth).mean()),
        "spearman": float(spearmanr(truth, values).statistic) if both_vary else None,
    }  # fmt: skip
