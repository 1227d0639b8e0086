"""Drills over the twins: a machine is restored apart from everything, tried, judged, and removed again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.decide.brakes import Word, paused
from shared.errors import BadInput, Blocked, Refused
from shared.flows import show_drills
from shared.flows.drilling import ask_drill, drill
from shared.flows.expiring import expire
from shared.flows.ordering import ask_restore, ask_undo
from shared.flows.registering import reconcile
from shared.flows.requesting import run as run_request
from shared.flows.standing import standing
from shared.messages import VmKey
from shared.model.brake import Stops
from shared.model.drill import Drill
from shared.model.event import Happening
from shared.model.identity import ResourceId, Shard
from shared.model.machine import Machine, Status
from shared.model.plan import DrillPart, Plans
from shared.model.request import Asked, Progress, Request
from shared.model.restore import ArmPath, RestoreMode, RestoreOrder, Stage
from shared.model.rules import Rules
from tests.world.exhaustive import pass_time, perform, small_world
from tests.world.scenes import FIRST, RULES, SECOND, SHARD, complete
from tests.world.seeded import Run
from tests.world.twins.azure import VmTruth
from tests.world.twins.builder import BuilderTwin

DAY = timedelta(days=1)
PART = DrillPart(30 * DAY, 45 * DAY, 1, timedelta(minutes=30))


def rules_with(part: DrillPart) -> Rules:
    by_name = {name: replace(plan, drill=part) for name, plan in RULES.plans.by_name.items()}
    return replace(RULES, plans=Plans(by_name, RULES.plans.default, RULES.plans.allowed))


DRILLING = rules_with(PART)
COMMANDING = rules_with(replace(PART, command="check", expects="fine"))


@pytest.fixture
def world() -> Run:
    made = small_world()
    complete(made)
    return made


def known(world: Run, vm: VmTruth = FIRST) -> Machine:
    record = world.stage.ledger.held(SHARD, vm.uid)
    assert record is not None
    return record.machine.row


def builder_of(world: Run) -> BuilderTwin:
    builder = world.stage.world.builder
    assert isinstance(builder, BuilderTwin)
    return builder


def drills(world: Run) -> list[Request]:
    return [one for one in world.stage.requests.asked.values() if one.asked is Asked.DRILL]


def begun(world: Run, rules: Rules = DRILLING) -> Request:
    perform(world, lambda ports: drill(ports, rules))
    [request] = drills(world)
    return request


def slice_of(world: Run, request: Request, rules: Rules = DRILLING) -> Request:
    perform(world, lambda ports: run_request(ports, rules, request.id))
    return world.stage.requests.asked[request.id]


def carried(world: Run, request: Request, rules: Rules = DRILLING, slices: int = 40) -> Request:
    for _ in range(slices):
        request = slice_of(world, request, rules)
        if request.progress is not Progress.ASKED:
            break
        pass_time(world, timedelta(seconds=15))
    return request


def on_trial(world: Run) -> Request:
    """A drill whose machine is made, and has not booted yet."""
    request = begun(world)
    builder_of(world).agent = "Not Ready"
    for _ in range(40):
        request = slice_of(world, request)
        if request.restore and request.restore.stage is Stage.PROBE:
            builder_of(world).agent = "Ready"
            return request
        pass_time(world, timedelta(seconds=5))
    raise AssertionError(f"it was never tried: {request}")


def left(world: Run, request: Request) -> list[str]:
    """What of a drill is still there."""
    builder, azure = builder_of(world), world.stage.azure
    made = request.restore.makes if request.restore else ()
    there = [place for place in made if place.lower() in builder.made]
    return there + [str(vm.id) for vm in azure.vms() if vm.uid not in (FIRST.uid, SECOND.uid)]


def verdict(world: Run) -> Drill:
    found = known(world).drill
    assert found is not None
    return found


def test_a_drill_proves_a_point_and_leaves_nothing(world: Run) -> None:
    request = carried(world, begun(world))
    assert (request.progress, request.because[:12]) == (Progress.DONE, "the point of")
    assert left(world, request) == []
    given = verdict(world)
    assert (given.proven, given.request, known(world).proof) == (True, request.id, given)
    assert known(world).last_verified == given.at
    assert given.slot == known(world).last_point
    assert 0 < given.took_seconds < 600
    assert given.lost_seconds == int((given.started_at - (given.slot or given.at)).total_seconds())
    assert given.seen == ("it runs, and its agent 2.11.1.12 is ready",)
    assert known(world).status is Status.PROTECTED


def test_the_machine_of_a_drill_is_apart_from_everything(world: Run) -> None:
    request = on_trial(world)
    assert request.restore is not None
    builder = builder_of(world)
    made = {place: builder.made[place.lower()].body for place in request.restore.makes}
    kinds = sorted(ResourceId.parse(place).type.rsplit("/", 1)[-1] for place in made)
    assert kinds == [
        "disks", "disks", "networkinterfaces", "networksecuritygroups", "virtualmachines", "virtualnetworks",
    ]  # fmt: skip
    for body in made.values():
        tags = body["tags"]
        assert tags["tagback-owner"] == RULES.owner
        assert tags["tagback-restore"] == tags["tagback-drill"] == request.id
        assert "tagback-expires" in tags
    machine = made[request.restore.machine]
    assert machine["tags"]["backup"] == "off"
    assert "identity" not in machine
    [card] = machine["properties"]["networkProfile"]["networkInterfaces"]
    [network] = [body for place, body in made.items() if "virtualNetworks" in place]
    [rules] = [place for place in made if "networkSecurityGroups" in place]
    [subnet] = network["properties"]["subnets"]
    assert subnet["properties"]["networkSecurityGroup"]["id"] == rules
    assert subnet["properties"]["defaultOutboundAccess"] is False
    assert [rule["properties"]["access"] for rule in made[rules]["properties"]["securityRules"]] == ["Deny", "Deny"]
    place = next(place for place in made if "networkInterfaces" in place)
    [address] = made[place]["properties"]["ipConfigurations"]
    assert card["id"] == place
    assert address["properties"]["subnet"]["id"].endswith("/subnets/isolated")
    assert "publicIPAddress" not in address["properties"]


def test_a_machine_that_does_not_boot_is_not_proven_and_goes_all_the_same(world: Run) -> None:
    builder_of(world).agent = "Not Ready"
    request = carried(world, begun(world), slices=200)
    assert request.progress is Progress.FAILED
    assert "its agent is Not Ready, 30 min after it was made" in request.because
    assert left(world, request) == []
    assert not verdict(world).proven
    row = known(world)
    assert row.proof is None
    assert (row.status, row.problems) == (Status.DEGRADED, (verdict(world).because,))


def test_a_command_has_to_write_what_is_expected(world: Run) -> None:
    builder_of(world).command |= {"output": "all is fine here"}
    request = carried(world, begun(world, COMMANDING), COMMANDING)
    assert request.progress is Progress.DONE
    assert verdict(world).seen[1:] == ("its command ended with exit code 0: it wrote 'all is fine here'",)


@pytest.mark.parametrize(
    ("view", "told"),
    [
        ({"output": "odd"}, "its command did not write 'fine': it wrote 'odd'"),
        ({"exitCode": 3}, "its command succeeded with exit code 3: it wrote nothing"),
        ({"executionState": "Failed", "exitCode": 1}, "its command failed with exit code 1"),
        ({"executionState": "Running"}, "its command is Running, 30 min after"),
    ],
)
def test_a_command_that_ends_otherwise_refutes(world: Run, view: dict[str, object], told: str) -> None:
    builder_of(world).command |= view
    request = carried(world, begun(world, COMMANDING), COMMANDING, slices=200)
    assert request.progress is Progress.FAILED
    assert told in verdict(world).because
    assert left(world, request) == []


def test_a_point_of_which_a_part_is_gone_is_not_proven(world: Run) -> None:
    request = begun(world)
    for snapshot in list(world.stage.azure.snapshots.values()):
        world.stage.azure.remove(snapshot)
    request = carried(world, request)
    assert request.progress is Progress.FAILED
    assert "of the point is gone" in known(world).because
    assert left(world, request) == []


def test_one_drill_follows_another_within_the_budget_and_never_two_at_once(world: Run) -> None:
    two = rules_with(replace(PART, per_day=2))
    first = begun(world, two)
    perform(world, lambda ports: drill(ports, two))
    assert len(drills(world)) == 1
    carried(world, first, two)
    [second] = [one for one in drills(world) if one.id != first.id]
    assert (second.progress, second.uid != first.uid) == (Progress.ASKED, True)
    carried(world, second, two)
    assert len(drills(world)) == 2
    assert {known(world, vm).last_verified is not None for vm in (FIRST, SECOND)} == {True}


def test_the_day_after_the_next_machine_has_its_turn(world: Run) -> None:
    first = carried(world, begun(world))
    perform(world, lambda ports: drill(ports, DRILLING))
    assert len(drills(world)) == 1
    pass_time(world, DAY)
    perform(world, lambda ports: drill(ports, DRILLING))
    assert {one.uid for one in drills(world)} == {FIRST.uid, SECOND.uid}
    assert first.progress is Progress.DONE


def test_a_machine_that_is_being_restored_is_not_drilled(world: Run) -> None:
    for vm in (FIRST, SECOND):
        ask_restore(world.stage.world, known(world, vm), RestoreOrder(RestoreMode.DISKS), "person")
    perform(world, lambda ports: drill(ports, DRILLING))
    assert drills(world) == []
    with pytest.raises(BadInput, match="is being restored or drilled"):
        ask_drill(world.stage.world, DRILLING, known(world), "person")


def test_nothing_is_begun_without_drills_in_a_plan_or_while_captures_are_paused(world: Run) -> None:
    perform(world, lambda ports: drill(ports, RULES))
    assert drills(world) == []
    word = Word("person", world.stage.scheduler.now, "an intruder")
    world.stage.brakes.braking = paused(world.stage.brakes.braking, [Stops.CAPTURES], word)
    perform(world, lambda ports: drill(ports, DRILLING))
    assert drills(world) == []


def test_a_drill_that_is_undone_while_it_is_under_way_leaves_nothing(world: Run) -> None:
    request = on_trial(world)
    undo = ask_undo(world.stage.world, request.id, "person")
    pass_time(world, timedelta(minutes=2))
    undo = carried(world, undo)
    assert undo.progress is Progress.DONE
    assert left(world, request) == []
    assert known(world).drill is None


def test_the_machine_of_an_open_drill_is_nobodys(world: Run) -> None:
    request = on_trial(world)
    assert request.restore is not None
    place = ResourceId.parse(request.restore.machine)
    made = world.stage.azure.vm(place)
    assert made is not None
    perform(world, lambda ports: reconcile(ports, DRILLING, VmKey(place)))
    assert world.stage.ledger.held(SHARD, made.uid) is None
    world.stage.requests.asked[request.id] = replace(request, progress=Progress.FAILED)
    perform(world, lambda ports: reconcile(ports, DRILLING, VmKey(place)))
    found = world.stage.ledger.held(SHARD, made.uid)
    assert found is not None
    assert found.machine.row.status is Status.EXCLUDED


def test_what_a_drill_could_not_remove_goes_when_it_has_expired(world: Run) -> None:
    request = on_trial(world)
    world.stage.requests.asked[request.id] = replace(request, progress=Progress.FAILED)
    assert left(world, request) != []
    pass_time(world, timedelta(days=1, hours=1))
    perform(world, lambda ports: expire(ports, DRILLING))
    [tidy] = [one for one in world.stage.requests.asked.values() if one.asked is Asked.TIDY]
    assert carried(world, tidy).progress is Progress.DONE
    assert left(world, request) == []


def test_what_came_to_its_end_is_not_tidied_up_again(world: Run) -> None:
    carried(world, begun(world))
    pass_time(world, 2 * DAY)
    perform(world, lambda ports: expire(ports, DRILLING))
    assert [one for one in world.stage.requests.asked.values() if one.asked is Asked.TIDY] == []


def test_a_drill_touches_nothing_that_it_did_not_make(world: Run) -> None:
    before = {vm.uid: vm for vm in world.stage.azure.vms()}
    snapshots = set(world.stage.azure.snapshots)
    request = on_trial(world)
    assert request.restore is not None
    disk = next(place for place in request.restore.makes if "/disks/" in place)
    builder_of(world).made[disk.lower()].body["tags"]["tagback-owner"] = "another"
    carried(world, request)
    assert disk.lower() in builder_of(world).made, "another's now"
    assert {vm.uid: vm for vm in world.stage.azure.vms()} == before
    assert set(world.stage.azure.snapshots) == snapshots


def test_a_person_may_ask_for_a_drill_whatever_is_left_of_the_budget(world: Run) -> None:
    carried(world, begun(world))
    asked = ask_drill(world.stage.world, RULES, known(world), "person")
    assert (asked.by, asked.order.trial.boot_seconds if asked.order and asked.order.trial else 0) == ("person", 1800)
    assert carried(world, asked, RULES).progress is Progress.DONE
    assert verdict(world).request == asked.id


def test_a_drill_is_told_to_the_topic(world: Run) -> None:
    told = replace(DRILLING, topic="https://topic")
    carried(world, begun(world, told), told)
    assert [event.type for event in known(world).outbox] == [Happening.DRILL_PROVEN]


def test_what_was_not_proven_for_too_long_is_an_alarm(world: Run, caplog: pytest.LogCaptureFixture) -> None:
    carried(world, begun(world))
    pass_time(world, 44 * DAY)
    perform(world, lambda ports: drill(ports, replace(DRILLING, topic="https://topic")))
    assert "drill.overdue" not in caplog.text
    pass_time(world, 2 * DAY)
    perform(world, lambda ports: drill(ports, replace(DRILLING, topic="https://topic")))
    assert "drill.overdue vm=vm-1" in caplog.text
    assert known(world).status is Status.DEGRADED
    assert any("its last verified restore is of 2026-06-03" in problem for problem in known(world).problems)


def test_timers_that_fire_together_begin_one_drill(world: Run) -> None:
    requests = world.stage.requests
    first = begun(world)
    requests.asked.clear()
    second = begun(world)
    assert (first.id, first.uid) == (second.id, second.uid)
    requests.asked[second.id] = replace(second, progress=Progress.FAILED, because="taken back")
    perform(world, lambda ports: drill(ports, DRILLING))
    assert [one.progress for one in drills(world)] == [Progress.FAILED, Progress.ASKED]


def test_a_disk_that_is_never_ready_is_not_waited_for_for_ever(world: Run) -> None:
    request = begun(world)
    for _ in range(12):
        request = slice_of(world, request)
        if request.restore and request.restore.stage is Stage.DISKS:
            break
        pass_time(world, timedelta(seconds=4))
    for thing in builder_of(world).made.values():
        thing.ready_at = world.stage.scheduler.now + 9 * DAY
    pass_time(world, timedelta(hours=4, minutes=1))
    request = slice_of(world, request)
    for thing in builder_of(world).made.values():
        thing.ready_at = world.stage.scheduler.now
    request = carried(world, request)
    assert request.progress is Progress.FAILED
    assert "it was not made within 4 h" in verdict(world).because
    assert left(world, request) == []


def test_quota_and_locks_are_verdicts_and_nothing_is_waited_for(world: Run) -> None:
    request = begun(world)
    twin = builder_of(world)
    make = twin.make

    def refusing(shard: Shard, place: ArmPath, body: Mapping[str, Any]) -> None:
        if "virtualMachines" in place:
            raise Refused("QuotaExceeded", "Operation could not be completed as it exceeds the quota", 409)
        make(shard, place, body)

    twin.make = refusing  # type: ignore[method-assign] # what Azure says to this machine
    request = carried(world, request)
    assert request.progress is Progress.FAILED
    assert "QuotaExceeded" in verdict(world).because
    assert left(world, request) == []


def test_a_lock_that_keeps_it_from_being_removed_is_said_until_it_is_gone(world: Run) -> None:
    request = begun(world)
    twin = builder_of(world)
    remove = twin.remove

    def locked(shard: Shard, place: ArmPath) -> None:
        raise Blocked("ScopeLocked", f"{place} is locked", 409)

    twin.remove = locked  # type: ignore[method-assign] # a lock on the group
    request = carried(world, request, slices=60)
    assert (request.progress, verdict(world).proven) == (Progress.ASKED, True)
    told = show_drills.drills(world.stage.world, DRILLING, standing(world.stage.world, DRILLING))
    assert told["all_is_well"] is False
    assert "ScopeLocked" in json.dumps(told)
    twin.remove = remove  # type: ignore[method-assign] # the lock is gone
    for _ in range(30):
        pass_time(world, timedelta(hours=2))
        request = carried(world, request, slices=3)
    assert request.progress is Progress.DONE
    assert left(world, request) == []


@pytest.mark.parametrize("kind", [Asked.DRILL, Asked.RESTORE])
def test_a_row_that_does_not_say_what_to_restore_is_refused(world: Run, kind: Asked) -> None:
    forged = Request("forged", kind, SHARD, FIRST.uid, "nobody", world.stage.scheduler.now, Progress.ASKED)
    world.stage.requests.asked[forged.id] = forged
    run_request(world.stage.world, DRILLING, forged.id)
    settled = world.stage.requests.asked[forged.id]
    assert settled.progress is Progress.REFUSED
    assert "its row is damaged" in settled.because
