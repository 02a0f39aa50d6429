"""Descriptors that were worked out before: a channel's are the same in every epoch, and take as long as a sixth of a step."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float32

from terrashot.pretrain.descriptors import N_DESCRIPTORS, describe

MOST_KNOWN = 1 << 18
"""Channels whose descriptors are kept: about 100 MB. Those of a larger store beyond so many are worked out each time."""

Which = tuple[str, str, int]
"""Chip, modality and slot."""


class KnownDescriptors:
    """The descriptors of channels, each worked out once; one thread at a time."""

    def __init__(self) -> None:
        self._known: dict[Which, Float32[np.ndarray, " Q"]] = {}

    def of(
        self, which: Sequence[Which], read: Callable[[Sequence[int]], Float32[np.ndarray, "_ H W"]]
    ) -> Float32[np.ndarray, "B Q"]:
        """Of each channel, as `describe` gives them.

        Args:
            read: scaled images of the channels at these places of `which`, unturned, so that none hangs on the epoch.
        """
        found = np.empty((len(which), N_DESCRIPTORS), dtype=np.float32)
        unknown = [place for place, one in enumerate(which) if one not in self._known]
        if unknown:
            found[unknown] = describe(read(unknown))
        for place in unknown[: MOST_KNOWN - len(self._known)]:
            self._known[which[place]] = found[place].copy()
        fresh = set(unknown)
        for place, one in enumerate(which):
            if place not in fresh:
                found[place] = self._known[one]
        return found
