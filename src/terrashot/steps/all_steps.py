"""The eight steps of `run`, in order."""

from collections.abc import Callable, Mapping

from terrashot.config import PretrainSection
from terrashot.steps.artefacts import digest_of_artefact
from terrashot.steps.chips import chip_inputs, make_chips
from terrashot.steps.embed import EMBED_SECTIONS, embed_inputs, embed_outputs, make_embeddings
from terrashot.steps.fewshot import FEWSHOT_SECTIONS, make_results, results_of
from terrashot.steps.ingest import ingest, store_repairs
from terrashot.steps.labels import label_inputs, label_outputs, make_labels
from terrashot.steps.missing import MISSING_SECTIONS, measure_missing_data, missing_outputs
from terrashot.steps.plan import OUTDATED, PIXELS, Context, Step
from terrashot.steps.pretrain import pretrain, test_chips_seen
from terrashot.steps.report import make_report
from terrashot.steps.scene_sensors import own_files_digests
from terrashot.store.layout import LEDGER

Digests = Callable[[Context], Mapping[str, str]]


def artefacts(*names: str) -> Digests:
    """Digests of the study's artefacts of these names, as they are now."""

    def digests(context: Context) -> Mapping[str, str]:
        paths = [getattr(context.study, name) for name in names]
        found = {path.name: digest_of_artefact(path) for path in paths}
        return {name: digest for name, digest in found.items() if digest is not None}

    return digests


def together(*parts: Digests) -> Digests:
    """All these digests."""
    return lambda context: {name: digest for part in parts for name, digest in part(context).items()}


CHIPS = Step(
    name="chips",
    sections=("study.seed", "source.kind", "source.path", "grid", "areas", "split"),
    inputs=chip_inputs,
    outputs=lambda context: [context.study.chips],
    work=make_chips,
)
INGEST = Step(
    name="ingest",
    sections=(*PIXELS, "ingest"),
    inputs=together(artefacts("chips"), own_files_digests),
    outputs=lambda context: [context.study.ledger, context.study.presence],
    work=ingest,
    outdated=store_repairs,
    # Chips that are there are not read again, unless the source changed.
    takes_up=frozenset({"chips.parquet", "presence.parquet", LEDGER, OUTDATED}),
    # Pixels read anew make every vector stale; embedding takes up what is there.
    redo_removes=lambda study: [
        study.store,
        study.ledger,
        study.scenes,
        study.cuts,
        study.embeddings,
        study.floors,
        study.embed_parts,
    ],
    scratch=lambda study: [study.fetched, study.cuts],
)
LABELS = Step(
    name="labels",
    # All of [labels] and of [tasks]: what is told of the labels depends on how they are cut.
    sections=("study.seed", "source", "labels", "tasks"),
    inputs=together(artefacts("chips"), label_inputs),
    outputs=label_outputs,
    work=make_labels,
    scratch=lambda study: [study.fetched, study.fetched_maps],
)
TRAINING = tuple(f"pretrain.{key}" for key in PretrainSection.model_fields if key != "tensorboard")
PRETRAIN = Step(
    name="pretrain",
    sections=("study.seed", *TRAINING, *PIXELS),
    # Which chips train is read when it runs: a new split makes it stale only if it tests on what the model has seen.
    inputs=own_files_digests,
    outputs=lambda context: [context.study.model, context.study.metrics],
    work=pretrain,
    outdated=test_chips_seen,
    redo_removes=lambda study: [study.tensorboard],
    scratch=lambda study: [study.training_state],
)
EMBED = Step(
    name="embed",
    sections=EMBED_SECTIONS,
    takes_up=frozenset({"chips.parquet", "presence.parquet", "floors.parquet"}),
    inputs=embed_inputs,
    outputs=embed_outputs,
    work=make_embeddings,
    redo_removes=lambda study: [study.embeddings, study.floors],
    scratch=lambda study: [study.embed_parts],
)
FEWSHOT = Step(
    name="fewshot",
    sections=FEWSHOT_SECTIONS,
    inputs=artefacts("embeddings", "floors", "labels"),
    outputs=lambda context: results_of(context.study),
    work=make_results,
)
MISSING = Step(
    name="missing",
    sections=MISSING_SECTIONS,
    inputs=artefacts("chips", "presence", "model", "labels"),
    outputs=missing_outputs,
    work=measure_missing_data,
)
REPORT = Step(
    name="report",
    sections=("study.name", "source.kind", "report"),
    inputs=artefacts(
        "chips",
        "presence",
        "labels",
        "label_summary",
        "suspects",
        "embeddings",
        "results",
        "curves",
        "answers",
        "missing",
        "health",
    ),
    outputs=lambda context: [context.study.projection, context.study.figures, context.study.report],
    # However long it takes: the maps are taken up, and new chips placed into them.
    takes_up=frozenset(
        {
            "chips.parquet",
            "presence.parquet",
            "labels.parquet",
            "labels.summary.parquet",
            "labels.suspects.parquet",
            "embeddings.parquet",
            "results.parquet",
            "curves.parquet",
            "answers.json",
            "missing.parquet",
            "embeddings.parquet.health.json",
        }
    ),
    work=make_report,
    redo_removes=lambda study: [study.projection],
)
STEPS: tuple[Step, ...] = (CHIPS, INGEST, LABELS, PRETRAIN, EMBED, FEWSHOT, MISSING, REPORT)
