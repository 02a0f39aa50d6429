"""The study file: what may stand in it, and the only reader of it.

Strict: an unknown key, a wrong type or a value out of range is refused with the file, the section and the key.
`docs/study-file.md` is generated from these models.
"""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from terrashot.chip_sections import AreaSection, GridSection, Share, SourceSection, SplitSection
from terrashot.complaints import first_complaint, nearest_of
from terrashot.earthengine_sections import EngineLabelSection
from terrashot.errors import ConfigError
from terrashot.fewshot_section import FewshotSection
from terrashot.label_sections import MapSection
from terrashot.own_label_sections import OwnLabelsSection
from terrashot.scene_sections import Name, Section
from terrashot.task_sections import TaskSection

Target = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
LARGEST_FILE_BYTES = 1 << 20
CUT_FROM_SCENES = ("scenes", "earthengine")
"""Kinds of source whose chips have pixels and no labels of their own."""


class StudySection(Section):
    """What the study is, and what all its steps share."""

    name: Name = "study"
    """Name in the report and in messages."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Source of all randomness: same seed, same bytes."""
    workers: int = Field(0, ge=0, le=1024)
    """Processes to use; 0 means one a core. Never changes a result."""


class IngestSection(Section):
    """Filling the chip store."""

    max_failed_share: Share = 0.0
    """Largest share of chips that may fail to be read before later steps refuse to start."""
    readers: int = Field(8, ge=1, le=64)
    """Files that each process reads at once from the network. Never changes a result."""
    fetched_gb: float = Field(4.0, ge=0.01, le=10_000)
    """Room on disk for parts of far files while chips are made of them; what is there is not fetched again by a run that was
    killed. Of more, the oldest go."""
    allowed_hosts: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.:_-]{1,255}$")], ...] = ()
    """Hosts, with a port or without, that may be asked though their address is not public or they know no https."""
    keep_products: bool = False
    """Keep whole coherence products (some 50 MB each, in `coherence/` of the study) after chips are cut from them. Never changes a
    result."""


class LabelsSection(Section):
    """Targets, and how a number becomes a yes or no."""

    file: Path | None = None
    """CSV or Parquet with `id` and a column a target ([source] kind = "scenes" and "earthengine")."""
    maps: dict[Target, MapSection] = Field(default_factory=dict)
    own: dict[Target, OwnLabelsSection] = Field(default_factory=dict)
    earthengine: dict[Target, EngineLabelSection] = Field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    """Columns to use; empty means all."""
    threshold: Literal["nearest", "median"] = "nearest"
    """Cut of a numeric target, chosen on the training chips: nearest to balance, or the median (the paper's); of one target:
    [tasks.TARGET]."""
    skip_bad: bool = False
    """Leave bad rows of [labels.own.NAME] out and list them in labels.rejected.csv; without it one bad row stops the run."""


