"""Which chips the report shows on the map and as nearest ones, and with what images."""

from dataclasses import replace

import numpy as np
import pytest

from fake_chip_store import FakeChipStore, textured_store
from terrashot.domain.modality import Channel
from terrashot.domain.tables import Chips, Embeddings, Labels
from terrashot.plots.tsne import Layout
from terrashot.steps import looking
from terrashot.steps.looking import locate_chips, search_chips
from terrashot.steps.plates import chip_image, label_text, make_plates

N = 40
IDS = tuple(f"c{i}" for i in range(N))
CHIPS = Chips(
    IDS,
    tuple("north" if i % 4 else "south" for i in range(N)),
    (None,) * N,
    tuple("test" if i % 2 == 0 else "train" for i in range(N)),
)
TEST_IDS = IDS[::2]
STORE = textured_store(IDS, {"s2rgbm": 1, "s1grdm": 1})
LAYOUTS = {m: Layout(np.random.default_rng(0).normal(size=(N, 2)).astype(np.float32), N) for m in ("s2rgbm", "s1grdm")}


def labelled(values, name="vegetation"):
    return Labels(IDS, {name: values})


def embeddings(noise=0.0, widths=(8, 8), kinds=None):
    rng = np.random.default_rng(0)
    common = rng.normal(size=(N, 8))
    blocks = {}
    for name, width in zip(("s2rgbm", "s1grdm"), widths, strict=True):
        vectors = (common + noise * rng.normal(size=common.shape))[:, :width]
        blocks[name] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    return Embeddings(CHIPS, blocks, kinds=kinds or {})


def test_the_located_chips_have_a_low_and_a_high_label_and_all_images():
    values = np.random.default_rng(1).permutation(np.linspace(0, 1, N))
    found = locate_chips(STORE, CHIPS, labelled(values), LAYOUTS)
    low, high = found.rows
    assert values[low] < 0.1 and values[high] > 0.9
    assert [plate.chip_id for plate in found.plates] == [IDS[low], IDS[high]]
    assert found.plates[1].caption == f"vegetation {values[high]:.2f} ({CHIPS.area[high]})"
    assert found.modality == "s1grdm" and all(image is not None for image in found.plates[0].images.values())


def test_only_chips_on_every_map_with_a_known_label_are_located():
    values = np.linspace(0, 1, N)
    values[[0, 39]] = np.nan
    places = LAYOUTS["s2rgbm"].places.copy()
    places[[1, 2, 37, 38]] = np.nan
    found = locate_chips(STORE, CHIPS, labelled(values), dict(LAYOUTS, s2rgbm=Layout(places, N)))
    assert not {0, 1, 2, 37, 38, 39} & set(found.rows)


def test_of_classes_chips_of_the_two_commonest_are_located():
    values = np.array(["a", "b", "b", "c", None, "c", "b", "c"] * 5, dtype=object)
    found = locate_chips(STORE, CHIPS, labelled(values, "kind"), LAYOUTS)
    assert {values[row] for row in found.rows} == {"b", "c"}


@pytest.mark.parametrize("values", [np.zeros(N), np.full(N, np.nan), np.array(["a"] * N, dtype=object)])
def test_where_no_label_differs_no_chip_is_located(values):
    assert locate_chips(STORE, CHIPS, labelled(values), LAYOUTS) is None
    assert locate_chips(STORE, CHIPS, Labels(IDS, {}), LAYOUTS) is None


def test_searches_lead_both_ways_across_and_then_within_among_test_chips_alone():
    found = search_chips(STORE, embeddings(), CHIPS, seed=0)
    assert [(s.asking, s.among) for s in found] == [
        ("s2rgbm", "s1grdm"),
        ("s1grdm", "s2rgbm"),
        ("s2rgbm",) * 2,
        ("s1grdm",) * 2,
    ]
    assert {s.n_searched for s in found} == {20}
    assert {query.caption for query in found[0].queries} == {"north", "south"}


def test_where_both_see_the_same_each_chip_finds_itself_first():
    across, _, within, _ = search_chips(STORE, embeddings(), CHIPS, seed=0)
    assert across.recall == {1: 1.0, 5: 1.0, 10: 1.0}
    for query in across.queries:
        assert query.own_rank == 1 and [hit.is_own for hit in query.hits] == [True] + [False] * 4
        np.testing.assert_array_equal(query.hits[0].image, query.own)
    for query in within.queries:
        assert query.own_rank is None and not any(hit.is_own for hit in query.hits)
        assert 1 > query.hits[0].similarity >= query.hits[4].similarity


def test_hits_come_in_falling_order_and_agree_with_the_rank():
    for seed in range(5):
        for found in search_chips(STORE, embeddings(0.8), CHIPS, seed=seed)[:2]:
            for query in found.queries:
                similar = [hit.similarity for hit in query.hits]
                assert similar == sorted(similar, reverse=True)
                own = [place for place, hit in enumerate(query.hits, start=1) if hit.is_own]
                assert own == ([query.own_rank] if query.own_rank <= 5 else [])


