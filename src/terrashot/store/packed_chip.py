"""What the store keeps of one chip and modality: packed chunks and presence rows, and the digest they are known by."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PackedChip:
    """What the store keeps of one chip and modality."""

    chunks: Mapping[int, bytes]
    """Packed chunk, by slot."""
    rows: Sequence[Mapping[str, Any]]
    """Presence rows, as the ledger holds them."""

    @property
    def digest(self) -> str:
        """SHA-256 of the chunks with their slots: what verification and repair know a chip by."""
        found = hashlib.sha256()
        for slot in sorted(self.chunks):
            found.update(slot.to_bytes(4, "little") + len(self.chunks[slot]).to_bytes(8, "little"))
            found.update(self.chunks[slot])
        return found.hexdigest()