class PretrainSection(Section):
    """Learning without labels."""

    preset: Literal["small", "tiny", "w192d8", "w192d12", "w384d12", "w384d18", "paper"] = "small"
    """Size of the towers and how they are taught; `small` learns most from few chips, `paper` is 3 x ViT-B/16 at 448 px, 259 M
    parameters."""
    epochs: int = Field(20, ge=1, le=100_000)
    """Passes over the training chips."""
    batch_size: int = Field(64, ge=2, le=65_536)
    """Chips a step, on all processes together; each is the others' negative."""
    learning_rate: float = Field(1e-3, gt=0, le=1)
    """Peak of the schedule: linear warm-up, then cosine to zero."""
    weight_decay: float = Field(0.05, ge=0, le=10)
    """AdamW's decay of weight matrices."""
    warmup_share: Share = 0.1
    """Share of all steps that warm up."""
    flips: bool = True
    """Flip and turn chips, all modalities of a place alike; where a step shows windows or two channels, each for itself."""
    views: int | None = Field(None, ge=1, le=2)
    """Channels of each modality that a step shows, each other's positives too. Not given, this and the next two are as the preset
    has them: 2, 0.6 and true for `small`; 1, 1.0 and false, the paper's way, for the others."""
    crop: float | None = Field(None, gt=0, le=1)
    """Least side of the window that a step shows of a chip, as a share of it; 1 shows whole chips."""
    differences: bool | None = None
    """Show differences of two channels, and of two dates, as channels of their own."""
    keep_patches: float = Field(1.0, gt=0, le=1)
    """Share of each chip's patches that a step shows, drawn anew each epoch; 0.5 about doubles the speed."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the matrix products in training; `auto` measures which is faster here and says what it took."""
    chips_at_once: int = Field(0, ge=0, le=65_536)
    """Chips whose activations a process holds at once (gradient caching: same loss and gradients as the whole batch at
    once, a third more work); 0 holds all of its share of the batch."""
    checkpoint_activations: bool = False
    """Hold the activations of one layer alone, for a third more work."""
    shuffle: Literal["chips", "shards"] = "chips"
    """Order of an epoch: all chips shuffled, or neighbours in the store together, for slow disks."""
    patience: int = Field(0, ge=0, le=100_000)
    """Epochs without a better validation loss after which training stops; 0 never stops early."""
    tensorboard: bool = False
    """Also write the curves for TensorBoard, as they come; needs the extra `tensorboard`. Changes no result."""


class EmbedSection(Section):
    """From chips to vectors."""

    channels: Literal["mean", "random", "each", "each-date"] | tuple[Name, ...] = "each"
    """`each`: a part for each kind of channel, the mean over its dates; `each-date`: a part for each channel, where dates
    differ in meaning, as before and after a flood; `mean` over all present channels; `random`: one channel, the paper's way; or
    names of channels or kinds, whose mean is taken. Which gives what: docs/missing-data.md."""
    absent: Literal["training-mean", "ridge"] = "ridge"
    """What stands in for an absent kind of channel (`each`, `each-date`): what a ridge regression on the training chips says
    from the parts that are there, or the training chips' mean; the mean too where no ridge is possible, which is said."""
    dtype: Literal["float16", "float32", "int8"] = "float16"
    """Number type in embeddings.parquet; `int8` are whole steps, with the size of a step a chip; the loss is told."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the matrix products; `bfloat16` is faster where the processor has it, and moves vectors by about 0.001."""
    zarr: bool = False
    """Also write the vectors as embeddings.zarr."""
    floors: bool = True
    """Also make the simple features that the embedding must beat."""


class MissingSection(Section):
    """The missing-data report."""

    report: bool = True
    """Measure what each absent modality, month and channel costs, on at most 20,000 chips."""


class ReportSection(Section):
    """What the report shows."""

    tsne_chips: int = Field(20_000, ge=10)
    """Chips laid out and drawn by t-SNE; of more, a random sample."""
    plates: int = Field(4, ge=0, le=24)
    """Example chips shown per area, 12 of all areas at most."""


