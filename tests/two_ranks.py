"""Two processes of one group, for tests that compare them with one."""

import socket
from collections.abc import Callable
from typing import Any

import torch
from torch import multiprocessing

from terrashot.pretrain.distributed import World


def in_two_ranks(work: Callable[[World], Any]) -> list[Any]:
    """What `work`, a function of a module, gives in each of two processes, by rank."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    ranks = [context.Process(target=_one_rank, args=(rank, port, work, results)) for rank in range(2)]
    for process in ranks:
        process.start()
    # Before they end: a long answer waits in the pipe until it is fetched.
    answers = dict(results.get(timeout=120) for _ in ranks)
    for process in ranks:
        process.join(120)
        assert process.exitcode == 0
    return [answers[rank] for rank in range(2)]


def _one_rank(rank: int, port: int, work: Callable[[World], Any], results: Any) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"tcp://127.0.0.1:{port}", world_size=2, rank=rank)
    results.put((rank, work(World(rank, 2))))
    torch.distributed.destroy_process_group()
