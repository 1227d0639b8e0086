"""`tagback pause` and `tagback resume`: heard within a slice, shown with who and why, told, and nothing is silent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from shared.errors import Unavailable
from shared.flows import reaping
from shared.flows.draining import drain
from shared.flows.pausing import tell
from shared.flows.reaping import reap
from shared.flows.requesting import run as run_request
from shared.flows.sweeping import sweep
from shared.model.brake import Brake, Braking, Stops
from shared.model.event import Event, Happening
from shared.model.machine import Machine
from shared.model.operation import Operation, State
from shared.model.point import Point
from shared.model.request import Progress
from shared.ports import World
from tests.cli.running import ASKER, answer, run
from tests.fleet import DAY, LAST_SLOT, NOW, SHARD
from tests.flows.deleting import HOUR, Estate, gains


@pytest.fixture
def estate() -> Estate:
    return Estate()


def usual(estate: Estate) -> tuple[Machine, Point, Point]:
    of = estate.machine(next_due=LAST_SLOT + DAY)
    old, new = estate.taken(of, 7), estate.taken(of, 0)
    estate.put(of, old, new, *gains(of, LAST_SLOT, LAST_SLOT + HOUR))
    return of, old, new


def said(estate: Estate, *words: str) -> str:
    """Ask, and have the request carried out; what came of it."""
    asked = answer(run(estate.fleet, *words, "--output", "json"))["id"]
    run_request(estate.fleet.world, estate.rules, asked)
    found = estate.stage.requests.asked[asked]
    assert found.progress is Progress.DONE
    return found.because


def pause(estate: Estate, what: str) -> str:
    return said(estate, "pause", what, "--because", "an audit")


def captures(estate: Estate, of: Machine) -> list[Operation]:
    record = estate.fleet.world.ledger.record(of.shard, of.uid)
    assert record is not None
    return sorted((held.row for held in record.operations), key=lambda one: one.slot)


def days_pass(estate: Estate, days: int) -> None:
    """The drainer is called after each slot's window."""
    for _ in range(days):
        estate.stage.scheduler.run(estate.stage.scheduler.now + DAY)
        drain(estate.fleet.world, estate.rules, SHARD)


def test_paused_deletions_delete_nothing_and_say_who_and_why(estate: Estate) -> None:
    of, old, _ = usual(estate)
    pause(estate, "deletes")
    estate.pass_time(72 * HOUR)
    assert estate.there(old) == [True, True]
    assert estate.why(of, old.slot) == f"deletions are paused by {ASKER} since 2026-11-20 12:00Z: an audit"
    assert "are paused by" in run(estate.fleet, "status").stdout
    explained = answer(run(estate.fleet, "explain", "web-1", "--output", "json"))
    assert any("deletions are paused" in line for line in explained["because"])


def test_resumed_deletions_go_on(estate: Estate) -> None:
    of, old, _ = usual(estate)
    pause(estate, "all")
    estate.pass_time(30 * HOUR)
    assert said(estate, "resume", "deletes") == "deletes: nothing of it is paused any more"
    world = estate.fleet.world
    record = world.ledger.record(of.shard, of.uid)
    assert record is not None
    estate.change(record.machine, *gains(of, estate.stage.scheduler.now))
    estate.pass_time(2 * HOUR)
    assert estate.there(old) == [False, False]


@dataclass
class Sudden:
    """Deletions are paused by the time they are asked about for the second time."""

    reads: int = 0

    def now(self) -> Braking:
        self.reads += 1
        brake = Brake(Stops.DELETES, "person-1", NOW, "stop")
        return Braking((brake,) if self.reads > 1 else ())

    def change(self, braking: Braking) -> None:
        raise AssertionError


def test_a_pause_between_two_batches_of_a_slice_is_heard(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaping, "BATCH", 1)
    olds = []
    for number in (1, 2):
        of = estate.machine(number)
        olds.append(estate.taken(of, 7))
        estate.put(of, olds[-1], estate.taken(of, 0), *gains(of, LAST_SLOT + 20 * HOUR))
    estate.pass_time(23 * HOUR)
    estate.stage.world = replace(estate.fleet.world, brakes=Sudden())
    estate.stage.scheduler.run(estate.stage.scheduler.now + 3 * HOUR)
    reap(estate.fleet.world, estate.rules, SHARD)
    estate.stage.scheduler.run(estate.stage.scheduler.now + HOUR)
    assert [estate.there(old) for old in olds] == [[False, False], [True, True]]


