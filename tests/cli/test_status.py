"""`tagback status`: every machine, to the letter of the contract, and an exit code that tells whether to worry."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner

from shared.cli.main import commands
from shared.cli.session import Session
from shared.model.machine import Status
from shared.model.operation import State
from shared.model.request import PoisonedMessage
from tests.cli.running import answer, run
from tests.fleet import (
    DAY,
    FORMER,
    LAST_SLOT,
    NOW,
    SUBSCRIPTION,
    capture,
    empty_fleet,
    machine,
    rebuilt_fleet,
    uid_of,
    usual_fleet,
)


def test_the_document_is_as_the_contract_pins_it() -> None:
    result = run(usual_fleet(), "status", "--output", "json")
    document = answer(result)
    assert document["as_of"] == "2026-11-20T12:00:00Z"
    assert document["counts"] == {"excluded": 1, "gone": 1, "protected": 1}
    assert document["machines"][2] == {
        "vm": "web-1",
        "id": f"/subscriptions/{SUBSCRIPTION}/resourcegroups/web/providers/microsoft.compute/virtualmachines/web-1",
        "vm_uid": uid_of(1),
        "subscription": SUBSCRIPTION,
        "region": "westeurope",
        "plan": "silver",
        "status": "protected",
        "because": "web-1 is protected for a reason",
        "last_point": "2026-11-20T02:00:00Z",
        "next_due": "2026-11-21T02:00:00Z",
        "last_verified": None,
        "drill": None,
        "problems": [],
        "frozen": None,
    }
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    "words", [("--output", "json", "status"), ("status", "--output", "json")], ids=["global", "own"]
)
def test_the_form_can_be_chosen_before_and_after_the_command(words: tuple[str, ...]) -> None:
    assert len(answer(run(usual_fleet(), *words))["machines"]) == 3


def test_the_table_shows_every_machine_and_why() -> None:
    result = run(usual_fleet(), "status")
    rows = result.stdout.splitlines()
    assert rows[0].split() == ["VM", "STATUS", "PLAN", "LAST", "POINT", "NEXT", "DUE", "REGION", "BECAUSE"]
    assert [row.split()[0] for row in rows[1:4]] == ["jump", "old", "web-1"]
    assert "2026-11-20 02:00Z" in rows[3]
    assert rows[-1] == "As of 2026-11-20 12:00Z: 1 excluded, 1 gone, 1 protected."
    assert "\x1b" not in result.stdout


def test_a_machine_that_was_made_again_is_told_from_the_one_before() -> None:
    lines = run(rebuilt_fleet(), "status").stdout.splitlines()
    said = [" ".join(line.split()[:3]) for line in lines[1:3]]
    assert sorted(said, reverse=True) == [f"web-1 ({FORMER[:8]}) gone", f"web-1 ({uid_of(1)[:8]}) protected"]
    assert f"  tagback points {FORMER}   (web-1)" in lines
    assert "(" not in "".join(run(usual_fleet(), "status").stdout.splitlines()[:4])


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.PROTECTED, 0),
        (Status.EXCLUDED, 0),
        (Status.GONE, 0),
        (Status.PENDING, 0),
        (Status.DEGRADED, 1),
        (Status.UNPROTECTED, 1),
    ],
)
def test_a_machine_that_lacks_protection_ends_in_1(status: Status, code: int) -> None:
    fleet = empty_fleet()
    fleet.put(replace(machine(1, "one", status), enrolled_at=NOW - timedelta(hours=1)))
    result = run(fleet, "status", "--output", "json")
    assert answer(result)["counts"] == {status.value: 1}
    assert result.exit_code == code


@pytest.mark.parametrize(
    ("state", "code"), [(State.FAILED, 0), (State.SKIPPED, 0), (State.GAVE_UP, 1), (State.NEEDS_PERSON, 1)]
)
def test_an_operation_that_needs_somebody_ends_in_1(state: State, code: int) -> None:
    fleet = empty_fleet()
    well = machine(1, "one")
    fleet.put(well, capture(well, LAST_SLOT + timedelta(hours=6), state))
    assert run(fleet, "status").exit_code == code


def test_what_was_given_up_is_made_up_for_by_a_newer_complete_point() -> None:
    fleet = empty_fleet()
    well = machine(1, "one")
    fleet.put(well, capture(well, LAST_SLOT - DAY, State.GAVE_UP))
    assert run(fleet, "status").exit_code == 0


def test_a_row_that_nobody_touched_for_days_is_not_shown_as_protection() -> None:
    fleet = empty_fleet()
    fleet.put(replace(machine(1, "one"), last_point=LAST_SLOT - 3 * DAY, settled=LAST_SLOT - 3 * DAY))
    result = run(fleet, "status", "--output", "json")
    assert answer(result)["machines"][0]["status"] == "degraded"
    assert "is overdue" in answer(result)["machines"][0]["because"]
    assert result.exit_code == 1


def test_a_first_point_that_never_came_is_not_pending_for_ever() -> None:
    fleet = empty_fleet()
    fleet.put(machine(1, "one", Status.PENDING))
    result = run(fleet, "status", "--output", "json")
    assert answer(result)["machines"][0]["status"] == "unprotected"
    assert result.exit_code == 1


def test_problems_that_the_reason_does_not_say_are_listed() -> None:
    fleet = empty_fleet()
    fleet.put(replace(machine(1, "one", Status.DEGRADED), because="first", problems=("first", "second")))
    assert run(fleet, "status").stdout.splitlines()[-1] == "  one: second"


def test_messages_that_could_not_be_served_are_shown_and_change_no_exit_code() -> None:
    fleet = usual_fleet()
    fleet.world.poisoned.keep(PoisonedMessage("vms", "{nonsense", NOW))
    result = run(fleet, "status", "--output", "json")
    assert answer(result)["poisoned"] == [{"queue": "vms", "text": "{nonsense", "at": "2026-11-20T12:00:00Z"}]
    assert result.exit_code == 0
    assert run(fleet, "status").stdout.splitlines()[-1] == "  2026-11-20 12:00Z vms: {nonsense"


def test_an_empty_installation_says_so() -> None:
    result = run(empty_fleet(), "status")
    assert result.stdout.startswith("No VM has been seen yet")
    assert result.exit_code == 0


def test_foreign_text_cannot_move_the_cursor_or_add_a_row() -> None:
    fleet = empty_fleet()
    fleet.put(replace(machine(1, "one"), because="\x1b[2J fine\nweb-9 protected [red]"))
    rows = run(fleet, "status").stdout.splitlines()
    assert rows[1].endswith("\\u001b[2J fine web-9 protected [red]")
    assert len(rows) == 4


def test_a_narrow_terminal_folds_cells_and_loses_nothing() -> None:
    shown = CliRunner().invoke(
        commands,
        ["status"],
        obj=Session(usual_fleet().open, lambda: ""),
        env={"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "60"},
    )
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.stdout)
    assert shown.stdout != plain
    assert max(len(line) for line in plain.splitlines()) <= 60
    columns = [line.split() for line in plain.splitlines()]
    assert "".join(word for words in columns for word in words[-1:]).count("reason") >= 1
    assert not re.search("\u2026", plain)
