"""Which pixels of an optical acquisition are clear, by each of the masks that providers deliver beside it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, no_type_check

import numpy as np
from jaxtyping import Bool, Float, Integer, Real
from numba import njit

from terrashot.errors import ConfigError, InputError
from terrashot.ingest.months import in_utc, window_utc

SCL_CLEAR: Final = (2, 4, 5, 6, 7, 11)
"""Dark ground, plants, bare ground, water, unclassified, snow. Hidden are 0 no data, 1 saturated or defective, 3 cloud shadow,
8 and 9 cloud, 10 cirrus. Snow is ground; 7 is what the classifier could not name, which is mostly ground too."""
IS_CLEAR_SCL: Final = np.isin(np.arange(1 + max(SCL_CLEAR)), SCL_CLEAR)
QA60_CLOUD: Final = 1 << 10 | 1 << 11
"""Opaque cloud, cirrus."""
QA60_EMPTY: Final = (datetime(2022, 1, 25, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC))
"""From when on, and until when, QA60 was delivered empty (`sources.md` C): there it calls every cloud clear."""
CLEAR_SCORE: Final = 0.6
"""Of 0 to 1; 1 is clear. Source: Pasquarella et al. 2023 (CVPRW, Cloud Score+), whose examples cut at 0.6."""


def clear_by_scl(scl: Real[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Where the scene classification of Level-2A sees ground."""
    is_clear = np.empty(scl.shape, np.bool_)
    _look_up(scl.reshape(-1), IS_CLEAR_SCL, is_clear.reshape(-1))
    return is_clear


def clear_by_qa60(qa60: Integer[np.ndarray, "H W"], sensed_at: datetime) -> Bool[np.ndarray, "H W"]:
    """Where neither cloud bit is set.

    Raises:
        InputError: sensed in the years whose QA60 is empty.
    """
    start, end = QA60_EMPTY
    if start <= in_utc(sensed_at) < end:
        raise InputError(
            f"QA60 of {sensed_at:%Y-%m-%d}: it is empty from {start:%Y-%m-%d} to 2024-02-28; use the mask scl"
        )
    return np.asarray(qa60) & QA60_CLOUD == 0


def refuse_months_without_qa60(months: Iterable[str]) -> None:
    """Nothing, where QA60 is filled through all of the months.

    Raises:
        ConfigError: a month of which some day has an empty QA60; better known before anything is fetched.
    """
    for month in months:
        start, end = window_utc(month)
        if start < QA60_EMPTY[1] and QA60_EMPTY[0] < end:
            raise ConfigError(f"mask = 'qa60': QA60 is empty in {month} (2022-01-25 to 2024-02-28); use mask = 'scl'")


def clear_by_score(score: Float[np.ndarray, "H W"], at_least: float = CLEAR_SCORE) -> Bool[np.ndarray, "H W"]:
    """Where a cloud score of 0 to 1, 1 being clear, is high enough; where there is none, nothing is clear.

    Raises:
        InputError: a score outside 0 to 1, so that it is another quantity (the older cloud probability counts the other way).
    """
    known = score[np.isfinite(score)]
    if known.size and not 0 <= known.min() <= known.max() <= 1:
        raise InputError(f"cloud score from {known.min():g} to {known.max():g}; needs 0 to 1, 1 being clear")
    return np.greater_equal(score, at_least)


@njit(cache=True, nogil=True)
@no_type_check
def _look_up(classes: np.ndarray, table: np.ndarray, found: np.ndarray) -> None:
    """False for classes that the table does not have; whole numbers may be written as floats."""
    for pixel in range(len(classes)):
        is_listed = 0 <= classes[pixel] < len(table)
        number = int(classes[pixel]) if is_listed else 0
        found[pixel] = is_listed and number == classes[pixel] and table[number]
