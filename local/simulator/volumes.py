"""What disks and snapshots have in common: how a body is taken in, what appears after success, access by SAS,
deletion.
"""

from typing import TYPE_CHECKING, Any

from local.simulator import images
from local.simulator.acceptance import accepted
from local.simulator.answers import ArmError, Document, Reply, invalid
from local.simulator.clock import compute_time
from local.simulator.ids import key_of, parse
from local.simulator.lro import Family, Operation, Work
from local.simulator.schedule import Happening
from local.simulator.store import Resource
from local.simulator.tagging import checked

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

# Read-only properties: a client that echoes them in a PUT changes nothing (recorded: test_vm_managed_disk).
READ_ONLY = (
    "timeCreated", "uniqueId", "diskSizeBytes", "diskState", "provisioningState", "diskIOPSReadWrite",
    "diskMBpsReadWrite", "incrementalSnapshotFamilyId", "completionPercent", "snapshotAccessState",
    "copyCompletionError",
)  # fmt: skip
BACKGROUND = frozenset({"premiumv2_lrs", "ultrassd_lrs"})
PROVISIONED = ("diskIOPSReadWrite", "diskMBpsReadWrite")  # clients choose these of such disks (specified)
# Disks whose contents a client brings: until then they wait (specified: diskState).
UPLOADS = frozenset({"upload", "uploadpreparedsecure"})
FOOTER = 512  # bytes that a VHD has beside the disk's own (specified: uploadSizeBytes)
GIB = 1024**3
# The provider notices late that a SAS ran out (recorded: still ActiveSAS 138 s after the end of one of 10 s; how late
# is assumed).
NOTICED_LATE = 300.0
LARGEST_GIB = 65536
UNKNOWN_GIB = 30  # what is imported from a blob, which is not simulated (assumed)
READ_BY_OTHERS = ("ActiveSAS", "ActiveUpload")


def source_of(document: Document) -> str:
    """Return the id of what a disk or snapshot is made from, empty where it has none."""
    creation = document.get("properties", {}).get("creationData") or {}
    return str(creation.get("sourceResourceId") or creation.get("sourceUri") or "")


def written_by_client(properties: Document | None, sku: Document | None) -> Document:
    """Return the members that a client may write: performance is the client's where it is provisioned."""
    mine = PROVISIONED if str((sku or {}).get("name", "")).lower() in BACKGROUND else ()
    return {name: value for name, value in (properties or {}).items() if name not in READ_ONLY or name in mine}


def taken_in(call: "Call", resource_id: str, kind: str) -> Document:
    """Write the first document of a PUT: the request, named, `Updating`; nothing computed yet (recorded)."""
    body = call.body()
    if not body.get("location"):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    properties = written_by_client(body.get("properties"), body.get("sku"))
    creation = properties.get("creationData")
    if not isinstance(creation, dict) or not creation.get("createOption"):
        raise invalid("Required parameter 'creationData.createOption' is missing (null).", "creationData.createOption")
    if str(creation["createOption"]).lower() in UPLOADS and not isinstance(creation.get("uploadSizeBytes"), int):
        raise invalid("Required parameter 'uploadSizeBytes' is missing (null).", "creationData.uploadSizeBytes")
    size = properties.get("diskSizeGB")
    if size is not None and (not isinstance(size, int) or not 1 <= size <= LARGEST_GIB):
        raise invalid(f"The value '{size}' of parameter 'diskSizeGB' is out of range.", "diskSizeGB")
    document: Document = {
        "name": resource_id.rsplit("/", 1)[-1],
        "id": resource_id,
        "type": kind,
        "location": str(body["location"]).lower().replace(" ", ""),
    }
    if body.get("tags") is not None:
        document["tags"] = checked(body["tags"])
    document.update({name: body[name] for name in ("zones", "sku", "extendedLocation") if body.get(name) is not None})
    return {**document, "properties": {**properties, "provisioningState": "Updating"}}


def source_document(world: "World", document: Document) -> tuple[Resource, Document] | None:
    """Return the disk or snapshot something is made from, or refuse in the compute provider's own words (recorded)."""
    source = source_of(document)
    if not source or source.startswith(("http://", "https://")):  # a blob, whose contents nobody simulates
        return None
    found = world.store.get(key_of(source))
    if found is None:
        raise ArmError(404, "NotFound", f"Resource {parse(source).name} is not found.")
    return found, {"name": parse(found.id).name, "location": world.place_of(found), **found.document()}


