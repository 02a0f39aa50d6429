"""Targets out of a user's own points, lines and polygons: all or nothing, unless the study file says otherwise."""

from collections.abc import Mapping
from pathlib import Path

from terrashot.domain.tables import Chips, Labels
from terrashot.durable.files import write_bytes
from terrashot.errors import InputError
from terrashot.labels.own.bad_rows import BadRows
from terrashot.labels.own.join import OwnTarget, own_target
from terrashot.steps.artefacts import digest_of_given
from terrashot.steps.plan import Context
from terrashot.steps.progress import Said, Work
from terrashot.store.csv_text import csv_bytes

COLUMNS = ("target", "file", "row", "reason")


def own_labels(context: Context, chips: Chips) -> Work[Labels]:
    """The targets of [labels.own.NAME], after labels.rejected.csv holds every row that could not be used.

    Raises:
        InputError: a file cannot be used; or a row of one cannot, and [labels] skip_bad does not say to leave it out.
    """
    found: dict[str, OwnTarget] = {}
    for target, section in context.config.labels.own.items():
        found[target] = own_target(context.study.resolve(section.file), section, chips)
        yield Said(f"label '{target}': {found[target].n_rows:,} rows of {section.file.name} joined to chips")
        for note in found[target].notes:
            yield Said(f"label '{target}': {note}")
    yield from _judge(context, {target: own.bad for target, own in found.items() if len(own.bad)})
    shares = {target: own.valid_fraction for target, own in found.items() if own.valid_fraction is not None}
    return Labels(chips.ids, {target: own.values for target, own in found.items()}, shares)


def own_label_inputs(context: Context) -> Mapping[str, str]:
    """Digest of each file, by target: two targets may have files of one name."""
    own = context.config.labels.own
    files = [(target, part) for target in own for part in _parts(context.study.resolve(own[target].file))]
    return {f"{target}: {path.name}": digest_of_given(path) for target, path in files if path.is_file()}


def _parts(path: Path) -> list[Path]:
    """A shapefile is several files."""
    beside = (".dbf", ".shx", ".prj", ".cpg") if path.suffix.lower() == ".shp" else ()
    return [path, *(path.with_suffix(end) for end in beside)]


def _judge(context: Context, bad: Mapping[str, BadRows]) -> Work[None]:
    files = {target: context.config.labels.own[target].file for target in bad}
    rows = [(target, str(files[target]), *row) for target, own in bad.items() for row in own.in_order]
    write_bytes(context.study.rejected_labels, csv_bytes(COLUMNS, rows))
    for target, own in bad.items():
        path = context.study.resolve(files[target])
        if not context.config.labels.skip_bad:
            raise InputError(
                f"{path}: {own.sentence} (nothing was labelled; all stand in {context.study.rejected_labels.name}; mend them, or "
                "leave them out with [labels] skip_bad = true)"
            )
        yield Said(f"label '{target}': left out: {own.sentence}; all stand in {context.study.rejected_labels.name}")
