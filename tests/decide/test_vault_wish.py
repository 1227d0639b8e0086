"""What a machine wants of Azure Backup, what stands against it, and which operations Azure Backup does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.plan import read_plans
from shared.decide.tags import Misnamed, OptedIn, OptedOut, Wish
from shared.decide.vault_remains import LOST
from shared.decide.vault_wish import (
    DROPPED,
    TO_PROTECT,
    Undecided,
    Unwanted,
    Want,
    Wanted,
    awaited,
    is_made_up_for,
    late_at,
    of_vaults,
    problems_of,
    taken_up,
    want_of,
    was_asked,
)
from shared.decide.vaulting import opened
from shared.model.machine import Status
from shared.model.operation import Kind
from shared.model.plan import Plan
from shared.model.rules import Mode
from shared.model.vault import Protection, Standing, VaultTask
from tests.fleet import DAY, NOW, RULES, SILVER, SUBSCRIPTION, machine

ROW = machine(1, "web-1")
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
VAULT = {"at": "22:00", "keep": "30d"}


def test_azure_backup_does_all_that_is_no_capture_of_our_own() -> None:
    every = [opened(machine(1, "web-1"), kind, "wanted", VaultTask(), NOW) for kind in Kind]
    assert [one.kind for one in of_vaults(every)] == [one for one in Kind if one is not Kind.CAPTURE]
    assert {one.kind for one in every} - {one.kind for one in of_vaults(every)} == {Kind.CAPTURE}


def plan(**parts: object) -> Plan:
    return read_plans({"default": "p", "plans": {"p": parts}})[0].by_name["p"]


BESIDE = plan(vault=VAULT, snapshots={"at": ["02:00"], "keep": "7d"})
ALONE = plan(vault=VAULT)


@pytest.mark.parametrize(
    ("wish", "want"),
    [
        (OptedOut("its tag backup is off"), Unwanted("its tag backup is off")),
        (Misnamed("it names no plan", ()), Undecided("it names no plan")),
        (OptedIn(SILVER, "", (), ""), Unwanted("plan silver has no vault part")),
    ],
)
def test_what_is_wanted_follows_from_the_wish(wish: Wish, want: Want) -> None:
    assert want_of(ROW, wish, RULES) == want


def test_a_machine_that_is_gone_or_missing_or_only_observed_wants_nothing_new() -> None:
    wish = OptedIn(BESIDE, "", (), "")
    wanted = want_of(ROW, wish, RULES)
    assert isinstance(wanted, Wanted)
    assert (wanted.plan, wanted.part) == (BESIDE, BESIDE.vault)
    assert want_of(replace(ROW, status=Status.GONE), wish, RULES) == Unwanted("the machine is gone")
    missing = want_of(replace(ROW, absent_since=NOW), wish, RULES)
    assert missing == Undecided("a look found nothing of it; a second one decides")
    observed = want_of(ROW, wish, replace(RULES, subscriptions={SUBSCRIPTION: Mode.OBSERVE}))
    assert observed == Undecided("its subscription is not one in which Tagback may act")


def wanted() -> Wanted:
    found = want_of(ROW, OptedIn(BESIDE, "", (), ""), RULES)
    assert isinstance(found, Wanted)
    return found


def held(**changes: object) -> Protection:
    known = Protection(Standing.PROTECTED, "all is well", NOW - DAY, asked=wanted().asked, next_look=NOW + HOUR)
    return replace(known, **changes)  # type: ignore[arg-type] # fields by name


def after(known: Protection | None, want: Want) -> Protection | None:
    return awaited(replace(ROW, protection=known), want, NOW)


def test_what_is_wanted_otherwise_is_looked_at_now_and_never_later_than_it_was_to_be() -> None:
    assert after(None, wanted()) == Protection(Standing.WANTED, "plan p wants it in a vault", NOW, next_look=NOW)
    assert after(held(), wanted()) == held()
    assert after(held(asked="other"), wanted()) == held(asked="other", next_look=NOW)
    assert after(held(asked="other", next_look=NOW - HOUR), wanted()) == held(asked="other", next_look=NOW - HOUR)
    assert after(held(next_look=None), wanted()) == held(next_look=NOW)


def test_what_nobody_wants_any_more_is_looked_at_once() -> None:
    none = Unwanted("it is off")
    assert after(None, none) is None
    assert after(held(), none) == held(next_look=NOW, because="it is off")
    assert after(held(asked=""), none) == held(asked="")
    stopped = held(state=Standing.STOPPED)
    assert after(stopped, none) == replace(stopped, next_look=NOW, because="it is off")
    assert after(replace(stopped, asked=""), none) == replace(stopped, asked="")


def test_while_nothing_may_be_concluded_nothing_is_looked_at() -> None:
    unclear = Undecided("it is only observed")
    assert after(None, unclear) is None
    assert after(held(), unclear) == held(next_look=None, because="it is only observed")
    assert after(held(next_look=None), unclear) == held(next_look=None)


def test_a_look_that_was_due_while_nothing_could_be_concluded_is_made_up_for_even_where_nobody_had_asked() -> None:
    unclear, none = Undecided("a second look decides"), Unwanted("the machine is gone")
    dropped = after(held(asked=""), unclear)
    assert dropped == held(asked=DROPPED, next_look=None, because="a second look decides")
    assert after(dropped, unclear) == dropped
    assert after(dropped, none) == held(asked=DROPPED, next_look=NOW, because="the machine is gone")
    assert not was_asked(dropped), "it says nothing of who protects it"


def test_the_first_look_after_the_ledger_was_lost_is_taken_whatever_may_be_concluded() -> None:
    found = held(asked=LOST)
    assert after(found, Undecided("its tag names no plan")) == found, "it alone tells what the vault holds"
    taken = replace(found, next_look=None)
    assert after(taken, Undecided("its tag names no plan")) == taken


def test_what_is_known_to_be_asked_for_survives_a_look_that_concludes_nothing() -> None:
    wishes = Undecided("a second look decides"), Unwanted("it is off"), wanted()
    assert [taken_up(held(asked="other"), wish) for wish in wishes] == ["other", "", wanted().asked]
    assert taken_up(None, wishes[0]) == ""
    assert was_asked(held())
    assert not was_asked(None)


def told(known: Protection | None, of: Plan = BESIDE) -> list[str]:
    return problems_of(replace(ROW, protection=known), of, NOW)


def test_a_vault_that_has_fallen_behind_is_a_problem_beside_snapshots() -> None:
    """Slots at 22:00 UTC; a point is late half a day and the service's two hours after the slot that is missing."""
    assert told(None) == []
    assert told(held(problem="it is full")) == ["it is full"]
    assert told(held(problem="it is full"), SILVER) == []
    assert told(held(last_point=NOW - 38 * HOUR)) == []
    assert told(held(last_point=NOW - 62 * HOUR)) == [
        "the vault's newest point is of 2026-11-17 22:00Z, and that of 2026-11-18 22:00Z is overdue"
    ]
    assert told(held(since=NOW - 62 * HOUR)) == ["the vault has no point, and that of 2026-11-18 22:00Z is overdue"]
    assert told(held(last_point=NOW - 62 * HOUR), ALONE) == []


