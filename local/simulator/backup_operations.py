"""Operations of vaults and of Azure Backup: how they are announced, and the many URLs under which one can be asked for.

One id resolves below its item, its container's fabric and the vault alike (recorded: az asks the vault, whatever the
header said). An operation ends when its job is known; the job goes on.
"""

import base64
import json
from typing import TYPE_CHECKING

from local.simulator.acceptance import signature
from local.simulator.answers import ArmError, Document, Reply, encode
from local.simulator.clock import iso
from local.simulator.lro import Family, Operation, Work
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.vault_ids import ITEM, ITEM_ROOT, ROOT, VAULT, vault_of

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

NEVER = "0001-01-01T00:00:00"
# The version that some name in their status URL, whatever the client asked for (recorded).
OLDER_STATUS = ("backup.refresh", "backup.cancel")
REFRESH_VERSION = "2019-05-13-preview"


def accepted_by_vault(call: "Call", operation: Operation, status: int, prefix: str, body: bytes = b"") -> Reply:
    """Answer that the vaults' service accepted work; its operations are named in base64."""
    token = base64.b64encode(f"{prefix};{operation.id}".encode()).decode()
    headers = vault_headers(call, operation, call.path, token)
    if status == 201:
        del headers["Location"]
    return Reply(status, body, headers, operation)


def vault_headers(call: "Call", operation: Operation, path: str, token: str) -> dict[str, str]:
    """Write the headers of a running operation of the vaults' service."""
    tail = f"{token}?api-version={call.version}{signature(call, operation)}"
    root = f"{call.base_url}{path}"
    return {
        "Azure-AsyncOperation": f"{root}/operationStatus/{tail}",
        "Location": f"{root}/operationResults/{tail}",
        "Retry-After": "60",
    }


def begin(world: "World", call: "Call", target: Resource, pace: str, arguments: Document) -> Operation:
    """Accept work on something in a vault; the pace names the work."""
    place = world.place_of(target)
    starts_job = pace == "backup.job"
    work = Work(pace, Family.BACKUP, target, place, pace, arguments, starts_job=starts_job)
    return world.operations.begin(call, work)


def accepted(call: "Call", operation: Operation, root: str = "", vaults: bool = False) -> Reply:
    """Answer 202 with the URLs below `root`; deletions are asked for at the vault (recorded)."""
    path = root or call.path
    names = ("backupOperations", "backupOperationResults") if vaults else ("operationsStatus", "operationResults")
    tail = signature(call, operation)
    base = call.base_url + path
    shown = REFRESH_VERSION if operation.work in OLDER_STATUS and call.version >= "2018" else call.version
    headers = {
        "Azure-AsyncOperation": f"{base}/{names[0]}/{operation.id}?api-version={shown}{tail}",
        "Location": f"{base}/{names[1]}/{operation.id}?api-version={call.version}{tail}",
        "Retry-After": "60",
    }
    if operation.work == "backup.refresh" and call.version < "2018":  # recorded: 2016-12-01 sends a Location alone
        del headers["Azure-AsyncOperation"]
    return Reply(202, b"", headers, operation)


def job_output(job_id: str) -> Document:
    """Write what an operation says of the job it made."""
    return {"objectType": "OperationStatusJobExtendedInfo", "jobId": job_id}


def _wanted(world: "World", call: "Call") -> Operation:
    vault = vault_of(world, call)
    operation = world.operations.get(call["operation"])
    mine = operation is not None and (operation.target + "/").startswith(vault.key + "/")
    if operation is None or not mine or operation.family is not Family.BACKUP:
        message = f"Operation {call['operation']} was not found."
        raise ArmError(404, "BMSUserErrorOperationNotFound", message)
    return operation


def status(world: "World", call: "Call") -> Reply:
    """Tell how an operation fares: once done, its end is its start (recorded)."""
    return told(_wanted(world, call))


def told(operation: Operation) -> Reply:
    """Write how an operation fares."""
    started = iso(operation.started)
    document: Document = {
        "id": operation.id,
        "name": operation.id,
        "status": operation.status,
        "startTime": started,
        "endTime": NEVER if operation.ended is None else started,
    }
    if operation.output is not None:
        document["properties"] = json.loads(operation.output)
    if operation.error is not None:
        document["error"] = operation.error
    return Reply(200, encode(document), {} if operation.ended else {"Retry-After": "60"})


def result(world: "World", call: "Call") -> Reply:
    """Answer a Location: 202 while work is under way, then 204, or the item itself below an item (specified)."""
    operation = _wanted(world, call)
    if operation.ended is None:
        where = f"{call.base_url}{call.path}?api-version={call.version}{signature(call, operation)}"
        return Reply(202, b"", {"Location": where, "Retry-After": "60"})
    if operation.error is not None:
        raise ArmError(400, str(operation.error["code"]), str(operation.error["message"]))
    found = world.store.get(operation.target)
    protected = operation.work in ("backup.protect", "backup.modify", "backup.stop", "backup.undelete")
    below_item = "item" in call.names and "/operationresults/" in call.path.lower()
    return Reply(200, found.body) if protected and below_item and found is not None else Reply(204)


_R, _S = Evidence.RECORDED, Evidence.SPECIFIED
_CLI = "azure-cli-2025-02/backup/test_backup_scenario"
_FABRIC = f"{ROOT}/backupFabrics/{{fabric}}"
_CONTAINER = f"{_FABRIC}/protectionContainers/{{container}}"
_SINCE = Versions("2016-06-01")
_PLACES = (
    # where, action, evidence of status and of result, source
    (f"{ROOT}/backupOperations", f"{VAULT}/backupOperations/read", status, _R, _CLI),
    (f"{ROOT}/backupOperationResults", f"{VAULT}/backupOperationResults/read", result, _S,
     "BackupOperationResults_Get"),
    (f"{_FABRIC}/operationsStatus", f"{VAULT}/backupFabrics/operationsStatus/read", status, Evidence.ASSUMED,
     "recorded as a header; az asks operationResults"),
    (f"{_FABRIC}/operationResults", f"{VAULT}/backupFabrics/operationResults/read", result, _R, _CLI),
    (f"{_CONTAINER}/operationResults", f"{VAULT}/backupFabrics/protectionContainers/operationResults/read", result,
     _S, "ProtectionContainerOperationResults_Get"),
    (f"{ITEM_ROOT}/operationsStatus", f"{ITEM}/operationsStatus/read", status, _S,
     "ProtectedItemOperationStatuses_Get; recorded as a header"),
    (f"{ITEM_ROOT}/operationResults", f"{ITEM}/operationResults/read", result, _S,
     "ProtectedItemOperationResults_Get; recorded as a header"),
    (f"{ROOT}/backupJobs/{{job}}/operationsStatus", f"{VAULT}/backupJobs/operationsStatus/read", status,
     Evidence.ASSUMED, "recorded as a header"),
    (f"{ROOT}/backupJobs/{{job}}/operationResults", f"{VAULT}/backupJobs/operationResults/read", result, _S,
     "JobOperationResults_Get"),
)  # fmt: skip
ROUTES = tuple(
    Route("GET", f"{where}/{{operation}}", action, handler, evidence, source, _SINCE)
    for where, action, handler, evidence, source in _PLACES
)
