"""Tables in terminals of every width: nothing is lost, nothing is too wide, dates and states stay in one piece."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from shared.cli.main import commands
from shared.cli.session import Session
from shared.model.machine import Status
from shared.model.operation import State
from tests.cli.running import run
from tests.fleet import DAY, LAST_SLOT, Fleet, capture, machine, usual_fleet

LONG_NAME = "database-server-of-the-shop-in-frankfurt-01"
DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\dZ")
STATE = re.compile(r"\b(?:unprotected|protected|excluded|gone|complete|succeeded|needs-person)\b")
REASON = f"ScopeLocked: the scope '/subscriptions/{'1' * 40}/resourceGroups/x' is locked; remove the lock"


def fleet() -> Fleet:
    found = usual_fleet()
    bad = replace(machine(7, LONG_NAME, Status.UNPROTECTED), because=REASON)
    found.put(bad, capture(bad, LAST_SLOT, State.NEEDS_PERSON), capture(bad, LAST_SLOT - DAY))
    return found


def shown(width: int, *words: str) -> list[str]:
    environment = {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": str(width)}
    result = CliRunner().invoke(commands, [*words], obj=Session(fleet().open, lambda: ""), env=environment)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", result.stdout)
    assert plain != result.stdout
    return plain.splitlines()


def squeezed(lines: list[str]) -> str:
    return re.sub(r"\s", "", "".join(lines))


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 140, 250])
@pytest.mark.parametrize("words", [("status",), ("points", "web-1"), ("jobs",)])
def test_no_line_is_too_wide_and_dates_and_states_stay_whole(width: int, words: tuple[str, ...]) -> None:
    lines = shown(width, *words)
    assert max(len(line) for line in lines) <= width
    whole = run(fleet(), *words).stdout
    if width >= 40:
        assert sum(len(DATE.findall(line)) for line in lines) == len(DATE.findall(whole))
        states = set(STATE.findall(whole))
        assert states
        assert states == {state for line in lines for state in STATE.findall(line)}


@pytest.mark.parametrize("width", [40, 80, 140])
def test_what_finds_no_room_beside_goes_below_its_row(width: int) -> None:
    lines = shown(width, "status")
    first = next(at for at, line in enumerate(lines) if line.startswith("database"))
    last = next(at for at, line in enumerate(lines) if line.startswith("jump"))
    row = lines[first:last]
    assert ("because: ScopeLocked:" in "\n".join(row)) == (width < 140)
    if width < 140:
        assert squeezed(row).endswith(squeezed([REASON]))


def test_the_first_columns_stand_beside_each_other_at_80() -> None:
    assert shown(80, "status")[0].split("  ")[0] == "VM"
    assert shown(80, "status")[0].endswith("NEXT DUE")
    assert shown(80, "points", "web-1")[0].endswith("KEEP UNTIL")
    assert shown(140, "jobs")[0].endswith("BECAUSE")


def test_names_fold_and_come_back_whole() -> None:
    rows = shown(80, "status")
    folded = [line.split("  ")[0] for line in rows[1:4]]
    assert "".join(folded) == LONG_NAME


def test_a_sentence_goes_on_below_its_own_first_word() -> None:
    lines = shown(40, "explain", "web-1")
    at = next(number for number, line in enumerate(lines) if line.startswith("  - plan silver takes"))
    assert re.match(r" {4}\S", lines[at + 1])


def test_in_a_pipe_a_row_is_one_line() -> None:
    lines = run(fleet(), "status").stdout.splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["VM", LONG_NAME, "jump", "old", "web-1"]
    assert lines[1].endswith(REASON)
