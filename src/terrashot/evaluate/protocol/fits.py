"""One fit of the protocol: labels of a draw in, scores on the test chips out; and the bytes in which it is kept."""

import hashlib
import json
import time
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float64

from terrashot.evaluate.protocol.comparison import TaskDraws
from terrashot.evaluate.protocol.sampling import Draw
from terrashot.evaluate.scores.metrics import score
from terrashot.evaluate.scores.regression_metrics import score_values
from terrashot.heads.lesson import HeadSettings
from terrashot.heads.pool import HEADS, Pool, predict, predict_values

FORMAT = "fit 2"


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What is fitted, and the name under which its outcome is kept."""

    task: TaskDraws
    head: str
    told: HeadSettings
    draw: Draw
    seed: int
    key: str

    def cost(self, n_features: int) -> float:
        """About how many seconds it takes, for what is left of the progress; right to a factor of a few."""
        n, n_judged = len(self.draw.rows), len(self.task.member)
        if HEADS[self.head].needs == "bins":
            return 1e-3 + self.told.trees * (self.told.depth * n * max(1, n_features) ** 0.5 * 1e-8 + n_judged * 2e-8)
        return 1e-2 + (n + n_judged) * n_features * 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class FitScore:
    """How a fit did on the judged chips."""

    scores: Mapping[str, float | None]
    """By the names of `Result`."""
    in_blocks: Float64[np.ndarray, " B"]
    """By block: chips told right, or the sum of squared errors of a regression."""
    seconds: float


def fit_and_score(fit: Fit, pool: Pool) -> FitScore:
    """Learns from the draw, judges every test chip once, and keeps what the task's labels say of it."""
    started = time.perf_counter()
    task = fit.task
    judged = np.flatnonzero(task.member >= 0)
    truth, member = task.judge.y[judged], task.member[judged]
    told = answers_of(fit, pool)[judged]
    if task.learn.is_regression:
        found, per_chip = score_values(truth, told), (told - truth) ** 2
    else:
        found, per_chip = asdict(score(truth, told)), told.argmax(axis=1) == truth
    in_blocks = np.bincount(member, weights=per_chip, minlength=len(task.blocks))
    return FitScore(found, in_blocks, time.perf_counter() - started)


def answers_of(fit: Fit, pool: Pool) -> np.ndarray:
    """What the fit says of every row to judge: values (N,) of a regression, else class probabilities (N, K)."""
    task, y = fit.task, fit.task.learn.y[fit.draw.rows]
    if task.learn.is_regression:
        return predict_values(fit.head, pool, fit.draw.rows, y, settings=fit.told, seed=fit.seed)
    n_classes = len(task.learn.names)
    return predict(fit.head, pool, fit.draw.rows, y, n_classes=n_classes, settings=fit.told, seed=fit.seed)


def key_of(task: TaskDraws, vectors: str, draw: Draw, named: tuple[object, ...]) -> str:
    """Digest of all that a fit follows from: same key, same scores.

    Args:
        vectors: digest of the vectors of the chips to learn from and to judge.
        named: head, what it was told, seed.
    """
    digest = hashlib.blake2b(f"{FORMAT}/{vectors}/{named}/{task.learn.names}".encode(), digest_size=20)
    for part in (draw.rows, task.learn.y[draw.rows], task.judge.y, task.member):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def as_bytes(score: FitScore) -> bytes:
    """The outcome for keeping."""
    head = json.dumps([dict(score.scores), score.seconds]).encode()
    return head + b"\n" + zlib.compress(score.in_blocks.astype("<f8").tobytes(), 1)


def score_of(content: bytes) -> FitScore:
    """The outcome that was kept."""
    head, _, rest = content.partition(b"\n")
    scores, seconds = json.loads(head)
    return FitScore(scores, np.frombuffer(zlib.decompress(rest), "<f8").astype(np.float64), seconds)
