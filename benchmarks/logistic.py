"""The logistic head beside scikit-learn's solver on the same few rows: same loss, same penalty, interleaved.

python benchmarks/logistic.py [--quick]
"""

import argparse

import numpy as np
from interleaved import report, seconds_a_call
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from terrashot.heads.lesson import HeadSettings, Lesson
from terrashot.heads.logistic import LOGIT_VARIANCE, TOLERANCE, logistic_classes

ROWS, COLUMNS, JUDGED = (10, 100, 250, 500), (192, 768, 2304), 500


def lesson_of(n: int, width: int) -> Lesson:
    """Simulated vectors whose columns go together, standardised, and a class that they foretell in part."""
    rng = np.random.default_rng(n + width)
    vectors = rng.normal(size=(n + JUDGED, 64)) @ rng.normal(size=(64, width)) + 3 * rng.normal(
        size=(n + JUDGED, width)
    )
    vectors = ((vectors - vectors.mean(axis=0)) / vectors.std(axis=0)).astype(np.float32)
    y = (vectors @ rng.normal(size=width) + rng.normal(size=n + JUDGED) * width**0.5 > 0).astype(np.int64)
    return Lesson(vectors[:n], y[:n], vectors[n:], HeadSettings(), 0)


def rival(lesson: Lesson) -> np.ndarray:
    """What scikit-learn's default solver gives."""
    model = LogisticRegression(C=LOGIT_VARIANCE / lesson.learn.shape[1], tol=TOLERANCE, max_iter=2000)
    return model.fit(lesson.learn, lesson.y).predict_proba(lesson.judge)


def main() -> None:
    """Prints one line; the ratio is over all shapes together, and each shape's own stands beside it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    rounds, at_least_s = (3, 0.02) if parser.parse_args().quick else (9, 0.2)
    totals, of_shape = np.zeros((2, rounds)), {}
    with threadpool_limits(1), config_context(assume_finite=True, skip_parameter_validation=True):
        for width in COLUMNS:
            for n in ROWS:
                lesson = lesson_of(n, width)
                calls = {"own": lambda at=lesson: logistic_classes(at), "rival": lambda at=lesson: rival(at)}
                spent = seconds_a_call(calls, rounds=rounds, at_least_s=at_least_s)
                both = np.array([spent["rival"], spent["own"]])
                totals += both
                of_shape[f"{n} x {width}"] = round(float(np.median(both[0] / both[1])), 2)
    report("logistic", list(totals[0] / totals[1]), "scikit-learn's lbfgs", of_shape=of_shape)


if __name__ == "__main__":
    main()
