"""Who may do what: tokens, roles, linked checks, api-versions and locks."""

from pathlib import Path

import pytest

from tests.simulator.running import (
    COMPUTE,
    GROUP,
    SEED,
    SUBSCRIPTION,
    Running,
    inside,
    snapshot_body,
    snapshot_path,
)

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
DISK = f"{COMPUTE}/disks/vm1-os"
VM = f"{COMPUTE}/virtualMachines/vm1"
EMPTY = {"creationData": {"createOption": "Empty"}}
ROLES = f"""
[[role]]
name = "Keeper"
actions = ["Microsoft.Compute/snapshots/read", "Microsoft.Compute/snapshots/write", "Microsoft.Compute/disks/read"]

[[assignment]]
principal = "keeper"
role = "Keeper"
scope = "{SCOPE}"

[[assignment]]
principal = "whole"
role = "Contributor"
scope = "{SCOPE}/resourceGroups/backups"

[[assignment]]
principal = "whole"
role = "Disk Backup Reader"
scope = "{GROUP}"
"""


def test_without_any_assignment_everybody_may_do_everything(sim: Running) -> None:
    assert sim.ask("GET", DISK, principal="stranger").status == 200


def test_a_request_without_a_bearer_token_is_refused(shared: Running) -> None:
    answer = shared.ask("GET", DISK, Authorization="Basic x")
    assert (answer.status, answer.code) == (401, "AuthenticationFailed")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_that_is_no_jwt_is_anonymous(sim: Running) -> None:
    sim.ask("GET", DISK, Authorization="Bearer opaque")
    assert sim.control("GET", "calls")[-1]["principal"] == "anonymous"


def test_roles_are_enforced_once_there_is_an_assignment(tmp_path: Path) -> None:
    with inside(tmp_path, SEED + ROLES) as sim:
        assert sim.ask("GET", DISK, principal="KEEPER").status == 200
        refused = sim.ask("DELETE", DISK, principal="keeper")
        assert (refused.status, refused.code) == (403, "AuthorizationFailed")
        assert "'Microsoft.Compute/disks/delete' over scope" in refused.body["error"]["message"]
        assert sim.ask("GET", VM, principal="keeper").status == 403
        assert sim.ask("GET", DISK, principal="stranger").status == 403
        assert sim.ask("PUT", f"{SCOPE}/resourceGroups/x", {"location": "x"}, principal="whole").status == 403
        assert sim.control("GET", "calls")[-1]["status"] == 403


def test_a_snapshot_needs_access_to_its_source_disk_as_well(tmp_path: Path) -> None:
    with inside(tmp_path, SEED + ROLES) as sim:
        refused = sim.ask("PUT", snapshot_path("s1"), snapshot_body(), principal="keeper")
        assert (refused.status, refused.code) == (403, "LinkedAuthorizationFailed")
        assert "Microsoft.Compute/disks/beginGetAccess/action" in refused.body["error"]["message"]
        assert sim.ask("PUT", snapshot_path("s1"), snapshot_body(), principal="whole").status == 202


def test_lists_of_subscriptions_and_resource_graph_show_what_one_may_read(tmp_path: Path) -> None:
    path = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
    with inside(tmp_path, SEED + ROLES) as sim:
        body = {"query": "resources | summarize n = count() by type"}
        seen = sim.ask("POST", path, body, principal="keeper").body["data"]
        assert seen == [{"type": "microsoft.compute/disks", "n": 2}]
        assert sim.ask("POST", path, body, principal="stranger").body["data"] == []
        assert [one["subscriptionId"] for one in sim.ask("GET", "/subscriptions", principal="whole").body["value"]] == [
            SUBSCRIPTION
        ]
        assert sim.ask("GET", "/subscriptions", principal="stranger").body["value"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?api-version=", "MissingApiVersionParameter"),
        ("?api-version=latest", "InvalidApiVersionParameter"),
        ("?api-version=2014-01-01", "NoRegisteredProviderFound"),
    ],
)
def test_an_api_version_is_needed_and_must_be_in_range(shared: Running, query: str, code: str) -> None:
    answer = shared.ask("GET", DISK + query)
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize("version", ["2016-04-30-preview", "2023-04-02", "2025-01-02", "2026-03-02"])
def test_versions_that_clients_send_are_accepted(shared: Running, version: str) -> None:
    assert shared.ask("GET", f"{DISK}?API-Version={version}&api-version={version}").status == 200


