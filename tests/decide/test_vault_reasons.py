"""What `explain` says of each standing with a vault, and for which zones it warns of the clocks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.decide.plan import read_plans
from shared.decide.vault_reasons import backup_reasons
from shared.model.vault import Protection, Standing
from tests.fleet import NOW, machine

ROW = machine(1, "web-1")
WORDS = {
    Standing.WANTED: "it is not in a vault yet",
    Standing.PENDING: "protected, its first backup is still to come",
    Standing.PROTECTED: "protected",
    Standing.STOPPED: "its protection is stopped, what it has is kept",
    Standing.DELETED: "its backups are deleted, and can be taken back for a while",
    Standing.ELSEWHERE: "somebody else's vault protects it",
    Standing.NONE: "no vault has anything of it",
}


@pytest.mark.parametrize("standing", Standing, ids=str)
def test_every_standing_is_told_in_its_own_words(standing: Standing) -> None:
    row = replace(ROW, protection=Protection(standing, "as last looked at", NOW))
    told = f"Azure Backup since 2026-11-20 12:00Z: {WORDS[standing]}: as last looked at"
    assert backup_reasons(row, None) == [told]


@pytest.mark.parametrize(
    ("zone", "warned"),
    [("UTC", False), ("Etc/GMT", False), ("Asia/Tokyo", False), ("Asia/Kolkata", False), ("Europe/London", True),
     ("America/New_York", True), ("Australia/Sydney", True)],
)  # fmt: skip
def test_of_changing_clocks_only_those_are_warned_whose_clocks_change(zone: str, warned: bool) -> None:
    vault = {"at": "22:00", "keep": "30d", "zone": zone}
    plans, problems = read_plans({"default": "p", "plans": {"p": {"vault": vault}}})
    assert problems == ()
    told = " ".join(backup_reasons(ROW, plans.by_name["p"]))
    assert f"from 22:00 {zone} on" in told
    assert ("does not follow changes of the clocks" in told) is warned


def test_what_is_asked_of_the_vault_is_one_line_and_a_modifier_does_not_reach_it() -> None:
    plans, problems = read_plans({"default": "p", "plans": {"p": {"vault": {"at": "22:00", "keep": "30d"}}}})
    assert problems == ()
    row = replace(ROW, tags={"my-backup": "p", "my-backup-at": "03:00", "my-backup-hold": "forever"})
    left = replace(ROW, disks=(replace(ROW.disks[0], left_out=""), replace(ROW.disks[1], left_out="by its tag")))
    assert "a policy cannot leave that out" not in " ".join(backup_reasons(left, plans.by_name["p"]))
    assert backup_reasons(row, plans.by_name["p"]) == [
        "Azure Backup runs every day from 22:00 UTC on, by a standard policy that keeps 30d; it starts within two "
        "hours of that, and a point can be restored at once from its snapshots for 2 days",
        "its tag my-backup-at does not reach its vault: a policy is for many machines",
    ]


@pytest.mark.parametrize(("when_stopped", "said"), [("wait", False), ("start", True)])
def test_a_plan_that_starts_machines_says_so(when_stopped: str, said: bool) -> None:
    vault = {"at": "22:00", "keep": "30d", "when_stopped": when_stopped}
    plans, problems = read_plans({"default": "p", "plans": {"p": {"vault": vault}}})
    assert problems == ()
    told = backup_reasons(ROW, plans.by_name["p"])
    assert any("has it started, at most once a day" in line for line in told) is said
