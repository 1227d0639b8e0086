"""`tagback doctor` finds what identities lack in a simulator that enforces roles, and nothing where all is there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from click.testing import CliRunner, Result

from local.azurite.server import Azurite
from shared.cli.main import commands
from shared.cli.session import Session
from shared.cloud.arm import Arm
from shared.cloud.identity import Identity, Login
from shared.cloud.pace import HeardPace
from shared.cloud.snapshots import Recovery
from shared.cloud.surroundings import AzureSurroundings
from shared.ports import Surroundings
from tests.infra.estate import OWNER, Estate, estate
from tests.infra.roles import Assignment, Grant, of

ROLES = ("keeper", "protector", "reaper", "emptier", "operator", "attendant", "restorer", "recoverer", "driller")


def lacking(role: str, *ends: str) -> tuple[Grant, ...]:
    return tuple(grant for grant in of(role) if not grant.action.endswith(ends))


@pytest.fixture(scope="module")
def site(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    poor = lacking("keeper", "disks/beginGetAccess/action", "snapshots/write")
    torn = lacking("restorer", "virtualMachines/write", "snapshots/beginGetAccess/action")
    assignments = [Assignment(role, of(role)) for role in ROLES]
    assignments += [Assignment("poor", poor), Assignment("torn", torn)]
    with estate(tmp_path_factory.mktemp("doctor"), azurite, tuple(assignments)) as made:
        yield made


def ran(site: Estate, caller: str, *words: str) -> Result:
    """The command as somebody runs it; `test` owns the subscription."""
    site.clock.sleep(60)
    with (
        site.acting(caller) as (world, rules),
        closing(Identity(Login(True, caller))) as identity,
        closing(Arm(site.running.url, identity, site.clock, HeardPace(site.clock, 0.3))) as arm,
    ):
        around: Surroundings = AzureSurroundings(arm, Recovery("tagback-{region}", OWNER))
        session = Session(lambda: (world, rules), lambda: caller, lambda: around)
        return CliRunner().invoke(commands, ["doctor", *words], obj=session, env={"COLUMNS": "200"})


def doctor(site: Estate, *words: str, caller: str = "test") -> tuple[int, list[dict[str, Any]]]:
    """The exit code and the findings."""
    result = ran(site, caller, "--output", "json", *words)
    return result.exit_code, json.loads(result.stdout)


def missing(found: Sequence[dict[str, Any]]) -> set[str]:
    return {one["subject"] for one in found if not one["ok"]}


@pytest.mark.parametrize("role", ROLES)
def test_an_app_that_holds_its_role_lacks_nothing(site: Estate, role: str) -> None:
    code, found = doctor(site, "--principal", role, "--role", role)
    assert missing(found) == {"TAGBACK_TOPIC_ENDPOINT"}
    assert code == 1
    looked_at = {one["subject"] for one in found}
    assert {"rights", "recovery group", "quotas", "Microsoft.Compute"} <= looked_at


def test_what_an_app_lacks_is_named_at_its_scope(site: Estate) -> None:
    _, found = doctor(site, "--principal", "poor", "--role", "keeper")
    wrong = {one["subject"]: one["scope"] for one in found if not one["ok"]}
    whole = f"/subscriptions/{site.subscription}"
    assert wrong.pop("TAGBACK_TOPIC_ENDPOINT") == "settings"
    assert wrong == {
        "Microsoft.Compute/disks/beginGetAccess/action": whole,
        "Microsoft.Compute/snapshots/write": f"{whole}/resourceGroups/tagback-westeurope",
    }


def test_what_a_restore_lacks_is_named_where_it_would_make_machines(site: Estate) -> None:
    _, found = doctor(site, "--principal", "torn", "--role", "restorer")
    wrong = {one["subject"]: one["scope"] for one in found if one["subject"].startswith("Microsoft.") and not one["ok"]}
    whole = f"/subscriptions/{site.subscription}"
    assert wrong == {
        "Microsoft.Compute/virtualMachines/write": whole,
        "Microsoft.Compute/snapshots/beginGetAccess/action": f"{whole}/resourceGroups/tagback-westeurope",
    }


def test_whoever_asks_without_a_principal_is_looked_at_themselves(site: Estate) -> None:
    _, found = doctor(site)
    assert missing(found) == {"TAGBACK_TOPIC_ENDPOINT"}


def test_whoever_may_not_look_is_told_so_and_sees_the_rest(site: Estate) -> None:
    _, found = doctor(site, caller="keeper")
    unseen = [one for one in found if one["because"].startswith("could not be looked at")]
    assert {one["subject"] for one in unseen} >= {"rights", "quotas"}
    assert next(one for one in found if one["subject"] == "recovery group")["ok"]


def test_an_object_id_that_is_none_asks_nothing(site: Estate) -> None:
    _, found = doctor(site, "--principal", "x') or 1 eq 1", "--role", "keeper")
    assert "not an object id" in next(one["because"] for one in found if one["subject"] == "rights")


def test_the_page_for_people_lists_what_is_missing(site: Estate) -> None:
    said = ran(site, "test", "--principal", "poor", "--role", "keeper").stdout
    assert "Microsoft.Compute/snapshots/write" in said
    assert "as they should be" in said
