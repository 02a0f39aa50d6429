"""The recipe of Earth Engine is a study file of the paper's three modalities and four targets."""

from pathlib import Path

from terrashot.config import read_config
from terrashot.domain.tasks import TASKS
from terrashot.steps.label_origin import circular_sentences

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "earthengine.toml"


def test_it_names_three_modalities_and_targets_that_have_a_title():
    config = read_config(RECIPE)
    engine = config.source.earthengine
    assert engine is not None and None not in (engine.optical, engine.radar, engine.coherence)
    assert set(config.labels.earthengine) == {"vegetation", "builtup", "cropland", "water"} <= set(TASKS)


def test_a_project_is_part_of_no_digest():
    told = read_config(RECIPE).model_dump(mode="json")["source"]["earthengine"]
    assert "project" not in told and "service_url" not in told and told["optical"]["mask"] == "scl"


def test_its_targets_from_the_satellites_of_its_chips_are_marked_as_partly_circular():
    config = read_config(RECIPE)
    made_from = {
        target: asked.map for target, asked in config.labels.earthengine.items() if circular_sentences(config, [target])
    }
    assert set(made_from.values()) == {"worldcover-v100", "ghs-built-s"}
    assert "Sentinel-1" in circular_sentences(config, ["cropland"])[0]
