"""The maps of a study: which chips are laid out and drawn, and that chips keep their places when others come."""

from dataclasses import replace

import numpy as np
import pytest

from terrashot.domain.tables import Chips, Embeddings
from terrashot.errors import IntegrityError
from terrashot.steps.progress import Said, finish
from terrashot.steps.projection import layouts, project, sampled_maps, study_projection
from terrashot.store.projection import read_projection
from terrashot.store.study import Study

BLOCKS = ("s2rgbm", "s1grdm")
CENTRES = {name: 6 * np.random.default_rng(i).normal(size=(3, 6)) for i, name in enumerate(BLOCKS)}


def embeddings(n=60, lost=(), *, first=0, model="m1", order=None):
    """Chips from number `first` on, whose vectors depend on their number alone; rows in the order asked for."""
    numbers = np.arange(first, first + n) if order is None else np.asarray(order)
    nothing = (None,) * len(numbers)
    blocks = {name: np.stack([vector(name, i) for i in numbers]).astype(np.float16) for name in BLOCKS}
    blocks["s1grdm"][np.isin(numbers, list(lost))] = np.nan
    chips = Chips(tuple(f"c{i}" for i in numbers), ("all",) * len(numbers), nothing, nothing)
    return Embeddings(chips, blocks, model=model)


def vector(name, number):
    return CENTRES[name][number % 3] + np.random.default_rng(number).normal(size=6)


def mapped(table, seed=0, most=20, old=None):
    return finish(project(table, old, seed=seed, most=most))


def chosen(table, seed=0, most=20):
    made = mapped(table, seed, most)
    by_tsne, _ = layouts(made.maps, table, seed=seed, most=most)
    return {name: set(np.flatnonzero(layout.shown)) for name, layout in by_tsne.items()}, by_tsne


def test_at_most_the_sample_is_laid_out_and_drawn_and_the_same_chips_in_every_modality():
    table = embeddings()
    drawn, by_tsne = chosen(table)
    assert len(drawn["s2rgbm"]) == 20 and drawn["s2rgbm"] == drawn["s1grdm"]
    assert {(layout.n_chips, layout.n_placed) for layout in by_tsne.values()} == {(60, 0)}
    made = mapped(table)
    for one in made.maps.values():
        assert set(np.flatnonzero(one.is_laid_out)) == drawn["s2rgbm"] and np.isfinite(one.places).all()


def test_another_seed_draws_other_chips_and_the_same_one_the_same_places():
    first, again, other = (chosen(embeddings(), seed) for seed in (3, 3, 4))
    assert first[0] == again[0] != other[0]
    assert np.array_equal(first[1]["s2rgbm"].places, again[1]["s2rgbm"].places, equal_nan=True)


def test_a_chip_without_a_vector_gives_its_place_to_another_one():
    lost = sorted(chosen(embeddings())[0]["s1grdm"])[:5]
    drawn, by_tsne = chosen(embeddings(lost=lost))
    assert len(drawn["s1grdm"]) == 20 and not drawn["s1grdm"] & set(lost)
    assert len(drawn["s2rgbm"] & drawn["s1grdm"]) == 15 and by_tsne["s1grdm"].n_chips == 55


def test_all_chips_are_drawn_where_the_sample_would_hold_them():
    assert len(chosen(embeddings(12))[0]["s2rgbm"]) == 12


def test_principal_components_show_the_same_chips_with_their_share_of_the_variance():
    table = embeddings()
    by_tsne, by_components = layouts(mapped(table).maps, table, seed=0, most=20)
    for name in BLOCKS:
        np.testing.assert_array_equal(by_tsne[name].shown, by_components[name].shown)
        assert 0.5 < sum(by_components[name].variance) <= 1


def test_maps_to_look_at_only_hold_the_sample():
    table = embeddings()
    maps = finish(sampled_maps(table, seed=0, most=20))
    whole = mapped(table)
    for name in BLOCKS:
        rows = whole.maps[name].is_laid_out
        np.testing.assert_array_equal(maps[name].places[rows], whole.maps[name].places[rows])
        assert np.isnan(maps[name].places[~rows]).all()


