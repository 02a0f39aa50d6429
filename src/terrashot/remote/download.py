"""Fetches a remote file whole, for readers that need all of it on this disk."""

from pathlib import Path

from terrashot.durable.pieces import write_in_pieces
from terrashot.remote.ranges import RemoteRanges


def fetch_file(ranges: RemoteRanges, path: Path, *, sha256: str | None = None, md5: str | None = None) -> str:
    """SHA-256 of the file, which now lies whole at `path`; what a killed fetch of the same version left is not fetched again.

    Args:
        sha256, md5: what the provider says it is.

    Raises:
        NetworkError, InputError: as the ranges do; what came so far is kept.
        IntegrityError: another digest than the provider says. StorageError: no space, no permission.
    """
    version = ranges.version
    return write_in_pieces(path, f"{ranges.name} {version}", version.size, ranges.read, sha256=sha256, md5=md5)
