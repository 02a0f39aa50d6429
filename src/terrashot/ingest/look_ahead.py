"""Answers of a function asked for one after the other, while threads already work on the next ones."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class LookAhead(Generic[Item, Outcome]):
    """Holds at most so many answers; which thread is faster changes none of them. To be used in a `with`."""

    def __init__(
        self, function: Callable[[Item], Outcome], items: Sequence[Item], threads: int, kind: str = "files"
    ) -> None:
        """
        Args:
            function: spends its time waiting, or in compiled code that lets other threads run.
            items: in the order in which they are asked for; some may be passed over.
            kind: of the threads; a function that looks ahead itself needs another kind, or all would wait for one another.
        """
        self._function, self._items, self._threads, self._kind = function, items, threads, kind
        self._place = {item: place for place, item in enumerate(items)}
        self._begun: dict[int, Future[Outcome]] = {}

    def __enter__(self) -> "LookAhead[Item, Outcome]":
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go(len(self._items))

    def __call__(self, item: Item) -> Outcome:
        """The function's answer to the item, or what it raised."""
        place = self._place[item]
        if self._threads == 1:
            return self._function(item)
        self._let_go(place)
        for number in range(place, min(place + self._threads, len(self._items))):
            if number not in self._begun:
                self._begun[number] = _pool(self._kind, self._threads).submit(self._function, self._items[number])
        return self._begun.pop(place).result()

    def _let_go(self, end: int) -> None:
        """Of what was passed over, nothing is waited for."""
        for number in [number for number in self._begun if number < end]:
            self._begun.pop(number).cancel()


@cache
def _pool(kind: str, threads: int) -> ThreadPoolExecutor:
    """One of a kind in a process, so that its threads keep their open lines from chip to chip."""
    return ThreadPoolExecutor(threads)
