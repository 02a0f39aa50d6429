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


def artefacts(*names: str) -> Callable[[Context], Mapping[str, str]]:
    """Digests of the study's artefacts of these names, as they are now."""

    def digests(context: Context) -> Mapping[str, str]:
        paths = [getattr(context.study, name) for name in names]
        found = {path.name: digest_of_artefact(path) for path in paths}
        return {name: digest for name, digest in found.items() if digest is not None}

    return digests


def together(*parts: Callable[[Context], Mapping[str, str]]) -> Callable[[Context], Mapping[str, str]]:
    """All these digests."""
    return lambda context: {name: digest for part in parts for name, digest in part(context).items()}


STEPS: tuple[Step, ...] = (
    Step("chips", ("study.seed", "source.kind", "source.path", "grid", "areas", "split"), chip_inputs,
         lambda study: [study.chips], make_chips),
    Step("ingest", ("source", "grid"), artefacts("chips"),
         lambda study: [study.store, study.ledger, study.presence], ingest),
    Step("labels", ("source", "labels.targets"), together(artefacts("chips"), label_inputs),
         lambda study: [study.labels], make_labels),
    # Which chips train is read at run time: a new split makes this stale only if it tests on what the model has seen.
    Step("pretrain", ("study.seed", "pretrain"), lambda context: {},
         lambda study: [study.model, study.metrics], pretrain, test_chips_seen),
    Step("embed", ("study.seed", "embed"), embed_inputs,
         lambda study: [study.embeddings], make_embeddings),
    Step("fewshot", ("study.seed", "labels.threshold", "fewshot"), artefacts("embeddings", "floors", "labels"),
         lambda study: [study.results, study.block_scores, study.timings], make_results),
    Step("report", ("study.name", "source.kind", "report"), artefacts("chips", "presence", "labels", "embeddings", "results"),
         lambda study: [study.figures, study.report], make_report),
)  # fmt: skip
