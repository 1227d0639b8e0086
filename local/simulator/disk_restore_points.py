"""Disk restore points: one per disk of a point, made when it is done; read by SAS, copied over time, never changed."""

from typing import TYPE_CHECKING

from local.simulator import volumes
from local.simulator.answers import ArmError, Document, Reply
from local.simulator.ids import key_of, parse
from local.simulator.listing import listed
from local.simulator.lro import Operation
from local.simulator.restore_point_rules import POINT
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.schedule import Happening
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

TYPE = "Microsoft.Compute/restorePointCollections/restorePoints/diskRestorePoints"
KIND = f"{POINT}/diskrestorepoints"
PLATFORM = {"type": "EncryptionAtRestWithPlatformKey"}
STATE_SINCE, VIEWED_SINCE = "2026-03-02", "2026-04-01"  # specified: the first models that have the state
SUCCEEDED = {"code": "ReplicationState/succeeded", "level": "Info", "displayStatus": "Succeeded"}
RUNNING = {"code": "ReplicationState/inprogress", "level": "Info", "displayStatus": "InProgress"}


def entries_of(properties: Document) -> list[Document]:
    """Return the disks a point tells of, the system's first."""
    profile = properties["sourceMetadata"]["storageProfile"]
    found: list[Document] = [disk for disk in [profile.get("osDisk"), *profile.get("dataDisks", [])] if disk]
    return found


def _source(world: "World", entry: Document) -> Resource | None:
    """Return what the data comes from: the disk, or for a copy the disk restore point of its source."""
    inner = (entry.get("diskRestorePoint") or {}).get("sourceDiskRestorePoint") or {}
    return world.store.get(key_of(str(inner.get("id") or (entry.get("managedDisk") or {}).get("id", ""))))


def contents_of(world: "World", properties: Document) -> dict[str, dict[str, str]]:
    """Return the blocks of every disk as of now: the instant of the point."""
    found = {}
    for entry in entries_of(properties):
        source = _source(world, entry)
        if source is not None:
            found[str(entry.get("lun", "os"))] = {str(block): digest for block, digest in source.content.items()}
    return found


def as_copied(properties: Document) -> Document:
    """Turn a point's disks into those of its copy: each names the disk restore point it comes from."""
    for entry in entries_of(properties):
        origin = entry.pop("diskRestorePoint", {})
        entry["diskRestorePoint"] = {"sourceDiskRestorePoint": {"id": origin.get("id")}}
    return properties


def make(world: "World", point: Resource, document: Document, at: float) -> None:
    """Make the disk restore points of a point and name them in its document."""
    notes = point.notes or {}
    contents, chosen = notes.get("contents") or {}, notes.get("encryption") or {}
    copied = "sourceRestorePoint" in document["properties"]
    for entry in entries_of(document["properties"]):
        source = _source(world, entry)
        name = f"{entry['name']}_{world.chance.guid()}"
        resource_id = f"{point.id}/diskRestorePoints/{name}"
        encryption = chosen.get(str(entry.get("lun", "os"))) or _encryption(source, copied)
        entry["diskRestorePoint"] = {"encryption": encryption, "id": resource_id, **_kept(entry)}
        blocks = contents.get(str(entry.get("lun", "os"))) or {}
        content = {int(block): digest for block, digest in blocks.items()}
        own = _document(world, resource_id, document, (entry, source))
        held = world.store.create(resource_id, own, at, content=content)
        seconds = _copying(world, held, source, own)
        if seconds:
            held.copying = (at, at + seconds)
            world.schedule.enter(at + seconds, "copied-point", held.key)


def _kept(entry: Document) -> Document:
    inner = entry.get("diskRestorePoint") or {}
    return {"sourceDiskRestorePoint": inner["sourceDiskRestorePoint"]} if "sourceDiskRestorePoint" in inner else {}


