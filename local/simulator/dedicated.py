"""Hardware kept for one tenant: hosts in host groups, capacity reserved for sizes in capacity reservation groups.

What a group or host holds is read from the machines that name it. All of it is documented; nothing was recorded.
"""

from typing import TYPE_CHECKING

from local.simulator.acceptance import accepted
from local.simulator.answers import ArmError, Document, Reply
from local.simulator.clock import compute_time
from local.simulator.kinds import Kind, Making, as_asked
from local.simulator.lro import Family, Operation, Work
from local.simulator.machine_sizes import SIZES
from local.simulator.placement import check_unused, members_of
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.tracked import serve, template_of

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

HOST_GROUP = "Microsoft.Compute/hostGroups"
HOST = f"{HOST_GROUP}/hosts"
CAPACITY_GROUP = "Microsoft.Compute/capacityReservationGroups"
CAPACITY = f"{CAPACITY_GROUP}/capacityReservations"
COMPUTED = ("hostId", "reservationId", "provisioningTime", "timeCreated", "virtualMachines",
            "virtualMachinesAssociated")  # fmt: skip


def _children(world: "World", held: Resource, kind: str) -> list[Resource]:
    return world.store.all_of(held.key, kind.lower())


def _without_children(world: "World", held: Resource, call: "Call") -> None:
    """A group that still holds something stays (ARM's rule, documented)."""
    for kind in (HOST, CAPACITY):
        if _children(world, held, kind):
            message = "Cannot delete resource while nested resources exist."
            raise ArmError(409, "CannotDeleteResource", f"{message} Some existing nested resource IDs are below it.")
    check_unused(world, held, call)


def _expanded(call: "Call") -> bool:
    return call.query.get("$expand", "").lower() == "instanceview"


def _host_group(world: "World", held: Resource, call: "Call") -> Document:
    document, hosts = held.document(), _children(world, held, HOST)
    document["properties"]["hosts"] = [{"id": each.id} for each in hosts]
    if _expanded(call):
        views = [{"name": each.document()["name"], **_host_view(world, each)} for each in hosts]
        document["properties"]["instanceView"] = {"hosts": views}
    return document


def _started(making: Making, name: str) -> Document:
    """Write a host or reservation as accepted: what the platform computes stays as it was."""
    if not (making.body.get("sku") or {}).get("name"):
        raise ArmError(400, "InvalidParameter", "Required parameter 'sku.name' is missing (null).", target="sku.name")
    document, before = as_asked(making), (making.before or {}).get("properties", {})
    kept = {each: before[each] for each in COMPUTED if each in before}
    computed = {name: making.world.chance.guid_of(f"{name} {making.resource_id.lower()}"), **kept}
    document["properties"].update(computed)
    return document


def _host(making: Making) -> Document:
    return _started(making, "hostId")


def _finished(_world: "World", document: Document, at: float) -> Document:
    document["properties"].setdefault("provisioningTime", compute_time(at))
    document["properties"].setdefault("timeCreated", compute_time(at))
    return document


def _host_shown(world: "World", held: Resource, call: "Call") -> Document:
    document = held.document()
    document["properties"]["virtualMachines"] = members_of(world, held)
    if _expanded(call):
        document["properties"]["instanceView"] = _host_view(world, held)
    return document


def _host_view(world: "World", held: Resource) -> Document:
    status = {"code": "HealthState/available", "level": "Info", "displayStatus": "Host available"}
    return {
        "assetId": world.chance.guid_of(f"asset {held.key}"),
        "availableCapacity": {"allocatableVMs": [{"vmSize": size.name, "count": 1.0} for size in SIZES[-3:]]},
        "statuses": [status],
    }


def host_sizes(world: "World", call: "Call") -> Reply:
    """List the sizes that fit on a host."""
    world.resource(call.path.rsplit("/", 1)[0], HOST)
    return Reply.of({"value": [size.name for size in SIZES]})


