"""Denials over plain HTTP: policies, deny assignments, roles given later, linked actions row by row, bad names."""

from pathlib import Path
from typing import Any

import pytest

from tests.simulator.running import COMPUTE, GROUP, SEED, SUBSCRIPTION, Running, inside, snapshot_body, snapshot_path

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
BACKUPS = f"{SCOPE}/resourceGroups/backups"
VM = f"{COMPUTE}/virtualMachines/vm1"


def policy(name: str, effect: str, scope: str = SCOPE, **more: str) -> str:
    lines = "".join(f"{key} = {value}\n" for key, value in more.items())
    return f'{SEED}\n[[policy]]\nname = "{name}"\nscope = "{scope}"\neffect = "{effect}"\n{lines}'


@pytest.mark.parametrize(
    ("when", "good", "bad"),
    [
        ('{ missing_tag = "owner" }', {"tags": {"Owner": "me"}}, {"tags": {"other": "x"}}),
        ('{ location_not_in = ["westeurope"] }', {}, {"location": "northeurope"}),
        ('{ sku_in = ["Premium_LRS"] }', {"sku": {"name": "Standard_ZRS"}}, {"sku": {"name": "Premium_LRS"}}),
    ],
)  # fmt: skip
def test_a_policy_refuses_what_meets_its_conditions(tmp_path: Path, when: str, good: Any, bad: Any) -> None:
    with inside(tmp_path, policy("rule", "deny", types='["Microsoft.Compute/snapshots"]', when=when)) as sim:
        refused = sim.ask("PUT", snapshot_path("s1"), {**snapshot_body(), **bad})
        assert (refused.status, refused.code) == (403, "RequestDisallowedByPolicy")
        [info] = refused.body["error"]["additionalInfo"]
        assert (info["type"], info["info"]["policyAssignmentName"]) == ("PolicyViolation", "rule")
        assert refused.body["error"]["target"] == "s1"
        assert sim.ask("PUT", snapshot_path("s1"), {**snapshot_body(), **good}).status == 202
        disk = {"location": "northeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}}
        assert sim.ask("PUT", f"{COMPUTE}/disks/free", disk).status == 202


def test_a_policy_refuses_snapshots_that_can_be_exported_publicly(tmp_path: Path) -> None:
    with inside(tmp_path, policy("closed", "deny", when='{ public_network_access = "Enabled" }')) as sim:
        assert sim.ask("PUT", snapshot_path("s1"), snapshot_body()).code == "RequestDisallowedByPolicy"
        closed = snapshot_body(publicNetworkAccess="Disabled", networkAccessPolicy="DenyAll")
        assert sim.ask("PUT", snapshot_path("s1"), closed).status == 202


def test_a_policy_adds_tags_where_a_write_brings_none(tmp_path: Path) -> None:
    with inside(tmp_path, policy("mark", "append", BACKUPS, tags='{ cost = "7", team = "it" }')) as sim:
        made = sim.put_done(snapshot_path("s1"), {**snapshot_body(), "tags": {"team": "shop"}})
        assert made["tags"] == {"cost": "7", "team": "shop"}
        assert "tags" not in sim.put_done(snapshot_path("s2", "web"), snapshot_body())


DENIED = f"""
[[deny_assignment]]
name = "hands-off"
scope = "{BACKUPS}"
actions = ["Microsoft.Compute/snapshots/*"]
not_actions = ["Microsoft.Compute/snapshots/read"]
principals = ["*"]
exclude_principals = ["boss"]
"""


def test_a_deny_assignment_beats_every_role(tmp_path: Path) -> None:
    with inside(tmp_path, SEED + DENIED) as sim:
        refused = sim.ask("PUT", snapshot_path("s1"), snapshot_body())
        assert (refused.status, refused.code) == (403, "DenyAssignmentAuthorizationFailed")
        assert "hands-off" in refused.body["error"]["message"]
        assert sim.ask("PUT", snapshot_path("s1"), snapshot_body(), "boss").status == 202
        sim.advance(60)
        assert sim.ask("GET", snapshot_path("s1")).status == 200
        assert sim.ask("DELETE", snapshot_path("s1")).status == 403
        assert sim.ask("PUT", snapshot_path("s1", "web"), snapshot_body()).status == 202
        listed = sim.ask("GET", f"{BACKUPS}/providers/Microsoft.Authorization/denyAssignments").body["value"]
        assert [one["name"] for one in listed] == ["hands-off"]


def role(actions: list[str], scope: str = SCOPE) -> str:
    written = ", ".join(f'"{each}"' for each in actions)
    given = f'[[assignment]]\nprincipal = "agent"\nrole = "Some"\nscope = "{scope}"\n'
    return f'{SEED}\n[[role]]\nname = "Some"\nactions = [{written}]\n\n{given}'


def test_a_role_given_over_the_api_counts_and_can_be_taken_back(tmp_path: Path) -> None:
    roles = f"{SCOPE}/providers/Microsoft.Authorization"
    seed = SEED + f'[[assignment]]\nprincipal = "boss"\nrole = "Owner"\nscope = "{SCOPE}"\n'
    with inside(tmp_path, seed) as sim:
        assert sim.ask("GET", VM, principal="agent").status == 403
        found = sim.ask("GET", f"{roles}/roleDefinitions?$filter=roleName%20eq%20'Reader'", principal="boss").body[
            "value"
        ]
        body = {"properties": {"principalId": "agent", "roleDefinitionId": found[0]["id"]}}
        name = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/0b1c2d3e-0000-4000-8000-000000000001"
        assert sim.ask("PUT", name, body, "agent").status == 403
        assert sim.ask("PUT", name, body, "boss").status == 201
        again = sim.ask("PUT", name[:-1] + "2", body, "boss")
        assert (again.status, again.code) == (409, "RoleAssignmentExists")
        assert sim.ask("GET", VM, principal="agent").status == 200
        assert sim.ask("PATCH", VM, {"tags": {}}, "agent").status == 403
        assert sim.ask("DELETE", name, principal="boss").status == 200
        assert sim.ask("GET", VM, principal="agent").status == 403


C = "Microsoft.Compute"
COLLECTIONS = f"{BACKUPS}/providers/{C}/restorePointCollections"
POINTS = f"{C}/restorePointCollections/restorePoints"
CRASH = {"properties": {"consistencyMode": "CrashConsistent"}}


def prepare(sim: Running) -> None:
    """Make, as somebody who may, what the requests under test lean on."""
    sim.put_done(snapshot_path("s0"), snapshot_body(), "boss")
    where = f"{COLLECTIONS}/c0"
    sim.put_done(where, {"location": "westeurope", "properties": {"source": {"id": VM}}}, "boss")
    disk = {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}}
    sim.put_done(f"{BACKUPS}/providers/{C}/disks/d0", disk, "boss")


