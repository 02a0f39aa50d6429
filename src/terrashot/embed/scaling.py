"""By which moments the channels of chips are scaled: the model's, or the chips' own."""

from collections.abc import Collection, Sequence
from typing import Literal

from terrashot.domain.modality import BETWEEN, SPREADS, is_difference
from terrashot.domain.normalize import ChannelStats, KindStats
from terrashot.errors import IntegrityError


def statistics_for(
    model: ChannelStats, own: ChannelStats, choice: Literal["model", "chips"]
) -> tuple[ChannelStats, tuple[str, ...]]:
    """The channel moments to scale these chips with, and what must be said about them.

    The model's, where chips and model state the same unit; the chips' own, where either states none or that was asked
    for. A kind that the model does not know is scaled by its own moments too; a modality that it does not know is left
    out.

    Args:
        own: moments of the chips to embed.

    Raises:
        IntegrityError: both state units, and they differ.
    """
    if choice == "chips":
        return own, ("channels are scaled by the chips' own means and spreads, as asked",)
    chosen: dict[str, dict[str, KindStats]] = {}
    unstated: list[str] = []
    for modality, kinds in own.kinds.items():
        theirs = {kind: found for kind, found in model.kinds.get(modality, {}).items() if not is_difference(kind)}
        for kind, mine in kinds.items() if theirs else ():
            known = [theirs[kind]] if kind in theirs else list(theirs.values())
            _refuse_another_unit(modality, kind, mine, known)
            is_same = kind in theirs and _stated(mine.unit) and _stated(theirs[kind].unit)
            chosen.setdefault(modality, {})[kind] = theirs[kind] if is_same else mine
            unstated += [] if is_same else [f"{modality} {kind}"]
    note = (
        f"chips and model do not both know and state the unit of {', '.join(unstated)}: "
        "scaled by the chips' own means and spreads"
    )
    return ChannelStats(chosen), (note,) if unstated else ()


def differences_for(model: ChannelStats, measured: ChannelStats) -> ChannelStats:
    """`measured` with the model's moments of each difference whose channels are scaled by the model's moments too.

    A difference of channels that are scaled by the chips' own is itself scaled by its own.
    """
    chosen: dict[str, dict[str, KindStats]] = {}
    for modality, kinds in measured.kinds.items():
        theirs = model.kinds.get(modality, {})
        others = {kind for kind, moments in kinds.items() if theirs.get(kind) != moments}
        chosen[modality] = {
            kind: theirs[kind] if _is_known(kind, theirs, others) else moments for kind, moments in kinds.items()
        }
    return ChannelStats(chosen)


def _is_known(kind: str, theirs: Collection[str], others: Collection[str]) -> bool:
    """Whether the model has moments of a difference, and none of its two channels is among those scaled otherwise."""
    return is_difference(kind) and kind in theirs and not set(kind.split(BETWEEN)) & set(others)


def _refuse_another_unit(modality: str, kind: str, mine: KindStats, theirs: Sequence[KindStats]) -> None:
    """Nothing, if one of the model's moments is in the unit of ours, or no unit is stated on one of the sides."""
    units = sorted({str(moments.unit) for moments in theirs if _stated(moments.unit)})
    if units and _stated(mine.unit) and mine.unit not in units:
        raise IntegrityError(
            f"{modality}: channel '{kind}' is in {mine.unit}, the model was trained on {' and '.join(units)}; "
            "convert it, or add --statistics chips to scale by the chips' own means"
        )


def _stated(unit: str | None) -> bool:
    # A file's own integers are no unit: 8-bit images of two makers need not share a scale. Nor need spreads of two data sets.
    return unit not in (None, "dn", SPREADS)
