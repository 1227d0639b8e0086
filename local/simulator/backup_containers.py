"""What a vault could protect and what it does: discovery of machines, protectable items, containers.

Discovery runs once at a time per vault; a machine it has not met is not shown as protectable (recorded).
"""

from typing import TYPE_CHECKING

from local.simulator import backup_operations, vault_errors
from local.simulator.answers import Document, Reply, encode
from local.simulator.ids import key_of, parse
from local.simulator.listing import members_of, paged
from local.simulator.lro import Operation
from local.simulator.odata import fits, terms_of
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.vault_ids import CONTAINER, ITEM, MACHINE, ROOT, VAULT, container_id, machine_name, vault_of
from local.simulator.vault_shapes import note

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

PAGE = 200  # protectable items (documented), and items, containers and jobs as well (assumed)


def refresh(world: "World", call: "Call") -> Reply:
    """Start to look for machines (202); not while the vault looks already (documented: wait until it ends)."""
    vault = vault_of(world, call)
    running = world.operations.get(str((vault.notes or {}).get("discovery", "")))
    if running is not None and running.ended is None:
        message = "Another discovery operation is in progress. Please wait until it is finished and retry."
        raise vault_errors.refused(409, "UserErrorDiscoveryInProgress", message)
    operation = backup_operations.begin(world, call, vault, "backup.refresh", {})
    note(world, vault, call.now, discovery=operation.id)
    return backup_operations.accepted(call, operation, call.path.rsplit("/", 1)[0])


def finish_refresh(world: "World", operation: Operation, at: float) -> None:
    """Remember when the vault has looked: what was there by then is known."""
    vault = world.store.get(operation.target)
    if vault is not None:
        note(world, vault, at, discovered=at)


def protectable(world: "World", call: "Call") -> Reply:
    """List the machines that could be protected, in pages: known, in the vault's region, protected nowhere."""
    vault, terms = vault_of(world, call), terms_of(call)
    discovered = float((vault.notes or {}).get("discovered", vault.born))
    region = vault.document()["location"]
    subscription = "/".join(vault.key.split("/")[:3])
    taken = {(item.notes or {}).get("vm") for item in world.store.all_of(subscription, ITEM.lower())}
    found = []
    for machine in members_of(world, call, subscription, MACHINE):
        if machine.born <= discovered and machine.key not in taken and machine.document()["location"] == region:
            document = _protectable(vault, machine)
            if fits(document["properties"], terms):
                found.append(encode(document))
    return paged(call, found, PAGE)


def _protectable(vault: Resource, machine: Resource) -> Document:
    name = machine_name(machine.id)
    parsed = parse(machine.id)
    properties = {
        "virtualMachineId": machine.id,
        "virtualMachineVersion": "Compute",
        "resourceGroup": parsed.group.lower(),
        "backupManagementType": "AzureIaasVM",
        "protectableItemType": "Microsoft.Compute/virtualMachines",
        "friendlyName": parsed.name,
        "protectionState": "NotProtected",
    }
    item = f"{container_id(vault, machine.id)}/protectableItems/vm;{name}"
    return {"id": item, "name": name, "type": f"{CONTAINER}/protectableItems", "properties": properties}


def _container(vault: Resource, item: Resource) -> Document:
    source = item.document()["properties"]["sourceResourceId"]
    parsed = parse(source)
    own = container_id(vault, source)
    properties = {
        "virtualMachineId": source,
        "virtualMachineVersion": "Compute",
        "resourceGroup": parsed.group.lower(),
        "friendlyName": parsed.name,
        "backupManagementType": "AzureIaasVM",
        "registrationStatus": (item.notes or {}).get("container", "Registered"),
        "healthStatus": "Healthy",
        "containerType": "Microsoft.Compute/virtualMachines",
        "protectableObjectType": "Microsoft.Compute/virtualMachines",
    }
    return {"id": own, "name": own.rsplit("/", 1)[-1], "type": CONTAINER, "properties": properties}


def _is_deleted(item: Resource) -> bool:
    return bool(item.document()["properties"].get("isScheduledForDeferredDelete"))


def containers(world: "World", call: "Call") -> Reply:
    """List the containers of protected machines; `status eq 'Registered'` means: not deleted (recorded)."""
    vault, terms = vault_of(world, call), terms_of(call)
    terms.pop("status", None)
    items = [item for item in members_of(world, call, vault.key, ITEM.lower()) if not _is_deleted(item)]
    found = [_container(vault, item) for item in items]
    return paged(call, [encode(each) for each in found if fits(each["properties"], terms)], PAGE)


def deleted_containers(world: "World", call: "Call") -> Reply:
    """List the containers of softly deleted machines (recorded)."""
    vault, terms = vault_of(world, call), terms_of(call)
    items = [item for item in members_of(world, call, vault.key, ITEM.lower()) if _is_deleted(item)]
    found = [_container(vault, item) for item in items]
    return paged(call, [encode(each) for each in found if fits(each["properties"], terms)], PAGE)


def container(world: "World", call: "Call") -> Reply:
    """Answer one container."""
    vault = vault_of(world, call)
    wanted = key_of(call.path)
    for item in world.store.all_of(vault.key, ITEM.lower()):
        if item.key.startswith(wanted + "/"):
            return Reply.of(_container(vault, item))
    raise vault_errors.missing("BMSUserErrorContainerNotFound", "Container")


_R, _SINCE = Evidence.RECORDED, Versions("2016-06-01")
_CLI, _SOFT = "azure-cli-2025-02/backup/test_backup_container", "azure-cli-2025-02/backup/test_backup_softdelete"
_FABRIC = f"{ROOT}/backupFabrics/{{fabric}}"
ROUTES = (
    Route("POST", f"{_FABRIC}/refreshContainers", f"{VAULT}/backupFabrics/refreshContainers/action", refresh, _R, _CLI,
          _SINCE),
    Route("GET", f"{ROOT}/backupProtectableItems", f"{VAULT}/backupProtectableItems/read", protectable, _R, _CLI,
          _SINCE, lists=True),
    Route("GET", f"{ROOT}/backupProtectionContainers", f"{VAULT}/backupProtectionContainers/read", containers, _R, _CLI,
          _SINCE, lists=True),
    Route("GET", f"{ROOT}/backupDeletedProtectionContainers", f"{VAULT}/backupDeletedProtectionContainers/read",
          deleted_containers, _R, _SOFT, _SINCE, lists=True),
    Route("GET", f"{_FABRIC}/protectionContainers/{{container}}", f"{CONTAINER}/read", container, Evidence.SPECIFIED,
          "ProtectionContainers_Get", _SINCE),
)  # fmt: skip
FINISHERS = {"backup.refresh": finish_refresh}
