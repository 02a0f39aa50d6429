"""Our writer of safetensors against the library's own writer and reader."""

import hashlib

import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load, save

from terrashot.model.tensors import file_parts, sha256_of_tensors, write_tensors

shapes = st.dictionaries(
    st.text("abcxyz/._é", min_size=1, max_size=8), st.lists(st.integers(0, 4), max_size=3).map(tuple), max_size=6
)


@given(shapes)
def test_the_bytes_read_back_as_the_tensors_that_went_in(named):
    tensors = {name: torch.randn(shape) for name, shape in named.items()}
    found = load(b"".join(file_parts(tensors)))
    assert set(found) == set(tensors)
    assert all(torch.equal(found[name], tensors[name]) and found[name].dtype == torch.float32 for name in tensors)


def test_the_bytes_are_those_of_the_librarys_writer():
    tensors = {"b/weight": torch.randn(3, 5), "a": torch.randn(()), "c": torch.randn(7)}
    assert b"".join(file_parts(tensors)) == save(dict(sorted(tensors.items())))


def test_the_digest_is_that_of_the_file(tmp_path):
    tensors = {"b": torch.randn(3, 5).T, "a": torch.randn(2)}
    digest = write_tensors(tmp_path / "t.safetensors", tensors)
    assert digest == hashlib.sha256((tmp_path / "t.safetensors").read_bytes()).hexdigest() == sha256_of_tensors(tensors)
