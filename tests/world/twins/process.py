"""The twins of what a worker process has of its own: clock, chance, a pool of workers, and its pace."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypeVar, cast

from shared.errors import CloudError
from shared.model.draining import CallKind
from shared.model.identity import Shard
from tests.world.scheduler import Scheduler
from tests.world.steps import Call, Effect, Steps
from tests.world.twins.throttle import Throttle

Answer = TypeVar("Answer")
POOL = 8


class ClockTwin:
    """The virtual clock as the current process has it: `skew` apart from the truth, and never going back."""

    def __init__(self, scheduler: Scheduler, steps: Steps) -> None:
        self._scheduler = scheduler
        self._steps = steps

    def now(self) -> datetime:
        worker = self._scheduler.current
        return self._scheduler.now + (worker.invocation.process.skew if worker else timedelta(0))

    def sleep(self, seconds: float) -> None:
        call = Call("process", "clock.sleep", Effect.LOCAL, subject=f"{seconds:.3f}")
        self._steps.before(call)
        self._scheduler.sleep(timedelta(seconds=seconds))
        self._steps.after(call)


class ChanceTwin:
    """Tokens drawn from the seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def token(self) -> str:
        return sha256(str(self._random.getrandbits(128)).encode()).hexdigest()[:32]


class WorkersTwin:
    """Every call is a greenlet of the same invocation, so that all of them die together; a few run at a time."""

    def __init__(self, scheduler: Scheduler, steps: Steps) -> None:
        self._scheduler = scheduler
        self._steps = steps

    def run(self, calls: Sequence[Callable[[], Answer]]) -> list[Answer | CloudError]:
        call = Call("process", "workers.run", Effect.LOCAL, subject=str(len(calls)))
        self._steps.before(call)
        answers: list[Answer | CloudError | None] = [None] * len(calls)
        failures: list[BaseException] = []
        waiting = list(enumerate(calls))
        waiting.reverse()

        def work() -> None:
            while waiting:
                number, wanted = waiting.pop()
                try:
                    answers[number] = wanted()
                except CloudError as error:
                    answers[number] = error
                except BaseException as error:
                    failures.append(error)

        self._scheduler.together([work] * min(POOL, len(calls)))
        self._steps.after(call)
        if failures:
            raise failures[0]
        return cast("list[Answer | CloudError]", answers)


class PaceTwin:
    """Waits out what this process was told by Azure, and now and then a little for the share of others."""

    def __init__(self, throttle: Throttle, steps: Steps) -> None:
        self._throttle = throttle
        self._steps = steps
        self.share = 0.0
        self._random = random.Random(0)

    def wait(self, shard: Shard, kind: CallKind, *, gives_way: bool = False) -> timedelta:
        call = Call("process", "pace.wait", Effect.LOCAL, shard.subscription, f"{shard} {kind}")
        self._steps.before(call)
        wait = max(self._throttle.wait((shard, kind)), timedelta(0))
        if not wait and self._random.random() < self.share:
            wait = timedelta(seconds=self._random.choice((0.1, 1.0, 7.0)))
        self._steps.after(call)
        return wait
