"""What a vault has of a machine is deleted when a person asked and two agreed, and in no other way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import BadInput, Blocked, CloudError, Denied, OutcomeUnknown, Refused, Throttled, Unavailable
from shared.flows.approving import approve, listed
from shared.flows.asking import ask_backup
from shared.flows.emptying import ask_delete
from shared.flows.expiring import expire
from shared.flows.pausing import ask_pause
from shared.flows.reaping import reap
from shared.flows.requesting import run
from shared.flows.retrying import ask_retry
from shared.messages import REAP
from shared.model.machine import Status
from shared.model.operation import Kind, Operation, State
from shared.model.request import Progress, Request
from shared.model.vault import ItemState, Standing
from tests.flows.vaulting import MINUTE, SNAPSHOTS, Backed, rules_of
from tests.world.exhaustive import perform
from tests.world.scenes import SHARD
from tests.world.twins.azure import VmTruth
from tests.world.twins.stores import AuditTwin

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def stopped(plan: str = "off") -> tuple[Backed, VmTruth]:
    """A machine whose protection is stopped, with a point in its vault."""
    estate = Backed()
    vm = estate.vm()
    estate.live(2 * HOUR)
    vm = estate.tagged(vm, plan)
    estate.live(HOUR)
    assert estate.item(vm).state is ItemState.STOPPED
    return estate, vm


def asked(estate: Backed, vm: VmTruth) -> Request:
    """The wish, as the flow run_request leaves it."""
    wish = ask_delete(estate.world.stage.world, estate.rules, estate.row(vm), "it was a test machine", "ann")
    return served(estate, wish)


def served(estate: Backed, wish: Request) -> Request:
    perform(estate.world, lambda ports: run(ports, estate.rules, wish.id))
    return estate.world.stage.requests.asked[wish.id]


def agreed(estate: Backed, vm: VmTruth) -> None:
    for person in ("ann", "bob"):
        approve(estate.world.stage.world, [vm.name], person)


def judged(estate: Backed) -> None:
    perform(estate.world, lambda ports: reap(ports, estate.rules, SHARD))


def reaped(estate: Backed) -> None:
    judged(estate)
    estate.live(20 * MINUTE)


def deletion(estate: Backed, vm: VmTruth) -> Operation:
    [operation] = estate.operations(vm, Kind.EMPTY)
    return operation


def deletes(estate: Backed) -> int:
    return estate.world.stage.steps.calls["vaults.delete"]


def test_a_person_asks_two_agree_and_the_vault_deletes_it_softly() -> None:
    estate, vm = stopped()
    assert asked(estate, vm).progress is Progress.TAKEN
    assert deletion(estate, vm).state is State.NEEDS_PERSON
    agreed(estate, vm)
    reaped(estate)
    assert estate.item(vm).soft_deleted
    assert deletion(estate, vm).state is State.SUCCEEDED
    assert estate.points(vm) == []
    known = estate.row(vm).protection
    assert known is not None
    assert (known.state, known.last_point) == (Standing.DELETED, None)
    audit = estate.world.stage.world.audit
    assert isinstance(audit, AuditTwin)
    [line] = [line for _, _, line in audit.lines if '"event": "vault.delete"' in line]
    for words in ("it was a test machine", "asked for by ann", "approved by bob", '"points": 1'):
        assert words in line


def test_nothing_goes_before_two_people_agreed() -> None:
    estate, vm = stopped()
    asked(estate, vm)
    reaped(estate)
    approve(estate.world.stage.world, [vm.name], "ann")
    reaped(estate)
    estate.live(DAY, HOUR)
    assert deletes(estate) == 0
    [shown] = listed(estate.world.stage.world)
    assert (shown["vm"], shown["asked_by"], shown["approved_by"]) == (vm.name, "ann", None)
    assert "it was a test machine" in str(shown["because"])


def test_what_waits_for_two_people_is_no_trouble_of_the_machine() -> None:
    estate = Backed(rules_of(snapshots=SNAPSHOTS))
    vm = estate.vm()
    estate.live(2 * HOUR)
    vm = estate.tagged(vm, "bare")
    estate.live(HOUR)
    asked(estate, vm)
    estate.look(vm)
    assert estate.row(vm).status is Status.PROTECTED


def test_what_is_agreed_to_is_found_by_the_timer() -> None:
    estate, vm = stopped()
    asked(estate, vm)
    estate.world.stage.queues.messages.clear()
    perform(estate.world, lambda ports: expire(ports, estate.rules))
    assert [one for one in estate.world.stage.queues.messages.values() if one.queue == REAP] == []
    agreed(estate, vm)
    perform(estate.world, lambda ports: expire(ports, estate.rules))
    assert [one.queue for one in estate.world.stage.queues.messages.values() if one.queue == REAP] == [REAP]


def test_an_approval_that_is_too_old_deletes_nothing() -> None:
    estate, vm = stopped()
    asked(estate, vm)
    agreed(estate, vm)
    estate.live(4 * DAY, 6 * HOUR)
    reaped(estate)
    assert deletes(estate) == 0


@pytest.mark.parametrize("plan", ["gold", "godl"])
def test_a_machine_that_is_wanted_in_a_vault_keeps_what_it_has(plan: str) -> None:
    estate, vm = stopped()
    vm = estate.tagged(vm, plan)
    with pytest.raises(BadInput, match="are not deleted"):
        ask_delete(estate.world.stage.world, estate.rules, estate.row(vm), "why not", "ann")


def test_a_reason_is_needed() -> None:
    estate, vm = stopped()
    with pytest.raises(BadInput, match="because is empty"):
        ask_delete(estate.world.stage.world, estate.rules, estate.row(vm), " ", "ann")


def test_a_machine_that_is_tagged_again_or_held_after_two_agreed_keeps_what_it_has() -> None:
    for tags, why in (({"backup": "gold"}, "wants it in a vault"), ({"backup-hold": "forever"}, "hold everything")):
        estate, vm = stopped()
        asked(estate, vm)
        agreed(estate, vm)
        estate.world.stage.azure.write(replace(vm, tags=tags))
        judged(estate)
        ended = deletion(estate, vm)
        assert (ended.state, deletes(estate)) == (State.SKIPPED, 0)
        assert why in ended.because


def test_a_vault_that_protects_it_again_or_lost_it_is_left_alone() -> None:
    for change, why in (("protected", "protects it again"), ("gone", "nothing of it"), ("deleted", "deleted already")):
        estate, vm = stopped()
        asked(estate, vm)
        agreed(estate, vm)
        holder = estate.world.stage.vaults.holder(vm.id)
        assert holder is not None
        if change == "gone":
            del holder.items[vm.id]
        elif change == "deleted":
            holder.items[vm.id].soft_deleted = True
        else:
            holder.items[vm.id].state = ItemState.PROTECTED
        judged(estate)
        assert (deletion(estate, vm).state, deletes(estate)) == (State.SKIPPED, 0)
        assert why in deletion(estate, vm).because


def test_a_pause_of_deletions_holds_it_up() -> None:
    estate, vm = stopped()
    asked(estate, vm)
    agreed(estate, vm)
    served(estate, ask_pause(estate.world.stage.world, "deletes", "an audit", "boss"))
    reaped(estate)
    assert (deletion(estate, vm).state, deletes(estate)) == (State.NEEDS_PERSON, 0)


PROTECTED_FROM_US = [
    Refused("UserErrorResourceGuardOperationRequestIdMissing", "ResourceGuard Operation requestid is null", 400),
    Refused("UserErrorOperationNotAllowedOnImmutableVault", "immutability is enabled", 400),
    Refused("UserErrorSoftDeleteAlwaysOn", "soft delete is always on", 400),
    Blocked("ScopeLocked", "the group is locked", 409),
    Denied("AuthorizationFailed", "no protectedItems/delete", 403),
    Refused("SomethingNew", "no", 400),
]


@pytest.mark.parametrize("error", PROTECTED_FROM_US, ids=lambda error: error.code)
def test_a_vault_that_is_protected_from_it_ends_it_as_needs_approval_and_is_never_asked_again(
    error: CloudError, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate, vm = stopped()
    sent: list[object] = []

    def refuses(vault: object, of: object) -> str:
        sent.append(of)
        raise error

    monkeypatch.setattr(estate.world.stage.world.vault_items, "delete", refuses)
    asked(estate, vm)
    agreed(estate, vm)
    for _ in range(5):
        reaped(estate)
        estate.live(6 * HOUR, HOUR)
    ended = deletion(estate, vm)
    assert (ended.state, len(sent)) == (State.GAVE_UP, 1)
    assert ended.failure is not None
    assert ended.failure.remedy.startswith("needs approval")
    assert "needs approval" in ended.because
    assert len(estate.points(vm)) == 1
    with pytest.raises(BadInput, match="asks anew"):
        ask_retry(estate.world.stage.world, estate.row(vm), ended, "ann")


@pytest.mark.parametrize("error", [Throttled("429", "x", MINUTE), Unavailable("503", "x")], ids=lambda one: one.code)
def test_what_was_surely_not_accepted_is_asked_again(error: CloudError, monkeypatch: pytest.MonkeyPatch) -> None:
    estate, vm = stopped()
    asked(estate, vm)
    agreed(estate, vm)

    def fails(vault: object, of: object) -> str:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(estate.world.stage.world.vault_items, "delete", fails)
        reaped(estate)
    assert deletion(estate, vm).state is State.NEEDS_PERSON
    reaped(estate)
    assert deletion(estate, vm).state is State.SUCCEEDED


def test_a_lost_answer_is_found_out_by_what_the_vault_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    estate, vm = stopped()
    items = estate.world.stage.world.vault_items
    real = items.delete

    def loses(vault: object, of: object) -> str:
        real(vault, of)  # type: ignore[arg-type]  # as it was called
        raise OutcomeUnknown("timeout", "the answer was lost")

    monkeypatch.setattr(items, "delete", loses)
    asked(estate, vm)
    agreed(estate, vm)
    reaped(estate)
    assert deletion(estate, vm).state is State.SUCCEEDED


def test_many_points_leave_the_ledger_bit_by_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.flows.watching.TOGETHER", 2)
    estate = Backed()
    vm = estate.vm()
    estate.live(5 * DAY, HOUR)
    vm = estate.tagged(vm, "off")
    estate.live(HOUR)
    assert len(estate.points(vm)) > 4
    asked(estate, vm)
    agreed(estate, vm)
    reaped(estate)
    estate.live(HOUR)
    assert (deletion(estate, vm).state, estate.points(vm)) == (State.SUCCEEDED, [])


def test_what_is_taken_back_is_told_of_again() -> None:
    estate, vm = stopped()
    asked(estate, vm)
    agreed(estate, vm)
    reaped(estate)
    estate.tagged(vm, "gold")
    estate.live(2 * HOUR)
    assert (estate.item(vm).state, estate.item(vm).soft_deleted) == (ItemState.PROTECTED, False)
    assert estate.world.promises.violations == []
    assert len(estate.points(vm)) == len(estate.item(vm).points) == 1


def test_a_second_wish_while_one_waits_is_refused_and_the_same_one_is_taken_once() -> None:
    estate, vm = stopped()
    first = asked(estate, vm)
    estate.wait(2 * MINUTE)
    second = asked(estate, vm)
    assert (second.progress, "waits for approval already" in second.because) == (Progress.REFUSED, True)
    estate.world.stage.requests.asked[first.id] = replace(first, progress=Progress.ASKED)
    assert served(estate, first).progress is Progress.TAKEN
    assert len(estate.operations(vm, Kind.EMPTY)) == 1


def test_a_backup_asked_for_is_not_disturbed_by_it() -> None:
    estate, vm = stopped()
    asked(estate, vm)
    vm = estate.tagged(vm, "gold")
    estate.live(HOUR)
    served(estate, ask_backup(estate.world.stage.world, estate.row(vm), "ann"))
    estate.live(2 * HOUR)
    assert len(estate.points(vm)) == 2
