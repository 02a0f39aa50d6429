"""One writer at a time, and the dead hold nothing."""

import fcntl
import os
import subprocess
import sys
import threading

import pytest

from terrashot.durable.lock import sole_writer
from terrashot.errors import LockedError

HOLD = (
    "import sys; from pathlib import Path; from terrashot.durable.lock import sole_writer\n"
    "with sole_writer(Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
)


def test_a_second_writer_is_refused_and_told_who_holds_the_lock(tmp_path):
    with (
        sole_writer(tmp_path),
        pytest.raises(LockedError, match=f"locked by process {os.getpid()} on"),
        sole_writer(tmp_path),
    ):
        raise AssertionError("two writers")


def test_the_lock_is_free_again_after_its_holder_is_done(tmp_path):
    for _ in range(2):
        with sole_writer(tmp_path):
            pass


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"held\n"
    with pytest.raises(LockedError, match=f"process {child.pid} "), sole_writer(tmp_path):
        raise AssertionError("two writers")
    child.kill()
    child.wait()
    with sole_writer(tmp_path):
        pass


def test_a_holder_that_writes_its_name_late_is_still_named(tmp_path):
    file = tmp_path / ".lock"
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    timer = threading.Timer(0.2, os.pwrite, (descriptor, b"process 7 on ada", 0))
    timer.start()
    try:
        with pytest.raises(LockedError, match="locked by process 7 on ada"), sole_writer(tmp_path):
            raise AssertionError("two writers")
    finally:
        timer.join()
        os.close(descriptor)
