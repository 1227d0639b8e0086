"""A small pool of threads for calls to Azure. Built by wiring; eight threads of sync clients outrun ARM's limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from shared.errors import CloudError

Answer = TypeVar("Answer")
THREADS = 8


class ThreadWorkers:
    """Runs calls side by side. Threads start with the first call and are kept."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="tagback")

    def run(self, calls: Sequence[Callable[[], Answer]]) -> list[Answer | CloudError]:
        futures = [self._pool.submit(_answer, call) for call in calls]
        wait(futures)
        return [future.result() for future in futures]

    def close(self) -> None:
        self._pool.shutdown()


def _answer(call: Callable[[], Answer]) -> Answer | CloudError:
    try:
        return call()
    except CloudError as error:
        return error
