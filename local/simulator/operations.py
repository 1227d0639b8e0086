"""Routes under which clients ask how an accepted operation fares: one document form per provider, as recorded."""

from typing import TYPE_CHECKING

from local.simulator.acceptance import wait_of
from local.simulator.answers import ArmError, Document, Reply, encode
from local.simulator.clock import compute_time
from local.simulator.lro import Family, Operation
from local.simulator.routing import Evidence, Route

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World


def wanted(world: "World", call: "Call") -> Operation:
    """Return the operation a poll asks for, or say that there is none."""
    operation = world.operations.get(call["operation"])
    if operation is None:
        raise ArmError(404, "NotFound", f"Operation {call['operation']} is not found.")
    return operation


WITH_OUTPUT = frozenset(
    {"run-command.run", "vm.disks", "vm.assess", "vm.install"}
)  # operations of the machine provider that say what came of them (recorded)

MOVES = frozenset({"group.move", "group.check-move"})


def compute_status(world: "World", call: "Call") -> Reply:
    """Answer for disk and virtual machine operations; `monitor=true` gives the bare result."""
    operation = wanted(world, call)
    if call.query.get("monitor", "").lower() == "true":
        return _monitored(call, operation)
    document: Document = {"startTime": compute_time(operation.started)}
    if operation.ended is not None:
        document["endTime"] = compute_time(operation.ended)
    document["status"] = operation.status
    headers = {} if operation.ended else wait_of(operation)
    tail: Document = {"name": operation.id}
    if operation.error is not None:
        tail = {"error": operation.error, **tail}
    if operation.output is None or not (operation.family is Family.DISK or operation.work in WITH_OUTPUT):
        return Reply(200, encode({**document, **tail}), headers)
    # The output is kept encoded; a snapshot's document would otherwise be written and read once more per poll.
    head, foot = encode(document)[:-1], encode(tail)[1:]
    return Reply(200, head + b',"properties":{"output":' + operation.output + b"}," + foot, headers)


def _monitored(call: "Call", operation: Operation) -> Reply:
    if operation.ended is None:
        return Reply(202, b"", {"Location": call.base_url + call.target, "Retry-After": "2"})
    if operation.error is not None:
        error = operation.error
        raise ArmError(409, str(error["code"]), str(error["message"]))
    return Reply(200, operation.output or b"")


def network_status(world: "World", call: "Call") -> Reply:
    """Answer for network operations: a status and nothing else."""
    operation = wanted(world, call)
    document: Document = {"status": operation.status}
    if operation.error is not None:
        document["error"] = operation.error
    return Reply(200, encode(document), {} if operation.ended else {"Retry-After": "3"})


def event_grid_status(world: "World", call: "Call") -> Reply:
    """Answer for Event Grid operations: the id is the full URL, the name in lower case."""
    operation = wanted(world, call)
    document: Document = {"id": call.base_url + call.target, "name": operation.id, "status": operation.status}
    if operation.error is not None:
        document["error"] = operation.error
    return Reply(200, encode(document), {} if operation.ended else {"Retry-After": "10"})


def event_grid_result(world: "World", call: "Call") -> Reply:
    """Answer the Location of an Event Grid operation."""
    operation = wanted(world, call)
    if operation.ended is None:
        return Reply(202, b"", {"Location": call.base_url + call.target, "Retry-After": "10"})
    return Reply(200)


def group_result(world: "World", call: "Call") -> Reply:
    """Answer the Location of a resource group's deletion: 202 until it is gone, then 200."""
    operation = wanted(world, call)
    if operation.ended is None:
        return Reply(202, b"", {"Location": call.base_url + call.target, "Retry-After": "15"})
    if operation.error is not None:
        raise ArmError(409, str(operation.error["code"]), str(operation.error["message"]))
    # Of moves ARM says nothing more (documented: 204).
    return Reply(204 if operation.work in MOVES else 200)


_ROOT = "/subscriptions/{subscription}/providers"
_POLL = ("Microsoft.Compute/GetOperation3Min", "Microsoft.Compute/GetOperation30Min")
_VM_POLL = ("Microsoft.Compute/GetOperationSubscriptionMaximum",)

ROUTES = (
    Route(
        "GET",
        f"{_ROOT}/Microsoft.Compute/locations/{{location}}/DiskOperations/{{operation}}",
        "Microsoft.Compute/locations/diskOperations/read",
        compute_status,
        Evidence.RECORDED,
        "azure-sdk-for-python-2022-05/azure-mgmt-compute, azure-cli-2025-02/vm/test_vm_managed_disk",
        policies=_POLL,
        open_to_all=True,
    ),
    Route(
        "GET",
        f"{_ROOT}/Microsoft.Compute/locations/{{location}}/operations/{{operation}}",
        "Microsoft.Compute/locations/operations/read",
        compute_status,
        Evidence.RECORDED,
        "azure-sdk-for-python-2022-05/azure-mgmt-compute",
        policies=_VM_POLL,
        open_to_all=True,
    ),
    Route(
        "GET",
        f"{_ROOT}/Microsoft.Network/locations/{{location}}/operations/{{operation}}",
        "Microsoft.Network/locations/operations/read",
        network_status,
        Evidence.RECORDED,
        "azure-sdk-for-python-2022-05/azure-mgmt-compute",
        open_to_all=True,
    ),
    Route(
        "GET",
        f"{_ROOT}/Microsoft.EventGrid/locations/{{location}}/operationsStatus/{{operation}}",
        "Microsoft.EventGrid/locations/operationsStatus/read",
        event_grid_status,
        Evidence.RECORDED,
        "azure-cli-2025-02/eventgrid",
        open_to_all=True,
    ),
    Route(
        "GET",
        f"{_ROOT}/Microsoft.EventGrid/operationsStatus/{{operation}}",
        "Microsoft.EventGrid/operationsStatus/read",
        event_grid_status,
        Evidence.RECORDED,
        "c7n-cassettes/AzureEventSubscriptionsTest",
        open_to_all=True,
    ),
    Route(
        "GET",
        f"{_ROOT}/Microsoft.Compute/locations/{{location}}/capsOperations/{{operation}}",
        "Microsoft.Compute/locations/capsOperations/read",
        compute_status,
        Evidence.RECORDED,
        "azure-sdk-for-python-2022-05/azure-mgmt-compute/test_compute_galleries",
        open_to_all=True,
    ),
    Route(
        "GET",
        f"{_ROOT}/Microsoft.EventGrid/locations/{{location}}/operationResults/{{operation}}",
        "Microsoft.EventGrid/locations/operationResults/read",
        event_grid_result,
        Evidence.ASSUMED,
        "clients poll operationsStatus; the Location is only recorded as a header",
        open_to_all=True,
    ),
    Route(
        "GET",
        "/subscriptions/{subscription}/operationresults/{operation}",
        "Microsoft.Resources/subscriptions/operationresults/read",
        group_result,
        Evidence.RECORDED,
        "azure-cli-2025-02/resource/test_resource_group",
        open_to_all=True,
    ),
)
