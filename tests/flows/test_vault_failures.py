"""Every row of the tables about Azure Backup, played through the flows: each failure ends as its row says.

A machine meets the failure where its row says: when the vault is to discover it, to take a policy, to protect it, to
back it up, to stop, or to cancel. The failure stays; then somebody mends it, or the machine is gone in truth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from shared.decide.failure import rule_for
from shared.errors import Blocked, CloudError, Conflict, Missing, Refused
from shared.flows.asking import ask_backup
from shared.flows.cancelling import ask_cancel, running_job
from shared.flows.requesting import run
from shared.messages import REQUESTS, VMS
from shared.model.machine import Status
from shared.model.operation import Kind, Operation, State
from shared.model.point import Origin
from shared.model.request import Progress
from shared.model.vault import ItemState, JobError
from tests.decide.failures import Scenario, scenarios
from tests.flows.vaulting import MINUTE, Backed, Vaulted
from tests.world.exhaustive import perform
from tests.world.twins.azure import VmTruth

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ERRORS = {"conflict": Conflict, "refused": Refused, "blocked": Blocked, "missing": Missing}
FIRST = {"retry": State.FAILED, "ask": State.NEEDS_PERSON, "give-up": State.GAVE_UP, "gone": State.GAVE_UP}
PLAYED_OUT = 6  # of retries: longer courses are only begun here, tests/decide/test_failure.py counts them
MANY = 600

TOLD = [one for one in scenarios() if one.area == "vault"]
GUARDED = "ours: a resource guard or immutability protects the vault"
STANDING = [one for one in TOLD if one.task not in ("cancel", "restore") and "gone" not in one.path]
DEPARTED = [one for one in TOLD if one.path[-1] == "gone"]
CANCELLED = [one for one in TOLD if one.task == "cancel"]
RESTORED = [one for one in TOLD if one.task == "restore"]


@dataclass
class Played:
    """A machine on which one failure stays until it is mended."""

    scenario: Scenario
    patch: pytest.MonkeyPatch
    estate: Backed = field(default_factory=Backed)
    mended: bool = False
    tried: list[datetime] = field(default_factory=list)
    vm: VmTruth = field(init=False)

    def __post_init__(self) -> None:
        self.estate.vault()
        self.vm = self.estate.vm()

    @property
    def kind(self) -> Kind:
        if self.scenario.row == GUARDED:
            return Kind.STOP
        return Kind.BACK_UP if self.in_a_job else Kind.PROTECT

    @property
    def in_a_job(self) -> bool:
        """Whether it is a backup that fails: of most codes nothing else is told."""
        return self.scenario.task in ("any", "back-up") and not self.scenario.row.startswith("ours: no vault")

    def begin(self) -> None:
        """Lead the machine to where it meets the failure."""
        told = JobError(self.scenario.code, self.scenario.message)
        vaults, world = self.estate.world.stage.vaults, self.estate.world.stage.world
        if self.kind is Kind.STOP:
            self.estate.live(2 * HOUR)
            self.refuse(world.vault_items, "change")
            self.estate.tagged(self.vm, "off")
        elif self.kind is Kind.BACK_UP:
            vaults.fates[self.vm.id] = [told] * MANY
        elif self.scenario.task == "discover":
            self.refuse(world.vault_items, "refresh")
        elif self.scenario.task == "policy":
            self.refuse(world.vaults, "write_policy")
        elif self.scenario.status or self.scenario.trouble != "conflict":
            self.refuse(world.vault_items, "change")
        else:
            vaults.hurdles[self.vm.id] = [told] * MANY

    def refuse(self, port: object, verb: str) -> None:
        real: Callable[..., object] = getattr(port, verb)

        def answer(*given: object) -> object:
            if self.mended:
                return real(*given)
            raise self.error

        self.patch.setattr(port, verb, answer)

    @property
    def error(self) -> CloudError:
        return ERRORS[self.scenario.trouble](self.scenario.code, self.scenario.message, self.scenario.status)

    def mend(self) -> None:
        self.mended = True
        for fates in (self.estate.world.stage.vaults.fates, self.estate.world.stage.vaults.hurdles):
            fates.pop(self.vm.id, None)

    @property
    def operation(self) -> Operation | None:
        """The operation that met it first."""
        return min(self.estate.operations(self.vm, self.kind), key=lambda one: one.intended_at, default=None)

    @property
    def now(self) -> datetime:
        return self.estate.world.stage.world.clock.now()

    def until(self, reached: Callable[[Operation], bool], most: timedelta = 3 * DAY) -> Operation:
        """Let time pass, from one look that is due to the next, until the operation is so."""
        end = self.now + most
        while self.now < end:
            self.estate.drain()
            operation = self.operation
            if operation and operation.failure and len(self.tried) < operation.failure.times:
                self.tried.append(self.now)
            if operation and reached(operation):
                return operation
            due = self.estate.row(self.vm).next_look or self.now
            self.estate.wait(min(max(due - self.now, MINUTE / 2), HOUR))
        raise AssertionError(f"{self.scenario} came to {self.operation}")


def failed(operation: Operation) -> bool:
    return operation.failure is not None


def ends_well(operation: Operation) -> bool:
    return operation.state in (State.SUCCEEDED, State.SUPERSEDED)


@pytest.mark.parametrize("scenario", STANDING, ids=str)
def test_a_failure_takes_its_course_and_ends_when_it_is_mended(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = rule_for(scenario.fault)
    assert rule is not None
    course, played = rule.course_for(scenario.message), Played(scenario, monkeypatch)
    played.begin()
    word, _, times = scenario.path[0].partition(" ")
    operation = played.until(failed)
    assert operation.failure is not None
    assert operation.state is FIRST[word]
    assert operation.failure.known
    if scenario.code:
        assert operation.failure.code == scenario.code
    if operation.next_look is not None:
        assert course.first <= operation.next_look - played.now <= course.first * 1.25
        assert operation.failure.waits_for == (course.wait_for or "")
    if word == "retry" and int(times) <= PLAYED_OUT:
        operation = _played_out(played, int(times), course.first)
    if operation.state is not State.FAILED:
        _people_are_told(played, operation)
    if operation.state is State.GAVE_UP:
        assert operation.next_look is None
        return
    played.mend()
    assert played.until(ends_well)


def _played_out(played: Played, times: int, first: timedelta) -> Operation:
    """What follows when it fails as often as its row bears with it."""
    operation = played.until(lambda one: one.state in (State.NEEDS_PERSON, State.GAVE_UP))
    assert operation.failure is not None
    assert operation.failure.times == times + 1
    gaps = [after - before for before, after in zip(played.tried, played.tried[1:], strict=False)]
    assert min(gaps) >= first
    expected = played.scenario.path[1].partition(" ")[0]
    assert operation.state is FIRST[expected]
    return operation


def _people_are_told(played: Played, operation: Operation) -> None:
    """What waits for a person says what to do; the machine's status says so too, where it asks for protection."""
    assert operation.failure is not None
    asked = operation.state is State.NEEDS_PERSON
    assert not asked or operation.failure.remedy
    assert played.scenario.says in f"{operation.failure.remedy} {operation.because}"
    row = played.estate.row(played.vm)
    if played.kind is Kind.STOP:
        assert row.status is Status.EXCLUDED
        return
    assert row.status is Status.UNPROTECTED
    assert not asked or operation.failure.remedy in " ".join(row.problems)