def test_so_long_a_machine_may_be_on_its_way_into_a_vault() -> None:
    waiting = Protection(Standing.WANTED, "it waits", NOW - TO_PROTECT)
    assert told(waiting) == []
    assert told(replace(waiting, since=NOW - TO_PROTECT - SECOND)) == ["Azure Backup: it waits"]
    assert told(replace(waiting, state=Standing.STOPPED)) == ["Azure Backup: it waits"]


def test_a_point_is_late_from_the_moment_on_that_is_foretold() -> None:
    part = BESIDE.vault
    assert part is not None
    known = held(last_point=NOW - 38 * HOUR)
    since = late_at(part, known)
    assert problems_of(replace(ROW, protection=known), BESIDE, since) == []
    assert len(problems_of(replace(ROW, protection=known), BESIDE, since + SECOND)) == 1


@pytest.mark.parametrize(
    ("kind", "known", "made_up"),
    [
        (Kind.BACK_UP, None, False),
        (Kind.BACK_UP, held(), False),
        (Kind.BACK_UP, held(last_point=NOW - DAY), False),
        (Kind.BACK_UP, held(last_point=NOW - DAY + SECOND), True),
        (Kind.PROTECT, held(), True),
        (Kind.PROTECT, held(since=NOW - DAY - SECOND), False),
        (Kind.UNDELETE, held(state=Standing.DELETED), False),
        (Kind.UNDELETE, held(), True),
        (Kind.STOP, held(), False),
        (Kind.STOP, held(state=Standing.STOPPED), True),
        (Kind.STOP, held(state=Standing.STOPPED, since=NOW - DAY - SECOND), False),
    ],
)
def test_what_failed_is_made_up_for_when_it_came_true_since(
    kind: Kind, known: Protection | None, made_up: bool
) -> None:
    failed = opened(ROW, kind, "wanted", VaultTask(), NOW - DAY)
    assert is_made_up_for(failed, known) is made_up
