"""When everything that a vault has of a machine may be deleted, and what waits for two people until then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.emptying import deletion_of, item_obstacle, obstacle, waits, wished
from shared.model.approval import Deletion
from shared.model.operation import Kind, Operation, State
from shared.model.point import Engine, Origin
from shared.model.request import Asked, Progress, Request
from shared.model.rules import Mode
from shared.model.vault import ItemSeen, ItemState, Standing, VaultTask
from tests.decide.test_vaulting import DAY, KNOWN, ROW, VAULT, item, of_kind, rules_of
from tests.fleet import NOW, SHARD

STOPPED = replace(ROW, tags={"backup": "off"}, protection=replace(KNOWN, state=Standing.STOPPED))
ONLY = "only what a vault of ours has stopped to protect is deleted, and this machine is "


def holding(day: str) -> dict[str, str]:
    return {"backup": "off", "backup-hold": day}


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({}, ""),
        ({"tags": {"backup": "silver"}}, "plan silver wants it in a vault: tag it otherwise first"),
        (
            {"tags": {"backup": "slver"}, "plan": "silver", "grace_from": NOW - DAY},
            "plan silver wants it in a vault: tag it otherwise first",
        ),
        ({"absent_since": NOW}, "a look found nothing of it; a second one decides"),
        ({"tags": holding("2026-11-21")}, "its tags hold everything of it until 2026-11-22"),
        ({"protection": None}, f"{ONLY}in no vault"),
        ({"protection": replace(KNOWN, state=Standing.STOPPED, vault=None)}, f"{ONLY}stopped"),
        ({"protection": KNOWN}, f"{ONLY}protected"),
        ({"protection": replace(KNOWN, state=Standing.DELETED)}, f"{ONLY}soft-deleted"),
    ],
    ids=str,
)
def test_only_what_nobody_wants_or_holds_and_a_vault_has_stopped_to_protect_may_be_deleted(
    changes: dict[str, object], because: str
) -> None:
    row = replace(STOPPED, **changes)  # type: ignore[arg-type] # a case names the fields it changes
    assert obstacle(row, rules_of(), NOW) == because


def test_nothing_is_deleted_where_tagback_may_only_look_on() -> None:
    because = "its subscription is not one in which Tagback may act"
    assert obstacle(STOPPED, rules_of(Mode.OBSERVE), NOW) == because


def test_a_hold_is_over_when_its_day_is() -> None:
    held = replace(STOPPED, tags=holding("2026-11-20"))
    midnight = NOW.replace(hour=0) + timedelta(days=1)
    assert obstacle(held, rules_of(), midnight - timedelta(seconds=1))
    assert obstacle(held, rules_of(), midnight) == ""


@pytest.mark.parametrize(
    ("found", "because"),
    [
        (None, "the vault has nothing of it any more"),
        (item(ItemState.STOPPED, soft_deleted=True), "its backups are deleted already"),
        (item(ItemState.STOPPED), ""),
        (item(ItemState.PROTECTED), "the vault protects it again"),
        (item(ItemState.PAUSED), "the vault protects it again"),
    ],
)
def test_what_the_vault_shows_now_counts(found: ItemSeen | None, because: str) -> None:
    assert item_obstacle(found) == because


ASKED = NOW + timedelta(seconds=7, microseconds=9)
REQUEST = Request("r-1", Asked.DELETE_DATA, SHARD, ROW.uid, "anna", ASKED, Progress.ASKED, reason="an audit is over")
WISHED = Operation(
    uid=ROW.uid,
    id="delete-data-20261120T1200Z",
    kind=Kind.EMPTY,
    origin=Origin.REQUEST,
    engine=Engine.VAULT,
    slot=NOW,
    state=State.NEEDS_PERSON,
    because="everything that its vault has of it is to be deleted, asked for by anna: an audit is over",
    intended_at=ASKED,
    task=VaultTask(VAULT),
)


def test_a_wish_waits_for_two_people_and_names_its_vault() -> None:
    assert wished(STOPPED, REQUEST) == WISHED
    assert wished(replace(STOPPED, protection=None), REQUEST) == replace(WISHED, task=VaultTask(None))
    assert deletion_of(WISHED) == Deletion(ROW.uid, NOW, Engine.VAULT, ASKED)


@pytest.mark.parametrize(
    ("operation", "waiting"),
    [
        (WISHED, True),
        (of_kind(Kind.EMPTY, State.STARTED), False),
        (of_kind(Kind.STOP, State.NEEDS_PERSON), False),
    ],
)
def test_only_a_deletion_that_nobody_has_begun_waits(operation: Operation, waiting: bool) -> None:
    assert waits(operation) is waiting
