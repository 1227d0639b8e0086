"""What disks lean on: encryption sets with the keys they name, and disk accesses for private export."""

from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document, Reply
from local.simulator.clock import compute_time
from local.simulator.ids import key_of
from local.simulator.kinds import Kind, Making, as_asked, head, with_principal
from local.simulator.lro import Family
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource
from local.simulator.tracked import serve, template_of

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

SET = "Microsoft.Compute/diskEncryptionSets"
ACCESS = "Microsoft.Compute/diskAccesses"
ENCRYPTED = ("microsoft.compute/disks", "microsoft.compute/snapshots", "microsoft.compute/images")
NAMED_SINCE = "2022-07-02"  # recorded: the first answer of 2022-03-02 leaves out what ARM added


def _set_document(making: Making) -> Document:
    document = as_asked(making)
    key = document["properties"].get("activeKey")
    if not isinstance(key, dict) or not key.get("keyUrl"):
        raise ArmError(400, "InvalidParameter", "Required parameter 'activeKey' is missing (null).", target="activeKey")
    old = ((making.before or {}).get("properties") or {}).get("activeKey")
    if old and old != key:
        document["properties"]["previousKeys"] = [*(making.before or {})["properties"].get("previousKeys", []), old]
    return document


def _set_first(_world: "World", held: Resource, call: "Call") -> Document:
    document = held.document()
    if call.version >= NAMED_SINCE:
        return document
    return {name: value for name, value in document.items() if name not in ("name", "id", "type")}


def _set_finished(world: "World", document: Document, _at: float) -> Document:
    if isinstance(document.get("identity"), dict):
        document["identity"] = with_principal(world, document["id"], document["identity"])
    document["properties"].setdefault("encryptionType", "EncryptionAtRestWithCustomerKey")
    return document


def _users(world: "World", held: Resource) -> list[Resource]:
    """Return the disks, snapshots and images encrypted with a set's key."""
    scope = "/".join(held.key.split("/")[:3])
    found = [each for kind in ENCRYPTED for each in world.store.all_of(scope, kind)]
    return [each for each in found if held.key in {key_of(one) for one in _sets_in(each.document())}]


def _sets_in(document: Document) -> list[str]:
    encryption = document.get("properties", {}).get("encryption") or {}
    found = encryption.get("diskEncryptionSetId")
    return [str(found)] if found else []


def associated(world: "World", call: "Call") -> Reply:
    """List what is encrypted with a set; names come in capitals (recorded)."""
    held = world.resource(call.path.rsplit("/", 1)[0], SET)
    ids = [each.id for each in _users(world, held)]
    return Reply.of({"value": [f"{one.rsplit('/', 1)[0]}/{one.rsplit('/', 1)[1].upper()}" for one in ids]})


def _unused(world: "World", held: Resource, _call: "Call") -> None:
    users = _users(world, held)
    if users:
        message = f"Disk encryption set {held.id.rsplit('/', 1)[-1]} is used by {users[0].id} and cannot be deleted."
        raise ArmError(409, "OperationNotAllowed", message)


def _access_document(making: Making) -> Document:
    document = head(making)
    created = ((making.before or {}).get("properties") or {}).get("timeCreated")
    return {**document, "properties": {"timeCreated": created} if created else {}}


def _access_first(_world: "World", held: Resource, _call: "Call") -> Document:
    return {name: value for name, value in held.document().items() if name != "properties"}


def _access_finished(_world: "World", document: Document, at: float) -> Document:
    document["properties"].setdefault("timeCreated", compute_time(at))
    return document


def private_links(world: "World", call: "Call") -> Reply:
    """List what a private endpoint of a disk access can reach (documented: its one group is `disks`)."""
    found = world.resource(call.path.rsplit("/", 1)[0], ACCESS)
    zones = {"requiredMembers": ["diskRp"], "requiredZoneNames": ["privatelink.blob.core.windows.net"]}
    head = {"id": f"{found.id}/privateLinkResources/disks", "name": "disks", "type": f"{ACCESS}/privateLinkResources"}
    return Reply.of({"value": [{"properties": {"groupId": "disks", **zones}, **head}]})


def private_endpoints(world: "World", call: "Call") -> Reply:
    """List the private endpoints of a disk access: none are simulated."""
    world.resource(call.path.rsplit("/", 1)[0], ACCESS)
    return Reply.of({"value": []})


def _windows(name: str) -> tuple[str, ...]:
    return (f"Microsoft.Compute/{name}3Min", f"Microsoft.Compute/{name}30Min")


_R = Evidence.RECORDED
SETS = Kind(
    SET, _R, "azure-cli-2025-02/vm/test_disk_encryption_set_snapshot", Versions("2019-07-01"), family=Family.DISK,
    pace="set", created=202, changed=202, creating="Updating", accept=_set_document, first=_set_first,
    finish=_set_finished, check_delete=_unused, read_only=("previousKeys", "lastKeyRotationTimestamp"),
    patch_evidence=Evidence.DOCUMENTED, policies={"GET": _windows("LowCostGet")},
)  # fmt: skip
ACCESSES = Kind(
    ACCESS, _R, "azure-cli-2025-02/vm/test_disk_access", Versions("2020-05-01"), family=Family.DISK, pace="set",
    created=202, changed=202, creating="Updating", accept=_access_document, first=_access_first,
    finish=_access_finished, patch_evidence=Evidence.DOCUMENTED, list_evidence=_R,
    policies={"LIST": _windows("HighCostGet")},
)  # fmt: skip
ROUTES = (
    *serve(SETS),
    *serve(ACCESSES),
    Route("GET", template_of(ACCESS) + "/privateLinkResources", f"{ACCESS}/privateLinkResources/read", private_links,
          Evidence.DOCUMENTED, "DiskAccesses_GetPrivateLinkResources", ACCESSES.versions, lists=True),
    Route("GET", template_of(ACCESS) + "/privateEndpointConnections", f"{ACCESS}/privateEndpointConnections/read",
          private_endpoints, Evidence.DOCUMENTED, "DiskAccesses_ListPrivateEndpointConnections", ACCESSES.versions,
          lists=True),
    Route("GET", template_of(SET) + "/associatedResources", f"{SET}/associatedResources/read", associated, _R,
          SETS.source, SETS.versions, lists=True),
)  # fmt: skip
