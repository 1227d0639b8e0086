"""`tagback plan`: what other tags, another plans file or another mode would change, and that nothing is changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.model.machine import Status
from shared.model.rules import Mode
from tests.cli.running import answer, run
from tests.fleet import DAY, LAST_SLOT, NOW, SUBSCRIPTION, Fleet, capture, empty_fleet, machine, point, usual_fleet

PLANS = """
default = "silver"
[plans.silver.snapshots]
at = ["02:00", "14:00"]
keep = "3d"
[plans.gold.snapshots]
every = "6h"
keep = "7d"
"""


def plans_file(directory: Path, text: str = PLANS) -> str:
    file = directory / "plans.toml"
    file.write_text(text)
    return str(file)


def test_without_a_change_everything_stays_as_it_is() -> None:
    result = run(usual_fleet(), "plan", "--output", "json")
    assert (result.exit_code, answer(result)) == (
        0,
        {
            "as_of": "2026-11-20T12:00:00Z",
            "harms": False,
            "counts": {"gains": 0, "loses": 0, "changes": 0, "same": 3},
            "vaults": {"gains": 0, "loses": 0, "changes": 0, "person": 0, "same": 3},
            "calls_per_day": {
                "before": {"writes": 2.0, "deletes": 2.0},
                "after": {"writes": 2.0, "deletes": 2.0},
            },
            "vault_writes_once": {"machines": 0, "policies_at_most": 0},
            "changes": [],
        },
    )
    assert run(usual_fleet(), "plan").stdout == (
        "Machines: 3 same. Calls on an ordinary day: 2 writes and 2 deletes, as before.\n"
    )


def test_a_machine_that_would_be_tagged_gains_protection_and_its_first_point() -> None:
    result = run(usual_fleet(), "plan", "jump", "--tag", "Backup = Silver", "--output", "json")
    document = answer(result)
    assert (result.exit_code, document["counts"]["gains"], document["calls_per_day"]["after"]["writes"]) == (0, 1, 4.0)
    (change,) = document["changes"]
    assert (change["effect"], change["plan"], change["status"]) == (
        "gains",
        {"before": None, "after": "silver"},
        {"before": "excluded", "after": "pending"},
    )
    assert change["next_due"] == "2026-11-20T12:00:00Z"
    assert change["because"] == [
        "its first point is due by 2026-11-21 03:30Z",
        "plan silver takes a point at 02:00 UTC and keeps 7d4w",
        "its first point is taken at once",
    ]


def test_a_machine_that_would_lose_its_tag_loses_protection_and_in_the_end_its_last_point() -> None:
    result = run(usual_fleet(), "plan", "web-1", "--untag", "BACKUP", "--output", "json")
    (change,) = answer(result)["changes"]
    assert (result.exit_code, change["effect"], change["status"]["after"]) == (1, "loses", "excluded")
    assert [(death["slot"], death["otherwise"]) for death in change["deletes"]] == [("2026-11-20T02:00:00Z", None)]
    printed = run(usual_fleet(), "plan", "web-1", "--untag", "backup").stdout
    assert "web-1  loses   silver -> -  protected -> excluded  -         it has no tag 'backup'" in printed
    assert "Points that would go earlier:" in printed
    assert printed.splitlines()[-1] == (
        "Machines: 1 loses, 2 same. Calls on an ordinary day: 2 writes and 2 deletes; then 0 writes and 0 deletes."
    )


def test_what_is_only_tidied_later_is_not_said_to_be_due() -> None:
    """An ended operation leaves the ledger weeks later: nothing of the machine is captured then."""
    fleet = empty_fleet()
    well = machine(1, "web-1")
    fleet.put(replace(well, next_prune=NOW + 30 * DAY), capture(well), point(well))
    (change,) = answer(run(fleet, "plan", "web-1", "--untag", "backup", "--output", "json"))["changes"]
    assert (change["status"]["after"], change["next_due"]) == ("excluded", None)


def test_a_typo_would_need_attention_and_says_so_beforehand() -> None:
    result = run(usual_fleet(), "plan", "web-1", "--tag", "backup=slver", "--output", "json")
    (change,) = answer(result)["changes"]
    assert (result.exit_code, change["status"]["after"]) == (1, "degraded")
    assert "names no plan" in change["problems"][0]


def test_another_plans_file_changes_every_machine_of_its_plans(tmp_path: Path) -> None:
    result = run(usual_fleet(), "plan", "--plans", plans_file(tmp_path), "--output", "json")
    document = answer(result)
    (change,) = document["changes"]
    assert change["because"][:2] == ["points: at 02:00 UTC becomes at 02:00, 14:00 UTC", "keep: 7d4w becomes 3d"]
    assert (change["effect"], document["calls_per_day"]["after"]) == ("changes", {"writes": 4.0, "deletes": 4.0})
    assert (result.exit_code, change["deletes"]) == (0, [])


def test_fewer_newest_points_let_the_older_of_them_go(tmp_path: Path) -> None:
    fleet = empty_fleet()
    well = replace(machine(1, "web-1"), tags={"backup": "silver", "backup-keep": "last=9"})
    fleet.put(well, *(point(well, LAST_SLOT - DAY * age) for age in range(3)))
    changes = answer(run(fleet, "plan", "web-1", "--untag", "backup-keep", "--output", "json"))["changes"]
    assert [[death["slot"] for death in change["deletes"]] for change in changes] == [
        ["2026-11-18T02:00:00Z", "2026-11-19T02:00:00Z"]
    ]


def test_a_plan_that_a_file_no_longer_has_leaves_its_machines_unprotected(tmp_path: Path) -> None:
    only_gold = plans_file(tmp_path, 'default = "gold"\n[plans.gold.snapshots]\nevery = "6h"\nkeep = "7d"\n')
    result = run(usual_fleet(), "plan", "--plans", only_gold, "--output", "json")
    assert (result.exit_code, answer(result)["changes"][0]["status"]["after"]) == (1, "unprotected")


VAULTED = """
default = "silver"
[plans.silver.snapshots]
at = ["02:00"]
keep = "7d4w"
[plans.silver.vault]
at = "22:00"
keep = "30d"
"""


def test_a_plan_that_gains_a_vault_says_what_that_means_for_each_machine(tmp_path: Path) -> None:
    words = ("plan", "--plans", plans_file(tmp_path, VAULTED))
    document = answer(run(usual_fleet(), *words, "--output", "json"))
    change = next(one for one in document["changes"] if one["vm"] == "web-1")
    assert change["vault"]["effect"] == "gains"
    assert change["vault"]["policy"]["before"] is None
    assert change["vault"]["policy"]["after"].startswith("tagback-silver-2200-")
    assert "engines: snapshots becomes snapshots and vault" in change["because"]
    assert (document["vaults"]["gains"], document["vault_writes_once"]) == (1, {"machines": 2, "policies_at_most": 1})
    assert document["calls_per_day"]["after"] == document["calls_per_day"]["before"]
    printed = run(usual_fleet(), *words).stdout
    assert "In Azure Backup:" in printed
    assert "web-1  gains   plan silver wants it in a vault" in printed
    assert "Writes to vaults to get there: 2 about machines, and at most 1 of policies." in printed


def test_a_bad_plans_file_is_refused_whole(tmp_path: Path) -> None:
    result = run(usual_fleet(), "plan", "--plans", plans_file(tmp_path, 'default = "none"\nsilver = 1\n'))
    assert result.exit_code == 2


def test_enforcing_shows_what_would_be_protected() -> None:
    fleet = empty_fleet()
    watched = replace(machine(1, "web-1", Status.UNPROTECTED), enrolled_at=None, settled=None, next_due=None)
    fleet.put(watched)
    observed = Fleet(fleet.stage, replace(fleet.rules, subscriptions={SUBSCRIPTION: Mode.OBSERVE}))
    assert answer(run(observed, "plan", "--output", "json"))["counts"]["same"] == 1
    assert answer(run(observed, "plan", "--enforce", "--output", "json"))["counts"]["gains"] == 1


def test_a_row_that_plans_have_left_behind_is_a_change_without_any_proposal() -> None:
    fleet = empty_fleet()
    fleet.put(replace(machine(1, "web-1", Status.PENDING), enrolled_at=None, settled=None, next_due=None))
    assert answer(run(fleet, "plan", "--output", "json"))["counts"]["gains"] == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--tag", "backup=gold"], 2, "tags change on VMs: name at least one"),
        (["web-1"], 2, "a VM is named and no tag: say which tag is put or taken off"),
        (["web-1", "--tag", "env=test"], 2, "'env' is no tag of ours; allowed: backup, backup-..."),
        (["web-1", "--untag", "backups"], 2, "'backups' is no tag of ours; allowed: backup, backup-..."),
        (["web-1", "--tag", "backup"], 2, "'backup' is no tag; allowed: NAME=VALUE"),
        (["web-1", "--tag", "=gold"], 2, "'=gold' is no tag; allowed: NAME=VALUE"),
        (["nobody", "--tag", "backup=gold"], 3, "no VM 'nobody' has been seen here"),
    ],
)
def test_a_proposal_that_says_nothing_is_refused(words: list[str], code: int, said: str) -> None:
    result = run(usual_fleet(), "plan", *words)
    assert (result.exit_code, said in result.stderr) == (code, True)


def test_several_machines_are_judged_together_and_nothing_is_written() -> None:
    fleet = usual_fleet()
    before = fleet.stage.steps.calls.copy()
    document = answer(run(fleet, "plan", "web-1", "jump", "--tag", "backup=off", "--output", "json"))
    assert document["counts"] == {"gains": 0, "loses": 1, "changes": 1, "same": 1}
    made = fleet.stage.steps.calls - before
    assert {name for name in made if not name.startswith("ledger.")} == set()
    assert made["ledger.commit"] == 0


def test_points_are_read_of_machines_only_that_change() -> None:
    fleet = usual_fleet()
    for number in range(5, 9):
        fleet.put(replace(machine(number, f"app-{number}"), enrolled_at=NOW - timedelta(days=9)))
    before = fleet.stage.steps.calls.copy()
    run(fleet, "plan", "web-1", "--untag", "backup")
    assert (fleet.stage.steps.calls - before)["ledger.points"] == 1
