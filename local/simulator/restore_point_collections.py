"""Restore point collections: bound to one machine, or to a collection of another region whose points are copied."""

from typing import TYPE_CHECKING

from local.simulator import images
from local.simulator.answers import ArmError, Document
from local.simulator.ids import key_of, parse
from local.simulator.kinds import Kind, Making, head
from local.simulator.lro import Family
from local.simulator.restore_point_rules import MOST_COLLECTIONS, POINT
from local.simulator.routing import Evidence, Versions
from local.simulator.store import Resource
from local.simulator.tracked import serve

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

TYPE = "Microsoft.Compute/restorePointCollections"
MACHINE = "microsoft.compute/virtualmachines"


def _document(making: Making) -> Document:
    """Write a collection; done at once (recorded)."""
    document = head(making)
    before = (making.before or {}).get("properties", {})
    asked = (making.body.get("properties") or {}).get("source") or before.get("source") or {}
    source = _source(making, str(asked.get("id", "")), str(document["location"]))
    if before and key_of(before["source"]["id"]) != key_of(source.id):
        message = "Changing property 'restorePointCollection.source.id' is not allowed."
        raise ArmError(409, "PropertyChangeNotAllowed", message, target="restorePointCollection.source.id")
    place = source.document()["location"]
    properties = {
        "source": {"location": images.WRITTEN.get(place, place), "id": asked["id"]},
        "restorePointCollectionId": before.get("restorePointCollectionId") or making.world.chance.guid(),
        "provisioningState": "Succeeded",
    }
    return {**document, "properties": properties}


def _source(making: Making, source_id: str, location: str) -> Resource:
    """Return what points are taken of: a machine of the same region, a collection of another (documented)."""
    world = making.world
    if not source_id:
        message = "Required parameter 'restorePointCollection.source.id' is missing (null)."
        raise ArmError(400, "InvalidParameter", message, target="restorePointCollection.source.id")
    found = world.store.get(key_of(source_id))
    if found is None or found.type not in (MACHINE, TYPE.lower()):
        raise ArmError(404, "NotFound", f"Resource {parse(source_id).name} is not found.")
    if (found.document()["location"] == location) is not (found.type == MACHINE):
        where = "the region of its source" if found.type == MACHINE else "another region than its source"
        message = f"Restore point collection {making.resource_id.rsplit('/', 1)[-1]} must be in {where}."
        raise ArmError(400, "InvalidParameter", message, target="location")
    world.access.check_linked(making.call.principal.oid, making.call.route.action, making.resource_id, [found.id])
    if making.before is None and len(world.store.all_of(_region_scope(making), TYPE.lower())) >= MOST_COLLECTIONS:
        message = f"The subscription has reached the maximum of {MOST_COLLECTIONS} restore point collections."
        raise ArmError(409, "OperationNotAllowed", message)
    return found


def _region_scope(making: Making) -> str:
    return "/".join(key_of(making.resource_id).split("/")[:3])


def _shown(world: "World", held: Resource, call: "Call") -> Document:
    document = held.document()
    if call.query.get("$expand", "").lower() == "restorepoints":
        points = [point.document() for point in world.store.all_of(held.key, POINT)]
        state = document["properties"].pop("provisioningState")
        document["properties"].update(restorePoints=points, provisioningState=state)
    return document


def _check_access(world: "World", held: Resource, _call: "Call") -> None:
    """Points that are being read stay (as for snapshots; assumed)."""
    for each in world.store.all_of(held.key, f"{POINT}/diskrestorepoints"):
        if (each.notes or {}).get("access"):
            message = f"There is an active shared access signature outstanding for {each.id}. Call EndGetAccess first."
            raise ArmError(409, "OperationNotAllowed", message)


def _policy(verb: str, own: bool = True) -> tuple[str, ...]:
    whole = f"Microsoft.Compute/{verb}SubscriptionMaximum"
    return (f"Microsoft.Compute/{verb}Resource", whole) if own else (whole,)


KIND = Kind(
    TYPE,
    Evidence.RECORDED,
    "azure-cli-2025-02/vm/test_restore_point_collection, test_restore_point",
    Versions("2021-03-01"),
    accept=_document,
    show=_shown,
    check_delete=_check_access,
    deletion=Family.COMPUTE,
    pace="collection",
    list_evidence=Evidence.RECORDED,
    policies={
        "PUT": _policy("PutRestorePointCollection"),
        "PATCH": _policy("UpdateRestorePointCollection"),
        "GET": _policy("LowCostGetRestorePoint", own=False),
        "LIST": _policy("HighCostGetRestorePoint", own=False),
        "DELETE": _policy("DeleteRestorePoint", own=False),
    },
)
ROUTES = serve(KIND)
