"""Recovery points in vaults: taken by runs, in the snapshot tier and then in the vault's, kept as the policy says.

What the disks held is kept beside the document, for restores. Expiry is a happening in virtual time.
"""

from typing import TYPE_CHECKING

from local.simulator import machine_disks, machines, vault_errors
from local.simulator.answers import Document, Reply, encode
from local.simulator.backup_schedule import DAY, expiry, instant_days
from local.simulator.clock import iso, parse_time
from local.simulator.ids import key_of
from local.simulator.images import image_of_machine
from local.simulator.job_shapes import NAMED_SINCE
from local.simulator.listing import joined, members_of
from local.simulator.odata import moment_of, terms_of
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.schedule import Happening
from local.simulator.store import Resource
from local.simulator.vault_ids import ITEM_ROOT, POINT

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

KIND = POINT.lower()
HAPPENING = "backup-point"
UNDETERMINED = "We're still determining if this Recovery Point can be moved.. Please check again after some time."
# When a new point's expiry shows (recorded: not right after the backup, but after an hour).
KNOWN_SECONDS = 600.0
ON_DEMAND = 30 * DAY  # how long an on-demand point is kept unless said otherwise (documented)


def take(world: "World", item: Resource, machine: Resource, at: float, kept: tuple[float, str], kind: str) -> Resource:
    """Take a point: the snapshots are there; `kept` is until when and by which rule."""
    name = str(int(world.chance.share(f"point {item.key} {at}") * 900_000_000_000_000) + 90_000_000_000_000)
    properties = _properties(machine.document(), item, at, kind)
    point_id = f"{item.id}/recoveryPoints/{name}"
    disks = _disks(world, machine.document(), item)
    notes = {"until": kept[0], "rule": kept[1], "vm": machine.document(), "disks": disks}
    document = {"id": point_id, "name": name, "type": POINT, "properties": properties}
    return world.store.create(point_id, document, at, notes=notes)


def _properties(machine: Document, item: Resource, at: float, kind: str) -> Document:
    properties = machine["properties"]
    size = str((properties.get("hardwareProfile") or {}).get("vmSize", ""))
    premium = machines.PREMIUM_SIZE.match(size) is not None
    security = (properties.get("securityProfile") or {}).get("securityType") or "None"
    found: Document = {
        "objectType": "IaasVMRecoveryPoint",
        "recoveryPointType": kind,
        "recoveryPointTime": iso(at),
        "recoveryPointAdditionalInfo": "",
        "sourceVMStorageType": "PremiumVMOnPartialPremiumStorage" if premium else "NormalStorage",
        "isSourceVMEncrypted": False,
        "isInstantIlrSessionActive": False,
        "recoveryPointTierDetails": [{"type": "InstantRP", "status": "Valid"}],
        "isManagedVirtualMachine": True,
        "virtualMachineSize": size,
        "originalStorageAccountOption": False,
        "osType": image_of_machine(properties).system,
    }
    if machine.get("zones"):
        found["zones"] = machine["zones"]
    chosen = _chosen(item)
    if chosen is not None:
        found["recoveryPointDiskConfiguration"] = _configuration(machine, chosen)
    found["recoveryPointMoveReadinessInfo"] = {"ArchivedRP": {"isReadyForMove": False, "additionalInfo": UNDETERMINED}}
    found |= {"securityType": security, "isPrivateAccessEnabledOnAnyDisk": False}
    found["createdWithPolicyType"] = str((item.notes or {}).get("policy_type", "V1"))
    return {**found, "threatStatus": 0}


def _chosen(item: Resource) -> Document | None:
    extended = item.document()["properties"].get("extendedProperties") or {}
    found: Document | None = extended.get("diskExclusionProperties")
    return found


def is_included(chosen: Document | None, lun: int | None) -> bool:
    """Tell whether a disk is backed up; the system's always is (documented)."""
    if chosen is None or lun is None:
        return True
    return (lun in (chosen.get("diskLunList") or [])) == bool(chosen.get("isInclusionList"))


def _configuration(machine: Document, chosen: Document) -> Document:
    disks = machine_disks.all_disks(machine)
    parts = [{"lun": disk.get("lun", -1), "name": disk.get("name")} for disk in disks]
    inside = [part for part, disk in zip(parts, disks, strict=True) if is_included(chosen, disk.get("lun"))]
    return {
        "numberOfDisksIncludedInBackup": len(inside),
        "numberOfDisksAttachedToVm": len(parts),
        "includedDiskList": inside,
        "excludedDiskList": [part for part in parts if part not in inside],
    }


def _disks(world: "World", machine: Document, item: Resource) -> list[Document]:
    """Keep what each disk is and holds."""
    found, chosen = [], _chosen(item)
    for entry in machine_disks.all_disks(machine):
        held = world.store.get(key_of(machine_disks.disk_id(entry)))
        if held is not None and is_included(chosen, entry.get("lun")):
            content = {str(block): digest for block, digest in held.content.items()}
            found.append({"lun": entry.get("lun"), "disk": held.document(), "content": content})
    return found


def harden(world: "World", point: Resource, at: float) -> None:
    """Let a point be in the vault as well, and enter when its tiers end."""
    document = point.document()
    tiers = document["properties"]["recoveryPointTierDetails"]
    document["properties"]["recoveryPointTierDetails"] = [*tiers, {"type": "HardenedRP", "status": "Valid"}]
    point.notes = {**(point.notes or {}), "hardened": at}
    world.store.write(point, document, at)
    until = float((point.notes or {})["until"])
    instant = min(until, at + float((point.notes or {}).get("instant_days", 2)) * DAY)
    for moment in sorted({instant, until}):
        world.schedule.enter(moment, HAPPENING, f"{point.key}|{moment}")


