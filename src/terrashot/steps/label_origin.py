"""Which labels were made from the same satellites as the embeddings, so that what is learnt of them is partly circular."""

from collections.abc import Mapping, Sequence

from terrashot.config import StudyConfig
from terrashot.domain.modality import MODALITIES

# Zanaga et al. 2021, doi:10.5281/zenodo.5571936: Sentinel-1 and Sentinel-2 of the same year.
WORLDCOVER = "s2rgbm", "s1grdm"
# Pesaresi and Politis 2023, doi:10.2905/9F06F36F-4B11-47EC-ABB0-4F8B7B1D72EA: a Sentinel-2 composite, beside Landsat.
GHS_BUILT_S = ("s2rgbm",)
MADE_FROM: Mapping[str, tuple[str, ...]] = {
    "worldcover-2020": WORLDCOVER,
    "worldcover-2021": WORLDCOVER,
    "worldcover-v100": WORLDCOVER,
    "worldcover-v200": WORLDCOVER,
    "ghs-built-s": GHS_BUILT_S,
}
"""By product of [labels.maps], and by map of [labels.earthengine]. MOD44B is made from MODIS and JRC surface water from Landsat:
other satellites."""


def circular_sentences(config: StudyConfig, targets: Sequence[str]) -> list[str]:
    """One a target that was made from what the embeddings see; none of simulated imagery."""
    if config.source.kind == "simulated":
        return []
    return [_sentence(target, config) for target in targets if _origin(target, config)]


def _origin(target: str, config: StudyConfig) -> tuple[str, ...]:
    if target in config.labels.own:
        return config.labels.own[target].made_from
    section, engine = config.labels.maps.get(target), config.labels.earthengine.get(target)
    product = section.product if section is not None else engine and engine.map
    return MADE_FROM.get(product or "", ())


def _sentence(target: str, config: StudyConfig) -> str:
    made_from = _origin(target, config)
    names = " and ".join(MODALITIES[name].title if name in MODALITIES else name for name in made_from)
    return (
        f"label '{target}' is partly circular: it was itself made from {names}, so that scores of {', '.join(made_from)} tell in part "
        "how well its maker is repeated, and not how well the ground is told"
    )
