"""A point's whole life over the real adapters: taken, marked, held, let go, deleted, gone from the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import pytest

from local.azurite.server import Azurite
from shared import wiring
from shared.decide.plan import read_plans
from shared.errors import CloudError
from shared.flows.draining import drain
from shared.flows.expiring import expire
from shared.flows.holding import ask_hold
from shared.flows.reaping import reap
from shared.flows.registering import reconcile
from shared.flows.requesting import run as run_request
from shared.messages import VmKey
from shared.model.identity import ResourceId, Shard
from shared.model.machine import Machine
from shared.model.point import Point
from shared.model.request import Progress
from shared.model.rules import Rules
from shared.ports import World
from shared.settings import Settings
from tests.contract.clouds import SimulatedClock, SimulatedCloud
from tests.simulator.running import SUBSCRIPTION, Running

HOUR = timedelta(hours=1)
OWNER = "devstoreaccount1"


Answer = TypeVar("Answer")


class OneByOne:
    """Workers in one thread: the simulator's clock is asked over one connection."""

    def run(self, calls: Sequence[Callable[[], Answer]]) -> list[Answer | CloudError]:
        answers: list[Answer | CloudError] = []
        for call in calls:
            try:
                answers.append(call())
            except CloudError as error:
                answers.append(error)
        return answers


@dataclass
class Life:
    """One machine in the simulator, on the real adapters, every flow called by hand."""

    world: World
    rules: Rules
    shard: Shard
    running: Running
    vm: ResourceId

    def pass_time(self, duration: timedelta) -> None:
        self.running.advance(duration.total_seconds())

    def drained(self) -> None:
        for _ in range(3):
            drain(self.world, self.rules, self.shard)
            self.pass_time(timedelta(minutes=10))

    def reaped(self) -> None:
        expire(self.world, self.rules)
        reap(self.world, self.rules, self.shard)
        self.pass_time(timedelta(minutes=10))

    def points(self) -> list[Point]:
        [machine] = [held.row for held in self.world.ledger.machines(self.shard)]
        return [held.row for held in self.world.ledger.points(self.shard, machine.uid)]

    def there(self, point: Point) -> list[bool]:
        return [self.world.snapshots.find(part.id) is not None for part in point.parts]


def at_six(simulated: Running) -> None:
    """The days of a life begin at six, far from the slot at midnight, whatever other tests did to the clock."""
    now = SimulatedClock(simulated).now()
    six = now.replace(hour=6, minute=0, second=0, microsecond=0) + timedelta(days=1)
    simulated.advance((six - now).total_seconds())


@pytest.fixture
def life(azurite: Azurite, simulated: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Life]:
    environment = {
        "AzureWebJobsStorage": azurite.connection_string,
        "TAGBACK_SUBSCRIPTIONS": SUBSCRIPTION,
        "TAGBACK_RECOVERY_GROUP": f"tb{uuid.uuid4().hex[:8]}-{{region}}",
        "TAGBACK_ARM_ENDPOINT": simulated.url,
        "REQUESTS_CA_BUNDLE": str(simulated.ca),
        "IDENTITY_ENDPOINT": f"{simulated.url}/msi/token",
        "IDENTITY_HEADER": "x",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings, shard = Settings.read(environment), Shard(SUBSCRIPTION, "francecentral")
    plan = {"keep_floor": "24h", "snapshots": {"every": "24h", "keep": "24h", "window": "1min"}}
    plans, problems = read_plans({"default": "day", "plans": {"day": plan}})
    assert not problems
    at_six(simulated)
    vm = SimulatedCloud(simulated, shard).machine(f"Vm-{uuid.uuid4().hex[:8]}", {"backup": "day"})
    clock = SimulatedClock(simulated)
    monkeypatch.setattr("shared.cloud.clock.SystemClock", lambda: clock)
    with wiring.opened(settings) as world:
        yield Life(replace(world, workers=OneByOne()), replace(settings.rules(), plans=plans), shard, simulated, vm)


def test_a_point_is_taken_held_let_go_and_deleted_and_nothing_else_is(life: Life) -> None:
    reconcile(life.world, life.rules, VmKey(life.vm))
    life.drained()
    [first] = life.points()
    assert first.complete
    life.pass_time(24 * HOUR)
    life.drained()
    assert [point.complete for point in life.points()] == [True, True]
    asked = ask_hold(life.world, machine_of(life), "forever", f"{first.slot:%Y%m%dT%H%MZ}", "person-1")
    run_request(life.world, life.rules, asked.id)
    settled = life.world.requests.find(asked.id)
    assert settled is not None
    assert settled.progress is Progress.DONE
    life.reaped()
    life.pass_time(25 * HOUR)
    life.drained()
    life.reaped()
    assert all(life.there(first))
    [reason] = [point.removal.because for point in life.points() if point.removal and point.slot == first.slot]
    assert reason.startswith("held: ")
    over = ask_hold(life.world, machine_of(life), "2020-01-01", f"{first.slot:%Y%m%dT%H%MZ}", "person-1")
    run_request(life.world, life.rules, over.id)
    life.pass_time(25 * HOUR)
    life.drained()
    life.reaped()
    assert not any(life.there(first))
    life.pass_time(HOUR)
    life.reaped()
    left = life.points()
    assert first.slot not in {point.slot for point in left}
    assert all(all(life.there(point)) for point in left[-1:])


def machine_of(life: Life) -> Machine:
    [machine] = [held.row for held in life.world.ledger.machines(life.shard)]
    return machine
