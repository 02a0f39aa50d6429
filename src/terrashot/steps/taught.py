"""How the towers of a study are made and taught: as its preset says, unless the study says otherwise."""

from dataclasses import replace

from terrashot.config import PretrainSection
from terrashot.model.presets import PRESETS, Preset

ASKED = ("views", "crop", "differences")
"""Keys of [pretrain] that the preset answers for where they are not given."""


def taught_preset(section: PretrainSection) -> Preset:
    """The preset, with what the study says in its place."""
    asked = {name: getattr(section, name) for name in ASKED}
    return replace(PRESETS[section.preset], **{name: value for name, value in asked.items() if value is not None})