def restart(world: "World", call: "Call") -> Reply:
    """Restart or move a host (202); machines on it come back as they were."""
    found = world.resource(call.path.rsplit("/", 1)[0], HOST)
    work = Work("host.act", Family.COMPUTE, found, world.place_of(found), "vm.power", {})
    return accepted(call, world.operations.begin(call, work), 202, None, location=True)


def finish_restart(_world: "World", _operation: Operation, _at: float) -> None:
    """Nothing is different afterwards."""


def _reserved_group(world: "World", held: Resource, call: "Call") -> Document:
    document, reserved = held.document(), _children(world, held, CAPACITY)
    if reserved:
        document["properties"]["capacityReservations"] = [{"id": each.id} for each in reserved]
    machines = members_of(world, held)
    if machines:
        document["properties"]["virtualMachinesAssociated"] = machines
    if _expanded(call):
        views = [{"name": each.document()["name"], **_reservation_view(each)} for each in reserved]
        document["properties"]["instanceView"] = {"capacityReservations": views}
    return document


def _reservation(making: Making) -> Document:
    document = _started(making, "reservationId")
    document["properties"].setdefault("platformFaultDomainCount", 1)
    return document


def _reservation_shown(_world: "World", held: Resource, call: "Call") -> Document:
    document = held.document()
    if _expanded(call):
        document["properties"]["instanceView"] = _reservation_view(held)
    return document


def _reservation_view(held: Resource) -> Document:
    document = held.document()
    status = {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
        "time": document["properties"].get("provisioningTime"),
    }
    capacity = document["sku"].get("capacity", 1)
    return {"utilizationInfo": {"currentCapacity": capacity, "virtualMachinesAllocated": []}, "statuses": [status]}


_D = Evidence.DOCUMENTED
HOST_GROUPS = Kind(
    HOST_GROUP, _D, "DedicatedHostGroups_CreateOrUpdate", Versions("2019-03-01"), deleted=200,
    check_delete=_without_children, first=_host_group, show=_host_group, read_only=("hosts",),
)  # fmt: skip
HOSTS = Kind(
    HOST, _D, "DedicatedHosts_CreateOrUpdate", Versions("2019-03-01"), family=Family.COMPUTE, pace="host",
    accept=_host, finish=_finished, show=_host_shown, check_delete=check_unused, read_only=COMPUTED,
    defaults={"platformFaultDomain": 0, "autoReplaceOnFailure": True},
)  # fmt: skip
CAPACITY_GROUPS = Kind(
    CAPACITY_GROUP, _D, "CapacityReservationGroups_CreateOrUpdate", Versions("2021-04-01"), deleted=200,
    check_delete=_without_children, show=_reserved_group,
    read_only=("capacityReservations", "virtualMachinesAssociated"),
)  # fmt: skip
CAPACITIES = Kind(
    CAPACITY, _D, "CapacityReservations_CreateOrUpdate", Versions("2021-04-01"), family=Family.COMPUTE, pace="host",
    accept=_reservation, finish=_finished, show=_reservation_shown, read_only=COMPUTED,
)  # fmt: skip
_ONE = template_of(HOST)
ROUTES = (
    *serve(HOST_GROUPS),
    *serve(HOSTS),
    *serve(CAPACITY_GROUPS),
    *serve(CAPACITIES),
    Route("POST", f"{_ONE}/restart", f"{HOST}/restart/action", restart, _D, "DedicatedHosts_Restart",
          Versions("2021-03-01")),
    Route("POST", f"{_ONE}/redeploy", f"{HOST}/redeploy/action", restart, _D, "DedicatedHosts_Redeploy",
          Versions("2023-07-03")),
    Route("GET", f"{_ONE}/hostSizes", f"{HOST}/hostSizes/read", host_sizes, _D, "DedicatedHosts_ListAvailableSizes",
          Versions("2021-07-01")),
)  # fmt: skip
FINISHERS = {"host.act": finish_restart}
