"""The scenes of drills: every slice of one that is proven and of one that is not. Played by test_drills.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.flows.drilling import ask_drill, drill
from shared.messages import REQUESTS, request_text
from shared.model.identity import COLLECTION_TYPE
from shared.model.plan import DrillPart, Plans
from shared.model.request import Asked, Progress
from tests.world.exhaustive import Scene, perform
from tests.world.restore_steps import carried, request_of
from tests.world.restores import PAUSE
from tests.world.scenes import FIRST, RULES, SECOND, SHARD, complete
from tests.world.seeded import Run
from tests.world.twins.azure import SNAPSHOT_TYPE, VmTruth
from tests.world.twins.builder import BuilderTwin
from tests.world.whole_scenes import complete as whole_complete

DAY = timedelta(days=1)
PART = DrillPart(30 * DAY, 45 * DAY, 1, timedelta(minutes=30), "check", "fine")
PLANS = {name: replace(plan, drill=PART) for name, plan in RULES.plans.by_name.items()}
DRILLING = replace(RULES, plans=Plans(PLANS, RULES.plans.default, RULES.plans.allowed))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a drill ends: what the command writes in the machine, how many slices that takes, of which engine's point."""

    writes: str
    proven: bool
    slices: int
    whole: bool = False

    @property
    def name(self) -> str:
        return f"drill that is {'proven' if self.proven else 'refuted'}{' of a restore point' if self.whole else ''}"

    @property
    def machines(self) -> tuple[VmTruth, ...]:
        return (replace(FIRST, tags={"backup": "whole"}),) if self.whole else (FIRST, SECOND)


OUTCOMES = (
    Outcome("all is fine", proven=True, slices=12),
    Outcome("out of order", proven=False, slices=12),
    Outcome("all is fine", proven=True, slices=12, whole=True),
)


def asked_for(world: Run, outcome: Outcome) -> None:
    """Every machine has a point; somebody asked for a drill of the first."""
    if outcome.whole:
        whole_complete(world, *outcome.machines)
    else:
        complete(world)
    builder_of(world).command |= {"output": outcome.writes}
    record = world.stage.ledger.held(SHARD, FIRST.uid)
    assert record is not None
    machine = record.machine.row

    def asks(ports: object) -> None:
        ask_drill(world.stage.world, DRILLING, machine, "person-1")

    perform(world, asks)


def builder_of(world: Run) -> BuilderTwin:
    builder = world.stage.world.builder
    assert isinstance(builder, BuilderTwin)
    return builder


def prepared(outcome: Outcome, slices: int) -> Callable[[Run], None]:
    """Everything before the slice that is to be harmed."""

    def prepare(world: Run) -> None:
        asked_for(world, outcome)
        carried(world, Asked.DRILL, slices, PAUSE)

    return prepare


def arrives(world: Run) -> None:
    request = request_of(world, Asked.DRILL)
    assert request.progress is Progress.ASKED, f"it is over already: {request}"
    world.stage.queues.put(REQUESTS, request_text(request.id), timedelta(0))


DRILLS = tuple(
    (outcome, Scene(f"{outcome.name}, slice {number + 1}", prepared(outcome, number), REQUESTS, arrives))
    for outcome in OUTCOMES
    for number in range(outcome.slices)
)


def both_protected(world: Run) -> None:
    complete(world)
    builder_of(world).command |= {"output": "all is fine"}


def ticks(world: Run) -> None:
    """The timer fires, and once more an hour later: the next makes up for one that was cut off."""
    host = world.host

    def tick() -> None:
        host.invoke("drill", host.processes[0], lambda: drill(world.stage.world, DRILLING), lambda failure: None)

    tick()
    world.stage.scheduler.at(world.stage.scheduler.now + timedelta(hours=1), tick)


BEGUN = Scene("a drill is begun by the timer", both_protected, "drill", ticks)


def problems(world: Run, outcome: Outcome) -> list[str]:
    """What does not hold once a drill has come to rest, against the truth; none when all is well."""
    request, azure = request_of(world, Asked.DRILL), world.stage.azure
    record = world.stage.ledger.held(SHARD, FIRST.uid)
    given = record.machine.row.drill if record else None
    found = [f"{vm.id} is left" for vm in azure.vms() if vm.uid not in {one.uid for one in outcome.machines}]
    found += [f"{place} is left" for place in azure.made_from if azure.disk(place) is not None]
    mine = [place for place, thing in builder_of(world).made.items() if "tagback-drill" in thing.body.get("tags", {})]
    found += [f"{place} is left" for place in mine]
    expected = Progress.DONE if outcome.proven else Progress.FAILED
    if request.progress is not expected:
        found.append(f"it ended as {request.progress}: {request.because}")
    if given is None or (given.request, given.proven) != (request.id, outcome.proven):
        found.append(f"the verdict is {given}")
    kinds = {place.type for place in azure.made_from.values()}
    if kinds != {COLLECTION_TYPE if outcome.whole else SNAPSHOT_TYPE}:
        found.append(f"its disks were made of {azure.made_from}")
    for vm in outcome.machines:
        now = azure.vm(vm.id)
        if now is None or {disk.id for disk in now.disks} != {disk.id for disk in vm.disks}:
            found.append(f"{vm.id} was touched: {now}")
    return found