def kept_until(policy: Document | None, at: float, asked: str | None) -> tuple[float, str]:
    """Return until when a point is kept, and by which rule: as asked, else as the policy says."""
    if asked is not None:
        return parse_time(asked) if asked else at + ON_DEMAND, "On-Demand"
    return (expiry(policy, at), "Daily") if policy is not None else (at + ON_DEMAND, "On-Demand")


def remember_instant(world: "World", point: Resource, policy: Document | None, at: float) -> None:
    """Keep how many days the snapshot stays."""
    days = instant_days(policy) if policy is not None else 2
    point.notes = {**(point.notes or {}), "instant_days": days}
    world.store.touch(point, at)


def happen(world: "World", happening: Happening) -> None:
    """Let the snapshot of a point go, or the point itself; nothing goes while its item is stopped or deleted."""
    key, _, moment = happening.target.rpartition("|")
    point = world.store.get(key)
    if point is None:
        return
    item = world.store.get("/".join(key.split("/")[:-2]))
    state = item.document()["properties"]["protectionState"] if item is not None else ""
    paused = state == "ProtectionStopped"  # documented: retained data stays, and garbage collection pauses
    if float(moment) >= float((point.notes or {})["until"]):
        if not paused:
            world.store.remove(point, happening.due)
        return
    document = point.document()
    for tier in document["properties"]["recoveryPointTierDetails"]:
        if tier["type"] == "InstantRP":
            tier["status"] = "Deleted"
    world.store.write(point, document, happening.due)


def resume(world: "World", item: Resource, at: float) -> None:
    """Let the retention of an item's points go on after it was stopped."""
    for point in points_of(world, item):
        until = float((point.notes or {})["until"])
        if until <= at:
            world.schedule.enter(at, HAPPENING, f"{point.key}|{until}")


def points_of(world: "World", item: Resource) -> list[Resource]:
    """Return the points of an item, the oldest first."""
    return world.store.all_of(item.key, KIND)


TIERS, STATUSES = {"InstantRP": 1, "HardenedRP": 2, "ArchivedRP": 3}, {"Valid": 1, "Disabled": 2, "Deleted": 3}


def shown(point: Resource, call: "Call") -> Document:
    """Write a point; its expiry is known some time after it was taken (recorded)."""
    document, notes, now = point.document(), point.notes or {}, call.now
    if call.version < NAMED_SINCE:
        for tier in document["properties"]["recoveryPointTierDetails"]:
            tier |= {"type": TIERS[tier["type"]], "status": STATUSES[tier["status"]]}
    if now >= float(notes.get("hardened", now)) + KNOWN_SECONDS:
        properties = document["properties"]
        until = iso(float(notes["until"]))[:-1]
        properties["recoveryPointProperties"] = {
            "expiryTime": until,
            "ruleName": notes["rule"],
            "isSoftDeleted": False,
        }
    return document


def item_of(world: "World", call: "Call") -> Resource:
    """Return the protected item a path names, or refuse (assumed)."""
    found = world.store.get("/".join(key_of(call.path).split("/")[:15]))
    if found is None:
        raise vault_errors.missing("BMSUserErrorItemNotFound", "Protected item")
    return found


def every(world: "World", call: "Call") -> Reply:
    """List an item's points, the newest first (assumed), within a range of their time."""
    item, terms = item_of(world, call), terms_of(call)
    since = moment_of(terms["startdate"]) if "startdate" in terms else float("-inf")
    until = moment_of(terms["enddate"]) if "enddate" in terms else float("inf")
    found = []
    for point in reversed(members_of(world, call, item.key, KIND)):
        taken = parse_time(point.document()["properties"]["recoveryPointTime"])
        if since <= taken <= until:
            found.append(encode(shown(point, call)))
    return joined(found)


def get(world: "World", call: "Call") -> Reply:
    """Answer one."""
    item_of(world, call)
    return Reply.of(shown(point_at(world, key_of(call.path)), call))


def point_at(world: "World", key: str) -> Resource:
    """Return a point, or refuse (assumed)."""
    found = world.store.get(key)
    if found is None:
        raise vault_errors.missing("BMSUserErrorRecoveryPointNotFound", "Recovery point")
    return found


def recommended(world: "World", call: "Call") -> Reply:
    """List what could go to the archive: nothing is old enough for it here (recorded: empty)."""
    item_of(world, call)
    return joined([])


_POINTS = f"{ITEM_ROOT}/recoveryPoints"
_R, _SINCE, _CLI = Evidence.RECORDED, Versions("2016-06-01"), "azure-cli-2025-02/backup/test_backup_rp"
ROUTES = (
    Route("GET", f"{_POINTS}/{{point}}", f"{POINT}/read", get, _R, _CLI, _SINCE),
    Route("POST", f"{ITEM_ROOT}/recoveryPointsRecommendedForMove",
          f"{POINT.rsplit('/', 1)[0]}/recoveryPointsRecommendedForMove/action", recommended, _R,
          "azure-cli-2025-02/backup/test_backup_archive", _SINCE),
)  # fmt: skip
