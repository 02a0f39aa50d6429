"""Tensors as a safetensors file, one after the other, so that they never lie in memory twice.

The library's own writer holds all bytes of a file beside the tensors; reading is left to it.

Source: the safetensors format (Hugging Face, 2022), README, section "Format".
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Literal

import torch
from torch import Tensor

from terrashot.durable.files import write_atomically

ALIGNMENT = 8
TensorType = Literal["float16", "float32"]
TYPES: Mapping[TensorType, torch.dtype] = {"float16": torch.float16, "float32": torch.float32}


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of the file that now holds these tensors, whole."""
    digest = hashlib.sha256()

    def write(file: BinaryIO) -> None:
        for part in file_parts(tensors):
            file.write(part)
            digest.update(part)

    write_atomically(path, write)
    return digest.hexdigest()


def sha256_of_tensors(tensors: Mapping[str, Tensor], dtype: TensorType = "float32") -> str:
    """SHA-256 of the file that would hold these tensors."""
    digest = hashlib.sha256()
    for part in file_parts(tensors, dtype):
        digest.update(part)
    return digest.hexdigest()


def file_parts(tensors: Mapping[str, Tensor], dtype: TensorType = "float32") -> Iterator[bytes | memoryview]:
    """A safetensors file of these tensors in one number type, in the order of their names, part by part."""
    names = sorted(tensors)
    yield _header({name: tensors[name] for name in names}, dtype)
    for name in names:
        plain = tensors[name].detach().to("cpu", TYPES[dtype]).contiguous()
        yield plain.reshape(-1).view(torch.uint8).numpy().data


def _header(tensors: Mapping[str, Tensor], dtype: TensorType) -> bytes:
    entries, offset = {}, 0
    for name, tensor in tensors.items():
        end = offset + TYPES[dtype].itemsize * tensor.numel()
        entries[name] = {
            "dtype": f"F{8 * TYPES[dtype].itemsize}",
            "shape": list(tensor.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return len(text).to_bytes(8, "little") + text
