"""Template deployments, as `az vm create` and people's templates use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.simulator.running import COMPUTE, GROUP, SEED, SUBSCRIPTION, Answer, Running, inside

NAME = f"{GROUP}/providers/Microsoft.Resources/deployments/made"
VERSION = "?api-version=2024-11-01"
DISK = {
    "type": "Microsoft.Compute/disks",
    "apiVersion": "2024-03-02",
    "location": "westeurope",
    "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8},
}
SNAPSHOT = {
    "type": "Microsoft.Compute/snapshots",
    "apiVersion": "2024-03-02",
    "name": "after",
    "location": "westeurope",
    "dependsOn": ["microsoft.compute/DISKS/first"],
    "properties": {
        "incremental": True,
        "diskSizeGB": None,
        "creationData": {"createOption": "Copy", "sourceResourceId": f"{COMPUTE}/disks/first"},
    },
}


def disk(name: str, **more: Any) -> dict[str, Any]:
    return {**DISK, "name": name, **more}


def deploy(sim: Running, *resources: dict[str, Any], principal: str = "test", **properties: Any) -> Answer:
    template = {"contentVersion": "1.0.0.0", "resources": list(resources), **properties.pop("template", {})}
    body = {"properties": {"mode": "incremental", "template": template, **properties}}
    return sim.ask("PUT", NAME + VERSION, body, principal)


def test_resources_are_made_in_the_order_they_depend_on_and_listed_at_the_end(sim: Running) -> None:
    begun = deploy(sim, SNAPSHOT, disk("first"))
    assert begun.status == 201
    assert begun.body["properties"]["provisioningState"] == "Accepted"
    assert sim.ask("GET", begun.headers["azure-asyncoperation"]).body == {"status": "Accepted"}

    sim.advance(1)
    assert sim.ask("GET", f"{COMPUTE}/disks/first").status == 200
    assert sim.ask("GET", f"{COMPUTE}/snapshots/after").status == 404
    assert sim.ask("GET", begun.headers["azure-asyncoperation"]).body == {"status": "Running"}

    sim.advance(60)
    assert sim.ask("GET", begun.headers["azure-asyncoperation"]).body == {"status": "Succeeded"}
    done = sim.ask("GET", NAME + VERSION).body["properties"]
    assert done["provisioningState"] == "Succeeded"
    assert [each["id"] for each in done["outputResources"]] == [f"{COMPUTE}/disks/first", f"{COMPUTE}/snapshots/after"]
    assert [each["resourceName"] for each in done["dependencies"][0]["dependsOn"]] == ["first"]


def test_a_deployment_is_no_resource_of_the_group(sim: Running) -> None:
    deploy(sim, disk("first"))
    sim.advance(60)
    listed = sim.ask("GET", f"{GROUP}/resources?api-version=2024-11-01").body["value"]
    assert "made" not in [each["name"] for each in listed]
    assert "first" in [each["name"] for each in listed]


def test_parameters_and_variables_are_filled_in_and_secrets_are_not_shown(sim: Running) -> None:
    template = {
        "parameters": {"size": {"type": "int", "defaultValue": 4}, "secret": {"type": "securestring"}},
        "variables": {"where": "westeurope"},
    }
    sized = {**DISK["properties"], "diskSizeGB": "[parameters('size')]"}  # type: ignore[dict-item]  # a plain table
    wanted = disk("first", location="[variables('where')]", properties=sized, tags={"a": "[[literal]"})
    begun = deploy(sim, wanted, template=template, parameters={"secret": {"value": "hidden"}, "size": {"value": 16}})
    sim.advance(60)
    made = sim.ask("GET", f"{COMPUTE}/disks/first").body
    assert made["properties"]["diskSizeGB"] == 16
    assert made["tags"] == {"a": "[literal]"}
    assert begun.body["properties"]["parameters"] == {
        "size": {"type": "int", "value": 16},
        "secret": {"type": "securestring"},
    }


@pytest.mark.parametrize(
    ("resources", "more", "status", "code"),
    [
        ([disk("[uniqueString('x')]")], {}, 501, "NotImplemented"),
        ([disk("first")], {"mode": "Complete"}, 501, "NotImplemented"),
        ([disk("first")], {"template": {"parameters": {"size": {"type": "int"}}}}, 400, "InvalidTemplate"),
    ],
    ids=["a function", "complete mode", "a parameter nobody gave"],
)
def test_what_cannot_be_deployed_is_refused_at_once(
    sim: Running, resources: list[dict[str, Any]], more: dict[str, Any], status: int, code: str
) -> None:
    refused = deploy(sim, *resources, **more)
    assert (refused.status, refused.code) == (status, code)


def test_a_resource_that_is_refused_fails_the_deployment_and_what_depends_on_it(sim: Running) -> None:
    nowhere = {"createOption": "Copy", "sourceResourceId": f"{COMPUTE}/disks/never"}
    begun = deploy(sim, disk("first", properties={"creationData": nowhere}), SNAPSHOT)
    sim.advance(60)
    ended = sim.ask("GET", begun.headers["azure-asyncoperation"]).body
    assert ended["status"] == "Failed"
    assert ended["error"]["code"] == "DeploymentFailed"
    assert ended["error"]["details"][0]["target"] == f"{COMPUTE}/disks/first"
    assert sim.ask("GET", NAME + VERSION).body["properties"]["provisioningState"] == "Failed"
    assert sim.ask("GET", f"{COMPUTE}/snapshots/after").status == 404


def test_resources_that_wait_for_each_other_fail(sim: Running) -> None:
    begun = deploy(
        sim,
        disk("one", dependsOn=["Microsoft.Compute/disks/two"]),
        disk("two", dependsOn=["Microsoft.Compute/disks/one"]),
    )
    sim.advance(5)
    assert sim.ask("GET", begun.headers["azure-asyncoperation"]).body["status"] == "Failed"


def test_resources_are_made_with_the_rights_of_whoever_deploys(tmp_path: Path) -> None:
    role = '[[role]]\nname = "Deployer"\nactions = ["Microsoft.Resources/deployments/*"]\n'
    assignment = f'[[assignment]]\nprincipal = "limited"\nrole = "Deployer"\nscope = "/subscriptions/{SUBSCRIPTION}"\n'
    with inside(tmp_path, SEED + role + assignment) as sim:
        begun = deploy(sim, disk("first"), principal="limited")
        sim.advance(10)
        ended = sim.ask("GET", begun.headers["azure-asyncoperation"], principal="limited").body
    assert ended["error"]["details"][0]["code"] == "AuthorizationFailed"