def _encryption(source: Resource | None, copied: bool) -> Document:
    """A point carries its disk's encryption, a copy falls back to platform keys (documented)."""
    found = (source.document()["properties"].get("encryption") if source else None) or PLATFORM
    if copied or found.get("type") == PLATFORM["type"]:
        return dict(PLATFORM)
    return {"type": found["type"], "diskEncryptionSet": {"id": found.get("diskEncryptionSetId")}}


def _document(world: "World", resource_id: str, point: Document, pair: tuple[Document, Resource | None]) -> Document:
    """Write a disk restore point (specified: DiskRP 2024-03-02 with its examples)."""
    entry, source = pair
    origin = source.document()["properties"] if source else {}
    place = point["properties"]["sourceMetadata"]["location"].lower()
    unique = origin.get("sourceUniqueId") if source and source.type == KIND else origin.get("uniqueId")
    copied = "sourceRestorePoint" in point["properties"]
    inner = entry["diskRestorePoint"]["encryption"]
    key = (inner.get("diskEncryptionSet") or {}).get("id")
    properties: Document = {
        "timeCreated": point["properties"]["timeCreated"],
        "sourceResourceId": source.id if source and copied else (entry.get("managedDisk") or {}).get("id"),
        **({"osType": entry["osType"]} if "osType" in entry else {}),
        "hyperVGeneration": point["properties"]["sourceMetadata"].get("hyperVGeneration", "V1"),
        "familyId": world.chance.guid_of(f"family {unique} {resource_id.split('/restorePoints/')[0]}".lower()),
        "sourceUniqueId": unique,
        "encryption": {"type": inner["type"], **({"diskEncryptionSetId": key} if key else {})},
        "networkAccessPolicy": origin.get("networkAccessPolicy", "AllowAll"),
        "publicNetworkAccess": origin.get("publicNetworkAccess", "Enabled"),
        "diskSizeGB": entry.get("diskSizeGB") or origin.get("diskSizeGB"),
    }
    if copied:
        properties |= {"sourceResourceLocation": place, "replicationState": "Pending", "completionPercent": 0}
    return {"id": resource_id, "name": resource_id.rsplit("/", 1)[-1], "type": TYPE, "properties": properties}


def _copying(world: "World", held: Resource, source: Resource | None, document: Document) -> float:
    """Seconds the data needs after the point exists: none in its own region, some elsewhere (pace assumed)."""
    share = world.chance.share(f"copy {held.key}")
    size = int(document["properties"].get("diskSizeGB") or 32)
    if "sourceResourceLocation" in document["properties"]:
        return float(min(6 * 3600, 120 + size * (5 + 10 * share)))
    sku = str(((source.document() if source else {}).get("sku") or {}).get("name", "")).lower()
    return float(min(6 * 3600, 60 + size * (1 + 2 * share))) if sku in volumes.BACKGROUND else 0.0


def copied(world: "World", happening: Happening) -> None:
    """End a copy in the background."""
    found, at = world.store.get(happening.target), happening.due
    if found is None:
        return
    document = found.document()
    if "replicationState" in document["properties"]:
        document["properties"] |= {"replicationState": "Succeeded", "completionPercent": 100}
    world.store.write(found, document, at)


def view(world: "World", point: Resource, call: "Call") -> Document:
    """Write how far a point's data is (specified: RestorePoint_Get_WithInstanceView)."""
    shown, whole = [], True
    for held in world.store.all_of(point.key, KIND):
        percent = held.percent(call.now)
        done = percent is None or percent >= 100
        whole = whole and done
        status: Document = {
            "status": dict(SUCCEEDED if done else RUNNING),
            "completionPercent": 100 if percent is None else int(percent),
        }
        one: Document = {"id": held.id, "replicationStatus": status}
        if call.version >= VIEWED_SINCE:
            one["snapshotAccessState"] = "Available" if done else "Pending"
        shown.append(one)
    return {"diskRestorePoints": shown, "statuses": [dict(SUCCEEDED if whole else RUNNING)]}


