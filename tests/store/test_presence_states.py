"""The presence table as numbers says what the table says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.simulated_presence import CLOUD, LATE, MONTHS, NO_PAIR, OK, UNREAD, optical, presence_of

from terrashot.domain.channel_states import ChannelState
from terrashot.errors import InputError
from terrashot.store import parquet
from terrashot.store.presence_states import read_channel_states
from terrashot.store.tables import write_presence

cell = st.tuples(
    st.integers(0, 4), st.sampled_from(["s2rgbm", "gunw"]), st.sampled_from([None, *MONTHS, "coherence"]),
    st.sampled_from([OK, CLOUD, LATE, UNREAD, NO_PAIR]),
)  # fmt: skip


@given(st.lists(cell, max_size=30))
def test_each_row_has_its_chip_and_its_state_in_the_tables_order(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("presence") / "presence.parquet"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "ROW_GROUP_ROWS", 4)
        write_presence(path, presence_of(rows))
    found = read_channel_states(path, [f"c{chip}" for chip in (4, 3, 2, 1, 0)])
    told = [
        (4 - chip, found.states[state]) for chip, state in zip(found.chip.tolist(), found.state.tolist(), strict=True)
    ]
    assert told == [(chip, ChannelState(modality, part, *what)) for chip, modality, part, what in rows]
    assert len(set(found.states)) == len(found.states)


def test_rows_of_other_chips_are_left_out(tmp_path):
    write_presence(tmp_path / "presence.parquet", presence_of(optical("oo", "cc")))
    found = read_channel_states(tmp_path / "presence.parquet", ["c1", "elsewhere"])
    assert found.chip.tolist() == [0] * 4 and {found.states[state].reason for state in found.state} == {"all clouded"}


def test_an_absent_table_is_named(tmp_path):
    with pytest.raises(InputError, match=r"presence\.parquet: no such file"):
        read_channel_states(tmp_path / "presence.parquet", ["c0"])