def test_paths_are_found_in_any_letter_case_with_doubled_slashes(shared: Running) -> None:
    path = DISK.upper().replace("/MICROSOFT.COMPUTE/", "/microsoft.compute//")
    assert shared.ask("GET", path).body["name"] == "vm1-os"


def lock(sim: Running, scope: str, level: str) -> str:
    path = f"{scope}/providers/Microsoft.Authorization/locks/keep?api-version=2016-09-01"
    assert sim.ask("PUT", path, {"properties": {"level": level}}).status == 201
    return path


@pytest.mark.parametrize("kind", ["disks", "snapshots", "virtualMachines"])
def test_lists_of_a_subscription_write_groups_in_capitals_and_those_of_a_group_as_they_are(
    sim: Running, kind: str
) -> None:
    sim.put_done(snapshot_path("s1", "web"), snapshot_body())
    wide = sim.ask("GET", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/{kind}").body["value"]
    near = sim.ask("GET", f"{COMPUTE}/{kind}").body["value"]
    assert {one["id"].split("/")[4] for one in wide} == {"WEB"}
    assert {one["id"].split("/")[4] for one in near} == {"web"}
    assert [one["id"].lower() for one in wide] == [one["id"].lower() for one in near]
    assert "resourceGroups/WEB" not in str([{**one, "id": ""} for one in wide])


def test_a_delete_lock_on_a_group_stops_deletes_below_it_and_nothing_else(sim: Running) -> None:
    path = lock(sim, f"{SCOPE}/resourceGroups/backups", "CanNotDelete")
    assert sim.ask("PUT", snapshot_path("s1"), snapshot_body()).status == 202
    sim.advance(5)
    refused = sim.ask("DELETE", snapshot_path("s1"))
    assert (refused.status, refused.code) == (409, "ScopeLocked")
    assert "cannot perform delete operation" in refused.body["error"]["message"]
    assert sim.ask("DELETE", path).status == 200
    assert sim.ask("DELETE", snapshot_path("s1")).status == 202


def test_a_read_only_lock_stops_writes_tags_and_actions(sim: Running) -> None:
    lock(sim, VM, "ReadOnly")
    assert sim.ask("GET", VM).status == 200
    assert sim.ask("PATCH", VM, {"tags": {}}).code == "ScopeLocked"
    assert sim.ask("POST", VM + "/deallocate").code == "ScopeLocked"
    tags = f"{VM}/providers/Microsoft.Resources/tags/default"
    assert sim.ask("PUT", tags, {"properties": {"tags": {}}}).code == "ScopeLocked"
    assert sim.ask("GET", tags).status == 200


def test_a_group_with_something_locked_in_it_cannot_be_deleted(sim: Running) -> None:
    lock(sim, DISK, "CanNotDelete")
    assert sim.ask("DELETE", GROUP).code == "ScopeLocked"
    listed = sim.ask("GET", f"{SCOPE}/providers/Microsoft.Authorization/locks?api-version=2020-05-01").body["value"]
    assert [one["properties"]["level"] for one in listed] == ["CanNotDelete"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", snapshot_path("bad"), []),
        ("PUT", snapshot_path("bad"), {"location": "westeurope", "properties": 3}),
        ("PUT", snapshot_path("bad"), {"location": "westeurope", "properties": {"creationData": "Copy"}}),
        ("PUT", f"{COMPUTE}/disks/bad", {"location": "x", "properties": {**EMPTY, "diskSizeGB": "4"}}),
        ("PUT", f"{COMPUTE}/virtualMachines/bad", {"location": "westeurope", "properties": {"storageProfile": 1}}),
        ("PATCH", VM, {"tags": "backup"}),
        ("POST", "/providers/Microsoft.ResourceGraph/resources", {"query": 7}),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused_and_leaves_nothing_behind(
    shared: Running, method: str, path: str, body: object
) -> None:
    answer = shared.ask(method, path, body)
    assert answer.status == 400, answer
    assert answer.code
    assert shared.ask("GET", snapshot_path("bad")).status == 404
    assert shared.ask("GET", f"{COMPUTE}/virtualMachines/bad").status == 404