class StudyConfig(Section):
    """A whole study file."""

    study: StudySection = StudySection()
    source: SourceSection = SourceSection()
    grid: GridSection = GridSection()
    areas: dict[Name, AreaSection] = Field(default_factory=dict)
    split: SplitSection = SplitSection()
    ingest: IngestSection = IngestSection()
    labels: LabelsSection = LabelsSection()
    tasks: dict[Target, TaskSection] = Field(default_factory=dict)
    pretrain: PretrainSection = PretrainSection()
    embed: EmbedSection = EmbedSection()
    fewshot: FewshotSection = FewshotSection()
    missing: MissingSection = MissingSection()
    report: ReportSection = ReportSection()

    @property
    def has_partitions(self) -> bool:
        """Whether the chips of the areas stand in partitions files."""
        return any(area.partitions is not None for area in self.areas.values())

    @model_validator(mode="after")
    def _areas_fit_the_source(self) -> "StudyConfig":
        n_listed = sum(area.partitions is not None for area in self.areas.values())
        if self.source.kind == "folder" and n_listed < len(self.areas):
            raise ValueError(
                '[areas] come from chips.csv when [source] kind = "folder"; delete the section, or give each area partitions = "FILE"'
            )
        if n_listed not in (0, len(self.areas)):
            raise ValueError("[areas]: some have partitions and others an outline; give all of them the same")
        if self.source.kind in CUT_FROM_SCENES and n_listed:
            raise ValueError(
                f'[source] kind = "{self.source.kind}" cuts chips of our own grid; give the areas an outline, not partitions'
            )
        if self.source.kind != "folder" and not self.areas:
            raise ValueError("no area; add [areas.NAME] with bbox = [west, south, east, north]")
        return self

    @model_validator(mode="after")
    def _labels_fit_the_source(self) -> "StudyConfig":
        labels, kind = self.labels, self.source.kind
        if labels.file is not None and kind not in CUT_FROM_SCENES:
            raise ValueError('[labels] file = "labels.csv" belongs to [source] kind = "scenes" and "earthengine"')
        if kind in CUT_FROM_SCENES and not (labels.file or labels.maps or labels.own or labels.earthengine):
            raise ValueError(
                f'[source] kind = "{kind}" needs labels: [labels] file = "labels.csv", maps under [labels.maps.NAME] or '
                "[labels.earthengine.NAME], or your own points and polygons under [labels.own.NAME]"
            )
        if labels.file is not None and labels.earthengine:
            raise ValueError('[labels]: give one of file = "labels.csv" and [labels.earthengine.NAME]')
        if labels.earthengine and self.source.earthengine is None:
            raise ValueError('[labels.earthengine] needs [source.earthengine] project = "my-project"')
        if kind == "simulated" and labels.maps:
            raise ValueError('[labels.maps] are of the real Earth; [source] kind = "simulated" has labels of its own')
        twice = sorted(set(labels.maps) & set(labels.own))
        if twice:
            raise ValueError(
                f"[labels.own.{twice[0]}]: [labels.maps] has a target of that name too; rename one of them"
            )
        return self

    @model_validator(mode="after")
    def _the_area_left_out_is_one_of_several(self) -> "StudyConfig":
        left = self.split.area
        if left is None or not self.areas:  # those of a chip folder stand in chips.csv
            return self
        if left not in self.areas:
            raise ValueError(f"[split]: area: no area '{left}'; {nearest_of(left, list(self.areas), 'areas')}")
        if len(self.areas) < 2:
            raise ValueError(
                '[split]: scheme = "leave_area_out" needs a second area to train on; add one under [areas]'
            )
        return self

    @model_validator(mode="after")
    def _absences_name_areas(self) -> "StudyConfig":
        for name in self.source.area_absences:
            if self.source.kind == "folder":
                raise ValueError('[source.area_absences] belongs to kind = "simulated"; delete the section')
            if self.has_partitions:
                raise ValueError("[source.area_absences] needs areas with an outline; partitions have none")
            if name not in self.areas:
                hint = nearest_of(name, list(self.areas), "areas")
                raise ValueError(f"[source.area_absences]: no area '{name}'; {hint}")
        return self


def read_config(path: Path) -> StudyConfig:
    """The study file's content; paths in it resolve against its folder.

    Raises:
        ConfigError: missing, too large, no TOML, or a key or value that may not stand there.
    """
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise ConfigError(f"{path}: over {LARGEST_FILE_BYTES} bytes; a study file is a page of text")
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such study file; make one with: terrashot new FOLDER --template simulated"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML: {error}") from None
    try:
        # Through JSON: strict there means that a list may be a tuple and a text a path, and nothing else is bent.
        return StudyConfig.model_validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_complaint(error, StudyConfig)}") from None
