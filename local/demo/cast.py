"""Who takes part in a demo, together: the clock, the stack, the owners, the observer, the screen and the script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from local.clock.conductor import Conductor
from local.demo.evidence import Observer
from local.demo.fleet import Fleet
from local.demo.report import CommandLine
from local.demo.scenario import Scenario
from local.demo.script import Script
from local.demo.telling import Screen
from local.stack import Stack


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part."""

    scenario: Scenario
    end: datetime
    stack: Stack
    conductor: Conductor
    fleet: Fleet
    observer: Observer
    screen: Screen
    script: Script
    tagback: CommandLine
    chance: Random

    def now(self) -> datetime:
        return self.conductor.now()

    def sleep(self, duration: timedelta) -> None:
        """Let virtual time pass inside a scene."""
        self.conductor.stage.sleep(duration.total_seconds())

    def at(self, instant: datetime, title: str, scene: Callable[[], None]) -> None:
        """Enter a scene, unless the play is over by then."""
        if instant < self.end:
            self.conductor.stage.at(instant, title, scene)

    @contextmanager
    def noted(self, do: str, **said: object) -> Iterator[None]:
        """Write down what happens inside the block: when it began and when it was through."""
        began = self.now()
        yield
        self.script.note(do, began, self.now(), **said)
