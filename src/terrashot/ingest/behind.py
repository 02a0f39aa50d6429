"""One piece of work at a time in a thread behind the one that asks for it: a chip is packed while the next one is read."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Behind:
    """To be used in a `with`, at whose end all is done; holds at most one piece, so that memory does not grow."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._begun: Future[None] | None = None

    def __enter__(self) -> "Behind":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._thread.shutdown()
        if kind is None:
            self._wait()

    def do(self, work: Callable[[], None]) -> None:
        """Begun, once the piece before is done.

        Raises:
            What the piece before raised.
        """
        self._wait()
        self._begun = self._thread.submit(work)

    def _wait(self) -> None:
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.result()
