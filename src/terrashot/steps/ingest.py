"""Step `ingest`: pixels of every chip into the store."""

from functools import partial

from terrashot.config import CUT_FROM_SCENES
from terrashot.durable.spool import Spool
from terrashot.errors import InputError, NetworkError
from terrashot.ingest.harvest import UNREACHED, Harvested, ShardDone, harvest
from terrashot.steps.coherence_plan import pairs_wanted
from terrashot.steps.find_pairs import cut_pairs, find_pairs
from terrashot.steps.find_scenes import find_scenes
from terrashot.steps.plan import PIXELS, Context, config_digest
from terrashot.steps.progress import Progress, Said, Work, relay
from terrashot.steps.scene_sensors import own_files_digests
from terrashot.steps.sources import imagery_sources
from terrashot.store.chips import open_chip_store
from terrashot.store.manifest import digest_of
from terrashot.store.repair import waits_for_repair
from terrashot.store.tables import read_chips, write_presence
from terrashot.store.write import forget_other_pixels


def ingest(context: Context) -> Work[None]:
    """Fills the chip store and writes presence.parquet.

    Raises:
        InputError, NetworkError: more chips failed than [ingest] max_failed_share allows; all others are in the store.
    """
    chips = read_chips(context.study.chips)
    if context.config.source.kind == "scenes":
        yield from find_scenes(context, chips)
    pairs = pairs_wanted(context)
    if pairs is not None:
        yield from find_pairs(context, pairs, chips)
    if forget_other_pixels(context.study.folder, _made_from(context)):
        yield Said("the chips that are there show something else ([source] or [grid] changed); all are read again")
    if pairs is not None:
        yield from cut_pairs(context, pairs, chips)
    work = harvest(imagery_sources(context), chips.ids, context.study.folder, workers=context.workers)
    harvested = yield from relay(work, partial(_tell, context))
    write_presence(context.study.presence, open_chip_store(context.study.folder).presence())
    counts = ", ".join(f"{count} {status}" for status, count in sorted(harvested.statuses.items()))
    yield Said(f"channels written now: {counts or 'none, all were there'}")
    _refuse_failures(harvested, context.config.ingest.max_failed_share)


def store_repairs(context: Context) -> str | None:
    """Why a finished harvest goes on: `terrashot verify --repair` marked parts of the store."""
    return "parts of the chip store are marked for repair" if waits_for_repair(context.study.folder) else None


def _made_from(context: Context) -> str:
    """Digest of all that decides what a chip shows."""
    config, own = config_digest(PIXELS, context.config), own_files_digests(context)
    return digest_of([config, own]) if own else config


def _tell(context: Context, done: ShardDone) -> list[Progress]:
    """How far the harvest is, and how fast; what was fetched and no longer has room goes."""
    if context.config.source.kind in CUT_FROM_SCENES:
        Spool(context.study.fetched).keep_at_most(int(context.config.ingest.fetched_gb * 1e9))
    rate = f", {done.chips / done.seconds:.1f} chips/s" if done.seconds > 1 else ""
    failed = f", {done.failed} chips failed" if done.failed else ""
    return [Progress("ingest", done.done, done.total, f"{done.modality}{rate}{failed}")]


def _refuse_failures(harvested: Harvested, max_failed_share: float) -> None:
    if len(harvested.failed) > max_failed_share * harvested.n_chips:
        chip_id, reason = next(iter(harvested.failed.items()))
        kind = NetworkError if reason.startswith(UNREACHED) else InputError
        raise kind(
            f"{len(harvested.failed)} of {harvested.n_chips} chips could not be read, the first {chip_id}: {reason}; "
            "mend them and run again (only they are read), or allow it: [ingest] max_failed_share"
        )
