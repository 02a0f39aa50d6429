"""What became of channels, told row by row: small enough to check by eye."""

import numpy as np

from terrashot.domain.channel_states import ChannelState, ChannelStates
from terrashot.domain.tables import PresenceRow, make_presence

MONTHS = ("2020-01", "2020-02")
OK, CLOUD, LATE = ("ok", ""), ("empty", "all clouded"), ("missing", "no acquisition in the month")
UNREAD, NO_PAIR = ("failed", "failed to read"), ("missing", "no pair was formed")


def states_of(rows):
    """From (row of the chip, modality, part, (status, reason))."""
    each = [(chip, ChannelState(modality, part, *what)) for chip, modality, part, what in rows]
    states = tuple(dict.fromkeys(state for _, state in each))
    chip = np.array([chip for chip, _ in each], dtype=np.int32)
    return ChannelStates(chip, np.array([states.index(state) for _, state in each], dtype=np.int32), states)


def optical(*months):
    """A chip a text, a letter a month: `o` ok, `c` clouded, `n` no acquisition, `f` failed; two channels each."""
    told = {"o": OK, "c": CLOUD, "n": LATE, "f": UNREAD}
    return [
        (chip, "s2rgbm", month, told[letter])
        for chip, letters in enumerate(months)
        for month, letter in zip(MONTHS, letters, strict=True)
        for _ in range(2)
    ]


def presence_of(rows):
    """The same as the table that a study keeps, of chips `c0`, `c1`, ..."""
    return make_presence([_row(*row) for row in rows])


def _row(chip, modality, part, what):
    status, reason = what
    if part is None:
        return PresenceRow(f"c{chip}", modality, None, None, None, status, reason, None, None, None, None)
    first, kind = (f"{part}-01", "red") if part in MONTHS else (None, part)
    told = None if status == "ok" else f"{reason}: B04 of c{chip}"
    return PresenceRow(f"c{chip}", modality, f"{part}_{kind}", kind, None, status, told, None, None, first, None)
