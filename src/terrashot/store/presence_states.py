"""presence.parquet as numbers: a row group at a time, and no Python object a row.

Legend: R channels of chips.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Int32, Int64

from terrashot.domain.channel_states import ChannelState, ChannelStates, state_of
from terrashot.store.parquet import open_table

TELLING = ("modality", "kind", "first_date", "second_date", "status", "reason")


def read_channel_states(path: Path, chip_ids: Sequence[str]) -> ChannelStates:
    """The state of each channel of these chips; rows of other chips are left out.

    Raises:
        InputError: no such file, or no Parquet.
        IntegrityError: its bytes are not those that were written.
    """
    place = {chip_id: number for number, chip_id in enumerate(chip_ids)}
    number_of: dict[ChannelState, int] = {}
    chip, state = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    for group in _groups(path):
        its_chip = _coded(group.column("id"), place)
        known = its_chip >= 0
        chip.append(its_chip[known])
        state.append(_states(group, number_of)[known])
    return ChannelStates(np.concatenate(chip), np.concatenate(state), tuple(number_of))


def _groups(path: Path) -> Iterator[pa.Table]:
    with open_table(path) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number, columns=["id", *TELLING])


def _coded(column: pa.ChunkedArray, place: dict[str, int]) -> Int32[np.ndarray, " R"]:
    """The place of each text; -1 where it has none."""
    codes, texts = _dictionary(column)
    return np.array([place.get(text, -1) if text is not None else -1 for text in texts], dtype=np.int32)[codes]


def _states(group: pa.Table, number_of: dict[ChannelState, int]) -> Int32[np.ndarray, " R"]:
    """The number of each row's state; states not seen before are added."""
    columns = [_dictionary(group.column(name)) for name in TELLING]
    key = np.zeros(len(group), dtype=np.int64)
    for codes, texts in columns:
        # Few remain after each column, so that the product never overflows; by hashing, for sorting takes longer.
        key, first = _distinct(key * len(texts) + codes)
    numbers = []
    for row in first.tolist():
        modality, kind, begun, ended, status, reason = (texts[codes[row]] for codes, texts in columns)
        state = state_of(modality, kind, (begun, ended), status, reason)
        numbers.append(number_of.setdefault(state, len(number_of)))
    return np.array(numbers, dtype=np.int32)[key]


def _distinct(key: Int64[np.ndarray, " R"]) -> tuple[Int64[np.ndarray, " R"], Int64[np.ndarray, " D"]]:
    """The number of each row's key, in the order in which keys come, and the first row of each. D: distinct keys."""
    coded = pa.array(key).dictionary_encode()
    number = coded.indices.to_numpy().astype(np.int64)
    first = np.empty(len(coded.dictionary), dtype=np.int64)
    first[number[::-1]] = np.arange(len(key) - 1, -1, -1)
    return number, first


def _dictionary(column: pa.ChunkedArray) -> tuple[Int64[np.ndarray, " R"], list[str | None]]:
    """The number of each row's text, and the texts; null is the last."""
    coded = column.combine_chunks().dictionary_encode()
    texts = coded.dictionary.to_pylist()
    return coded.indices.fill_null(len(texts)).to_numpy().astype(np.int64), [*texts, None]
