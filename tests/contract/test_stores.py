"""The contracts of ports.Requests, Leases, Models and Audit."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.naming import model_reference
from shared.errors import LostRace, Missing
from shared.model.identity import ResourceId, Shard
from shared.model.operation import Failure
from shared.model.request import Asked, PoisonedMessage, Progress, Request
from shared.model.restore import ArmPath, Restore, RestoreMode, RestoreOrder, Source, Stage, Swap
from shared.ports.storage import Audit, Leases, Models, Poisoned, Requests
from tests.rows import EXACT, new_uid

MINUTE = timedelta(minutes=1)
DISK = ResourceId("sub", "web", "microsoft.compute/disks", "os")
SNAPSHOT = ResourceId("sub", "tagback-westeurope", "microsoft.compute/snapshots", "tb-1")
ORDER = RestoreOrder(RestoreMode.IN_PLACE, before=EXACT, group="Web", name="Web-2", protect=True)
RESTORE = Restore(
    because="the newest complete point (per-disk)",
    slot=EXACT,
    lost_seconds=3600,
    sources=(Source(SNAPSHOT, DISK, None), Source(SNAPSHOT, DISK, 3)),
    model="m1",
    machine=ArmPath("/subscriptions/sub/resourceGroups/Web/providers/Microsoft.Compute/virtualMachines/Web-2"),
    makes=(ArmPath(str(DISK)),),
    expires=EXACT + MINUTE,
    started_at=EXACT,
    stage=Stage.SWAP,
    absent=(ArmPath("/a/b"),),
    lacking=("the system-assigned identity",),
    swaps=(Swap(ArmPath(str(DISK)), None), Swap(ArmPath(str(DISK)), 3)),
    was_running=False,
    attempts=2,
    failure=Failure("SkuNotAvailable", "no", "choose another size", since=EXACT, times=2),
    next_look=EXACT,
)


def asked(shard: Shard) -> Request:
    return Request(uuid.uuid4().hex, Asked.BACKUP, shard, new_uid(), "person", EXACT, Progress.ASKED)


def test_a_request_is_found_as_it_was_added(requests: Requests, shard: Shard) -> None:
    request = asked(shard)
    requests.add(request)
    assert requests.find(request.id) == request
    assert requests.find(uuid.uuid4().hex) is None


def test_a_request_is_added_once(requests: Requests, shard: Shard) -> None:
    request = asked(shard)
    requests.add(request)
    with pytest.raises(LostRace):
        requests.add(replace(request, by="somebody else"))
    assert requests.find(request.id) == request


def test_a_request_is_settled_once(requests: Requests, shard: Shard) -> None:
    request = asked(shard)
    requests.add(request)
    taken = requests.settle(replace(request, progress=Progress.TAKEN, operation="slot-1", because="it is registered"))
    assert (taken.progress, taken.revision) == (Progress.TAKEN, 1)
    for later in (request, taken):
        with pytest.raises(LostRace):
            requests.settle(replace(later, progress=Progress.REFUSED))
    assert requests.find(request.id) == taken


def test_of_two_who_change_a_request_the_second_is_refused(requests: Requests, shard: Shard) -> None:
    request = asked(shard)
    requests.add(request)
    first = requests.settle(replace(request, reached="a"))
    with pytest.raises(LostRace):
        requests.settle(replace(request, reached="b"))
    assert requests.find(request.id) == first


def test_unsettled_are_those_that_nobody_answered(requests: Requests, shard: Shard) -> None:
    answered, waiting, going_on = asked(shard), asked(shard), asked(shard)
    for request in (answered, waiting, going_on):
        requests.add(request)
    requests.settle(replace(answered, progress=Progress.DONE))
    later = requests.settle(replace(going_on, reached="a"))
    of_ours = {answered.id, waiting.id, going_on.id}
    found = {one.id: one for one in requests.unsettled() if one.id in of_ours}
    assert found == {waiting.id: waiting, going_on.id: later}


def test_restores_that_ended_expire_and_others_never(requests: Requests, shard: Shard) -> None:
    ended, going_on, later = (replace(asked(shard), asked=Asked.RESTORE, order=ORDER, restore=RESTORE) for _ in "abc")
    undoing = replace(asked(shard), asked=Asked.UNDO, order=ORDER, restore=RESTORE)
    drilled = replace(ended, id=f"{ended.id}-drill", asked=Asked.DRILL)
    later = replace(later, restore=replace(RESTORE, expires=EXACT + 9 * MINUTE))
    known = {one.id for one in (ended, going_on, later, undoing, drilled)}
    for one in (ended, going_on, later, undoing, drilled):
        requests.add(one)
    for one in (ended, later, undoing, drilled):
        requests.settle(replace(one, progress=Progress.DONE))

    def expired(minutes: int) -> set[str]:
        return {one.id for one in requests.expired(EXACT + minutes * MINUTE)} & known

    assert expired(0) == set()
    assert expired(1) == {ended.id, drilled.id}
    assert expired(9) == {ended.id, later.id, drilled.id}


def test_a_restore_is_kept_with_its_order_and_all_of_its_progress(requests: Requests, shard: Shard) -> None:
    many = RESTORE.sources * 32 + (Source(SNAPSHOT, replace(DISK, name="\N{SNOWMAN}" * 80), 65),)
    large = replace(RESTORE, sources=many, makes=RESTORE.makes * 600, swaps=RESTORE.swaps * 33)
    for restore in (RESTORE, large):
        request = replace(asked(shard), asked=Asked.RESTORE, order=ORDER, restore=restore)
        requests.add(request)
        assert requests.find(request.id) == request


def test_answered_requests_are_forgotten_after_a_time_and_open_ones_never(requests: Requests, shard: Shard) -> None:
    old, waiting, new = asked(shard), asked(shard), replace(asked(shard), at=EXACT + 2 * MINUTE)
    for request in (old, waiting, new):
        requests.add(request)
    for request in (old, new):
        requests.settle(replace(request, progress=Progress.REFUSED))
    requests.forget(EXACT + MINUTE)
    assert requests.find(old.id) is None
    assert requests.find(waiting.id) == waiting
    assert requests.find(new.id) is not None
    requests.forget(EXACT + MINUTE)


def test_a_request_that_goes_on_is_settled_step_by_step(requests: Requests, shard: Shard) -> None:
    request = replace(asked(shard), asked=Asked.REBUILD)
    requests.add(request)
    for reached in ("a", "b"):
        found = requests.find(request.id)
        assert found is not None
        requests.settle(replace(found, reached=reached))
    found = requests.find(request.id)
    assert found is not None
    assert (found.reached, found.progress) == ("b", Progress.ASKED)


def test_a_lease_is_held_by_one_until_it_ran_out(leases: Leases, shard: Shard) -> None:
    lease = leases.take(shard, "one", EXACT, EXACT + MINUTE)
    assert lease is not None
    assert (lease.shard, lease.holder, lease.until) == (shard, "one", EXACT + MINUTE)
    assert leases.take(shard, "two", EXACT, EXACT + MINUTE) is None
    assert leases.take(shard, "two", EXACT + MINUTE / 2, EXACT + 2 * MINUTE) is None
    later = leases.take(shard, "two", EXACT + 2 * MINUTE, EXACT + 3 * MINUTE)
    assert later is not None
    assert later.holder == "two"


def test_a_lease_that_is_given_back_is_free_at_once(leases: Leases, shard: Shard) -> None:
    lease = leases.take(shard, "one", EXACT, EXACT + MINUTE)
    assert lease is not None
    leases.give_back(lease)
    assert leases.take(shard, "two", EXACT, EXACT + MINUTE) is not None


def test_giving_back_a_lost_lease_takes_nothing_from_its_new_holder(leases: Leases, shard: Shard) -> None:
    lost = leases.take(shard, "one", EXACT, EXACT + MINUTE)
    assert lost is not None
    assert leases.take(shard, "two", EXACT + 2 * MINUTE, EXACT + 4 * MINUTE) is not None
    leases.give_back(lost)
    assert leases.take(shard, "three", EXACT + 3 * MINUTE, EXACT + 5 * MINUTE) is None


def test_leases_of_different_shards_do_not_meet(leases: Leases, shard: Shard) -> None:
    other = Shard(shard.subscription, "northeurope")
    assert leases.take(shard, "one", EXACT, EXACT + MINUTE) is not None
    assert leases.take(other, "two", EXACT, EXACT + MINUTE) is not None


def test_a_model_is_kept_under_its_reference_however_often(models: Models) -> None:
    model = {"vm": {"name": "Größe", "tags": {"b": "2", "a": "1"}, "disks": [1, 2.5, None, True]}, "interfaces": []}
    reference = models.keep(model)
    assert reference == model_reference(model)
    assert models.keep(dict(reversed(model.items()))) == reference
    assert models.load(reference) == model
    assert models.keep({"vm": {}}) != reference


def test_a_model_that_was_never_kept_is_missing(models: Models) -> None:
    with pytest.raises(Missing):
        models.load("0" * 64)


def test_audit_lines_are_taken_any_number_of_times(audit: Audit, shard: Shard) -> None:
    audit.append(shard, EXACT, ["one"])
    audit.append(shard, EXACT, ["one", "two · Größe"])
    audit.append(shard, EXACT, [])


def test_a_poisoned_message_is_kept_once_with_its_first_instant(poisoned: Poisoned) -> None:
    queue = uuid.uuid4().hex
    first = PoisonedMessage(queue, "{'not': json}/\\#?", EXACT)
    other = PoisonedMessage(queue, "other", EXACT)
    for message in (first, other, replace(first, at=EXACT + MINUTE)):
        poisoned.keep(message)
    kept = [message for message in poisoned.kept() if message.queue == queue]
    assert sorted(kept, key=lambda message: message.text) == sorted((first, other), key=lambda message: message.text)


def test_a_poisoned_message_is_kept_without_secrets_and_cut(poisoned: Poisoned) -> None:
    queue = uuid.uuid4().hex
    poisoned.keep(PoisonedMessage(queue, "vm-1, Authorization: Bearer canary0123" + " x" * 5000, EXACT))
    [text] = [message.text for message in poisoned.kept() if message.queue == queue]
    assert text.startswith("vm-1, [redacted] x")
    assert len(text) == 1000


def test_poisoned_messages_are_forgotten_after_a_time(poisoned: Poisoned) -> None:
    queue = uuid.uuid4().hex
    old, new = PoisonedMessage(queue, "old", EXACT), PoisonedMessage(queue, "new", EXACT + 2 * MINUTE)
    for message in (old, new):
        poisoned.keep(message)
    poisoned.forget(EXACT + MINUTE)
    assert [message for message in poisoned.kept() if message.queue == queue] == [new]
