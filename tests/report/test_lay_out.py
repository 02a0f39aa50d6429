"""Which chips the map of embeddings shows."""

import numpy as np

from terrashot.domain.tables import Chips, Embeddings
from terrashot.steps.progress import finish
from terrashot.steps.report import lay_out


def embeddings(n=60, lost=()):
    rng = np.random.default_rng(0)
    ids, nothing = tuple(f"c{i}" for i in range(n)), (None,) * n
    blocks = {name: rng.normal(size=(n, 4)).astype(np.float32) for name in ("s2rgbm", "s1grdm")}
    blocks["s1grdm"][list(lost)] = np.nan
    return Embeddings(Chips(ids, ("all",) * n, nothing, nothing), blocks)


def shown(table, seed=0, n_sample=20):
    layouts = finish(lay_out(table, seed, n_sample))
    return {name: set(np.flatnonzero(layout.shown)) for name, layout in layouts.items()}, layouts


def test_at_most_the_sample_is_laid_out_and_the_same_chips_in_every_modality():
    chosen, layouts = shown(embeddings())
    assert len(chosen["s2rgbm"]) == 20 and chosen["s2rgbm"] == chosen["s1grdm"]
    assert {layout.n_chips for layout in layouts.values()} == {60}


def test_another_seed_draws_other_chips_and_the_same_one_the_same_places():
    first, again, other = (shown(embeddings(), seed) for seed in (3, 3, 4))
    assert first[0] == again[0] != other[0]
    assert np.array_equal(first[1]["s2rgbm"].places, again[1]["s2rgbm"].places, equal_nan=True)


def test_a_chip_without_a_vector_gives_its_place_to_another_one():
    lost = sorted(shown(embeddings())[0]["s1grdm"])[:5]
    chosen, layouts = shown(embeddings(lost=lost))
    assert len(chosen["s1grdm"]) == 20 and not chosen["s1grdm"] & set(lost)
    assert len(chosen["s2rgbm"] & chosen["s1grdm"]) == 15 and layouts["s1grdm"].n_chips == 55


def test_all_chips_are_shown_where_the_sample_would_hold_them():
    assert len(shown(embeddings(12))[0]["s2rgbm"]) == 12
