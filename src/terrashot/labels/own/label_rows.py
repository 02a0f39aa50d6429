"""A user's rows with a place and a value, in degrees."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64


@dataclass(frozen=True, slots=True, eq=False)
class LabelRows:
    """Points, or lines, or polygons; R of them."""

    number: Int64[np.ndarray, " R"]
    """As the file counts its rows, for messages; parts of one row share it."""
    lon_deg: Float64[np.ndarray, " R"]
    """Of the point; of a line or polygon of a point that lies on it."""
    lat_deg: Float64[np.ndarray, " R"]
    shapes: np.ndarray | None = None
    """Shapely lines or polygons in degrees; None where all rows are points."""
    dimension: int = 0
    """0 points, 1 lines, 2 polygons."""
    names: tuple[str, ...] = ()
    """Classes, sorted; none where the rows have no class."""
    code: Int64[np.ndarray, " R"] | None = None
    """Number of each row's class among them."""
    amount: Float64[np.ndarray, " R"] | None = None
    """The number of each row; of rows with numbers alone."""

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: np.ndarray) -> "LabelRows":
        """Those of these positions, or those that are true, in that order."""

        def of(column: np.ndarray | None) -> np.ndarray | None:
            return None if column is None else column[rows]

        return LabelRows(
            self.number[rows], self.lon_deg[rows], self.lat_deg[rows], of(self.shapes), self.dimension, self.names,
            of(self.code), of(self.amount),
        )  # fmt: skip

    @property
    def of_class(self) -> tuple[str | None, ...]:
        """Names of the classes; one None where the rows have none."""
        return self.names or (None,)
