"""Which point a request has a vault mount, who goes first at it, and whose a mount is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.decide.mounting import is_anothers, is_before, mount_of, readable
from shared.decide.vaults import VAULT_TYPE
from shared.model.identity import VM_TYPE, ResourceId, Shard
from shared.model.mount import VaultMount
from shared.model.request import Asked, Progress, Request
from shared.model.restore import ArmPath, Recovery, Restore, RestoreMode, RestoreOrder, Stage
from shared.model.vault import VaultPoint, VaultTask
from tests.fleet import NOW, uid_of

VAULT = ResourceId("s", "backups", VAULT_TYPE, "v")
VM = ResourceId("s", "web", VM_TYPE, "web-1")
MINUTE = timedelta(minutes=1)
SENT = VaultTask(VAULT, tracking="op", sent_at=NOW)


def recovery(task: VaultTask = SENT, point: str = "7") -> Recovery:
    return Recovery(VaultPoint(VAULT, point, NOW), VM, "", task)


def request(found: Recovery | None, name: str = "r1", stage: Stage | None = None, **said: Any) -> Request:
    restore = Restore("", NOW, 0, (), "", ArmPath(str(VM)), (), NOW, NOW, stage, recovery=found)
    order = RestoreOrder(RestoreMode.FILES, from_vault=True)
    asked = Request(name, Asked.RESTORE, Shard("s", "r"), uid_of(1), "oid", NOW, Progress.DONE, order=order)
    return replace(asked, **{"restore": restore, **said})


def test_a_mount_is_of_one_point_of_one_machine_in_one_vault() -> None:
    assert mount_of(recovery()) == VaultMount(VAULT, VM, "7")


def test_what_is_mounted_can_be_read_by_the_operation_that_mounted_it() -> None:
    assert readable(request(recovery())) == (VaultMount(VAULT, VM, "7"), "op")


@pytest.mark.parametrize(
    "asked",
    [
        request(recovery(), progress=Progress.ASKED),
        request(recovery(), progress=Progress.FAILED),
        request(recovery(replace(SENT, tracking=""))),
        request(recovery(), asked=Asked.UNDO),
        request(recovery(), order=RestoreOrder(RestoreMode.DISKS, from_vault=True)),
        request(recovery(), order=None),
        request(None),
        request(recovery(), restore=None),
    ],
)
def test_nothing_else_can_be_read(asked: Request) -> None:
    assert readable(asked) is None


MINE = request(recovery(VaultTask()), "r2", Stage.SURVEY)


@pytest.mark.parametrize(
    ("other", "first"),
    [
        (request(recovery(), "r1", Stage.MOUNT, at=NOW + MINUTE), True),
        (request(recovery(VaultTask()), "r3", Stage.SURVEY, at=NOW - MINUTE), True),
        (request(recovery(VaultTask()), "r1", Stage.SURVEY), True),
        (request(recovery(VaultTask()), "r3", Stage.SURVEY), False),
        (request(recovery(VaultTask()), "r1", Stage.SURVEY, at=NOW + MINUTE), False),
        (request(recovery(point="8"), "r1", Stage.MOUNT), False),
        (request(None, "r1", Stage.MOUNT), False),
        (request(recovery(), "r1", Stage.MOUNT, restore=None), False),
        (request(recovery(), "r1", Stage.UNMOUNT, asked=Asked.UNDO), False),
        (MINE, False),
    ],
)
def test_of_two_at_the_same_point_one_goes_first(other: Request, first: bool) -> None:
    assert is_before(other, MINE) is first


def test_what_mounts_nothing_waits_for_nobody() -> None:
    assert not is_before(request(recovery(), "r1", Stage.MOUNT), request(None, "r2", Stage.SURVEY))


def asked_at(at: datetime | None, **said: Any) -> Request:
    return request(recovery(replace(SENT, sent_at=at)), "other", **said)


@pytest.mark.parametrize(
    ("other", "theirs"),
    [
        (asked_at(NOW + MINUTE), True),
        (asked_at(NOW), False),
        (asked_at(NOW - MINUTE), False),
        (asked_at(None), False),
        (asked_at(NOW + MINUTE, asked=Asked.UNDO), False),
        (request(recovery(replace(SENT, sent_at=NOW + MINUTE), point="8"), "other"), False),
    ],
)
def test_a_point_that_a_later_request_mounted_is_that_ones(other: Request, theirs: bool) -> None:
    assert is_anothers(recovery(), [request(None), other]) is theirs


def test_what_was_never_mounted_is_nobodys() -> None:
    assert not is_anothers(recovery(VaultTask()), [asked_at(NOW)])
    assert not is_anothers(recovery(), [])
