"""Parts of remote files that are kept on this disk: fetched once, whoever reads them, and never of two versions."""

import pytest
from faults.server import FaultServer

from terrashot.durable.spool import Spool
from terrashot.errors import NetworkError
from terrashot.remote.budget import Budget, Limits
from terrashot.remote.client import Client
from terrashot.remote.file import Blocks, RemoteFile
from terrashot.remote.kept_ranges import BLOCK_BYTES, KeptRanges
from terrashot.remote.ranges import RemoteRanges

CONTENT = bytes(range(256)) * (BLOCK_BYTES // 256 * 5) + b"the end"


def opened(server, spool, path="/a.tif"):
    ranges = RemoteRanges(server.url(path), Client(server.rules), Budget(Limits()))
    return KeptRanges(ranges, spool)


def read(ranges, first, end):
    """Blocks of a file, one after the other."""
    room = bytearray((end - first) * BLOCK_BYTES)
    return bytes(room[: ranges.read_into(memoryview(room), first * BLOCK_BYTES)])


def test_what_one_reader_fetched_the_next_takes_from_the_disk_without_a_request(tmp_path):
    with FaultServer({"/a.tif": CONTENT}) as server:
        first = opened(server, Spool(tmp_path))
        assert read(first, 1, 3) == CONTENT[BLOCK_BYTES : 3 * BLOCK_BYTES]
        asked = len(server.seen)
        again = opened(server, Spool(tmp_path))
        assert read(again, 1, 3) == CONTENT[BLOCK_BYTES : 3 * BLOCK_BYTES]
        assert again.size == len(CONTENT)
        assert len(server.seen) == asked


def test_only_the_blocks_that_are_missing_are_fetched_and_the_whole_is_the_file(tmp_path):
    with FaultServer({"/a.tif": CONTENT}) as server:
        read(opened(server, Spool(tmp_path)), 2, 3)
        file = RemoteFile(Blocks(opened(server, Spool(tmp_path))))
        assert file.read() == CONTENT
        got = [seen.headers["Range"] for seen in server.seen]
    wanted = [(2, 3), (0, 1), (1, 2), (3, 6)]  # the first one for the size
    assert got == [f"bytes={start * BLOCK_BYTES}-{min(stop * BLOCK_BYTES, len(CONTENT)) - 1}" for start, stop in wanted]


def test_a_damaged_block_is_fetched_again(tmp_path):
    spool = Spool(tmp_path)
    with FaultServer({"/a.tif": CONTENT}) as server:
        read(opened(server, spool), 0, 1)
        for path in tmp_path.glob("??/*"):
            path.write_bytes(path.read_bytes()[:-1])
        assert read(opened(server, spool), 0, 1) == CONTENT[:BLOCK_BYTES]


def test_a_file_that_was_replaced_meanwhile_is_never_put_together_from_two_versions(tmp_path):
    spool, files = Spool(tmp_path), {"/a.tif": CONTENT}
    with FaultServer(files) as server:
        read(opened(server, spool), 0, 1)
        files["/a.tif"] = CONTENT[::-1] + b"longer"
        with pytest.raises(NetworkError, match="replaced"):
            read(opened(server, spool), 0, 3)
        # The next run begins with the new version.
        assert read(opened(server, spool), 0, 1) == files["/a.tif"][:BLOCK_BYTES]
