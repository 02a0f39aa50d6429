"""The curves of pretraining show what metrics.jsonl tells."""

from itertools import permutations

import numpy as np

from terrashot.plots.training import training_curves


def metrics(n_modalities=3, epochs=4, **more):
    names = [f"m{number}" for number in range(n_modalities)]
    return [
        {
            "epoch": epoch, "train_loss": 4.0 - epoch, "val_loss": 4.1 - epoch, "temperature": 0.07,
            "effective_rank": dict.fromkeys(names, 3.0 + epoch),
            "recall": {
                f"{a}>{b}": {"1": 0.1, "5": 0.2 if a < b else 0.4, "10": 0.05 * epoch, "n": 50} for a, b in permutations(names, 2)
            },
        } | more
        for epoch in range(epochs)
    ]  # fmt: skip


def lines_of(axes):
    return {line.get_label(): np.asarray(line.get_ydata()) for line in axes.get_lines()}


def test_each_pair_has_a_line_at_1_5_and_10_the_mean_of_both_directions():
    figure = training_curves(metrics(), best_epoch=2)
    recalls = figure.axes[3:]
    assert [axes.get_ylabel() for axes in recalls] == [f"recall at {k} of the partner" for k in (1, 5, 10)]
    at_5 = lines_of(recalls[1])
    assert {"m0 ↔ m1", "m0 ↔ m2", "m1 ↔ m2", "chance"} <= set(at_5)
    np.testing.assert_allclose(at_5["m0 ↔ m1"], 0.3)
    np.testing.assert_allclose(lines_of(recalls[2])["m1 ↔ m2"], [0, 0.05, 0.1, 0.15])
    assert set(at_5["chance"]) == {5 / 50}


def test_loss_temperature_and_effective_rank_are_there_and_the_kept_epoch_is_marked():
    loss, temperature, rank = training_curves(metrics(), best_epoch=2).axes[:3]
    np.testing.assert_allclose(lines_of(loss)["validation"], [4.1, 3.1, 2.1, 1.1])
    assert list(lines_of(rank)["m2"]) == [3, 4, 5, 6]
    for axes in (loss, temperature, rank):
        assert list(axes.get_lines()[-1].get_xdata()) == [3, 3]


def test_many_pairs_are_drawn_in_grey_with_their_mean():
    found = lines_of(training_curves(metrics(n_modalities=16), best_epoch=0).axes[4])
    np.testing.assert_allclose(found["mean of 120 pairs"], 0.3)
    assert len(found) == 1 + 120 + 1 + 1  # mean, pairs, chance, kept epoch


def test_metrics_of_one_epoch_without_ranks_or_pairs_can_be_drawn():
    figure = training_curves(metrics(epochs=1, recall={}, effective_rank={}), best_epoch=0)
    assert len(figure.axes) == 6
