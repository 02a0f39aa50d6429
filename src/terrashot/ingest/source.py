"""The border to the outside: what a source of imagery or of labels must answer."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from terrashot.domain.modality import Channel, Difference, Imagery


@runtime_checkable
class ImagerySource(Protocol):
    """Reads one modality, already on the chip's own lattice at the resolution it is stored in. Must be picklable."""

    @property
    def modality(self) -> str: ...

    @property
    def side_px(self) -> int:
        """Side of the stored image."""
        ...

    @property
    def max_channels(self) -> int:
        """Most channels that any chip has."""
        ...

    @property
    def unit(self) -> str | None:
        """The unit that all its channels share; None where they differ or nobody said."""
        ...

    @property
    def channels(self) -> tuple[Channel, ...] | None:
        """The channels that every chip should have, in order; None where they vary by chip."""
        ...

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Channels that readers derive from two stored ones."""
        ...

    def read(self, chip_id: str) -> Imagery:
        """Pixels in the channels' units; NaN where there is none.

        Raises:
            MissingImageryError: nothing covers the chip.
            InputError: what covers it cannot be read.
        """
        ...


@runtime_checkable
class BegunAhead(Protocol):
    """An `ImagerySource` that may be asked before its chip is wanted, and while another one reads.

    None that asks a service which counts questions: what an error makes useless would have been paid for.
    """

    @property
    def is_begun_ahead(self) -> bool:
        """Whether threads of its own do the work, so that this is of use."""
        ...


@runtime_checkable
class LabelSource(Protocol):
    """Knows target values of chips. Must be picklable."""

    @property
    def targets(self) -> tuple[str, ...]: ...

    def read(self, chip_id: str) -> Mapping[str, tuple[float, float]]:
        """By target: value, and share of the chip that it was made from; a value of NaN is unknown."""
        ...
