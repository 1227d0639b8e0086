"""File restore: a recovery point mounted for a machine, the scripts that connect to it, and its end."""

import base64
from typing import TYPE_CHECKING

from local.simulator import backup_operations, vault_errors
from local.simulator.answers import Document, Reply
from local.simulator.clock import iso
from local.simulator.ids import key_of
from local.simulator.lro import Operation
from local.simulator.recovery_points import item_of, point_at
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.vault_ids import ITEM_ROOT, POINT

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

APART_SINCE = "2026-08-01"  # from here on the operation's status no longer holds the scripts (azure-facts 5.10)


def provision(world: "World", call: "Call") -> Reply:
    """Mount a point (202)."""
    item_of(world, call)
    point = point_at(world, key_of(call.path.rsplit("/", 1)[0]))
    asked = call.body().get("properties") or {}
    if _is_mounted(point) and not asked.get("renewExistingRegistration"):
        message = "A file restore of the recovery point is open already."
        raise vault_errors.refused(409, "UserErrorUnableToOpenMount", message)
    told = call.version < APART_SINCE
    operation = backup_operations.begin(world, call, point, "backup.mount", {"told": told})
    return backup_operations.accepted(call, operation, _item_path(call))


def _item_path(call: "Call") -> str:
    return "/" + "/".join(call.path.strip("/").split("/")[:14])


def _is_mounted(point: Resource) -> bool:
    return bool(point.document()["properties"].get("isInstantIlrSessionActive"))


def _scripts(world: "World", point: Resource) -> list[Document]:
    """Write the scripts: two for Windows, one for Linux (recorded forms, contents of our own).

    The password is part of the name that the script is to have: 15 digits after the first 32 of the last word (as
    az cuts it out and the page of Get-AzRecoveryServicesBackupRPMountScript shows one); Linux has it in the script too.
    """
    system = str(point.document()["properties"]["osType"])
    digits = "".join(
        world.chance.guid_of(f"mount {word} {point.key}").replace("-", "") for word in ("target", "secret")
    )
    secret, number = digits[32:47], point.key.rsplit("/", 1)[-1]
    suffix = f"_{number}_{digits[:32]}{secret}{digits[47:61]}"
    text = base64.b64encode(f'#!/usr/bin/env python\nTargetPassword="{secret}"\n'.encode()).decode()
    first = {"scriptContent": text, "scriptExtension": ".txt" if system == "Windows" else ".py", "osType": system}
    first["scriptNameSuffix"] = suffix
    if system != "Windows":
        return [first]
    second = {"scriptContent": "TkE=", "scriptExtension": ".exe", "osType": system, "scriptNameSuffix": suffix}
    return [first, {**second, "url": f"https://download.microsoft.com/{number}/IaaSVMILRExe.exe"}]


def finish_mount(world: "World", operation: Operation, at: float) -> Document:
    """Let a point be mounted."""
    point = world.store.get(operation.target)
    if point is None:
        raise vault_errors.missing("BMSUserErrorRecoveryPointNotFound", "Recovery point")
    _set(world, point, at, mounted_by=operation.id)
    output: Document = {"objectType": "OperationStatusProvisionILRExtendedInfo"}
    if operation.arguments["told"]:
        output["recoveryTarget"] = {"clientScripts": _scripts(world, point)}
    return output


def _set(world: "World", point: Resource, at: float, mounted_by: str = "") -> None:
    document = point.document()
    document["properties"]["isInstantIlrSessionActive"] = bool(mounted_by)
    mounted_at = iso(at) if mounted_by else None
    point.notes = {**(point.notes or {}), "mounted_at": mounted_at, "mounted_by": mounted_by}
    world.store.write(point, document, at)


def scripts(world: "World", call: "Call") -> Reply:
    """Answer the scripts of a mounted point to whoever names the operation that mounted it, as newer versions do."""
    item_of(world, call)
    point = point_at(world, key_of(call.path.rsplit("/", 1)[0]))
    asked = str(call.body().get("provisionInstantItemRecoveryOperationId") or "")
    if not asked:  # a required field of the SDK's model; code and words assumed
        raise vault_errors.refused(
            400, "BMSUserErrorInvalidInput", "The operation that mounted the point is not named."
        )
    if not _is_mounted(point) or asked.lower() != str((point.notes or {}).get("mounted_by")).lower():
        raise vault_errors.missing("BMSUserErrorObjectNotFound", "File restore")
    return Reply.of({"clientScripts": _scripts(world, point)})


def revoke(world: "World", call: "Call") -> Reply:
    """Unmount a point (202); the operation names no job (recorded)."""
    item_of(world, call)
    point = point_at(world, key_of(call.path.rsplit("/", 1)[0]))
    operation = backup_operations.begin(world, call, point, "backup.unmount", {})
    return backup_operations.accepted(call, operation, _item_path(call))


def finish_unmount(world: "World", operation: Operation, at: float) -> None:
    """Let a point be unmounted."""
    point = world.store.get(operation.target)
    if point is not None:
        _set(world, point, at)


_ONE, _S, _SINCE = f"{ITEM_ROOT}/recoveryPoints/{{point}}", Evidence.SPECIFIED, Versions("2016-06-01")
ROUTES = (
    Route("POST", f"{_ONE}/provisionInstantItemRecovery", f"{POINT}/provisionInstantItemRecovery/action", provision, _S,
          "ItemLevelRecoveryConnections_Provision", _SINCE),
    Route("POST", f"{_ONE}/revokeInstantItemRecovery", f"{POINT}/revokeInstantItemRecovery/action", revoke, _S,
          "ItemLevelRecoveryConnections_Revoke", _SINCE),
    Route("POST", f"{_ONE}/listInstantItemRecoveryOperationResult",
          f"{POINT}/listInstantItemRecoveryOperationResult/action", scripts, _S,
          "azure-mgmt-recoveryservicesbackup 11.2 list_instant_item_recovery_operation_result", _SINCE),
)  # fmt: skip
FINISHERS = {"backup.mount": finish_mount, "backup.unmount": finish_unmount}
