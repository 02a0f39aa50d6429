"""What other penalties of the logistic head give, on validation chips: python examples/logistic_penalty.py STUDY

Validation chips stand in for test chips, which are not looked at. Prints mean accuracy over tasks, areas and feature sets, by
prior variance of a logit and number of labels. The few-label protocol uses one fixed value (docs/few-labels.md).
"""

import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from terrashot.domain.results import summarize
from terrashot.domain.tables import in_order_of
from terrashot.evaluate.protocol.comparison import DrawSettings
from terrashot.evaluate.protocol.feature_sets import feature_sets
from terrashot.evaluate.protocol.fewshot import FewshotSettings, run_fewshot
from terrashot.evaluate.protocol.fitting import FitSettings, Workshop
from terrashot.heads import logistic
from terrashot.steps.progress import finish
from terrashot.store.study import find_study
from terrashot.store.tables import read_chips, read_own_labels
from terrashot.store.vectors import read_embeddings

VARIANCES = (0.25, 1.0, 4.0, 16.0, 64.0)
FEATURES = ("s2rgbm", "modsconcat", "image_stats", "random_conv")
AS_TEST = {"val": "test", "test": "buffer"}


def main(path: Path) -> None:
    study = find_study(path)
    table, labels = read_embeddings(study.embeddings), read_own_labels(study.labels)
    chips = in_order_of(table.chips.ids, read_chips(study.chips))
    sets = feature_sets(table, read_embeddings(study.floors))
    chips = replace(chips, split=tuple(AS_TEST.get(str(name), name) for name in chips.split))
    draws, fits = DrawSettings(sizes=(10, 50, 100, 250)), FitSettings(heads=("logistic",))
    settings = FewshotSettings(draws, fits, leakage=False, transfer=False)
    for variance in VARIANCES:
        logistic.LOGIT_VARIANCE = variance
        work = run_fewshot(
            {name: sets[name] for name in FEATURES},
            chips,
            labels,
            settings,
            split_scheme="validation",
            workshop=Workshop(1),
        )
        found = defaultdict(list)
        for point in summarize(finish(work).fitted.results):
            if not point.is_full:
                found[point.n_labels].append(point.score)
        print(variance, {n: round(sum(values) / len(values), 3) for n, values in sorted(found.items())})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
