"""Routes under which clients ask how an operation on a vault fares; a deletion's are gone soon after the vault."""

import base64
from typing import TYPE_CHECKING

from local.simulator import backup_operations
from local.simulator.answers import ArmError, Document, Reply, encode
from local.simulator.lro import Operation
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.schedule import Happening
from local.simulator.vault_ids import ROOT, VAULT, vault_of
from local.simulator.vault_shapes import shown

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

# How long a deletion can still be asked for: polls a second after it are answered, those a minute after are not
# (recorded).
REMEMBERED_SECONDS, FORGOTTEN = 10.0, "vault-forgotten"


def forget(world: "World", happening: Happening) -> None:
    """Let the operation of a deletion be gone with its vault."""
    operation = world.operations.get(happening.target)
    if operation is not None:
        operation.fate = "lose"
        world.operations.keep(operation)


def status(world: "World", call: "Call") -> Reply:
    """Tell how a vault's operation fares; a deletion's is gone soon after the vault (recorded: 404 in 8 of 21)."""
    operation = _wanted(world, call)
    root = call.path.rsplit("/", 1)[0]
    document: Document = {"id": f"{root}/{call['operation']}", "name": call["operation"], "status": operation.status}
    if operation.error is not None:
        document["error"] = operation.error
    headers = {}
    if operation.ended is None:
        headers = backup_operations.vault_headers(call, operation, call.path.rsplit("/", 2)[0], call["operation"])
    return Reply(200, encode(document), headers)


def result(world: "World", call: "Call") -> Reply:
    """Answer a vault operation's Location: 202, then what came of it."""
    operation = _wanted(world, call)
    if operation.ended is None:
        where = call.path.rsplit("/", 2)[0]
        return Reply(202, b"", backup_operations.vault_headers(call, operation, where, call["operation"]))
    if operation.error is not None:
        raise ArmError(409, str(operation.error["code"]), str(operation.error["message"]))
    found = world.store.get(operation.target)
    return Reply.of(shown(found)) if found is not None else Reply(204)


def _wanted(world: "World", call: "Call") -> Operation:
    operation = world.operations.get(_guid_in(call["operation"]))
    if operation is None:
        vault_of(world, call)
        raise ArmError(404, "ResourceNotFound", f"Operation {call['operation']} was not found.")
    return operation


def _guid_in(token: str) -> str:
    try:
        return base64.b64decode(token.encode() + b"=" * (-len(token) % 4)).decode().partition(";")[2]
    except ValueError:
        return token


_CLI, _OLD = "azure-cli-2025-02/backup/test_backup_vault, test_backup_identity", Versions("2016-06-01")
ROUTES = (
    Route("GET", f"{ROOT}/operationStatus/{{operation}}", f"{VAULT}/operationStatus/read", status,
          Evidence.RECORDED, _CLI, _OLD, open_to_all=True),
    Route("GET", f"{ROOT}/operationResults/{{operation}}", f"{VAULT}/operationResults/read", result,
          Evidence.SPECIFIED, "GetOperationResult; recorded as a header only", _OLD, open_to_all=True),
)  # fmt: skip
HAPPENINGS = {FORGOTTEN: forget}