def test_chips_that_come_later_move_nobody_whatever_the_order_of_the_rows():
    before = mapped(embeddings(40))
    order = np.random.default_rng(1).permutation(70)
    after = mapped(embeddings(order=order), old=before)
    for name in BLOCKS:
        places = dict(zip(after.chip_ids, after.maps[name].places, strict=True))
        for chip, place in zip(before.chip_ids, before.maps[name].places, strict=True):
            assert places[chip].tobytes() == place.tobytes()
        assert np.isfinite(after.maps[name].places).all() and after.maps[name].is_laid_out.sum() == 20


def test_placed_chips_that_are_drawn_are_counted():
    table = embeddings(50)
    made = mapped(table, most=40, old=mapped(embeddings(20), most=40))
    by_tsne, _ = layouts(made.maps, table, seed=0, most=40)
    drawn = by_tsne["s2rgbm"]
    assert drawn.shown.sum() == 40 and drawn.n_placed == (drawn.shown & ~made.maps["s2rgbm"].is_laid_out).sum() > 0


@pytest.mark.parametrize("change", [{"model": "m2"}, {"seed": 1}, {"most": 30}])
def test_another_model_seed_or_sample_lays_out_anew(change):
    old = mapped(embeddings())
    table = embeddings(model=change.pop("model", "m1"))
    made = mapped(table, **change, old=old)
    fresh = mapped(table, **change)
    assert made.maps["s2rgbm"].places.tobytes() == fresh.maps["s2rgbm"].places.tobytes()


def test_other_vectors_of_the_same_model_lay_out_anew_and_that_is_said():
    old, table = mapped(embeddings()), embeddings()
    other = replace(table, blocks=dict(table.blocks, s1grdm=table.blocks["s1grdm"][::-1].copy()))
    events = list(project(other, old, seed=0, most=20))
    assert [event.text for event in events if isinstance(event, Said)] == [
        "the map of s1grdm is laid out anew: the one before does not fit these vectors and settings"
    ]


def test_chips_that_have_nothing_in_common_with_the_old_map_are_laid_out():
    made = mapped(embeddings(30, first=500), old=mapped(embeddings(30)))
    assert np.isfinite(made.maps["s2rgbm"].places).all()


def test_the_file_holds_all_that_was_made_and_a_study_goes_on_from_it(tmp_path):
    study = Study(tmp_path / "study.toml", tmp_path)
    made = finish(study_projection(study, embeddings(40, lost=[3]), seed=0, most=20))
    found = read_projection(study.projection)
    assert (found.chip_ids, found.model, found.seed, found.most_laid_out) == (made.chip_ids, "m1", 0, 20)
    for name in BLOCKS:
        ours, theirs = made.maps[name], found.maps[name]
        assert ours.variance == theirs.variance and ours.is_laid_out.tobytes() == theirs.is_laid_out.tobytes()
        assert ours.places.tobytes() == theirs.places.tobytes() and np.isnan(theirs.places[3, 0]) == (name == "s1grdm")
        assert ours.components.tobytes() == theirs.components.tobytes()
    bytes_before = study.projection.read_bytes()
    finish(study_projection(study, embeddings(40, lost=[3]), seed=0, most=20))
    assert study.projection.read_bytes() == bytes_before
    more = finish(study_projection(study, embeddings(55, lost=[3]), seed=0, most=20))
    assert more.maps["s2rgbm"].places[:40].tobytes() == made.maps["s2rgbm"].places.tobytes()


def test_a_damaged_map_is_not_gone_on_from(tmp_path):
    study = Study(tmp_path / "study.toml", tmp_path)
    finish(study_projection(study, embeddings(20), seed=0, most=20))
    content = bytearray(study.projection.read_bytes())
    content[len(content) // 2] ^= 1
    study.projection.write_bytes(content)
    with pytest.raises(IntegrityError, match="verify --repair"):
        finish(study_projection(study, embeddings(20), seed=0, most=20))
