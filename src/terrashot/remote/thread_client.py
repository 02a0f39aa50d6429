"""One client a thread and process, so that lines to hosts stay open from one question to the next."""

import os
import threading

from terrashot.remote.address import AddressRules
from terrashot.remote.client import Client


class _Lines(threading.local):
    """Clients of this thread by process and by who may be asked: a forked process must not use its parent's."""

    def __init__(self) -> None:
        self.clients: dict[tuple[int, frozenset[str]], Client] = {}


_LINES = _Lines()


def thread_client(allowed_hosts: frozenset[str]) -> Client:
    """This thread's client under these rules."""
    key = os.getpid(), allowed_hosts
    if key not in _LINES.clients:
        _LINES.clients[key] = Client(AddressRules(allowed_hosts))
    return _LINES.clients[key]
