"""Workers give what one process gives, in order, and none outlives the process that it works for."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from terrashot.engine import ordered_map
from terrashot.errors import WorkerLostError

HERE = Path(__file__).parent


def square(number):
    return number * number


def die(number):
    os.kill(os.getpid(), signal.SIGKILL)


def tell_and_wait(folder):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers):
    assert list(ordered_map(square, range(20), workers, chunk=3)) == [n * n for n in range(20)]


def test_a_killed_worker_is_an_error_in_words():
    with pytest.raises(WorkerLostError, match="killed, or out of memory"):
        list(ordered_map(die, [1, 2], 2))


def is_alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(condition):
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        os.sched_yield()
    return condition()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes through /proc")
def test_workers_end_with_the_process_that_was_killed(tmp_path):
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_engine; from terrashot.engine import ordered_map\n"
    code += "if __name__ == '__main__': list(ordered_map(test_engine.tell_and_wait, [sys.argv[2]] * 2, 2))"
    (tmp_path / "run.py").write_text(code)
    (tmp_path / "pids").mkdir()
    parent = subprocess.Popen([sys.executable, tmp_path / "run.py", HERE, tmp_path / "pids"])
    assert until(lambda: len(list((tmp_path / "pids").iterdir())) == 2)
    parent.kill()
    parent.wait()
    assert until(lambda: not any(is_alive(path.name) for path in (tmp_path / "pids").iterdir()))