def test_slots_of_a_pause_are_recorded_and_the_newest_is_caught_up(estate: Estate) -> None:
    of, _, _ = usual(estate)
    pause(estate, "captures")
    days_pass(estate, 3)
    first, second, third = captures(estate, of)[-3:]
    for older in (first, second):
        assert older.state is State.SUPERSEDED
        assert f"captures are paused by {ASKER}" in older.because
    assert (third.state, third.attempts) == (State.INTENDED, 0)
    assert third.because.startswith("captures are paused")
    assert estate.stage.steps.calls["snapshots.create"] == 0
    said(estate, "resume", "captures")
    drain(estate.fleet.world, estate.rules, SHARD)
    assert captures(estate, of)[-1].state is State.STARTED
    assert estate.stage.steps.calls["snapshots.create"] == 2


def test_a_paused_shard_costs_no_messages_and_no_writes_while_nothing_changes(estate: Estate) -> None:
    usual(estate)
    pause(estate, "captures")
    days_pass(estate, 1)
    estate.stage.queues.messages.clear()
    before = estate.stage.steps.calls["ledger.commit"]
    drain(estate.fleet.world, estate.rules, SHARD)
    assert estate.stage.steps.calls["ledger.commit"] == before
    assert not estate.stage.queues.messages


def test_a_point_that_was_begun_is_brought_to_its_end(estate: Estate) -> None:
    of, _, _ = usual(estate)
    days_pass(estate, 1)
    assert captures(estate, of)[-1].state is State.STARTED
    pause(estate, "captures")
    estate.stage.scheduler.run(estate.stage.scheduler.now + timedelta(minutes=5))
    drain(estate.fleet.world, estate.rules, SHARD)
    assert captures(estate, of)[-1].state is State.SUCCEEDED


def test_a_backup_is_refused_with_the_reason(estate: Estate) -> None:
    usual(estate)
    asked = answer(run(estate.fleet, "backup", "web-1", "--output", "json"))["id"]
    pause(estate, "captures")
    result = run(estate.fleet, "backup", "web-1")
    assert result.exit_code == 2
    assert "captures are paused by" in result.stderr
    run_request(estate.fleet.world, estate.rules, asked)
    found = estate.stage.requests.asked[asked]
    assert (found.progress, found.because.startswith("captures are paused by")) == (Progress.REFUSED, True)


def test_resuming_pokes_every_shard(estate: Estate) -> None:
    of, _, _ = usual(estate)
    estate.put(replace(of, shard=replace(SHARD, region="northeurope")))
    pause(estate, "captures")
    estate.stage.queues.messages.clear()
    said(estate, "resume", "all")
    assert len([one for one in estate.stage.queues.messages.values() if one.queue == "shards"]) == 2


def test_the_first_word_counts_and_repeating_a_request_changes_nothing(estate: Estate) -> None:
    usual(estate)
    first = pause(estate, "deletes")
    estate.stage.scheduler.run(NOW + HOUR)
    assert pause(estate, "all").split("; ")[0] == first
    [deletes, captured] = estate.stage.brakes.braking.brakes
    assert captured.since - deletes.since > HOUR / 2


def test_every_pause_is_audited_before_it_is_on_and_told_once(estate: Estate) -> None:
    usual(estate)
    pause(estate, "deletes")
    [line] = [text for _, _, text in estate.stage.audit.lines if "brakes.pause" in text]
    assert ASKER in line
    assert "an audit" in line
    said(estate, "resume", "deletes")
    tell(estate.fleet.world, estate.rules)
    kinds = [event.type for event in estate.stage.events.heard]
    assert kinds == [Happening.PAUSED, Happening.RESUMED]
    assert estate.stage.brakes.braking.brakes == ()


def test_what_could_not_be_told_is_told_by_the_next_sweep(estate: Estate) -> None:
    usual(estate)
    estate.stage.azure.subscriptions = [SHARD.subscription]
    world = estate.fleet.world

    class Deaf:
        def publish(self, events: list[Event]) -> None:
            raise Unavailable("timeout", "the topic does not answer")

    asked = answer(run(estate.fleet, "pause", "deletes", "--because", "x", "--output", "json"))["id"]
    deaf: World = replace(world, events=Deaf())  # type: ignore[arg-type] # one method is all there is
    run_request(deaf, estate.rules, asked)
    assert estate.stage.requests.asked[asked].progress is Progress.DONE
    sweep(world, estate.rules)
    assert [event.type for event in estate.stage.events.heard] == [Happening.PAUSED]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("pause", "deletes", "--because", " "), 2, "say why"),
        (("pause", "deletes", "--because", "x" * 501), 2, "at most 500"),
        (("pause", "deletes"), 2, "--because"),
        (("pause", "everything", "--because", "x"), 2, "captures"),
        (("resume", "all"), 2, "nothing of it is paused"),
    ],
)
def test_what_cannot_be_paused_or_resumed_is_refused_at_once(
    estate: Estate, words: tuple[str, ...], code: int, told: str
) -> None:
    result = run(estate.fleet, *words)
    assert (result.exit_code, told in result.stderr) == (code, True)
    assert not estate.stage.requests.asked