def test_modalities_of_several_kinds_meet_by_their_mean_and_other_lengths_do_not_meet():
    halves = {"s2rgbm": ("red", "nir"), "s1grdm": ("vv", "vh")}
    assert len(search_chips(STORE, embeddings(kinds=halves), CHIPS, seed=0)) == 4
    assert [s.is_across for s in search_chips(STORE, embeddings(kinds={"s2rgbm": ("red", "nir")}), CHIPS, seed=0)] == [
        False
    ] * 2
    assert len(search_chips(STORE, embeddings(widths=(8, 4), kinds={"s2rgbm": ("red", "nir")}), CHIPS, seed=0)) == 4


def test_only_what_modalities_share_is_compared():
    table, rng = embeddings(), np.random.default_rng(3)
    own = {name: np.hstack([rng.normal(size=(N, 5)) * 9, block]) for name, block in table.blocks.items()}
    apart = replace(table, blocks={**own, "s1grdm": own["s1grdm"][:, 3:]}, shared={"s2rgbm": 8, "s1grdm": 8})
    for plain, found in zip(*(search_chips(STORE, one, CHIPS, seed=0) for one in (table, apart)), strict=True):
        assert plain.recall == found.recall
        for ours, theirs in zip(plain.queries, found.queries, strict=True):
            assert [hit.similarity for hit in ours.hits] == pytest.approx(
                [hit.similarity for hit in theirs.hits], abs=1e-3
            )


def test_chips_without_a_vector_and_modalities_without_images_take_no_part():
    table = embeddings()
    table.blocks["s1grdm"][::4] = np.nan
    across, *_, within = search_chips(STORE, table, CHIPS, seed=0)
    assert across.n_searched == within.n_searched == 10
    optical = FakeChipStore({"s2rgbm": STORE.images["s2rgbm"]})
    assert [(s.asking, s.among) for s in search_chips(optical, table, CHIPS, seed=0)] == [("s2rgbm", "s2rgbm")]


def test_a_large_study_is_sampled_and_a_handful_is_not_searched(monkeypatch):
    monkeypatch.setattr(looking, "MOST_SEARCHED", 12)
    assert {s.n_searched for s in search_chips(STORE, embeddings(), CHIPS, seed=0)} == {12}
    monkeypatch.setattr(looking, "MOST_SEARCHED", 5)
    assert search_chips(STORE, embeddings(), CHIPS, seed=0) == []


def test_another_seed_looks_up_other_chips_and_the_same_one_the_same():
    def shown(seed):
        return [
            query.image.tobytes() for s in search_chips(STORE, embeddings(), CHIPS, seed=seed) for query in s.queries
        ]

    assert shown(0) == shown(0) != shown(1)


def picture(kinds, months, gaps):
    """A chip whose optical channels hold the number of their month; in some, half of it is a gap."""
    slots = []
    for month in months:
        for kind in kinds:
            pixels = np.full((4, 4), float(month), np.float32)
            pixels[: gaps.get((month, kind), 0)] = np.nan
            slots.append((Channel(f"2020-{month:02d}_{kind}", kind, "reflectance", f"2020-{month:02d}-01"), pixels))
    return FakeChipStore({"s2rgbm": {"a": slots}})


def test_the_clearest_date_is_shown_and_its_colours_are_of_one_date():
    store = picture(("blue", "green", "red"), (1, 2, 3), {(1, "red"): 2, (2, "green"): 1, (3, "blue"): 3})
    assert np.nanmax(chip_image(store, "a", "s2rgbm")) == 2
    clear = picture(("blue", "green", "red"), (1, 2), {})
    assert chip_image(clear, "a", "s2rgbm").tolist() == np.full((3, 4, 4), 1).tolist(), (
        "the first of equally clear ones"
    )


def test_without_a_picture_the_clearest_channel_is_shown_and_nothing_where_there_is_none():
    store = picture(("nir", "red"), (1, 2), {(1, "nir"): 1, (1, "red"): 2, (2, "nir"): 3})
    found = chip_image(store, "a", "s2rgbm")
    assert found.shape == (1, 4, 4) and (found == 2).all()
    assert chip_image(store, "b", "s2rgbm") is None


def test_every_area_has_its_example_chips_and_all_of_them_fit_into_one_figure():
    areas = tuple(f"a{i % 5}" for i in range(N))
    plates = make_plates(STORE, replace(CHIPS, area=areas), labelled(np.linspace(0, 1, N)), 4)
    assert [plate.caption.splitlines()[0] for plate in plates] == [f"a{i // 2}" for i in range(10)]
    assert len(make_plates(STORE, replace(CHIPS, area=IDS), labelled(np.linspace(0, 1, N)), 4)) == 12


def test_a_label_that_is_not_known_is_called_so():
    assert [label_text(value) for value in (0.125, float("nan"), "forest")] == ["0.12", "unknown", "forest"]
