"""The seven steps of `run`, in order."""

from collections.abc import Callable, Mapping

from terrashot.steps.artefacts import digest_of_artefact
from terrashot.steps.chips import chip_inputs, make_chips
from terrashot.steps.embed import embed_inputs, make_embeddings
from terrashot.steps.fewshot import make_results
from terrashot.steps.ingest import ingest
from terrashot.steps.labels import label_inputs, make_labels
from terrashot.steps.plan import Context, Step
from terrashot.steps.pretrain import pretrain, test_chips_seen
from terrashot.steps.report import make_report

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
    outputs=lambda study: [study.chips],
    work=make_chips,
)
INGEST = Step(
    name="ingest",
    sections=("source", "grid", "ingest"),
    inputs=artefacts("chips"),
    outputs=lambda study: [study.ledger, study.presence],
    work=ingest,
    # Pixels read anew make every vector stale; embedding takes up what is there.
    redo_removes=lambda study: [study.store, study.ledger, study.embeddings],
)
LABELS = Step(
    name="labels",
    sections=("source", "labels.targets"),
    inputs=together(artefacts("chips"), label_inputs),
    outputs=lambda study: [study.labels],
    work=make_labels,
)
PRETRAIN = Step(
    name="pretrain",
    sections=("study.seed", "pretrain"),
    # Which chips train is read when it runs: a new split makes it stale only if it tests on what the model has seen.
    inputs=lambda context: {},
    outputs=lambda study: [study.model, study.metrics],
    work=pretrain,
    outdated=test_chips_seen,
    redo_removes=lambda study: [study.training_state],
)
EMBED = Step(
    name="embed",
    sections=("study.seed", "embed"),
    inputs=embed_inputs,
    outputs=lambda study: [study.embeddings],
    work=make_embeddings,
    redo_removes=lambda study: [study.embeddings],
)
FEWSHOT = Step(
    name="fewshot",
    sections=("study.seed", "labels.threshold", "fewshot"),
    inputs=artefacts("embeddings", "floors", "labels"),
    outputs=lambda study: [study.results, study.block_scores, study.timings],
    work=make_results,
)
REPORT = Step(
    name="report",
    sections=("study.name", "source.kind", "report"),
    inputs=artefacts("chips", "presence", "labels", "embeddings", "results"),
    outputs=lambda study: [study.figures, study.report],
    work=make_report,
)
STEPS: tuple[Step, ...] = (CHIPS, INGEST, LABELS, PRETRAIN, EMBED, FEWSHOT, REPORT)
