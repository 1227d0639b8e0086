"""What `tagback plan` says is what happens: random fleets, a random change, foretold and then carried out.

The fleet is tagged in Azure and registered by the flows; the change is applied as people apply it (tags in Azure, rules
in the app's settings) and found by the sweep. Nothing here knows how `plan` comes to its answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.decide.plan import read_plans
from shared.decide.standing import at_read_time
from shared.decide.whatif import Effect
from shared.flows.casework import Case, saved
from shared.flows.registering import reconcile
from shared.flows.sweeping import sweep
from shared.flows.whatif import Proposal, WhatIf, what_if
from shared.messages import VMS, VmKey, parse_vm
from shared.model.identity import DiskUid, VmUid
from shared.model.machine import Machine
from shared.model.operation import Operation
from shared.model.plan import Plans
from shared.model.rules import Mode, Rules
from tests.fleet import DAY, LAST_SLOT, NOW, RULES, SHARD, SUBSCRIPTION, Fleet, empty_fleet, place, point, uid_of
from tests.world.twins.azure import DiskTruth, VmTruth, disk_place

DAILY = {"at": ["02:00"], "keep": "7d4w"}
PLANS = {
    "daily": DAILY,
    "moved": {"at": ["14:00"], "keep": "7d4w", "zone": "Europe/Berlin"},
    "short": {"at": ["02:00"], "keep": "2d"},
    "often": {"every": "6h", "keep": "3d"},
    "newest": {"at": ["02:00"], "keep": "2d last=4"},
}
FILES = st.fixed_dictionaries(
    {"silver": st.sampled_from(sorted(PLANS))}, optional={"gold": st.sampled_from(sorted(PLANS))}
)
TAGS = st.fixed_dictionaries(
    {},
    optional={
        "backup": st.sampled_from(["silver", "Gold", "on", "off", "slver"]),
        "backup-at": st.sampled_from(["23:30 Asia/Tokyo", "25:00"]),
        "backup-keep": st.sampled_from(["30d", "last=5", "soon"]),
        "env": st.just("test"),
    },
)
MODES = st.sampled_from([Mode.ENFORCE, Mode.ENFORCE, Mode.OBSERVE])


@dataclass(frozen=True)
class Before:
    """A machine before the change: its tags, and how many nightly complete points it has."""

    tags: Mapping[str, str]
    points: int


FLEETS = st.lists(st.builds(Before, TAGS, st.integers(0, 9)), min_size=1, max_size=4)


def plans(chosen: Mapping[str, str]) -> Plans:
    document = {"default": "silver", "plans": {name: {"snapshots": PLANS[shape]} for name, shape in chosen.items()}}
    found, problems = read_plans(document)
    assert not problems, problems
    return found


def told(chosen: Mapping[str, str], mode: Mode) -> Rules:
    return replace(RULES, plans=plans(chosen), subscriptions={SUBSCRIPTION: mode})


def truth(number: int, tags: Mapping[str, str]) -> VmTruth:
    vm = place("web", f"web-{number}")
    disks = tuple(
        DiskTruth(disk_place(SUBSCRIPTION, "web", f"disk-{number}-{lun}"), DiskUid(f"{number}-{lun}"), lun or None)
        for lun in range(1 + number % 2)
    )
    return VmTruth(vm, uid_of(number), vm.name, SHARD.region, tags, disks)


def registered(machines: list[Before], rules: Rules) -> Fleet:
    """A fleet as the flows register it, with the points that its nights have left."""
    fleet = empty_fleet()
    fleet.stage.azure.subscriptions.append(SUBSCRIPTION)
    for number, before in enumerate(machines):
        fleet.stage.azure.write(truth(number, before.tags))
        reconcile(fleet.world, rules, VmKey(place("web", f"web-{number}")))
        _with_points(fleet, rules, uid_of(number), before.points)
    fleet.stage.queues.messages.clear()
    return fleet


def _with_points(fleet: Fleet, rules: Rules, uid: VmUid, nights: int) -> None:
    record = fleet.world.ledger.record(SHARD, uid)
    assert record is not None
    taken = [point(record.machine.row, LAST_SLOT - night * DAY) for night in range(nights)]
    saved(fleet.world, rules, Case.of(record), taken, NOW)


def applied(fleet: Fleet, rules: Rules) -> set[VmUid]:
    """Let the sweep find the change and the flow answer its questions; the machines that it asked about."""
    sweep(fleet.world, rules)
    messages = [parse_vm(one.text) for one in fleet.stage.queues.messages.values() if one.queue == VMS]
    for message in messages:
        reconcile(fleet.world, rules, message)
    by_place = {vm.id: vm.uid for vm in fleet.stage.azure.vms()}
    return {by_place[message.id] for message in messages}


def row(fleet: Fleet, uid: VmUid) -> tuple[Machine, tuple[Operation, ...]]:
    record = fleet.world.ledger.record(SHARD, uid)
    assert record is not None
    return record.machine.row, tuple(held.row for held in record.operations)


def foretold(found: WhatIf) -> dict[VmUid, tuple[Machine, tuple[Operation, ...]]]:
    sides = [outlook.prospect.after for outlook in found.outlooks]
    return {side.machine.uid: (side.machine, side.operations) for side in sides}


def facts(machine: Machine, operations: tuple[Operation, ...], rules: Rules) -> list[object]:
    """Everything of a row that the drainer works by, and how the machine stands."""
    status = at_read_time(machine, operations, rules, NOW).status
    pending = sorted((one.id, one.state.value, one.next_look) for one in operations)
    dates = [machine.enrolled_at, machine.settled, machine.grace_from, machine.left_at, machine.next_due]
    return [status, machine.plan, dict(machine.tags), *dates, machine.next_look, machine.last_point, pending]


def check(fleet: Fleet, found: WhatIf, after: Rules) -> None:
    """Every machine became what was foretold, to the words where its row was written anew; the others stayed."""
    before = {uid_of(number): row(fleet, uid_of(number)) for number in range(sum(found.counts.values()))}
    asked = applied(fleet, after)
    promised = foretold(found)
    for uid, unchanged in before.items():
        became = row(fleet, uid)
        machine, operations = promised.get(uid, (replace(unchanged[0], tags=became[0].tags), unchanged[1]))
        assert facts(*became, after) == facts(machine, operations, after)
        if uid in asked and uid in promised:
            assert (became[0].because, became[0].problems) == (machine.because, machine.problems)


CALM = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@CALM
@given(FLEETS, FILES, FILES, MODES, st.booleans())
def test_another_plans_file_does_what_was_foretold_and_so_does_enforcing(
    machines: list[Before], old: Mapping[str, str], new: Mapping[str, str], mode: Mode, enforce: bool
) -> None:
    before, after = told(old, mode), told(new, Mode.ENFORCE if enforce else mode)
    fleet = registered(machines, before)
    check(fleet, what_if(fleet.world, before, Proposal(plans=after.plans, enforce=enforce)), after)


@CALM
@given(FLEETS, TAGS, FILES, MODES)
def test_other_tags_do_what_was_foretold(
    machines: list[Before], tags: Mapping[str, str], file: Mapping[str, str], mode: Mode
) -> None:
    rules = told(file, mode)
    fleet = registered(machines, rules)
    ours = {name: value for name, value in tags.items() if name.startswith("backup")}
    gone = {name for before in machines for name in before.tags if name.startswith("backup")} - set(ours)
    named = tuple(f"web-{number}" for number in range(len(machines))) if ours or gone else ()
    found = what_if(fleet.world, rules, Proposal(named, ours, tuple(gone)))
    for number in range(len(machines)):
        fleet.stage.azure.write(truth(number, ours if named else machines[number].tags))
    check(fleet, found, rules)


@CALM
@given(FLEETS, FILES, MODES)
def test_without_a_change_nothing_is_foretold_and_nothing_happens(
    machines: list[Before], file: Mapping[str, str], mode: Mode
) -> None:
    rules = told(file, mode)
    fleet = registered(machines, rules)
    found = what_if(fleet.world, rules, Proposal())
    assert (found.outlooks, dict(found.counts)) == ((), {Effect.SAME: len(machines)})
    assert applied(fleet, rules) == set()


def test_the_clock_of_these_fleets_stands_still() -> None:
    fleet = registered([Before({"backup": "silver"}, 1)], told({"silver": "daily"}, Mode.ENFORCE))
    assert fleet.world.clock.now() == NOW
    assert timedelta(0) < NOW - LAST_SLOT < DAY
