"""Questions to Azure Backup that name no vault: is a machine protected, could it be, is a feature there."""

import json
from typing import TYPE_CHECKING

from local.simulator.answers import Document, Reply
from local.simulator.backup_errors import error_of
from local.simulator.ids import key_of, parse
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.vault_ids import ITEM, MACHINE, machine_name, vault_above

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

_STATES = {"IRPending": "Protected", "Protected": "Protected", "ProtectionStopped": "Protected",
           "ProtectionError": "ProtectionFailed"}  # fmt: skip


def _item_of(world: "World", machine_id: str) -> Resource | None:
    key = key_of(machine_id)
    subscription = "/".join(key.split("/")[:3])
    items = world.store.all_of(subscription, ITEM.lower())
    return next((item for item in items if (item.notes or {}).get("vm") == key), None)


def status(world: "World", call: "Call") -> Reply:
    """Tell whether and where a machine is protected."""
    machine = str(call.body().get("resourceId") or "")
    item = _item_of(world, machine)
    if item is None:
        return Reply.of({"protectionStatus": "NotProtected", "errorCode": "Success", "errorMessage": ""})
    properties, vault = item.document()["properties"], vault_above(world, item)
    name = machine_name(machine)
    return Reply.of(
        {
            "protectionStatus": _STATES.get(properties["protectionState"], "Protected"),
            "vaultId": vault.id,
            "fabricName": "Azure",
            "containerName": f"iaasvmcontainer;{name}",
            "protectedItemName": f"vm;{name}",
            "policyName": properties["policyName"],
            "errorCode": "Success",
            "errorMessage": "",
            "registrationStatus": "Registered",
        }
    )


def prevalidate(world: "World", call: "Call") -> Reply:
    """Tell whether a machine could be protected in a vault; a dry run."""
    body = call.body()
    machine_id, vault_id = str(body.get("resourceId") or ""), str(body.get("vaultId") or "")
    machine, vault = world.store.get(key_of(machine_id)), world.store.get(key_of(vault_id))
    found = _problem(world, machine, vault, machine_id)
    name = machine_name(machine_id)
    document: Document = {"status": "Failed" if found else "Succeeded"}
    if found is not None:
        row = error_of(found)
        document |= {"errorCode": row.name, "errorMessage": row.message, "recommendation": row.recommendation}
    names = {"containerName": f"iaasvmcontainer;{name}", "protectedItemName": f"vm;{name}"}
    return Reply.of({**document, **names})


def _problem(world: "World", machine: Resource | None, vault: Resource | None, machine_id: str) -> str | None:
    if machine is None or machine.type != MACHINE:
        return "UserErrorVmNotFoundV2"
    if vault is not None and parse(vault.id).subscription.lower() != parse(machine.id).subscription.lower():
        return "UserErrorGenericResourceNotFound"
    item = _item_of(world, machine_id)
    if item is not None and (vault is None or not item.key.startswith(vault.key + "/")):
        return "UserErrorVMAlreadyProtected"
    state = machine.document()["properties"].get("provisioningState", "Succeeded")
    if state != "Succeeded":
        return "UserErrorVmProvisioningStateFailed" if state == "Failed" else "UserErrorVmNotInDesirableState"
    return None


def features(_world: "World", call: "Call") -> Reply:
    """Tell whether a feature is there; all are."""
    json.loads(call.raw or b"{}")
    return Reply.of({"supportStatus": "Supported"})


_ROOT = "/subscriptions/{subscription}/providers/Microsoft.RecoveryServices/locations/{location}"
_ACTIONS, _S, _SINCE = "Microsoft.RecoveryServices/locations", Evidence.SPECIFIED, Versions("2016-06-01")
ROUTES = (
    Route("POST", f"{_ROOT}/backupStatus", f"{_ACTIONS}/backupStatus/action", status, _S, "BackupStatus_Get", _SINCE),
    Route("POST", f"{_ROOT}/backupPreValidateProtection", f"{_ACTIONS}/backupPreValidateProtection/action", prevalidate,
          _S, "ProtectionIntent_Validate", _SINCE),
    Route("POST", f"{_ROOT}/backupValidateFeatures", f"{_ACTIONS}/backupValidateFeatures/action", features, _S,
          "FeatureSupport_Validate", _SINCE),
)  # fmt: skip
