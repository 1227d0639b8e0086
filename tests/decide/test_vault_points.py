"""What becomes of a vault's points in the ledger: their promise, their date, and when they leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.decide.plan import read_plans
from shared.decide.vault_points import expired, leaving, recorded
from shared.decide.vaults import VAULT_TYPE
from shared.model.identity import ResourceId
from shared.model.plan import Plan
from shared.model.point import Consistency, Engine, Origin, Point, PointState
from shared.model.vault import PointSeen, VaultPoint
from tests.fleet import DAY, NOW, SILVER, SUBSCRIPTION, machine, uid_of

VAULT = ResourceId(SUBSCRIPTION, "backups", VAULT_TYPE, "ours")


@pytest.mark.parametrize(
    ("kind", "promised"),
    [
        ("AppConsistent", Consistency.APPLICATION),
        ("FileSystemConsistent", Consistency.FILE_SYSTEM),
        ("filesystemconsistent", Consistency.FILE_SYSTEM),
        ("CrashConsistent", Consistency.CRASH),
        ("Invented", Consistency.CRASH),
        ("", Consistency.CRASH),
    ],
)
def test_a_point_promises_what_azure_says_of_it_and_the_least_where_that_is_unknown(
    kind: str, promised: Consistency
) -> None:
    [point] = recorded(machine(1, "web-1"), None, VAULT, [PointSeen("1", NOW, kind, ("InstantRP",))], [])
    assert point.consistency is promised


TOOK = timedelta(seconds=20, microseconds=7)
NIGHT = NOW.replace(hour=22, minute=0) - timedelta(days=1)
VAULTED = {"vault": {"at": "22:00", "keep": "30d"}, "snapshots": {"at": ["02:00"], "keep": "7d"}}
PLAN = read_plans({"default": "silver", "plans": {"silver": VAULTED}})[0].by_name["silver"]


def seen(name: str = "1", at: datetime = NIGHT, expires: datetime | None = None) -> PointSeen:
    return PointSeen(name, at + TOOK, "AppConsistent", ("InstantRP",), expires)


def one(plan: Plan | None, point: PointSeen, known: Sequence[Point] = ()) -> Point:
    [found] = recorded(machine(1, "web-1"), plan, VAULT, [point], known)
    return found


def test_the_date_is_the_vaults_own_or_reckoned_by_the_plan_or_not_known() -> None:
    named = one(PLAN, seen(expires=NOW + DAY))
    assert (named.keep_until, named.earned, named.because) == (NOW + DAY, "", "its vault says so")
    reckoned = one(PLAN, seen())
    assert (reckoned.keep_until, reckoned.earned) == (NIGHT + 30 * DAY, "daily")
    assert reckoned.because.endswith("; its vault keeps it by policy, this date is reckoned")
    unknown = one(None, seen())
    assert (unknown.keep_until, unknown.because) == (NIGHT, "its vault keeps it by its policy, which names no date")
    assert one(SILVER, seen()).because == unknown.because


def test_a_point_of_a_vault_is_recorded_whole() -> None:
    found = one(PLAN, seen())
    assert (found.slot, found.ended_at, found.engine, found.origin) == (
        NIGHT,
        NIGHT + TOOK,
        Engine.VAULT,
        Origin.SLOT,
    )
    assert (found.uid, found.state, found.attempt, found.parts) == (uid_of(1), PointState.COMPLETE, 1, ())
    assert (found.plan, found.birth_keep_until) == ("silver", found.keep_until)
    assert found.vault == VaultPoint(VAULT, "1", NIGHT + TOOK, ("InstantRP",))
    assert one(None, seen()).plan == machine(1, "web-1").plan
    assert one(replace(PLAN, name="gold"), seen()).plan == "gold"


def test_what_is_known_is_told_again_only_when_it_changed_and_its_date_never_gets_earlier() -> None:
    known = one(PLAN, seen(expires=NOW + 90 * DAY))
    assert recorded(machine(1, "web-1"), PLAN, VAULT, [seen()], [known]) == []
    moved = one(PLAN, replace(seen(), tiers=("HardenedRP",)), [known])
    assert (moved.keep_until, moved.birth_keep_until) == (NOW + 90 * DAY, NOW + 90 * DAY)
    assert moved.vault is not None
    assert moved.vault.tiers == ("HardenedRP",)
    of_ours = replace(known, engine=Engine.DISK, vault=None)
    assert len(recorded(machine(1, "web-1"), PLAN, VAULT, [seen()], [of_ours])) == 1


def test_a_point_leaves_when_it_is_listed_no_more_and_its_date_has_passed() -> None:
    gone, listed, kept = (one(PLAN, seen(name, expires=NOW)) for name in "abc")
    kept = replace(kept, keep_until=NOW + timedelta(seconds=1))
    of_ours = replace(gone, engine=Engine.DISK)
    assert expired([seen("b")], [gone, listed, kept, of_ours], NOW) == [gone]


def test_what_may_leave_next_is_the_first_date_of_what_stays_in_vaults() -> None:
    first, second, third = (
        one(PLAN, seen(name, expires=NOW + days * DAY)) for name, days in (("a", 1), ("b", 3), ("c", 2))
    )
    of_ours = replace(first, engine=Engine.DISK)
    assert leaving([second, third, first, of_ours], []) == NOW + DAY
    assert leaving([first, second, third, of_ours], [first]) == NOW + 2 * DAY
    assert leaving([first, of_ours], [first]) is None
    assert leaving([], []) is None


def test_a_point_has_the_model_that_its_machine_had_when_the_point_was_first_seen() -> None:
    known = replace(machine(1, "web-1"), model="then")
    [first] = recorded(known, None, VAULT, [seen()], [])
    assert first.model == "then"
    later, other = replace(known, model="later"), replace(VAULT, name="other")
    [moved] = recorded(later, None, other, [seen()], [first])
    assert (moved.vault and moved.vault.vault, moved.model) == (other, "then")
    assert [one.model for one in recorded(later, None, VAULT, [seen(), seen("2", NIGHT + DAY)], [first])] == ["later"]


def test_the_date_that_a_vault_names_later_takes_the_place_of_the_one_that_was_reckoned_or_named_before() -> None:
    reckoned = replace(one(PLAN, seen()), model="kept")
    assert recorded(machine(1, "web-1"), PLAN, VAULT, [seen()], [reckoned]) == []
    named = one(PLAN, seen(expires=NOW + DAY), [reckoned])
    assert (named.keep_until, named.birth_keep_until, named.earned) == (NOW + DAY, NOW + DAY, "")
    assert (named.because, named.model) == ("its vault says so", "kept")
    assert recorded(machine(1, "web-1"), PLAN, VAULT, [seen(expires=NOW + DAY)], [named]) == []
    assert one(PLAN, seen(expires=NOW + 9 * DAY), [named]).keep_until == NOW + 9 * DAY
    assert recorded(machine(1, "web-1"), PLAN, VAULT, [seen()], [named]) == []
