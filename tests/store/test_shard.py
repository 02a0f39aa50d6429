"""Our shards are Zarr's: zarr-python reads what we write, we read what zarr-python writes, and damage is noticed."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.codecs import BloscCodec, BloscShuffle, Crc32cCodec

from terrashot.domain.modality import Absence, Channel, Difference, Imagery
from terrashot.errors import InputError, IntegrityError
from terrashot.store.chips import open_chip_store
from terrashot.store.encode import encode
from terrashot.store.encoding import ENCODINGS
from terrashot.store.layout import LEDGER, ZARR, shard_path
from terrashot.store.pack_chip import pack_chip
from terrashot.store.repair import mark_damage, verify_store, waits_for_repair
from terrashot.store.shard import ABSENT, ShardForm, open_shard, pack, read_index, read_packed, unpack
from terrashot.store.upsample import upsample
from terrashot.store.write import ModalityForm, NewShard, open_ledger_to_write, prepare_store, record_shard

SIDE = 8
RADAR = (Channel("m1_vv", "vv", "dB"), Channel("m1_vh", "vh", "dB"))
RATIO = Difference(Channel("m1_vv-vh", "vv-vh", "dB"), "m1_vv", "m1_vh")
FORMS = (
    ModalityForm("s1grdm", SIDE, 2, "dB", RADAR, (RATIO,)),
    ModalityForm("gunw", 3, 4, "coherence", None, ()),
)


def radar(seed, *, lost=None):
    values = np.random.default_rng(seed).uniform(-30, 5, (2, SIDE, SIDE)).astype(np.float32)
    values[0, :2] = np.nan
    kept = [i for i, channel in enumerate(RADAR) if channel.kind != lost]
    absent = tuple(Absence(c, "missing", "not acquired") for c in RADAR if c.kind == lost)
    return Imagery(tuple(RADAR[i] for i in kept), values[kept], (5,) * len(kept), absent)


def pairs(count):
    named = tuple(
        Channel(f"2020011{i}_20200101", "coherence", "coherence", "2020-01-01", f"2020-01-1{i}") for i in range(count)
    )
    return Imagery(named, np.random.default_rng(count).random((count, 3, 3)).astype(np.float32))


def fill(folder, imagery):
    """A store of the chips of `imagery`: {modality: {chip: Imagery or Absence}}."""
    ids = list(dict.fromkeys(chip for found in imagery.values() for chip in found))
    ledger = open_ledger_to_write(folder)
    layouts = prepare_store(folder, ledger, FORMS, ids)
    places = dict(ledger.all("chip"))
    for modality, found in imagery.items():
        layout = layouts[modality]
        for shard in sorted({places[chip] // layout.shard_chips for chip in found}):
            with NewShard(folder, layout, shard) as new:
                for chip in (chip for chip in found if places[chip] // layout.shard_chips == shard):
                    new.add(chip, places[chip] % layout.shard_chips, pack_chip(layout, chip, found[chip]))
                record_shard(ledger, new.finish())
    ledger.close()
    return open_chip_store(folder)


@pytest.fixture
def store(tmp_path):
    return fill(
        tmp_path,
        {
            "s1grdm": {"a": radar(0), "b": radar(1, lost="vh"), "c": Absence(None, "missing", "no acquisition")},
            "gunw": {"a": pairs(3), "b": pairs(0), "c": pairs(1)},
        },
    )


def test_values_come_back_within_half_a_step_and_gaps_as_gaps(store):
    wanted = radar(0).values
    found = store.read("s1grdm", [("a", 0), ("a", 1)])
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    assert np.nanmax(np.abs(found - wanted)) <= 0.005 + 1e-5


def test_a_difference_is_there_where_both_its_channels_are(store):
    slots = {s.channel.name: s.slot for s in store.channels("a", "s1grdm")}
    both = store.read("s1grdm", [("a", slots["m1_vv"]), ("a", slots["m1_vh"])])
    np.testing.assert_allclose(store.read("s1grdm", [("a", slots["m1_vv-vh"])])[0], both[0] - both[1])
    assert [s.channel.name for s in store.channels("b", "s1grdm")] == ["m1_vv"]


def test_what_is_absent_comes_back_absent_with_its_reason(store):
    assert store.channels("c", "s1grdm") == ()
    assert store.channels("b", "gunw") == ()
    presence = store.presence()
    rows = {
        (c, m, n): (s, r)
        for c, m, n, s, r in zip(
            presence.chip_id, presence.modality, presence.channel, presence.status, presence.reason, strict=True
        )
    }
    assert rows["c", "s1grdm", None] == ("missing", "no acquisition")
    assert rows["b", "s1grdm", "m1_vh"] == ("missing", "not acquired")
    assert rows["a", "s1grdm", "m1_vv"] == ("ok", None)
    assert np.isnan(store.read("s1grdm", [("c", 0)])).all()


def test_coherence_is_upsampled_to_the_chips_side(store):
    assert store.read("gunw", [("a", 0)]).shape == (1, SIDE, SIDE)


def test_zarr_python_reads_the_same_stored_numbers(store, tmp_path):
    array = zarr.open_group(tmp_path / ZARR, mode="r")["s1grdm"]
    stored = array[0]
    assert array.metadata.dimension_names == ("chip", "s1grdm_channel", "s1grdm_y", "s1grdm_x")
    np.testing.assert_array_equal(ENCODINGS["dB"].decode(stored), store.read("s1grdm", [("a", 0), ("a", 1)]))
    assert (array[2] == 65535).all(), "an absent chip is no data"


def test_xarray_opens_the_store_and_masks_and_scales(store, tmp_path):
    xarray = pytest.importorskip("xarray")
    with xarray.open_zarr(tmp_path / ZARR, consolidated=False) as opened:
        found = opened["s1grdm"].isel(chip=0).to_numpy()
    np.testing.assert_allclose(found, store.read("s1grdm", [("a", 0), ("a", 1)]), atol=1e-4)


def test_we_read_what_zarr_python_writes(tmp_path):
    values = np.arange(2 * SIDE * SIDE, dtype=np.uint16).reshape(1, 2, SIDE, SIDE)
    array = zarr.create_array(
        tmp_path / "x.zarr", shape=(1, 2, SIDE, SIDE), chunks=(1, 1, SIDE, SIDE), shards=(1, 2, SIDE, SIDE), dtype="uint16",
        compressors=(BloscCodec(cname="lz4", clevel=5, shuffle=BloscShuffle.bitshuffle, typesize=2), Crc32cCodec()),
    )  # fmt: skip
    array[:] = values
    path = tmp_path / "x.zarr" / "c" / "0" / "0" / "0" / "0"
    descriptor = open_shard(path)
    index = read_index(descriptor, 2, path)
    for slot in range(2):
        packed = read_packed(descriptor, index[slot], 10_000)
        np.testing.assert_array_equal(unpack(packed, np.dtype("<u2"), SIDE), values[0, slot])


def test_a_shard_written_by_us_equals_one_written_by_zarr_python_to_any_reader(tmp_path):
    chunks = {1: np.full((SIDE, SIDE), 7, np.uint16), 3: np.arange(SIDE * SIDE, dtype=np.uint16).reshape(SIDE, SIDE)}
    form = ShardForm(4)
    (tmp_path / "shard").write_bytes(
        form.chunks({slot: pack(values) for slot, values in chunks.items()}) + form.index()
    )
    index = read_index(open_shard(tmp_path / "shard"), 4, tmp_path / "shard")
    assert [bool(index[i, 0] == ABSENT) for i in range(4)] == [True, False, True, False]


def damages(folder):
    return [damage for damage in verify_store(folder) if damage is not None]


def flip(path, bit):
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << (bit % 8)
    path.write_bytes(content)


def test_every_flipped_bit_of_a_shard_is_noticed_on_reading_or_by_verify(store, tmp_path):
    path = shard_path(tmp_path, "s1grdm", 0)
    content = path.read_bytes()
    wanted = store.read("s1grdm", [("a", 0), ("a", 1), ("b", 0)])
    for bit in np.random.default_rng(0).integers(0, len(content) * 8, 200):
        flip(path, bit)
        try:
            np.testing.assert_array_equal(
                open_chip_store(tmp_path).read("s1grdm", [("a", 0), ("a", 1), ("b", 0)]), wanted
            )
        except IntegrityError as error:
            assert "s1grdm" in str(error)
        (damage,) = damages(tmp_path)
        assert set(damage.chips) <= {"a", "b"}, "chip c has no pixel that could be lost"
        path.write_bytes(content)


def test_the_chip_whose_chunk_is_hit_is_the_one_that_is_named(store, tmp_path):
    path = shard_path(tmp_path, "s1grdm", 0)
    index = read_index(open_shard(path), store.layout("s1grdm").shard_chunks, path)
    flip(path, 8 * (int(index[2, 0]) + 20))
    (damage,) = damages(tmp_path)
    assert (damage.file, damage.chips) == ("chips.zarr/s1grdm/c/0/0/0/0", ("b",))


def test_a_missing_or_cut_shard_is_noticed(store, tmp_path):
    path = shard_path(tmp_path, "gunw", 0)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(IntegrityError, match="index"):
        open_chip_store(tmp_path).read("gunw", [("a", 0)])
    path.unlink()
    with pytest.raises(IntegrityError, match=r"cannot be opened \(No such file"):
        open_chip_store(tmp_path).read("gunw", [("a", 0)])
    assert damages(tmp_path)[0].reason == "missing"


def test_a_shard_that_is_a_link_is_not_followed(store, tmp_path):
    path = shard_path(tmp_path, "gunw", 0)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match="cannot be opened"):
        open_chip_store(tmp_path).read("gunw", [("a", 0)])
    assert len(damages(tmp_path)) == 1


def test_every_flipped_bit_of_the_zarr_metadata_is_noticed(store, tmp_path):
    path = tmp_path / ZARR / "gunw" / "zarr.json"
    content = path.read_bytes()
    for bit in range(0, len(content) * 8, 37):
        flip(path, bit)
        assert [damage.file for damage in damages(tmp_path)] == ["chips.zarr/gunw/zarr.json"]
        path.write_bytes(content)


def test_a_damaged_ledger_is_noticed_by_its_readers_and_comes_back_from_its_copy(store, tmp_path):
    path = tmp_path / LEDGER
    content = path.read_bytes()
    at = content.index(b"not acquired")
    path.write_bytes(content[:at] + b"nit acquired" + content[at + 12 :])
    with pytest.raises(IntegrityError, match="damaged; run: terrashot verify --repair"):
        open_chip_store(tmp_path).presence()
    (damage,) = damages(tmp_path)
    mark_damage(tmp_path, damage)
    assert path.read_bytes() == content
    assert damages(tmp_path) == []


def test_a_row_that_is_gone_is_noticed(store, tmp_path):
    with sqlite3.connect(tmp_path / LEDGER) as connection:
        connection.execute("DELETE FROM entry WHERE kind = 'image' AND key = 's1grdm/a'")
    damaged = open_chip_store(tmp_path)
    with pytest.raises(IntegrityError, match="5 entries of image"):
        damaged.presence()
    with pytest.raises(IntegrityError, match="the entry of chip a, s1grdm is gone"):
        damaged.channels("a", "s1grdm")


def test_chips_of_a_shard_that_waits_for_repair_are_not_taken_for_absent(store, tmp_path):
    shard_path(tmp_path, "gunw", 0).unlink()
    mark_damage(tmp_path, damages(tmp_path)[0])
    assert waits_for_repair(tmp_path)
    with pytest.raises(IntegrityError, match="waits for repair, with chip a in it; run: terrashot run"):
        open_chip_store(tmp_path).channels("a", "gunw")


def test_new_chips_leave_finished_shards_alone(store, tmp_path):
    before = shard_path(tmp_path, "s1grdm", 0).read_bytes()
    more = fill(tmp_path, {"s1grdm": {"d": radar(5)}, "gunw": {"d": pairs(2)}})
    assert more.chip_ids == ("a", "b", "c", "d")
    assert shard_path(tmp_path, "s1grdm", 0).read_bytes() == before
    assert len(more.channels("d", "gunw")) == 2


def test_whole_numbers_that_do_not_fit_are_refused_not_bent(tmp_path):
    form = ModalityForm("s2rgbm", SIDE, 1, "dn", (Channel("c1", "c1", "dn"),), ())
    with closing(open_ledger_to_write(tmp_path)) as ledger:
        layout = prepare_store(tmp_path, ledger, [form], ["a"])["s2rgbm"]
    image = Imagery((Channel("c1", "c1", "dn"),), np.full((1, SIDE, SIDE), 70_000, np.float32))
    with pytest.raises(InputError, match="whole numbers from 0 to 65534 fit"):
        pack_chip(layout, "a", image)


@settings(max_examples=30)
@given(st.sampled_from(["reflectance", "dB", "coherence"]), st.integers(0, 10**6))
def test_encoding_twice_changes_nothing_more(unit, seed):
    encoding = ENCODINGS[unit]
    low, high = {"reflectance": (-0.2, 2.0), "dB": (-60, 20), "coherence": (0, 1)}[unit]
    values = np.random.default_rng(seed).uniform(low, high, 50).astype(np.float32)
    values[::7] = np.nan
    once = encoding.decode(encode(encoding, values)[0])
    np.testing.assert_array_equal(encode(encoding, once)[0], encode(encoding, values)[0])
    assert np.nanmax(np.abs(once - values)) <= encoding.scale * 0.51


def naive_upsample(coarse, side_px):
    side, out = len(coarse), np.empty((side_px, side_px))
    for y in range(side_px):
        for x in range(side_px):
            place = [np.clip((p + 0.5) / side_px * side - 0.5, 0, side - 1) for p in (y, x)]
            total = weight = 0.0
            for i in range(side):
                for j in range(side):
                    w = max(0, 1 - abs(place[0] - i)) * max(0, 1 - abs(place[1] - j))
                    if w and np.isfinite(coarse[i, j]):
                        total, weight = total + w * coarse[i, j], weight + w
            near = coarse[int((y + 0.5) / side_px * side), int((x + 0.5) / side_px * side)]
            out[y, x] = total / weight if np.isfinite(near) else np.nan
    return out


@settings(max_examples=10)
@given(st.integers(1, 5), st.integers(0, 10**6))
def test_upsampling_is_plain_interpolation_that_gaps_never_bleed_into(side, seed):
    coarse = np.random.default_rng(seed).random((side, side)).astype(np.float32)
    coarse[np.random.default_rng(seed + 1).random((side, side)) < 0.2] = np.nan
    np.testing.assert_allclose(upsample(coarse[None], 13)[0], naive_upsample(coarse, 13), atol=1e-5)