def _rendered(held: Resource, call: "Call") -> Document:
    document, percent = held.document(), held.percent(call.now)
    properties: Document = document["properties"]
    properties.pop("diskSizeGB", None)
    if percent is not None and percent < 100 and "replicationState" in properties:
        properties |= {"replicationState": "InProgress", "completionPercent": percent}
    if call.version >= STATE_SINCE:
        properties["snapshotAccessState"] = "Available" if percent is None or percent >= 100 else "Pending"
    return document


def get(world: "World", call: "Call") -> Reply:
    """Answer one disk restore point."""
    return Reply.of(_rendered(world.resource(call.path, TYPE), call))


def of_point(world: "World", call: "Call") -> Reply:
    """List the disk restore points of a point."""
    point = world.resource(call.path.rsplit("/", 1)[0], TYPE.rsplit("/", 1)[0])
    return listed(world, call, point.key, KIND, lambda held: Reply.of(_rendered(held, call)).body)


def check_unread(world: "World", point: Resource) -> None:
    """Refuse to remove what is being read (as for snapshots; assumed)."""
    for held in world.store.all_of(point.key, KIND):
        if (held.notes or {}).get("access"):
            message = f"There is an active shared access signature outstanding for {held.id}. Call EndGetAccess first."
            raise ArmError(409, "OperationNotAllowed", message)


def begin_access(world: "World", call: "Call") -> Reply:
    """Accept a request for a SAS."""
    return volumes.begin_access(world, call, "point", TYPE)


def end_access(world: "World", call: "Call") -> Reply:
    """Accept the end of a SAS."""
    return volumes.end_access(world, call, "point", TYPE)


def finish_access(world: "World", operation: Operation, at: float) -> Document:
    """Grant the SAS."""
    found = world.store.get(operation.target)
    if found is None:
        raise ArmError(404, "NotFound", f"Resource {parse(operation.target).name} is not found.")
    found.notes = {**(found.notes or {}), "access": at + operation.arguments["seconds"]}
    world.store.touch(found, at)
    world.schedule.enter(at + operation.arguments["seconds"] + volumes.NOTICED_LATE, "point-access", found.key)
    return volumes.granted(world, found.key)


def finish_revoke(world: "World", operation: Operation, at: float) -> None:
    """Take the SAS back."""
    _close(world, operation.target, at)


def access_expired(world: "World", happening: Happening) -> None:
    """Let a SAS run out."""
    _close(world, happening.target, happening.due)


def _close(world: "World", key: str, at: float) -> None:
    found = world.store.get(key)
    if found is not None and found.notes:
        found.notes = {name: value for name, value in found.notes.items() if name != "access"}
        world.store.touch(found, at)


_ALL = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/restorePointCollections"
    "/{collection}/restorePoints/{point}/diskRestorePoints"
)
_ONE, _S = _ALL + "/{name}", Evidence.SPECIFIED
_SINCE, _RP = Versions("2020-09-30"), "DiskRP 2024-03-02 DiskRestorePoint_"
_READ = ("Microsoft.Compute/LowCostGet3Min", "Microsoft.Compute/LowCostGet30Min")
_HYDRATE = ("Microsoft.Compute/HighCostDiskHydrate3Min", "Microsoft.Compute/HighCostDiskHydrate30Min")
ROUTES = (
    Route("GET", _ONE, f"{TYPE}/read", get, _S, f"{_RP}Get", _SINCE, _READ),
    Route("GET", _ALL, f"{TYPE}/read", of_point, _S, f"{_RP}ListByRestorePoint", _SINCE, _READ, lists=True),
    Route("POST", _ONE + "/beginGetAccess", f"{TYPE}/beginGetAccess/action", begin_access, _S, f"{_RP}GrantAccess",
          _SINCE, _HYDRATE),
    Route("POST", _ONE + "/endGetAccess", f"{TYPE}/endGetAccess/action", end_access, _S, f"{_RP}RevokeAccess", _SINCE,
          _HYDRATE),
)  # fmt: skip
FINISHERS = {"point.access": finish_access, "point.revoke": finish_revoke}
