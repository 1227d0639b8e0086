"""`tagback restore` from a point in a vault: what is chosen, what is asked, and what a refusal is told as."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.decide.vaults import VAULT_TYPE
from shared.errors import BadInput, Refused
from shared.flows import request_kinds
from shared.flows.requesting import run as run_request
from shared.model.identity import ResourceId
from shared.model.point import Consistency, Engine
from shared.model.request import Progress
from shared.model.restore import RestoreMode
from shared.model.rules import Rules
from shared.model.vault import ItemState, PointSeen, VaultPoint, VaultSeen
from shared.ports import World
from tests.cli.running import run, run_with
from tests.fleet import DAY, LAST_SLOT, NOW, SUBSCRIPTION, Fleet, capture, empty_fleet, machine, point
from tests.world.twins.vault_truth import ItemTruth

VAULT = ResourceId(SUBSCRIPTION, "backups", VAULT_TYPE, "tagback-westeurope")
STAGING = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/backups/providers/Microsoft.Storage/storageAccounts/tbstage1"
DISKS = ("--mode", "disks", "--staging", STAGING)
TAKEN = LAST_SLOT - 2 * DAY


@pytest.fixture
def fleet() -> Fleet:
    """A machine whose newest complete point is a snapshot, and an older one in a vault."""
    made, row = empty_fleet(), machine(1, "web-1")
    in_vault = replace(point(row, TAKEN), engine=Engine.VAULT, parts=(), vault=VaultPoint(VAULT, "7", TAKEN))
    in_vault = replace(in_vault, consistency=Consistency.APPLICATION)
    made.put(row, capture(row), in_vault, point(row))
    truth = made.stage.vaults.make(VaultSeen(VAULT, row.shard.region, {"tagback-owner": "x"}))
    seen = {"7": PointSeen("7", TAKEN, "AppConsistent", ("HardenedRP",))}
    truth.items[row.id] = ItemTruth(row.id, "gold", ItemState.PROTECTED, seen)
    made.stage.azure.tag_group(row.id.subscription, row.id.group, {})
    return made


def test_a_snapshot_is_used_unless_the_vault_is_asked_for(fleet: Fleet) -> None:
    assert "the point of 2026-11-20 02:00Z" in run(fleet, "restore", "web-1", *DISKS, "--no-wait").stderr
    result = run(fleet, "restore", "web-1", *DISKS, "--from-vault", "--no-wait")
    assert f"the point of {TAKEN:%Y-%m-%d %H:%M}Z" in result.stderr
    snapshots, vault = fleet.stage.requests.asked.values()
    assert snapshots.order is not None
    assert vault.order is not None
    assert (snapshots.order.from_vault, vault.order.from_vault, vault.order.staging) == (False, True, STAGING)


def test_where_no_snapshot_fits_a_point_of_a_vault_does(fleet: Fleet) -> None:
    words = ("--before", f"{TAKEN + timedelta(hours=1):%Y-%m-%d %H:%M}", "--no-wait")
    assert f"the point of {TAKEN:%Y-%m-%d %H:%M}Z" in run(fleet, "restore", "web-1", *DISKS, *words).stderr
    whole = run(fleet, "restore", "web-1", *words)
    assert (whole.exit_code, f"the point of {TAKEN:%Y-%m-%d %H:%M}Z" in whole.stderr) == (0, True)
    named = run(fleet, "restore", "web-1", "--mode", "in-place", "--slot", f"{TAKEN:%Y%m%dT%H%MZ}", "--no-wait")
    assert (named.exit_code, f"the point of {TAKEN:%Y-%m-%d %H:%M}Z" in named.stderr) == (0, True)


def test_what_a_point_has_to_promise_is_found_in_the_vault_where_no_snapshot_promises_it(fleet: Fleet) -> None:
    result = run(fleet, "restore", "web-1", *DISKS, "--at-least", "Application", "--no-wait")
    assert (result.exit_code, f"the point of {TAKEN:%Y-%m-%d %H:%M}Z" in result.stderr) == (0, True)
    refused = run(fleet, "restore", "web-1", "--mode", "files", "--to", "web-1", "--at-least", "application")
    assert (refused.exit_code, "it has no complete point that is at least application" in refused.stderr) == (2, True)
    unknown = run(fleet, "restore", "web-1", "--at-least", "quiet")
    assert (unknown.exit_code, "'quiet' is no promise of a point; allowed: application, " in unknown.stderr) == (
        2,
        True,
    )


def test_a_storage_account_that_is_none_is_refused_at_once(fleet: Fleet) -> None:
    result = run(fleet, "restore", "web-1", "--mode", "disks", "--staging", "tbstage1")
    assert (result.exit_code, "'tbstage1' is not the id of a storage account" in result.stderr) == (2, True)
    assert not fleet.stage.requests.asked


def test_a_program_asks_for_the_same_by_texts(fleet: Fleet) -> None:
    world, rules = fleet.open()
    wish = {"asked": "restore", "vm": "web-1", "mode": "in-place", "from_vault": "True", "staging": STAGING}
    wish |= {"at_least": "file-system"}
    asked = request_kinds.ask(world, rules, wish, "program")
    assert asked.order is not None
    assert (asked.order.mode, asked.order.from_vault, asked.order.staging) == (RestoreMode.IN_PLACE, True, STAGING)
    assert asked.order.at_least is Consistency.FILE_SYSTEM
    with pytest.raises(BadInput) as told:
        request_kinds.ask(world, rules, {**wish, "from_vault": "maybe", "protect": "1"}, "program")
    assert told.value.problems == (
        "protect: '1' is neither true nor false",
        "from_vault: 'maybe' is neither true nor false",
    )


class Carrying:
    """A clock by which, while somebody waits, every request is carried on."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def now(self) -> datetime:
        return NOW

    def sleep(self, seconds: float) -> None:
        world, rules = self._fleet.open()
        for one in world.requests.unsettled():
            run_request(world, rules, one.id)

    def opened(self) -> tuple[World, Rules]:
        world, rules = self._fleet.open()
        return replace(world, clock=self), rules


