"""What becomes of a backup whose VM does not run: every power state, with and without leave to start it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.failure_rules import WaitFor
from shared.decide.plan import read_plans
from shared.decide.policies import policy_of
from shared.decide.stopped_vm import AGAIN, Await, Send, Start, Stopped, Turn, may_start, turn, waits_for_vm
from shared.decide.vault_wish import Unwanted, Wanted
from shared.decide.vaulting import opened
from shared.model.operation import Failure, Kind, Operation, State
from shared.model.vault import VaultTask
from tests.decide.plans import NOW, machine

SECOND = timedelta(seconds=1)


def want(when_stopped: str) -> Wanted:
    vault = {"at": "22:00", "keep": "30d", "when_stopped": when_stopped}
    plans, problems = read_plans({"default": "gold", "plans": {"gold": {"vault": vault}}})
    assert problems == ()
    plan = plans.by_name["gold"]
    assert plan.vault is not None
    return Wanted(plan, plan.vault, policy_of("gold", plan.vault, machine().uid), "asked")


def waiting(wait_for: str = WaitFor.VM_RUNNING, **fields: object) -> Operation:
    failure = Failure("AzureVmOffline", "it does not run", "start the VM", NOW, waits_for=wait_for)
    operation = replace(opened(machine(), Kind.BACK_UP, "", VaultTask(), NOW), state=State.FAILED, failure=failure)
    return replace(operation, **fields)  # type: ignore[arg-type]  # a test names the fields it changes


@pytest.mark.parametrize(
    ("power", "started", "left"),
    [
        ("running", Send, Send),
        ("", Send, Send),
        ("starting", Await, Await),
        ("stopped", Start, Stopped),
        ("deallocated", Start, Stopped),
        ("deallocating", Start, Stopped),
    ],
)
def test_a_machine_is_started_only_where_its_plan_says_so(power: str, started: type[Turn], left: type[Turn]) -> None:
    assert isinstance(turn(waiting(), want("start"), power, NOW), started)
    assert isinstance(turn(waiting(), want("wait"), power, NOW), left)


def test_it_is_said_why_it_is_started_and_when_it_is_looked_at_again() -> None:
    found = turn(waiting(), want("start"), "deallocated", NOW)
    assert found == Start(NOW + timedelta(minutes=5), "its VM is deallocated, and is started as plan gold allows")
    assert turn(waiting(), want("wait"), "starting", NOW) == Await(NOW + timedelta(minutes=2), "its VM is starting")


def test_a_machine_that_somebody_stopped_again_is_left_alone_for_a_day() -> None:
    earlier = waiting(task=VaultTask(started_vm_at=NOW - AGAIN + SECOND))
    assert isinstance(turn(earlier, want("start"), "stopped", NOW), Stopped)
    assert isinstance(turn(earlier, want("start"), "stopped", NOW + SECOND), Start)


def test_only_what_failed_because_the_machine_does_not_run_waits_for_it() -> None:
    assert waits_for_vm(waiting())
    assert waits_for_vm(waiting(state=State.NEEDS_PERSON))
    assert not waits_for_vm(waiting(WaitFor.AGENT))
    assert not waits_for_vm(waiting(failure=None))
    assert not waits_for_vm(waiting(state=State.GAVE_UP))


def test_nobody_starts_a_machine_that_no_plan_wants_in_a_vault() -> None:
    assert may_start(waiting(), want("start"), NOW)
    assert may_start(waiting(task=None), want("start"), NOW)
    assert not may_start(waiting(), Unwanted("it is off"), NOW)
    assert not may_start(waiting(WaitFor.AGENT), want("start"), NOW)
