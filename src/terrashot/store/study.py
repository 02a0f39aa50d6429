"""The study folder: the name of every file in it, spelled here once."""

from dataclasses import dataclass
from pathlib import Path

from terrashot.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Study:
    """Where a study's configuration and artefacts lie."""

    config_path: Path
    folder: Path

    @property
    def chips(self) -> Path:
        return self.folder / "chips.parquet"

    @property
    def store(self) -> Path:
        return self.folder / "chips.zarr"

    @property
    def ledger(self) -> Path:
        return self.folder / "chips.ledger.sqlite"

    @property
    def scenes(self) -> Path:
        """What was found of each sensor's scenes: STAC items, and what is subtracted from their numbers."""
        return self.folder / "scenes"

    @property
    def fetched(self) -> Path:
        """Parts of far files, while chips are made of them."""
        return self.folder / "ingest.fetched"

    @property
    def cuts(self) -> Path:
        """What was cut for each chip from whole coherence products, until all chips have theirs."""
        return self.folder / "ingest.coherence"

    @property
    def products(self) -> Path:
        """Whole coherence products, if [ingest] keep_products asks for them."""
        return self.folder / "coherence"

    @property
    def fetched_maps(self) -> Path:
        """Parts of far reference maps, while labels are made of them."""
        return self.folder / "labels.fetched"

    @property
    def presence(self) -> Path:
        return self.folder / "presence.parquet"

    @property
    def labels(self) -> Path:
        return self.folder / "labels.parquet"

    @property
    def rejected_labels(self) -> Path:
        """Rows of a user's own labels that could not be used, and why."""
        return self.folder / "labels.rejected.csv"

    @property
    def label_summary(self) -> Path:
        """How the labels are distributed over areas and splits, and whether neighbours agree."""
        return self.folder / "labels.summary.parquet"

    @property
    def suspects(self) -> Path:
        """Chips whose label the embeddings contradict."""
        return self.folder / "labels.suspects.parquet"

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def training_state(self) -> Path:
        """What a killed pretraining goes on from."""
        return self.folder / "model.state"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.jsonl"

    @property
    def tensorboard(self) -> Path:
        """The same for TensorBoard, if asked for."""
        return self.folder / "tensorboard"

    @property
    def embeddings(self) -> Path:
        return self.folder / "embeddings.parquet"

    @property
    def embed_parts(self) -> Path:
        """What a killed embedding goes on from."""
        return self.folder / "embed.parts"

    @property
    def fits(self) -> Path:
        """Outcomes of the few-label fits, so that none is done twice."""
        return self.folder / "fewshot.fits.sqlite"

    @property
    def health(self) -> Path:
        """The health card of the embeddings."""
        return self.folder / "embeddings.parquet.health.json"

    @property
    def embeddings_zarr(self) -> Path:
        """The vectors once more, if [embed] zarr asks for it."""
        return self.folder / "embeddings.zarr"

    @property
    def floors(self) -> Path:
        return self.folder / "floors.parquet"

    @property
    def results(self) -> Path:
        return self.folder / "results.parquet"

    @property
    def block_scores(self) -> Path:
        return self.folder / "block_scores.parquet"

    @property
    def timings(self) -> Path:
        return self.folder / "timings.parquet"

    @property
    def leakage(self) -> Path:
        """Results with training chips from beside the test chips and from elsewhere."""
        return self.folder / "leakage.parquet"

    @property
    def transfer(self) -> Path:
        """Results with training chips of other areas."""
        return self.folder / "transfer.parquet"

    @property
    def missing(self) -> Path:
        """What each absence costs."""
        return self.folder / "missing.parquet"

    @property
    def missing_parts(self) -> Path:
        """Vectors of single channels, for the missing-data report."""
        return self.folder / "missing.parts"

    @property
    def curves(self) -> Path:
        """Means of the results, with their intervals."""
        return self.folder / "curves.parquet"

    @property
    def answers(self) -> Path:
        """What the curves say."""
        return self.folder / "answers.json"

    @property
    def projection(self) -> Path:
        """Where every chip lies on the maps of the embeddings."""
        return self.folder / "projection.parquet"

    @property
    def figures(self) -> Path:
        return self.folder / "figures"

    @property
    def report(self) -> Path:
        return self.folder / "report.html"

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.jsonl"

    def resolve(self, path: Path) -> Path:
        """A path of the study file, seen from the study file's folder."""
        return path if path.is_absolute() else self.config_path.parent / path


def find_study(path: Path) -> Study:
    """The study that a TOML file, or a folder with `study.toml` in it, names.

    Raises:
        ConfigError: there is neither.
    """
    if path.suffix == ".toml" and not path.is_dir():
        folder = path.parent if path.name == "study.toml" else path.with_suffix("")
        return Study(path, folder)
    if (path / "study.toml").is_file():
        return Study(path / "study.toml", path)
    raise ConfigError(f"{path}: neither a TOML file nor a folder with study.toml; make one with: terrashot new {path}")
