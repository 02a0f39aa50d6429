"""Step `chips`: outlines or a chip folder in, chips with their split out."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from terrashot.areas.place import chips_of_areas
from terrashot.chip_sections import SplitSection
from terrashot.domain.area import Area
from terrashot.domain.buffer import Buffer
from terrashot.domain.split import SplitRecipe, buffer_of, choose_scheme, make_split
from terrashot.domain.split_check import broken_promise, check_split
from terrashot.domain.tables import SPLIT_NAMES, Chips
from terrashot.domain.zone_seams import seam_cover
from terrashot.errors import InputError, IntegrityError
from terrashot.steps.artefacts import digest_of_given
from terrashot.steps.listed_chips import folder_path, partition_chips, partition_paths
from terrashot.steps.plan import Context
from terrashot.steps.progress import Said, Work
from terrashot.steps.sources import chip_folder, outline_of
from terrashot.store.tables import read_chips, write_chips


def make_chips(context: Context) -> Work[None]:
    """Writes chips.parquet."""
    chips, notes = placed_chips(context)
    for note in notes:
        yield Said(note)
    scheme, sentence = choose_scheme(chips)
    if context.config.split.scheme == "auto":
        yield Said(sentence)
    recipe = _recipe(context, scheme)
    split = make_split(chips, recipe)
    _refuse_empty(split, _needed(context))
    yield Said(_counts(chips, split))
    yield from _check(chips, split, recipe)
    write_chips(context.study.chips, replace(chips, split=split))


def chip_inputs(context: Context) -> Mapping[str, str]:
    """Digest of every outline file, of chips.csv, or of partitions."""
    if context.config.has_partitions:
        return {name: digest_of_given(path) for name, path in partition_paths(context).items() if path.is_file()}
    if context.config.source.kind == "folder":
        path = folder_path(context) / "chips.csv"
        return {"chips.csv": digest_of_given(path)} if path.is_file() else {}
    files = {name: area.outline or area.boundaries for name, area in context.config.areas.items()}
    outlines = {name: path for name, path in files.items() if path is not None}
    paths = {name: context.study.resolve(path) for name, path in outlines.items()}
    return {f"outline of {name}": digest_of_given(path) for name, path in paths.items() if path.is_file()}


def placed_chips(context: Context) -> tuple[Chips, tuple[str, ...]]:
    """The chips of the study's outlines or tables, not yet split, and what a person must be told of them."""
    if context.config.source.kind == "folder":
        folder = chip_folder(context)
        return folder.chips, tuple(folder.notes)
    if context.config.has_partitions:
        return partition_chips(context)
    outlines = {name: outline_of(context, section) for name, section in context.config.areas.items()}
    areas = [Area(name, outline) for name, (outline, _) in outlines.items()]
    chip_size_m = context.config.grid.chip_px * context.config.grid.pixel_m
    chips, notes = chips_of_areas(areas, chip_size_m)
    covers = [(area.name, seam_cover(area, chip_size_m)) for area in areas]
    mended = [f"area '{name}': {note}" for name, (_, said) in outlines.items() for note in said]
    at_seams = [f"area '{name}': {cover.sentence()}" for name, cover in covers if cover is not None]
    return chips, (*mended, *notes, *at_seams)


def _recipe(context: Context, scheme: str) -> SplitRecipe:
    split = context.config.split
    return SplitRecipe(
        scheme=scheme if split.scheme == "auto" else split.scheme,  # type: ignore[arg-type]
        bands=split.bands,
        angle_rad={name: area.band_angle_rad for name, area in context.config.areas.items()},
        shares=split.shares,
        block_km=split.block_km,
        folds=split.folds,
        fold=split.fold,
        area=split.area,
        buffer=_buffer_asked(split),
        seed=context.config.study.seed,
    )


def _buffer_asked(split: SplitSection) -> Buffer | None:
    """The buffer that the study file names; None leaves it to the scheme."""
    if split.buffer_chips is None and split.buffer_m is None:
        return None
    return Buffer(split.buffer_chips or 0, split.buffer_m)


def foreseen_chips(context: Context) -> Chips:
    """The chips of the study, or those that it would have: for what is told before anything is done."""
    return read_chips(context.study.chips) if context.study.chips.is_file() else placed_chips(context)[0]


def _check(chips: Chips, split: tuple[str, ...], recipe: SplitRecipe) -> Work[None]:
    """What the split keeps apart and what its buffer costs; an error where it does not hold what it promises."""
    check, cost = check_split(chips, split), f"{split.count('buffer') / len(chips):.1%} of the chips are cut as buffer"
    if check is None:
        yield Said(f"split: nothing to measure between training and test chips; {cost}")
        return
    yield Said(f"{check.sentence()}; {cost}")
    broken = broken_promise(chips, check, buffer_of(chips, recipe))
    if broken is not None:
        raise IntegrityError(f"the split breaks its promise: {broken}; please report this as a defect")


def _needed(context: Context) -> tuple[str, ...]:
    """The splits without which a study cannot do what it is for: chips without labels are to train on alone."""
    labels = context.config.labels
    has_table = context.config.source.kind != "folder" or (folder_path(context) / "labels.csv").is_file()
    is_labelled = has_table or bool(labels.maps or labels.own)
    return ("train", "val", "test") if is_labelled else ("train", "val")


def _refuse_empty(split: tuple[str, ...], needed: tuple[str, ...]) -> None:
    empty = [name for name in needed if name not in split]
    if empty:
        raise InputError(
            f"no chip is in {' or '.join(empty)} after the split of {len(split)} chips; "
            "use fewer bands, a smaller buffer, other shares, or more chips"
        )


def _counts(chips: Chips, split: tuple[str, ...]) -> str:
    counts = Counter(zip(chips.area, split, strict=True))
    parts = (
        f"{area} " + ", ".join(f"{counts[area, name]} {name}" for name in SPLIT_NAMES if counts[area, name])
        for area in dict.fromkeys(chips.area)
    )
    return f"{len(chips)} chips: " + "; ".join(parts)
