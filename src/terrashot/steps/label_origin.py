"""Which labels were made from the same satellites as the embeddings, so that what is learnt of them is partly circular."""

from collections.abc import Mapping, Sequence

from terrashot.config import StudyConfig
from terrashot.domain.modality import MODALITIES

MADE_FROM: Mapping[str, tuple[str, ...]] = {
    # Zanaga et al. 2021, doi:10.5281/zenodo.5571936: Sentinel-1 and Sentinel-2 of the same year.
    "worldcover-2020": ("s2rgbm", "s1grdm"),
    "worldcover-2021": ("s2rgbm", "s1grdm"),
    # Pesaresi and Politis 2023, doi:10.2905/9F06F36F-4B11-47EC-ABB0-4F8B7B1D72EA: a Sentinel-2 composite, beside Landsat.
    "ghs-built-s": ("s2rgbm",),
}
"""By product of [labels.maps]. MOD44B is made from MODIS and JRC surface water from Landsat: other satellites."""


def circular_sentences(config: StudyConfig, targets: Sequence[str]) -> list[str]:
    """One a target that was made from what the embeddings see; none of simulated imagery."""
    if config.source.kind == "simulated":
        return []
    return [_sentence(target, config) for target in targets if _origin(target, config)]


def _origin(target: str, config: StudyConfig) -> tuple[str, ...]:
    if target in config.labels.own:
        return config.labels.own[target].made_from
    section = config.labels.maps.get(target)
    return MADE_FROM.get(section.product or "", ()) if section is not None else ()


def _sentence(target: str, config: StudyConfig) -> str:
    made_from = _origin(target, config)
    names = " and ".join(MODALITIES[name].title if name in MODALITIES else name for name in made_from)
    return (
        f"label '{target}' is partly circular: it was itself made from {names}, so that scores of {', '.join(made_from)} tell in part "
        "how well its maker is repeated, and not how well the ground is told"
    )
