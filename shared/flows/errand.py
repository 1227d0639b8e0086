"""One restore while it is being carried on: its row, its drawing, and what a stage of it can come to.

Used by restoring.py and the stages (making.py, swapping.py). A row is written only as it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from shared.decide.drawing import Captured, Drawing
from shared.errors import Throttled
from shared.flows.slicing import Slice
from shared.model.draining import CallKind
from shared.model.fault import Fault
from shared.model.identity import Shard, subscription_of
from shared.model.request import Asked, Progress, Request
from shared.model.restore import ArmPath, Restore, RestoreOrder
from shared.model.rules import Rules
from shared.ports import World

SLICE = timedelta(seconds=60)
NO_TIME = Throttled("Paced", "no call was free in this slice", timedelta(seconds=15))


@dataclass(frozen=True, slots=True)
class Errand:
    """A restore under way. `drawing` is all that its pieces follow from."""

    slice_: Slice
    request: Request
    captured: Captured

    @property
    def world(self) -> World:
        return self.slice_.world

    @property
    def order(self) -> RestoreOrder:
        assert self.request.order is not None, "only requests for a restore come here"
        return self.request.order

    @property
    def restore(self) -> Restore:
        assert self.request.restore is not None, "a point is chosen before anything is carried on"
        return self.request.restore

    @property
    def drawing(self) -> Drawing:
        return Drawing(self.request, self.order, self.restore, self.captured, self.slice_.rules)

    @property
    def target(self) -> str:
        return self.restore.machine.rsplit("/", 1)[-1]

    @property
    def shard(self) -> Shard:
        """Where it makes things: one into another subscription or region is paced there."""
        return replace(
            self.request.shard, subscription=subscription_of(self.restore.machine), region=self.drawing.region
        )

    def now(self) -> datetime:
        return self.slice_.now()

    def with_restore(self, restore: Restore) -> Errand:
        """The same with newer progress, not written yet."""
        return replace(self, request=replace(self.request, restore=restore))

    def saved(self, restore: Restore, progress: Progress = Progress.ASKED, because: str | None = None) -> Errand:
        """Written; LostRace when somebody else was faster."""
        said = self.request.because if because is None else because
        newer = replace(self.request, restore=restore, progress=progress, because=said)
        return replace(self, request=self.world.requests.settle(newer))

    def audit(self, event: str, **fields: object) -> None:
        about = {"event": event, "request": self.request.id, "by": self.request.by, "vm": self.restore.machine}
        self.slice_.audit([{**about, **fields}])

    def find(self, place: ArmPath) -> Mapping[str, Any] | None:
        """A look at something, in its turn; Throttled when this slice has no time for it."""
        if not self.slice_.admitted(CallKind.READ):
            raise NO_TIME
        return self.world.builder.find(self.shard, place)

    def write(self, act: Callable[[], None], kind: CallKind = CallKind.WRITE) -> None:
        """An act in its turn; Throttled when this slice has no time for it."""
        if not self.slice_.admitted(kind):
            raise NO_TIME
        act()


@dataclass(frozen=True, slots=True)
class Passed:
    """The stage is done."""

    errand: Errand


@dataclass(frozen=True, slots=True)
class Later:
    """Azure is at it; look again after the stage's pause."""

    errand: Errand


@dataclass(frozen=True, slots=True)
class Failed:
    """Azure refused, or gave something up."""

    errand: Errand
    fault: Fault


@dataclass(frozen=True, slots=True)
class Impossible:
    """It cannot be done, and trying again would not help."""

    because: str


Outcome: TypeAlias = Passed | Later | Failed | Impossible
Handler: TypeAlias = Callable[[Errand], Outcome]


def opened(world: World, rules: Rules, request: Request) -> Errand:
    """An errand for one slice, with the model of its point as far as it can be had."""
    until = world.clock.now() + min(SLICE, rules.drain_for)
    slice_ = Slice(world, rules, request.shard, until, until, gives_way=request.asked is Asked.DRILL)
    makes_something = request.asked in (Asked.RESTORE, Asked.DRILL) and request.restore
    captured = model_of(world, makes_something.model) if makes_something else Captured()
    return Errand(slice_, request, captured)


def model_of(world: World, reference: str) -> Captured:
    """What was captured beside a point; all empty where it names none."""
    return Captured.of(world.models.load(reference)) if reference else Captured()