def completed(document: Document, before: Document, source: Document | None, at: float) -> Document:
    """Return the properties both kinds have once the work is done."""
    properties = document["properties"]
    size = properties.get("diskSizeGB") or before.get("diskSizeGB")
    creation = dict(properties["creationData"])
    if source is not None:
        if "sourceUri" in creation:  # an id given as a URI comes back as an id (recorded)
            creation["sourceResourceId"] = creation.pop("sourceUri")
        from_source = source["properties"]
        creation["sourceUniqueId"] = from_source.get("uniqueId")
        size = size or from_source.get("diskSizeGB")
        sector = from_source.get("creationData", {}).get("logicalSectorSize")
        if sector is not None:
            creation.setdefault("logicalSectorSize", sector)
        for name in ("osType", "hyperVGeneration", "supportedCapabilities", "securityProfile", "purchasePlan"):
            if name in from_source:
                properties.setdefault(name, from_source[name])
    elif "sourceUniqueId" in before.get("creationData", {}):
        creation["sourceUniqueId"] = before["creationData"]["sourceUniqueId"]
    image = images.image_of_reference(str((creation.get("imageReference") or {}).get("id", "")))
    if image is not None:
        size = size or image.gib
        for name, value in images.abilities(image).items():
            properties.setdefault(name, value)
        properties.setdefault("osType", image.system)
        properties.setdefault("hyperVGeneration", image.generation)
    brought = int(creation["uploadSizeBytes"]) - FOOTER if _is_upload(creation) else None
    blob = UNKNOWN_GIB if str(creation.get("sourceUri", "")).startswith(("http://", "https://")) else None
    size = size or (brought and -(-brought // GIB)) or blob
    if not size:
        raise ArmError(
            400, "InvalidParameter", "Required parameter 'diskSizeGB' is missing (null).", target="diskSizeGB"
        )
    return {
        **{name: value for name, value in properties.items() if name != "creationData"},
        "creationData": creation,
        "diskSizeGB": size,
        "encryption": properties.get("encryption")
        or before.get("encryption")
        or {"type": "EncryptionAtRestWithPlatformKey"},
        "networkAccessPolicy": properties.get("networkAccessPolicy") or before.get("networkAccessPolicy") or "AllowAll",
        "publicNetworkAccess": properties.get("publicNetworkAccess") or before.get("publicNetworkAccess") or "Enabled",
        "timeCreated": before.get("timeCreated") or compute_time(at),
        "provisioningState": "Succeeded",
        "diskState": before.get("diskState") or ("ReadyToUpload" if brought else "Unattached"),
        "diskSizeBytes": _bytes(int(size), brought, image),
    }


def _bytes(gib: int, brought: int | None, image: images.Image | None) -> int:
    if brought and gib == -(-brought // GIB):
        return brought
    return images.bytes_of(image, gib) if image else gib * GIB


def _is_upload(creation: Document) -> bool:
    return str(creation.get("createOption")).lower() in UPLOADS


def with_tier(sku: Document | None, otherwise: str) -> Document:
    """Return a SKU with its tier, which the provider adds (recorded)."""
    name = (sku or {}).get("name") or otherwise
    tier = name.split("_", 1)[0]
    return {"name": name, "tier": {"StandardSSD": "Standard", "UltraSSD": "Ultra"}.get(tier, tier)}


def patched(call: "Call", found: Resource) -> tuple[Document, Document]:
    """Return the document with a PATCH laid over it and the properties as they were."""
    document = found.document()
    body = call.body()
    before = dict(document["properties"])
    if "tags" in body:
        document["tags"] = checked(body["tags"])
    if body.get("sku"):
        document["sku"] = {**document.get("sku", {}), **body["sku"]}
    change = written_by_client(body.get("properties"), document.get("sku"))
    document["properties"] = {**before, **change}
    return document, before


def begin(world: "World", call: "Call", name: str, found: Resource, arguments: Document) -> Operation:
    """Begin an operation of the disk provider."""
    pace = "snapshot" if name.startswith("point.") else name.split(".", 1)[0]
    return world.operations.begin(call, Work(name, Family.DISK, found, world.place_of(found), pace, arguments))


def first_answer(call: "Call", operation: Operation, document: Document) -> Reply:
    """Answer an accepted PUT or PATCH (202); before 2022-03-02 the document says less of what ARM added (recorded)."""
    shown = document
    if call.version < "2022-03-02":
        hidden = ("id", "type") if document["type"].endswith("/disks") else ("id", "type", "name")
        shown = {name: value for name, value in document.items() if name not in hidden}
        shown["properties"] = {**document["properties"], "isArmResource": True}
        source = operation.arguments.get("source")
        if isinstance(source, dict) and call.version >= "2021-08-01":
            shown["properties"] = _resolved(shown["properties"], source)
    return without_wait(call, accepted(call, operation, 202, shown, location=True))


def without_wait(call: "Call", reply: Reply) -> Reply:
    """Versions before 2019 do not say when to look again (recorded)."""
    if call.version < "2019":
        reply.headers.pop("Retry-After", None)
    return reply


def _resolved(properties: Document, source: Document) -> Document:
    """Show what a copy is made of already in the first answer (recorded for 2021-08-01)."""
    creation = {**properties["creationData"], "sourceUniqueId": source["properties"].get("uniqueId")}
    return {**properties, "creationData": creation, "publicNetworkAccess": "Enabled"}


def delete(world: "World", call: "Call", kind: str) -> Reply:
    """Accept a deletion (202), or answer 204 where nothing is (documented)."""
    world.group(call["subscription"], call["group"])
    found = world.store.get(key_of(call.path))
    if found is None:
        return Reply(204)
    document = found.document()
    properties = document["properties"]
    if document.get("managedBy"):
        message = f"Disk {document['name']} is attached to VM {document['managedBy']}."
        raise ArmError(409, "OperationNotAllowed", message)
    if properties.get("diskState") in READ_BY_OTHERS:
        message = (
            f"There is an active shared access signature outstanding for {document['name']}. Call EndGetAccess first."
        )
        raise ArmError(409, "OperationNotAllowed", message)
    reply = accepted(call, begin(world, call, f"{kind}.delete", found, {}), 202, None, location=True)
    reply.headers.pop("Retry-After")  # recorded: creation and change say when to look again, deletion does not
    return reply


def finish_delete(world: "World", operation: Operation, at: float) -> None:
    """Remove it."""
    found = world.store.get(operation.target)
    if found is not None:
        world.store.remove(found, at)


def begin_access(world: "World", call: "Call", kind: str, written: str = "") -> Reply:
    """Accept a request for a SAS; the result comes from the operation (recorded)."""
    found = world.resource(call.path.rsplit("/", 1)[0], written or f"Microsoft.Compute/{kind}s")
    seconds = call.body().get("durationInSeconds")
    if not isinstance(seconds, int) or seconds <= 0:
        raise invalid("Required parameter 'durationInSeconds' is missing (null).", "durationInSeconds")
    if kind == "disk":
        _check_free(world, found)
    percent = found.percent(call.now)
    if percent is not None and percent < 100:
        message = f"Resource {parse(found.id).name} is still being copied ({percent} % done)."
        raise ArmError(409, "OperationNotAllowed", message)
    state = found.document().get("properties", {}).get("diskState")
    uploads = state == "ReadyToUpload" and str(call.body().get("access")) == "Write"
    operation = begin(world, call, f"{kind}.access", found, {"seconds": seconds, "uploads": uploads})
    reply = accepted(call, operation, 202, None, location=True)
    reply.headers.pop("Retry-After", None)
    return reply


def _check_free(world: "World", disk: Resource) -> None:
    """Nobody reads a disk that a machine writes (documented: AzureStorageExplorer#5994; the code is assumed)."""
    document = disk.document()
    owner = document.get("managedBy")
    if owner and document["properties"].get("diskState") == "Attached":
        message = f"Access not permitted because disk {document['name']} is currently attached to running VM {owner}."
        raise ArmError(409, "OperationNotAllowed", message)


def finish_access(world: "World", operation: Operation, at: float) -> Document:
    """Grant the SAS and remember when it ends."""
    _state(world, operation.target, "ActiveUpload" if operation.arguments.get("uploads") else "ActiveSAS", at)
    world.schedule.enter(at + operation.arguments["seconds"] + NOTICED_LATE, "access", operation.target)
    return granted(world, operation.target)


def granted(world: "World", key: str) -> Document:
    """Write a SAS; nothing answers at its host."""
    host = f"md-{world.chance.guid_of('host ' + key)[:12]}.z30.blob.storage.azure.net"
    grant = world.chance.guid()
    return {"accessSAS": f"https://{host}/{grant[:12]}/abcd?sv=2018-03-28&sr=b&si={grant}&sig=simulated"}


def end_access(world: "World", call: "Call", kind: str, written: str = "") -> Reply:
    """Accept the end of a SAS."""
    found = world.resource(call.path.rsplit("/", 1)[0], written or f"Microsoft.Compute/{kind}s")
    reply = accepted(call, begin(world, call, f"{kind}.revoke", found, {}), 202, None, location=True)
    reply.headers.pop("Retry-After", None)
    return reply


def finish_revoke(world: "World", operation: Operation, at: float) -> None:
    """Take the SAS back."""
    _state(world, operation.target, None, at)


def access_ended(world: "World", happening: Happening) -> None:
    """Let a SAS run out."""
    found = world.store.get(happening.target)
    if found is not None and found.document()["properties"].get("diskState") in READ_BY_OTHERS:
        _state(world, happening.target, None, happening.due)


def _state(world: "World", key: str, state: str | None, at: float) -> None:
    found = world.store.get(key)
    if found is None:
        raise ArmError(404, "NotFound", f"Resource {parse(key).name} is not found.")
    document: dict[str, Any] = found.document()
    document["properties"]["diskState"] = state or ("Attached" if document.get("managedBy") else "Unattached")
    world.store.write(found, document, at)
