"""infra/roles.json names every action with its reason, and gives no role more than its name says."""

from __future__ import annotations

import re

import pytest

from tests.infra.roles import Grant, grants, of

ACTION = re.compile(r"Microsoft\.[A-Za-z]+(/[A-Za-z]+)+/(read|write|delete|[A-Za-z]+/action)")
SCOPES = ("subscription", "recovery", "targets")
EVIDENCE = ("recorded", "specified", "documented", "assumed")


@pytest.mark.parametrize("grant", grants(), ids=str)
def test_an_action_is_named_with_its_reason_and_evidence(grant: Grant) -> None:
    assert ACTION.fullmatch(grant.action), "no wildcard, and nothing but an action's name"
    assert grant.scope in SCOPES
    assert grant.evidence in EVIDENCE
    assert len(grant.because) >= 15
    assert grant.source


def test_no_grant_is_named_twice() -> None:
    named = [(grant.role, grant.scope, grant.action.lower()) for grant in grants()]
    assert len(named) == len(set(named))


def test_only_the_reaper_deletes_points_and_only_in_the_recovery_groups() -> None:
    deleting = {(grant.role, grant.scope) for grant in grants() if grant.action.endswith("/delete")}
    assert deleting == {
        ("reaper", "recovery"),
        ("emptier", "recovery"),
        ("restorer", "targets"),
        ("driller", "targets"),
    }


def test_a_vault_is_touched_only_by_those_whose_role_goes_with_vaults() -> None:
    touching = {grant.role for grant in grants() if grant.action.startswith("Microsoft.RecoveryServices/")}
    assert touching == {"protector", "emptier", "attendant", "recoverer", "founder"}
    assert {grant.action for grant in of("reaper") if grant.action.endswith("/delete")} == {
        "Microsoft.Compute/snapshots/delete",
        "Microsoft.Compute/restorePointCollections/restorePoints/delete",
    }


def test_what_a_restore_can_undo_is_no_recovery_point() -> None:
    undone = {grant.action.split("/")[1] for grant in of("restorer") if grant.action.endswith("/delete")}
    assert undone == {"disks", "virtualMachines", "networkInterfaces"}
    removed = {grant.action.split("/")[1] for grant in of("driller") if grant.action.endswith("/delete")}
    assert removed == {"networkSecurityGroups", "virtualNetworks"}


def test_nobody_deletes_a_collection_of_restore_points_or_a_vault() -> None:
    ends = ("/restorepointcollections/delete", "/vaults/delete", "/resourcegroups/delete")
    assert [grant for grant in grants() if grant.action.lower().endswith(ends)] == []


def test_nobody_gives_rights_or_reads_a_snapshots_data_by_a_link() -> None:
    ends = ("/snapshots/begingetaccess/action", "/roleassignments/write", "/roledefinitions/write", "/locks/delete")
    assert [grant for grant in grants() if grant.role != "restorer" and grant.action.lower().endswith(ends)] == []


def test_the_app_cannot_fetch_what_connects_to_a_mounted_point() -> None:
    """It has points mounted for others, who fetch script and password by rights of their own."""
    assert [grant for grant in grants() if "listinstantitemrecovery" in grant.action.lower()] == []


def test_nobody_sets_or_takes_off_a_lock() -> None:
    assert [grant for grant in grants() if "/locks/" in grant.action.lower()] == []


def test_the_keeper_and_the_reaper_write_nothing_at_a_whole_subscription() -> None:
    wide = [grant for role in ("keeper", "reaper") for grant in of(role) if grant.scope == "subscription"]
    assert [grant for grant in wide if grant.action.endswith(("/write", "/delete"))] == []
    assert len(of("keeper")) <= 14