@pytest.mark.parametrize(
    ("code", "exit_code"), [("UserErrorResourceGuardOperationRequestIdMissing", 4), ("UserErrorInstantRpNotFound", 1)]
)
def test_what_needs_another_persons_approval_is_told_by_the_exit_code(fleet: Fleet, code: str, exit_code: int) -> None:
    [item] = fleet.stage.vaults.all[VAULT].items
    fleet.stage.vaults.refusals[item] = [Refused(code, "no", 400)]
    result = run_with(Carrying(fleet).opened, "restore", "web-1", *DISKS, "--from-vault")
    assert result.exit_code == exit_code, result.output
    [ended] = fleet.stage.requests.asked.values()
    assert ended.progress is Progress.FAILED
    assert ("needs approval" in result.stdout) is (exit_code == 4)


FAR = ("--mode", "disks", "--from-vault", "--staging", STAGING, "--group", "far", "--region")


def test_in_the_paired_region_somebody_is_told_that_it_lags_behind(fleet: Fleet) -> None:
    result = run(fleet, "restore", "web-1", *FAR, "North Europe", "--no-wait")
    assert result.exit_code == 0, result.output
    assert "northeurope may have an older one only" in result.stderr
    assert "up to 36 hours behind (documented)" in result.stderr
    [asked] = fleet.stage.requests.asked.values()
    assert asked.order is not None
    assert (asked.order.region, asked.order.group, asked.order.from_vault) == ("northeurope", "far", True)
    assert "may have an older one" not in run(fleet, "restore", "web-1", *DISKS, "--from-vault", "--no-wait").stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--mode", "in-place", "--from-vault"), "--region says nothing with --mode in-place"),
        (("--mode", "disks", "--staging", STAGING, "--group", "far"), "only points of vaults are restored in another"),
        (("--mode", "new", "--from-vault"), "name what is there by --group, --staging, --subnet"),
    ],
)
def test_what_cannot_be_done_in_another_region_is_refused_at_once(
    fleet: Fleet, words: tuple[str, ...], said: str
) -> None:
    result = run(fleet, "restore", "web-1", *words, "--region", "northeurope")
    assert (result.exit_code, said in " ".join(result.stderr.split())) == (2, True), result.stderr
    assert not fleet.stage.requests.asked


def test_a_program_names_the_paired_region_by_text(fleet: Fleet) -> None:
    world, rules = fleet.open()
    wish = {"asked": "restore", "vm": "web-1", "mode": "disks", "from_vault": "true", "staging": STAGING}
    asked = request_kinds.ask(world, rules, {**wish, "group": "far", "region": "northeurope"}, "program")
    assert asked.order is not None
    assert asked.order.region == "northeurope"
