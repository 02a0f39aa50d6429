"""The recipe of the measure, changed for a search."""

import tomllib

from real_training import RECIPE, changed

from terrashot.config import StudyConfig


def test_a_changed_key_stands_in_place_of_the_recipes_own_and_the_rest_stays():
    recipe = RECIPE.read_text()
    found = tomllib.loads(changed(recipe, ["epochs = 8", "crop = 1.0"]))
    expected = tomllib.loads(recipe)
    expected["pretrain"] |= {"epochs": 8, "crop": 1.0}
    assert found == expected
    assert StudyConfig.model_validate(tomllib.loads(recipe), strict=False).pretrain.preset == "small"
