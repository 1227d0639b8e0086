"""How the state of a machine decides what becomes of its backup: why it fails, what its point is worth.

Asked by backup_runs.py at the end of a snapshot.
"""

from typing import TYPE_CHECKING

from local.simulator import machine_disks, recovery_points
from local.simulator.answers import Document
from local.simulator.backup_errors import BackupError, error_of
from local.simulator.images import image_of_machine
from local.simulator.instance_views import agent_is_ready
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.world import World

LARGEST_GIB = 32767


def failure(
    world: "World", item: Resource, machine: Resource | None, policy: Document | None, at: float
) -> BackupError | None:
    """Tell why a backup of a machine fails now, if it does."""
    if machine is None:
        return error_of("UserErrorVmNotFoundV2")
    document, notes = machine.document(), machine.notes or {}
    properties = document["properties"]
    state = str(properties.get("provisioningState", "Succeeded"))
    if state != "Succeeded":
        return error_of("UserErrorVmProvisioningStateFailed" if state == "Failed" else "UserErrorVmNotInDesirableState")
    if notes.get("backup"):
        return error_of(str(notes["backup"]))
    if any(int(disk.get("diskSizeGB") or 0) > LARGEST_GIB for disk in _included(item, document)):
        return error_of("UserErrorUnsupportedDiskSize")
    running = notes.get("power", "running") == "running"
    if not running:
        # Documented: an offline machine is backed up crash-consistently once its extension is there.
        return None if recovery_points.points_of(world, item) or _is_agentless(policy) else error_of("AzureVmOffline")
    if not agent_is_ready(machine, at) and not _is_agentless(policy):
        return error_of("UserErrorGuestAgentStatusUnavailable")
    return None


def _included(item: Resource, machine: Document) -> list[Document]:
    extended = item.document()["properties"].get("extendedProperties") or {}
    chosen = extended.get("diskExclusionProperties")
    return [d for d in machine_disks.all_disks(machine) if recovery_points.is_included(chosen, d.get("lun"))]


def _is_agentless(policy: Document | None) -> bool:
    return policy is not None and policy.get("snapshotConsistencyType") == "OnlyCrashConsistent"


def consistency(machine: Resource, policy: Document | None, at: float) -> str:
    """Return what a snapshot of a machine is worth: its system and its state decide (documented)."""
    only_crash = policy is not None and policy.get("snapshotConsistencyType") == "OnlyCrashConsistent"
    if only_crash or not agent_is_ready(machine, at):
        return "CrashConsistent"
    system = image_of_machine(machine.document()["properties"]).system
    return "AppConsistent" if system == "Windows" else "FileSystemConsistent"
