"""Smooth random fields on the sphere: their definition, their spread, and that nothing else asked changes them."""

from itertools import product

import numpy as np
import pytest

from terrashot.ingest.world.noise import OCTAVE_SHARE, drawn, field, mixed, uniform

RADIUS_M = 6_371_008.8
MASK = (1 << 64) - 1


def on_sphere(n=20_000, seed=0):
    points = np.random.default_rng(seed).normal(size=(n, 3))
    return points * RADIUS_M / np.linalg.norm(points, axis=1, keepdims=True)


def naive_mixed(x, y, z, seed):
    """Sixty-four mixed bits in whole numbers without end, cut to 64 bits at each step."""
    h = x * 0x9E3779B97F4A7C15 & MASK
    for value, odd in ((y, 0xC2B2AE3D27D4EB4F), (z, 0x165667B19E3779F9), (seed, 0xD6E8FEB86659FD93)):
        h ^= (value * odd & MASK) + (h << 6 & MASK) + (h >> 2) & MASK
    for shift, odd in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        h = (h ^ h >> shift) * odd & MASK
    return h ^ h >> 31


def naive_value_noise(point, cell_m, seed):
    """One octave by its definition: fading weights of eight hashed corners."""
    low = np.floor(point / cell_m).astype(int)
    weight = point / cell_m - low
    weight = 6 * weight**5 - 15 * weight**4 + 10 * weight**3
    return sum(
        (naive_mixed(*(low + corner).tolist(), seed) / 2**64 - 0.5)
        * np.prod(np.where(np.array(corner) == 1, weight, 1 - weight))
        for corner in product((0, 1), repeat=3)
    )


@pytest.mark.parametrize("key", [(0, 0, 0, 0), (1, 2, 3, 4), (-70_000, 12, -5, 1), (2**62, -(2**62), 7, 10**15)])
def test_bits_are_mixed_as_in_whole_numbers_without_end(key):
    assert int(mixed(*key)) == naive_mixed(*key)
    assert uniform(np.uint64(mixed(*key))) == pytest.approx(naive_mixed(*key) / 2**64, abs=2**-53)


@pytest.mark.parametrize("octaves", [1, 3])
def test_a_field_is_value_noise_by_its_definition(octaves):
    # Far apart, and in a line so fine that points share a cell of the lattice.
    points = np.concatenate([on_sphere(20), on_sphere(1) + np.arange(30)[:, None] * 7.0])
    amplitudes = [OCTAVE_SHARE**k for k in range(octaves)]
    naive = [
        sum(a * naive_value_noise(point, 90.0 / 2**k, 5 * 1_000_003 + k) for k, a in enumerate(amplitudes))
        for point in points
    ]
    naive_spread = 0.20 * np.linalg.norm(amplitudes)
    assert field(points, seed=5, wavelength_m=90.0, octaves=octaves) == pytest.approx(naive / naive_spread, abs=1e-6)


@pytest.mark.parametrize("octaves", [1, 3])
def test_a_field_has_mean_zero_and_spread_one_and_its_own_seed(octaves):
    first, other = (field(on_sphere(), seed=seed, wavelength_m=700.0, octaves=octaves) for seed in (3, 4))
    # Four standard errors of 20,000 points.
    assert first.mean() == pytest.approx(0, abs=0.03)
    assert first.std() == pytest.approx(1, abs=0.03)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.03


def test_a_field_does_not_depend_on_what_else_is_asked_or_in_what_order():
    points = np.concatenate([on_sphere(300), on_sphere(1) + np.arange(200)[:, None] * 7.0])
    order = np.random.default_rng(1).permutation(500)
    whole = field(points, seed=1, wavelength_m=300.0, octaves=2)
    assert field(points[order], seed=1, wavelength_m=300.0, octaves=2).tobytes() == whole[order].tobytes()
    assert field(points[7:8], seed=1, wavelength_m=300.0, octaves=2).tobytes() == whole[7:8].tobytes()


def test_a_field_is_as_smooth_as_its_wavelength_says():
    start, step = on_sphere(2000), np.random.default_rng(2).normal(size=(2000, 3))
    step /= np.linalg.norm(step, axis=1, keepdims=True)

    def change(distance_m):
        near = field(start + distance_m * step, seed=1, wavelength_m=1000.0) - field(start, seed=1, wavelength_m=1000.0)
        return np.sqrt((near**2).mean())

    assert change(1.0) < 0.01
    # As for two unrelated values of spread one.
    assert change(3000.0) == pytest.approx(2**0.5, abs=0.1)


def test_draws_are_uniform_and_neither_neighbours_nor_purposes_resemble_each_other():
    keys = np.arange(-20_000, 20_000)
    values, other = drawn(keys, 9), drawn(keys, 10)
    # Four standard errors of a tenth of 40,000 draws, of a correlation among 40,000.
    assert np.histogram(values, 10, (0, 1))[0] == pytest.approx(4000, abs=240)
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.02
    assert abs(np.corrcoef(values, other)[0, 1]) < 0.02


def test_a_key_draws_the_same_wherever_it_stands():
    keys = np.array([5, 5, 0, 0, -3, 5, 0, 2**62])
    assert drawn(keys, 1).tolist() == [float(drawn(keys[i : i + 1], 1)[0]) for i in range(len(keys))]
    assert len(set(drawn(keys, 1).tolist())) == 4
