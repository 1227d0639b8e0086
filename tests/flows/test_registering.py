"""Registering: one GET answers one question, and a message can neither invent nor remove a machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import CloudError, Conflict, Denied, LostRace, Unavailable
from shared.flows.registering import reconcile, register
from shared.messages import VmKey
from shared.model.identity import DiskUid, ResourceId
from shared.model.machine import Absent, Machine, Sighting, Status
from shared.model.operation import State
from shared.model.point import Origin
from shared.model.transition import Transition
from tests.fleet import NOW, SHARD, SUBSCRIPTION, Fleet, empty_fleet, machine, place, uid_of
from tests.world.twins.azure import DiskTruth, VmTruth, disk_place

VM = place("web", "web-1")
UID = uid_of(1)


def truth(tags: dict[str, str], vm: ResourceId = VM) -> VmTruth:
    os_disk = DiskTruth(disk_place(vm.subscription, vm.group, "os"), DiskUid("os"), None)
    return VmTruth(vm, UID, vm.name, SHARD.region, tags, (os_disk,))


def reachable() -> Fleet:
    """A fleet whose subscription exists in Azure, and nothing in it."""
    fleet = empty_fleet()
    fleet.stage.azure.subscriptions.append(SUBSCRIPTION)
    return fleet


def living(tags: dict[str, str]) -> Fleet:
    """A fleet in whose Azure web-1 exists; the ledger does not know it yet."""
    fleet = reachable()
    fleet.stage.azure.write(truth(tags))
    return fleet


def row(fleet: Fleet) -> Machine | None:
    record = fleet.world.ledger.record(SHARD, UID)
    return record.machine.row if record else None


def test_a_tagged_vm_is_registered_wants_its_first_point_and_pokes_its_shard() -> None:
    fleet = living({"backup": "silver"})
    reconcile(*fleet.open(), VmKey(VM))
    record = fleet.world.ledger.record(SHARD, UID)
    assert record
    wanted = record.operations[0].row
    assert (record.machine.row.status, wanted.origin, wanted.state) == (
        Status.PENDING,
        Origin.ENROLMENT,
        State.INTENDED,
    )
    assert [message.queue for message in fleet.stage.queues.messages.values()] == ["shards"]


def test_registering_again_changes_nothing_but_the_time_of_the_look() -> None:
    fleet = living({"backup": "silver"})
    reconcile(*fleet.open(), VmKey(VM))
    before = fleet.world.ledger.record(SHARD, UID)
    reconcile(*fleet.open(), VmKey(VM))
    after = fleet.world.ledger.record(SHARD, UID)
    assert before
    assert after
    assert replace(after.machine.row, as_of=before.machine.row.as_of) == before.machine.row
    assert [held.row for held in after.operations] == [held.row for held in before.operations]


def test_a_vm_of_a_subscription_that_is_not_ours_is_not_even_looked_at() -> None:
    fleet = living({"backup": "silver"})
    reconcile(*fleet.open(), VmKey(place("web", "web-1", "99999999-0000-0000-0000-000000000000")))
    assert fleet.stage.steps.calls["inventory.look"] == 0


@pytest.mark.parametrize("error", [Denied("AuthorizationFailed", "no"), Conflict("BeingMade", "wait")])
def test_a_look_that_minutes_will_not_mend_is_left_to_the_sweep(error: CloudError) -> None:
    fleet = living({"backup": "silver"})
    fleet.stage.world.inventory.look = _raising(error)  # type: ignore[method-assign]  # the twin's only fault here
    reconcile(*fleet.open(), VmKey(VM))
    assert row(fleet) is None


def test_a_look_that_may_work_in_a_minute_is_left_to_the_queue() -> None:
    fleet = living({"backup": "silver"})
    fleet.stage.world.inventory.look = _raising(Unavailable("x", "y"))  # type: ignore[method-assign]  # as above
    with pytest.raises(Unavailable):
        reconcile(*fleet.open(), VmKey(VM))


def test_a_message_about_another_id_cannot_make_a_living_machine_missed() -> None:
    fleet = living({"backup": "silver"})
    reconcile(*fleet.open(), VmKey(VM))
    reconcile(*fleet.open(), VmKey(place("web", "nobody"), UID, SHARD))
    found = row(fleet)
    assert found
    assert found.absent_since is None


def test_a_machine_is_gone_at_the_second_404_ten_minutes_after_the_first() -> None:
    fleet = reachable()
    fleet.put(machine(1, "web-1"))
    key = VmKey(VM, UID, SHARD)
    states = []
    for minutes in (0, 9, 10):
        fleet.stage.scheduler.now = NOW + timedelta(minutes=minutes)
        reconcile(*fleet.open(), key)
        found = row(fleet)
        assert found
        states.append((found.status, found.absent_since))
    assert states == [(Status.PROTECTED, NOW), (Status.PROTECTED, NOW), (Status.GONE, NOW)]


def test_a_machine_of_a_subscription_that_is_disabled_is_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = reachable()
    fleet.put(machine(1, "web-1"))
    world, rules = fleet.open()
    monkeypatch.setattr(world.inventory, "enabled", lambda subscription: False)
    for minutes in (0, 10, 60):
        fleet.stage.scheduler.now = NOW + timedelta(minutes=minutes)
        reconcile(world, rules, VmKey(VM, UID, SHARD))
    found = row(fleet)
    assert found
    assert found.status is Status.PROTECTED


def test_opting_out_skips_what_was_only_intended() -> None:
    fleet = living({"backup": "silver"})
    reconcile(*fleet.open(), VmKey(VM))
    fleet.stage.azure.write(truth({"backup": "off"}))
    reconcile(*fleet.open(), VmKey(VM))
    record = fleet.world.ledger.record(SHARD, UID)
    assert record
    assert record.machine.row.status is Status.EXCLUDED
    assert [held.row.state for held in record.operations] == [State.SKIPPED]


def test_an_older_look_never_overrides_a_newer_one() -> None:
    fleet = living({"backup": "silver"})
    older = fleet.world.inventory.look(VM)
    assert isinstance(older, Sighting)
    fleet.put(replace(machine(1, "web-1"), as_of=NOW + timedelta(minutes=1)))
    fleet.stage.scheduler.run(NOW + timedelta(minutes=2))
    assert register(*fleet.open(), replace(older, tags={})) is None
    found = row(fleet)
    assert found
    assert found.status is Status.PROTECTED


def test_a_race_that_is_lost_every_time_is_left_to_the_queue() -> None:
    fleet = living({"backup": "silver"})

    def lose(transition: Transition) -> tuple[str, ...]:
        raise LostRace("again")

    fleet.stage.ledger.commit = lose  # type: ignore[method-assign]  # the twin's only fault here
    with pytest.raises(LostRace):
        reconcile(*fleet.open(), VmKey(VM))


def test_what_an_event_or_a_sweep_asks_about_gives_way_to_requests_and_to_others() -> None:
    fleet, ways = living({"backup": "silver"}), []
    look = fleet.stage.world.inventory.look

    def noted(vm: ResourceId, *, gives_way: bool = False) -> Sighting | Absent:
        ways.append(gives_way)
        return look(vm, gives_way=gives_way)

    fleet.stage.world.inventory.look = noted  # type: ignore[method-assign]  # the twin's own, looked over its shoulder
    reconcile(*fleet.open(), VmKey(VM))
    assert ways == [True]


def _raising(error: CloudError):  # type: ignore[no-untyped-def]  # stands for any port method
    def refuse(*_: object, **__: object) -> Sighting:
        raise error

    return refuse