@pytest.mark.parametrize("scenario", DEPARTED, ids=str)
@pytest.mark.parametrize("gone", [True, False], ids=["it is gone", "it is there"])
def test_a_machine_that_a_backup_did_not_find_is_looked_at_and_stops_only_if_it_is_gone(
    scenario: Scenario, gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(scenario, monkeypatch)
    estate, vm = played.estate, played.vm
    estate.live(2 * HOUR)
    assert len(estate.points(vm)) == 1
    asked = ask_backup(estate.world.stage.world, estate.row(vm), "person-1")
    perform(estate.world, lambda ports: run(ports, estate.rules, asked.id))
    if gone:
        estate.world.stage.azure.delete(vm)
    played.begin()
    estate.world.stage.queues.messages.clear()
    estate.live(4 * HOUR, 5 * MINUTE)
    [operation] = [one for one in estate.operations(vm, Kind.BACK_UP) if one.origin is Origin.REQUEST]
    assert operation.state is State.GAVE_UP
    assert operation.attempts == int(scenario.path[0].partition(" ")[2]) + 1
    assert [one.queue for one in estate.world.stage.queues.messages.values() if one.queue == VMS] == [VMS]
    for _ in range(2):
        estate.look(vm)
        estate.wait(11 * MINUTE)
    estate.live(HOUR)
    assert estate.row(vm).status is (Status.GONE if gone else Status.DEGRADED)
    assert estate.item(vm).state is (ItemState.STOPPED if gone else ItemState.PROTECTED)
    assert len(estate.points(vm)) == len(estate.item(vm).points) == 1


@pytest.mark.parametrize("scenario", CANCELLED, ids=str)
def test_a_job_that_a_vault_does_not_cancel_is_asked_about_again_as_its_row_says(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(scenario, monkeypatch)
    estate = played.estate
    estate.live(8 * MINUTE)
    stage = estate.world.stage
    asked = ask_cancel(stage.world, *running_job(stage.world, played.vm.name), "person-1")
    played.refuse(stage.world.vault_jobs, "cancel")
    times = int(scenario.path[0].partition(" ")[2] or 0)
    for turn in range(times + 1):
        stage.queues.messages.clear()
        perform(estate.world, lambda ports: run(ports, estate.rules, asked.id))
        found = stage.requests.asked[asked.id]
        assert scenario.message in found.because
        assert found.progress is (Progress.ASKED if turn < times else Progress.REFUSED)
        again = [one for one in stage.queues.messages.values() if one.queue == REQUESTS]
        assert len(again) == (1 if turn < times else 0)


def test_what_a_vault_cancels_at_the_second_time_of_asking_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = next(one for one in CANCELLED if one.path[0] != "give-up")
    played = Played(scenario, monkeypatch)
    estate = played.estate
    estate.live(8 * MINUTE)
    world = estate.world.stage.world
    asked = ask_cancel(world, *running_job(world, played.vm.name), "person-1")
    played.refuse(world.vault_jobs, "cancel")
    perform(estate.world, lambda ports: run(ports, estate.rules, asked.id))
    played.mend()
    perform(estate.world, lambda ports: run(ports, estate.rules, asked.id))
    assert estate.world.stage.requests.asked[asked.id].progress is Progress.DONE


@pytest.mark.parametrize("scenario", RESTORED, ids=str)
def test_a_restore_that_a_vault_refuses_for_good_ends_at_once_with_what_to_choose_instead(scenario: Scenario) -> None:
    assert scenario.path == ["give-up"]
    estate = Vaulted()
    vm = estate.backed_up()
    refused = Refused(scenario.code, scenario.message, 400)
    estate.world.stage.vaults.refusals[vm.id] = [refused] * MANY
    ended = estate.carried(estate.ask(vm))
    assert ended.progress is Progress.FAILED
    assert ended.restore is not None
    failure = ended.restore.failure
    assert failure is not None
    rule = rule_for(scenario.fault)
    assert rule is not None
    assert (failure.remedy, failure.times) == (rule.course_for(scenario.message).remedy, 1)
    assert estate.restores() == []


def test_every_scenario_of_the_tables_is_played() -> None:
    played = {str(one) for one in (*STANDING, *DEPARTED, *CANCELLED, *RESTORED)}
    assert {str(one) for one in TOLD} == played
