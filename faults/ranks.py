"""A command of ours in two processes of one group, as torchrun would start them, forked so that they cost no second."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

from faults.child import command_line


def in_two_ranks(*arguments: object, second_ends_after_s: float | None = None) -> Callable[[], object]:
    """Work that is a call of `terrashot` with these arguments in two ranks.

    Args:
        second_ends_after_s: the second rank kills itself then, as no one else would.
    """

    def work() -> None:
        port = _free_port()
        second = os.fork()
        _be_rank(0 if second else 1, port)
        if second == 0:
            if second_ends_after_s is not None:
                threading.Timer(second_ends_after_s, os.kill, (os.getpid(), signal.SIGKILL)).start()
            os._exit(_code(arguments))
        code = _code(arguments)
        _, status = os.waitpid(second, 0)
        sys.exit(code or os.waitstatus_to_exitcode(status))

    return work


def _code(arguments: tuple[object, ...]) -> int:
    try:
        command_line(*arguments)()
    except SystemExit as stop:
        return int(stop.code or 0)
    finally:
        sys.stdout.flush(), sys.stderr.flush()
    return 0


def _be_rank(rank: int, port: int) -> None:
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in names.items()} | {"MASTER_ADDR": "127.0.0.1"})


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