def copied(kind: str, **more: Any) -> dict[str, Any]:
    creation = {"createOption": "Copy", "sourceResourceId": kind, **more}
    return {"location": "westeurope", "properties": {"creationData": creation}}


@pytest.mark.parametrize(
    ("own", "linked", "path", "body"),
    [
        (f"{C}/snapshots/write", f"{C}/disks/beginGetAccess/action", snapshot_path("n"), snapshot_body()),
        (f"{C}/snapshots/write", f"{C}/snapshots/beginGetAccess/action", snapshot_path("n"),
         copied(snapshot_path("s0"))),
        (f"{C}/disks/write", f"{C}/snapshots/beginGetAccess/action", f"{BACKUPS}/providers/{C}/disks/n",
         copied(snapshot_path("s0"))),
        (f"{C}/disks/write", f"{C}/disks/beginGetAccess/action", f"{BACKUPS}/providers/{C}/disks/n",
         copied(f"{BACKUPS}/providers/{C}/disks/d0")),
        (f"{C}/restorePointCollections/write", f"{C}/virtualMachines/read",
         f"{COLLECTIONS}/n",
         {"location": "westeurope", "properties": {"source": {"id": VM}}}),
        (f"{C}/restorePointCollections/write", f"{C}/restorePointCollections/read",
         f"{COLLECTIONS}/n",
         {"location": "northeurope", "properties": {"source": {"id": f"{COLLECTIONS}/c0"}}}),
        (f"{POINTS}/write", f"{C}/disks/beginGetAccess/action",
         f"{COLLECTIONS}/c0/restorePoints/n", CRASH),
    ],
)  # fmt: skip
def test_an_action_that_leans_on_another_resource_needs_a_right_on_it(
    tmp_path: Path, own: str, linked: str, path: str, body: Any
) -> None:
    boss = f'\n[[assignment]]\nprincipal = "boss"\nrole = "Owner"\nscope = "{SCOPE}"\n'
    with inside(tmp_path, role([own]) + boss) as sim:
        prepare(sim)
        refused = sim.ask("PUT", path, body, "agent")
        assert (refused.status, refused.code) == (403, "LinkedAuthorizationFailed")
        assert linked in refused.body["error"]["message"]
    with inside(tmp_path, role([own, linked]) + boss) as sim:
        prepare(sim)
        assert sim.ask("PUT", path, body, "agent").status in (201, 202)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (snapshot_path("ends-"), "InvalidResourceName"),
        (snapshot_path("a" * 81), "InvalidResourceName"),
        (snapshot_path("a%20b"), "InvalidResourceName"),
        (f"{COMPUTE}/virtualMachines/" + "v" * 65, "InvalidResourceName"),
        (f"{SCOPE}/resourceGroups/ends.", "InvalidResourceGroupName"),
        (f"{SCOPE}/resourceGroups/" + "g" * 91, "InvalidResourceGroupName"),
        (f"{GROUP}/providers/Microsoft.EventGrid/topics/a_b", "InvalidResourceName"),
    ],
)  # fmt: skip
def test_names_that_a_type_cannot_have_are_refused(shared: Running, path: str, code: str) -> None:
    answer = shared.ask("PUT", path, {"location": "westeurope"})
    assert (answer.status, answer.code) == (400, code)
