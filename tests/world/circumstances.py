"""Faults that are not raised by a call, brought about around one scene: for flows that seeded worlds rarely reach.

Called by matrix.py. Each changes the world after a scene is prepared, right before its trigger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.world.encounters import Encounters
from tests.world.exhaustive import Scene
from tests.world.host import Regular
from tests.world.scheduler import Process
from tests.world.seeded import Run
from tests.world.twins.azure import Fair, Lock

HOUR = timedelta(hours=1)
CLOCKS_BACK = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


class Deaf(Regular):
    """Every event is lost."""

    def deliveries(self) -> list[timedelta]:
        return []


class Late(Fair):
    """Every list is of an hour ago."""

    def __init__(self, encounters: Encounters) -> None:
        self._encounters = encounters

    def lag(self, subject: str) -> timedelta:
        self._encounters.meet("F5")
        return HOUR


class Blank(Fair):
    """No list shows anything."""

    def __init__(self, encounters: Encounters) -> None:
        self._encounters = encounters

    def hides(self, subject: str) -> bool:
        self._encounters.meet("F6")
        return True


def _events_lost(world: Run, encounters: Encounters) -> None:
    world.host.habits = Deaf()


def _clock_wrong(world: Run, encounters: Encounters) -> None:
    world.host.processes[0].skew = timedelta(seconds=150)


def _clocks_change(world: Run, encounters: Encounters) -> None:
    world.stage.scheduler.run(max(CLOCKS_BACK, world.stage.scheduler.now))


def _another_process(world: Run, encounters: Encounters) -> None:
    world.host.processes.append(Process("host1"))


def _machine_goes(world: Run, encounters: Encounters) -> None:
    for vm in list(world.stage.azure.vms())[:1]:
        world.stage.azure.delete(vm)


def _app_was_down(world: Run, encounters: Encounters) -> None:
    world.host.stop()
    world.stage.scheduler.run(world.stage.scheduler.now + 5 * HOUR)
    world.host.come_back()


def _lists_late(world: Run, encounters: Encounters) -> None:
    _for_an_hour(world, Late(encounters))


def _lists_blank(world: Run, encounters: Encounters) -> None:
    _for_an_hour(world, Blank(encounters))


def _for_an_hour(world: Run, weather: Fair) -> None:
    azure = world.stage.azure
    azure.weather = weather
    world.stage.scheduler.at(world.stage.scheduler.now + HOUR, lambda: setattr(azure, "weather", Fair()))


def _locked(world: Run, encounters: Encounters) -> None:
    azure = world.stage.azure
    azure.locks.update(dict.fromkeys(azure.groups, Lock.CANNOT_WRITE))
    world.stage.scheduler.at(world.stage.scheduler.now + HOUR, azure.locks.clear)


def _denied(world: Run, encounters: Encounters) -> None:
    azure = world.stage.azure
    azure.disabled.add("sub-one")
    world.stage.scheduler.at(world.stage.scheduler.now + HOUR, azure.disabled.clear)


Circumstance = Callable[[Run, Encounters], None]
# What lasts is met by whatever runs then; what only spoils or refuses calls is counted where it does.
LASTING: Mapping[str, Circumstance] = {
    "F8": _events_lost,
    "F9": _clock_wrong,
    "F10": _clocks_change,
    "F15": _another_process,
    "F19": _machine_goes,
    "F24": _app_was_down,
}
STRIKING: Mapping[str, Circumstance] = {"F5": _lists_late, "F6": _lists_blank, "F18": _locked, "F21": _denied}
FROM: tuple[str, ...] = ("F7", "F11")  # a message that came twice, of a doubled event or a doubled tick


def under(scene: Scene, circumstance: Circumstance, encounters: Encounters) -> Scene:
    """The same scene under a circumstance."""

    def trigger(world: Run) -> None:
        circumstance(world, encounters)
        scene.trigger(world)

    return replace(scene, trigger=trigger)


def twice(scene: Scene, fault: str) -> Scene:
    """The same scene, whose message comes twice."""

    def trigger(world: Run) -> None:
        scene.trigger(world)
        for message in list(world.stage.queues.messages.values()):
            message.marks = frozenset({fault})
            world.stage.queues.put(message.queue, message.text, timedelta(0), message.marks)

    return replace(scene, trigger=trigger)
