"""The ledger is made anew on real storage and the simulator: every table is deleted, and no point is lost."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from local.azurite.server import Azurite
from shared import wiring
from shared.cloud.storage import Storage
from shared.flows.asking import ask_rebuild, shards_with_points
from shared.flows.draining import drain
from shared.flows.registering import reconcile
from shared.flows.requesting import run
from shared.messages import VmKey
from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.machine import Status
from shared.model.operation import State
from shared.model.point import Point, PointState
from shared.model.request import Progress, Request
from shared.model.rules import Rules
from shared.ports import World
from shared.settings import Settings
from tests.contract.clouds import REGION, SimulatedClock, SimulatedCloud
from tests.simulator.running import SUBSCRIPTION, Running


@dataclass
class Installation:
    """The product over real storage and the simulator, on the simulator's time."""

    world: World
    rules: Rules
    cloud: SimulatedCloud
    storage: Storage

    def drain(self) -> None:
        drain(self.world, self.rules, self.cloud.shard)

    def points(self, uid: VmUid) -> list[Point]:
        return [held.row for held in self.world.ledger.points(self.cloud.shard, uid)]

    def lose_every_table(self) -> None:
        for name in ("ledger", "shards"):
            self.storage.table(name).delete_table()

    def rebuild(self) -> Request:
        assert self.cloud.shard in shards_with_points(self.world, self.rules)
        asked = ask_rebuild(self.world, self.cloud.shard, "operator")
        run(self.world, self.rules, asked.id)
        found = self.world.requests.find(asked.id)
        assert found is not None
        return found


@pytest.fixture
def installation(
    azurite: Azurite, simulated: Running, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    environment = {
        "AzureWebJobsStorage": azurite.connection_string,
        "TAGBACK_SUBSCRIPTIONS": SUBSCRIPTION,
        "TAGBACK_RECOVERY_GROUP": f"tb{uuid.uuid4().hex[:8]}-{{region}}",
        "TAGBACK_ARM_ENDPOINT": simulated.url,
        "TAGBACK_TOPIC_ENDPOINT": f"{simulated.url}/_sim/topics/rebuilt/api/events",
        "REQUESTS_CA_BUNDLE": str(simulated.ca),
        "IDENTITY_ENDPOINT": f"{simulated.url}/msi/token",
        "IDENTITY_HEADER": "x",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings.read(environment)
    clock = SimulatedClock(simulated)
    monkeypatch.setattr("shared.cloud.clock.SystemClock", lambda: clock)
    with wiring.opened(settings) as world:
        cloud = SimulatedCloud(simulated, Shard(SUBSCRIPTION, REGION))
        yield Installation(world, settings.rules(), cloud, storage)


def registered(installation: Installation) -> tuple[ResourceId, VmUid]:
    """A machine that was just tagged and registered."""
    place = installation.cloud.machine(f"Vm-{uuid.uuid4().hex[:8]}", {"backup": "gold"})
    reconcile(installation.world, installation.rules, VmKey(place))
    rows = [held.row for held in installation.world.ledger.machines(installation.cloud.shard)]
    [uid] = [row.uid for row in rows if row.id == place]
    return place, uid


def protected(installation: Installation) -> tuple[ResourceId, VmUid]:
    """A machine with nothing but complete points; a slot may come while time passes."""
    place, uid = registered(installation)
    installation.drain()
    for _ in range(3):
        installation.cloud.settle()
        installation.drain()
        if all(point.complete for point in installation.points(uid)):
            break
    return place, uid


def test_every_table_is_lost_and_every_point_comes_back(installation: Installation) -> None:
    place, uid = protected(installation)
    before = installation.points(uid)
    assert {point.state for point in before} == {PointState.COMPLETE}
    installation.lose_every_table()
    done = installation.rebuild()
    assert done.progress is Progress.DONE, done
    after = installation.points(uid)
    for old, new in zip(before, after, strict=True):
        assert (new.slot, new.engine, new.origin, new.attempt) == (old.slot, old.engine, old.origin, old.attempt)
        assert (new.complete, {part.id for part in new.parts}) == (True, {part.id for part in old.parts})
        assert {part.disk for part in new.parts} == {part.disk for part in old.parts}
        assert new.keep_until >= old.keep_until
        assert installation.world.models.load(new.model)["vm"]
    record = installation.world.ledger.record(installation.cloud.shard, uid)
    assert record is not None
    assert (record.machine.row.id, record.machine.row.status) == (place, Status.PROTECTED)
    assert installation.rebuild().progress is Progress.DONE
    assert installation.points(uid) == after


def test_tables_lost_in_the_middle_of_a_capture_cost_nothing(installation: Installation) -> None:
    _, uid = registered(installation)
    installation.drain()
    [taking] = installation.points(uid)
    installation.lose_every_table()
    installation.rebuild()
    installation.cloud.settle()
    installation.drain()
    [done] = [point for point in installation.points(uid) if point.slot == taking.slot]
    assert (done.complete, {part.id for part in done.parts}) == (True, {part.id for part in taking.parts})
    record = installation.world.ledger.record(installation.cloud.shard, uid)
    assert record is not None
    [operation] = [held.row for held in record.operations if held.row.slot == taking.slot]
    assert operation.state is State.SUCCEEDED
