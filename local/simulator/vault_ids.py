"""Ids and names in Recovery Services vaults: how a machine is called there, and how children's ids are written.

Used by every module that serves vaults; knows nothing of what is behind an id.
"""

from typing import TYPE_CHECKING

from local.simulator.ids import key_of, parse
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

VAULT = "Microsoft.RecoveryServices/vaults"
POLICY = f"{VAULT}/backupPolicies"
CONTAINER = f"{VAULT}/backupFabrics/protectionContainers"
ITEM = f"{CONTAINER}/protectedItems"
POINT = f"{ITEM}/recoveryPoints"
JOB = f"{VAULT}/backupJobs"
PROXY = f"{VAULT}/backupResourceGuardProxies"
MACHINE = "microsoft.compute/virtualmachines"

ROOT = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{VAULT}/{{vault}}"
ITEM_ROOT = f"{ROOT}/backupFabrics/{{fabric}}/protectionContainers/{{container}}/protectedItems/{{item}}"


def vault_of(world: "World", call: "Call") -> Resource:
    """Return the vault a call is about, or refuse as ARM does."""
    parts = call.path.strip("/").split("/")
    return world.resource("/" + "/".join(parts[:8]), VAULT)


def machine_name(machine_id: str) -> str:
    """Name a machine as vaults do: version, group and name in lower case (recorded)."""
    parsed = parse(machine_id)
    return f"iaasvmcontainerv2;{parsed.group.lower()};{parsed.name.lower()}"


def container_id(vault: Resource, machine_id: str) -> str:
    """Write the id of a machine's container."""
    return f"{vault.id}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{machine_name(machine_id)}"


def item_id(vault: Resource, machine_id: str) -> str:
    """Write the id of a machine's protected item."""
    return f"{container_id(vault, machine_id)}/protectedItems/VM;{machine_name(machine_id)}"


def items_in(world: "World", vault: Resource) -> list[Resource]:
    """Return the protected items of a vault."""
    return world.store.all_of(vault.key, ITEM.lower())


def vault_above(world: "World", child: Resource) -> Resource:
    """Return the vault something lies in."""
    found = world.store.get("/".join(child.key.split("/")[:9]))
    assert found is not None  # what lies in a vault goes with it
    return found


def same(one: str, other: str) -> bool:
    """Tell whether two ids are equal; an empty one is only equal to an empty one."""
    return key_of(one) == key_of(other) if one and other else one == other
