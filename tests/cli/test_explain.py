"""`tagback explain`: the chain of reasons, the next slot, and which points go next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.model.machine import Status
from shared.model.rules import Mode
from tests.cli.running import answer, run
from tests.fleet import DAY, LAST_SLOT, NOW, SUBSCRIPTION, Fleet, empty_fleet, machine, point, usual_fleet


def test_the_document_is_as_the_contract_pins_it() -> None:
    document = answer(run(usual_fleet(), "explain", "web-1", "--output", "json"))
    assert document == {
        "vm": "web-1",
        "id": f"/subscriptions/{SUBSCRIPTION}/resourcegroups/web/providers/microsoft.compute/virtualmachines/web-1",
        "tags": {"backup": "silver"},
        "plan": "silver",
        "decision": "protected",
        "because": [
            "its tag backup asks for plan silver",
            "plan silver takes a point at 02:00 UTC and keeps 7d4w",
            "protected: web-1 is protected for a reason",
            "its points are per-disk: its 2 disks are taken one by one, not at one instant",
            "its next slot is 2026-11-21 02:00Z; starts are spread over 1 h after it",
            "work on it is next due at 2026-11-21 02:00Z",
            "complete points: 2, the newest of 2026-11-20 02:00Z",
            "the newest is kept until 2026-11-27 02:00Z: first complete point of its day (daily), kept 7d",
            "a restore now would use the point of 2026-11-20 02:00Z and lose 10 h",
            "the next to go is the point of 2026-11-19 02:00Z, not before 2026-11-26 02:00Z: "
            "first complete point of its day (daily), kept 7d",
            "Azure last showed it at 2026-11-20 11:55Z",
        ],
        "next_slot": "2026-11-21T02:00:00Z",
        "deletes_next": [
            {
                "slot": "2026-11-19T02:00:00Z",
                "at": "2026-11-26T02:00:00Z",
                "because": "first complete point of its day (daily), kept 7d",
            }
        ],
        "problems": [],
    }


def test_people_read_the_same_as_sentences() -> None:
    lines = run(usual_fleet(), "explain", "web-1").stdout.splitlines()
    assert lines[0] == "web-1 is protected"
    assert "  - its tag backup asks for plan silver" in lines
    assert "tags       backup = silver" in lines
    assert "next slot  2026-11-21 02:00Z" in lines
    assert lines[-3] == "Points that go next:"


def test_a_long_list_of_points_is_cut_in_the_table_only() -> None:
    fleet = empty_fleet()
    well = machine(1, "web-1")
    fleet.put(well, *(point(well, LAST_SLOT - DAY * age) for age in range(9)))
    assert len(answer(run(fleet, "explain", "web-1", "--output", "json"))["deletes_next"]) == 8
    assert run(fleet, "explain", "web-1").stdout.splitlines()[-1] == "and 3 more (--output json lists all)"


def test_a_machine_that_was_never_asked_for_has_no_next_slot() -> None:
    fleet = usual_fleet()
    document = answer(run(fleet, "explain", "jump", "--output", "json"))
    assert (document["decision"], document["next_slot"], document["plan"]) == ("excluded", None, None)
    assert document["because"][0] == "it has no tag 'backup'"
    assert "tags       none that ask for anything" in run(fleet, "explain", "jump").stdout


def test_the_points_of_a_machine_that_opted_out_all_go_the_last_one_much_later() -> None:
    fleet = empty_fleet()
    out = replace(machine(1, "web-1", Status.EXCLUDED), tags={"backup": "off"}, last_point=LAST_SLOT, left_at=NOW)
    fleet.put(out, point(out), point(out, LAST_SLOT - 30 * DAY))
    document = answer(run(fleet, "explain", "web-1", "--output", "json"))
    assert [(going["slot"], going["at"]) for going in document["deletes_next"]] == [
        ("2026-10-21T02:00:00Z", "2026-11-23T12:00:00Z"),
        ("2026-11-20T02:00:00Z", "2027-02-20T12:00:00Z"),
    ]


def test_where_nothing_goes_the_chain_ends_with_what_keeps_the_oldest() -> None:
    fleet = empty_fleet()
    well = machine(1, "web-1")
    fleet.put(well, point(well))
    because = answer(run(fleet, "explain", "web-1", "--output", "json"))["because"]
    assert because[-2] == (
        "the point of 2026-11-20 02:00Z stays: "
        "the newest complete point of a machine that exists and asks for protection"
    )


def test_a_bad_modifier_is_a_problem_and_the_plans_own_value_stands() -> None:
    fleet = empty_fleet()
    fleet.put(replace(machine(1, "web-1"), tags={"backup": "silver", "backup-at": "25:99"}))
    document = answer(run(fleet, "explain", "web-1", "--output", "json"))
    assert document["next_slot"] == "2026-11-21T02:00:00Z"
    assert ["backup-at = '25:99'" in problem for problem in document["problems"]] == [True]
    assert "Problems:" in run(fleet, "explain", "web-1").stdout


@pytest.mark.parametrize(
    ("keep", "idle"), [("1d", True), ("7d4w", True), ("8d", False), ("last=3", False), ("x", False)]
)
def test_a_keep_that_lengthens_nothing_is_told(keep: str, idle: bool) -> None:
    fleet = empty_fleet()
    fleet.put(replace(machine(1, "web-1"), tags={"backup": "silver", "Backup-Keep": keep}))
    because = answer(run(fleet, "explain", "web-1", "--output", "json"))["because"]
    told = f"its tag backup-keep = {keep!r} keeps nothing longer than the plan, nor shorter"
    assert (told in because) is idle


def test_a_moved_start_moves_the_next_slot() -> None:
    fleet = empty_fleet()
    fleet.put(replace(machine(1, "web-1"), tags={"backup": "silver", "backup-at": "23:30 Europe/Berlin"}))
    assert answer(run(fleet, "explain", "web-1", "--output", "json"))["next_slot"] == "2026-11-20T22:30:00Z"


def test_a_machine_before_its_first_point_says_that_there_is_none() -> None:
    fleet = empty_fleet()
    fleet.put(replace(machine(1, "web-1", Status.PENDING), enrolled_at=NOW - timedelta(hours=1)))
    assert "no complete point yet" in answer(run(fleet, "explain", "web-1", "--output", "json"))["because"]


def test_nothing_is_due_where_the_subscription_is_only_observed() -> None:
    fleet = empty_fleet()
    fleet.put(machine(1, "web-1", Status.UNPROTECTED))
    observed = Fleet(fleet.stage, replace(fleet.rules, subscriptions={SUBSCRIPTION: Mode.OBSERVE}))
    assert answer(run(observed, "explain", "web-1", "--output", "json"))["next_slot"] is None


def test_a_disk_that_is_left_out_or_cannot_be_captured_is_named() -> None:
    fleet = empty_fleet()
    well = machine(1, "web-1")
    system, data = well.disks
    disks = (replace(system, left_out=""), replace(data, lun=1, left_out="tagged backup = off"))
    fleet.put(replace(well, disks=disks, unsupported=("LUN 2 is an unmanaged disk",)))
    because = answer(run(fleet, "explain", "web-1", "--output", "json"))["because"]
    assert [reason for reason in because if reason.startswith("LUN")] == [
        "LUN 2 is an unmanaged disk",
        "LUN 1 is left out: it is tagged backup = off",
    ]


def test_a_machine_that_one_look_did_not_find_waits_for_the_second() -> None:
    fleet = empty_fleet()
    fleet.put(replace(machine(1, "web-1"), absent_since=NOW - timedelta(minutes=5)))
    document = answer(run(fleet, "explain", "web-1", "--output", "json"))
    assert document["next_slot"] is None
    assert (
        "a look at 2026-11-20 11:55Z found nothing under its id; "
        "it is gone when a second look, at least 10 minutes later, finds nothing either"
    ) in document["because"]


def test_a_machine_that_is_gone_waits_for_no_second_look() -> None:
    fleet = empty_fleet()
    fleet.put(replace(machine(1, "web-1", Status.GONE), absent_since=NOW - timedelta(minutes=15)))
    document = answer(run(fleet, "explain", "web-1", "--output", "json"))
    assert "a look at" not in " ".join(document["because"])


def test_work_that_is_tried_again_before_the_next_slot_is_what_is_due_next() -> None:
    fleet = empty_fleet()
    fleet.put(replace(machine(1, "web-1"), next_look=NOW + timedelta(minutes=30)))
    document = answer(run(fleet, "explain", "web-1", "--output", "json"))
    assert "work on it is next due at 2026-11-20 12:30Z" in document["because"]
