"""What tests of vaults share: a vault with a machine in it, and waiting for jobs in virtual time."""

from __future__ import annotations

from typing import Any

from tests.simulator.running import COMPUTE, GROUP, Answer, Running

VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/safe"
VM = f"{COMPUTE}/virtualMachines/vm1"
HOUR, DAY = 3600.0, 24 * 3600.0


def item_of(vault: str = VAULT, machine: str = "vm1", group: str = "web") -> str:
    """The path of a machine's item, in the letter case that clients use."""
    name = f"iaasvmcontainerv2;{group};{machine}"
    return f"{vault}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{name}/protectedItems/vm;{name}"


ITEM = item_of()


def make_vault(sim: Running, path: str = VAULT, **properties: Any) -> dict[str, Any]:
    """Create a vault and wait until it is there."""
    body = {"location": "westeurope", "sku": {"name": "RS0", "tier": "Standard"}, "properties": properties}
    made: dict[str, Any] = sim.put_done(path, body)
    return made


def body_for(policy: str = "DefaultPolicy", vault: str = VAULT, vm: str = VM, **more: Any) -> dict[str, Any]:
    """The body that protects a machine."""
    wanted = {"protectedItemType": "Microsoft.Compute/virtualMachines", "sourceResourceId": vm, **more}
    return {"properties": {**wanted, "policyId": f"{vault}/backupPolicies/{policy}"}}


def operation_of(answer: Answer) -> str:
    """The id of an accepted operation, from its header."""
    return answer.headers["azure-asyncoperation"].partition("?")[0].rpartition("/")[2]


def done(sim: Running, answer: Answer, vault: str = VAULT, seconds: float = 300) -> dict[str, Any]:
    """Let an accepted operation end and return its status document."""
    assert answer.status == 202, answer
    sim.advance(seconds)
    found: dict[str, Any] = sim.ask("GET", f"{vault}/backupOperations/{operation_of(answer)}").body
    return found


def protect(sim: Running, policy: str = "DefaultPolicy", **more: Any) -> dict[str, Any]:
    """Protect the machine and return its item."""
    ended = done(sim, sim.ask("PUT", ITEM, body_for(policy, **more)))
    assert ended["status"] == "Succeeded", ended
    return item(sim)


def item(sim: Running) -> dict[str, Any]:
    """What the item's properties are now."""
    found: dict[str, Any] = sim.ask("GET", ITEM).body["properties"]
    return found


def back_up(sim: Running, path: str = ITEM, vault: str = VAULT) -> str:
    """Start a backup and return its job's name."""
    ended = done(
        sim, sim.ask("POST", f"{path}/backup", {"properties": {"objectType": "IaasVMBackupRequest"}}), vault, 2
    )
    return str(ended["properties"]["jobId"])


def job(sim: Running, name: str, vault: str = VAULT) -> dict[str, Any]:
    """What a job's properties are now."""
    found: dict[str, Any] = sim.ask("GET", f"{vault}/backupJobs/{name}").body["properties"]
    return found


def jobs(sim: Running, query: str = "", vault: str = VAULT) -> list[dict[str, Any]]:
    """The jobs of a vault, the newest first."""
    found: list[dict[str, Any]] = sim.ask("GET", f"{vault}/backupJobs{query}").body["value"]
    return found


def points(sim: Running) -> list[dict[str, Any]]:
    """The recovery points of the machine, the newest first."""
    found: list[dict[str, Any]] = sim.ask("GET", f"{ITEM}/recoveryPoints").body["value"]
    return found


def backed_up(sim: Running, **properties: Any) -> dict[str, Any]:
    """A machine in a vault with one recovery point, which is returned."""
    make_vault(sim, **properties)
    protect(sim)
    name = back_up(sim)
    sim.advance(3 * HOUR)
    assert job(sim, name)["status"] == "Completed"
    return points(sim)[0]
