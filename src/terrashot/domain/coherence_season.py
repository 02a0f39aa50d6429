"""The seasons of the global seasonal coherence data set, December 2019 to November 2020, and the pairs whose medians it holds.

Source: Kellndorfer et al. 2022 (Sci Data 9, 73).
"""

from typing import Final, Literal

Season = Literal["winter", "spring", "summer", "fall"]
"""Of the northern half of the Earth."""
SeasonalDays = Literal[6, 12, 18, 24, 36, 48]
"""Between the two dates of a pair."""
FIRST_DAY: Final[dict[Season, str]] = {
    "winter": "2019-12-01", "spring": "2020-03-01", "summer": "2020-06-01", "fall": "2020-09-01",
}  # fmt: skip
LAST_DAY: Final[dict[Season, str]] = {
    "winter": "2020-02-29", "spring": "2020-05-31", "summer": "2020-08-31", "fall": "2020-11-30",
}  # fmt: skip
