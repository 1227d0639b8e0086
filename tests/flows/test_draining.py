"""What a slice of draining costs in reads of the ledger, and when it asks for the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from shared.errors import Refused
from shared.flows import confirming, draining
from shared.flows.casework import Case
from shared.flows.confirming import confirm
from shared.flows.draining import AT_ONCE, BATCH, TOGETHER, drain
from shared.flows.registering import reconcile
from shared.flows.slicing import Look, Slice
from shared.messages import VmKey
from shared.model.draining import CallKind
from shared.model.identity import ResourceId, Shard
from shared.model.snapshot import SnapshotSeen
from shared.model.transition import Record, Transition
from shared.ports import World
from tests.world.exhaustive import pass_time, perform, small_world
from tests.world.scenes import RULES, SHARD, half_sent, machine
from tests.world.seeded import Run

MANY = 2 * BATCH + 5
HOUR = timedelta(hours=1)


def _reconcile(key: VmKey, ports: World) -> None:
    reconcile(ports, RULES, key)


def crowded(machines: int) -> Run:
    """So many machines whose first points are wanted."""
    world = small_world()
    for number in range(machines):
        vm = machine(number + 1, 1, "gold")
        world.stage.azure.write(vm)
        perform(world, partial(_reconcile, VmKey(vm.id)))
    return world


def test_what_is_due_is_read_once_per_slice_however_many_machines_there_are() -> None:
    world = crowded(MANY)
    before = world.stage.steps.calls.copy()
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    made = world.stage.steps.calls - before
    assert len(world.stage.azure.snapshots) == MANY
    assert (made["ledger.due"], made["ledger.next_wanted"]) == (1, 1)
    assert made["inventory.shard"] == 1


def test_one_look_of_the_bulk_lens_serves_every_batch_of_a_minute() -> None:
    world = crowded(MANY)
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    pass_time(world, timedelta(minutes=1))
    before = world.stage.steps.calls.copy()
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    made = world.stage.steps.calls - before
    rows = [rows.machine.row for rows in world.stage.ledger.rows[SHARD].values() if rows.machine]
    assert (made["snapshots.taken"], sum(row.last_point is not None for row in rows)) == (1, MANY)


@pytest.mark.parametrize(("age", "looks"), [(59, 0), (60, 1)], ids=["it still counts", "it is too old"])
def test_a_look_of_the_bulk_lens_counts_for_a_minute(age: int, looks: int) -> None:
    world = crowded(1)
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    pass_time(world, timedelta(minutes=1))
    made = []

    def twice(ports: World) -> None:
        slice_ = Slice(ports, RULES, SHARD, ports.clock.now() + HOUR, ports.clock.now() + HOUR)
        cases = [
            Case.of(one, ports.ledger.points(SHARD, one.machine.row.uid))
            for one in ports.ledger.due(SHARD, slice_.now())
        ]
        assert confirm(slice_, cases)
        before = world.stage.steps.calls["snapshots.taken"]
        slice_.looks = {
            slots: Look(look.at - timedelta(seconds=age), look.seen) for slots, look in slice_.looks.items()
        }
        assert confirm(slice_, cases)
        made.append(world.stage.steps.calls["snapshots.taken"] - before)

    perform(world, twice)
    assert made == [looks]


def test_a_look_that_failed_is_repeated_for_the_next_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    world = crowded(MANY)
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    pass_time(world, timedelta(minutes=1))
    looks = []

    def blind(slice_: Slice, slots: object) -> dict[ResourceId, SnapshotSeen]:
        looks.append(slots)
        return {}

    monkeypatch.setattr(confirming, "_bulk", blind)
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    assert len(looks) == 3


def test_who_follows_a_killed_drainer_minutes_later_makes_no_second_snapshot_of_any_disk() -> None:
    world = small_world()
    half_sent(world)
    sent = set(world.stage.azure.snapshots)
    assert sent
    for _ in range(3):
        perform(world, lambda ports: drain(ports, RULES, SHARD))
        pass_time(world, timedelta(minutes=7))
    made = world.stage.azure.snapshots
    assert sent <= set(made)
    assert len({(one.tags["tagback-vm"], one.source_uid) for one in made.values()}) == len(made)


def test_the_next_slice_comes_when_it_is_wanted_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    world = crowded(1)
    ahead = timedelta(minutes=11)
    monkeypatch.setattr(world.stage.ledger, "next_wanted", lambda *given: world.stage.world.clock.now() + ahead)
    world.stage.queues.messages.clear()
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    assert asked_again(world) == [ahead]


def test_a_machine_whose_row_fits_no_table_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    world = crowded(3)
    ledger = world.stage.ledger
    commit = ledger.commit

    def narrow(transition: Transition) -> tuple[str, ...]:
        if transition.uid == "uid-2":
            raise Refused("EntityTooLarge", "row p|uid-2 does not fit into a table")
        return commit(transition)

    monkeypatch.setattr(ledger, "commit", narrow)
    world.stage.queues.messages.clear()
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    pass_time(world, timedelta(minutes=1))
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    done = {uid: rows.machine.row.last_point for uid, rows in ledger.rows[SHARD].items() if rows.machine}
    assert {uid for uid, point in done.items() if point} == {"uid-1", "uid-3"}
    last = list(world.stage.queues.messages.values())[-1]
    assert last.visible_at - last.sent_at == TOGETHER, "a machine that stays due is no reason to hurry"


def asked_again(world: Run) -> list[timedelta]:
    """After how long each slice that was asked for comes."""
    return [message.visible_at - message.sent_at for message in world.stage.queues.messages.values()]


def test_what_falls_due_within_a_minute_shares_an_execution() -> None:
    world = crowded(3)
    world.stage.queues.messages.clear()
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    wanted = world.stage.ledger.next_wanted(SHARD, world.stage.world.clock.now() + timedelta(minutes=15))
    assert wanted is not None
    assert AT_ONCE < wanted - world.stage.world.clock.now() < TOGETHER, "what was sent is soon looked for"
    assert asked_again(world) == [TOGETHER]


def test_what_becomes_due_while_a_slice_works_is_for_the_next() -> None:
    world = crowded(1)
    late = machine(2, 1, "gold")
    world.stage.azure.write(late)
    due = world.stage.ledger.due

    def meanwhile(shard: Shard, now: datetime) -> Sequence[Record]:
        found = due(shard, now)
        reconcile(world.stage.world, RULES, VmKey(late.id))
        world.stage.queues.messages.clear()
        return found

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world.stage.ledger, "due", meanwhile)
        perform(world, lambda ports: drain(ports, RULES, SHARD))
    assert (len(world.stage.azure.snapshots), asked_again(world)) == (1, [TOGETHER])
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    assert len(world.stage.azure.snapshots) == 2


def test_a_slice_whose_time_ran_out_is_followed_at_once() -> None:
    world = crowded(3)
    world.stage.queues.messages.clear()
    perform(world, lambda ports: drain(ports, replace(RULES, drain_for=timedelta()), SHARD))
    assert asked_again(world) == [AT_ONCE]


def test_another_refusal_of_the_ledger_ends_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    world = crowded(1)

    def refuse(*given: object) -> None:
        raise Refused("InvalidInput", "no")

    monkeypatch.setattr(draining, "take_up", refuse)
    record = world.stage.ledger.held(SHARD, machine(1, 1, "gold").uid)
    assert record is not None
    with pytest.raises(Refused):
        drain(replace(world.stage.world), RULES, SHARD)


def test_while_azure_asks_for_an_hour_nobody_looks_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = crowded(3)
    shut_until = world.stage.world.clock.now() + timedelta(hours=1)

    def wait(shard: Shard, kind: CallKind, *, gives_way: bool) -> timedelta:
        left = shut_until - world.stage.world.clock.now()
        return max(left, timedelta()) if kind is CallKind.SNAPSHOT else timedelta()

    monkeypatch.setattr(world.stage.world.pace, "wait", wait)
    world.stage.queues.messages.clear()
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    before = world.stage.steps.calls.copy()
    for _ in range(5):
        perform(world, lambda ports: drain(ports, RULES, SHARD))
        pass_time(world, timedelta(minutes=10))
    made = world.stage.steps.calls - before
    assert not world.stage.azure.snapshots
    assert made["snapshots.find"] == made["inventory.examine"] == 0
    assert not world.stage.queues.messages, "the sweep comes before the gate opens"
    pass_time(world, timedelta(minutes=11))
    perform(world, lambda ports: drain(ports, RULES, SHARD))
    assert len(world.stage.azure.snapshots) == 3
