"""What the platform refuses of restore points: disks a mode cannot take, machines it cannot take, gaps, counts.

Rules are rows with their evidence; `check` is asked before a point is accepted. Statuses and codes are assumed where
the source names none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.simulator import machine_disks, machines
from local.simulator.answers import ArmError, Document
from local.simulator.ids import key_of
from local.simulator.routing import Evidence
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.world import World

POINT = "microsoft.compute/restorepointcollections/restorepoints"
CRASH, APPLICATION = "CrashConsistent", "ApplicationConsistent"
MOST = 500
MOST_COLLECTIONS = 10_000
FACTS = "azure-facts 3.4"


@dataclass(frozen=True, slots=True)
class Misfit:
    """A disk that a mode cannot take: told from the machine's entry and the disk itself."""

    modes: tuple[str, ...]
    because: str
    has: Callable[[Document, Document], bool]
    evidence: Evidence = Evidence.DOCUMENTED
    source: str = FACTS


def _sku(_entry: Document, disk: Document) -> str:
    return str((disk.get("sku") or {}).get("name", "")).lower()


MISFITS = (
    Misfit((CRASH,), "is an Ultra disk", lambda entry, disk: _sku(entry, disk) == "ultrassd_lrs"),
    Misfit((CRASH,), "is a Premium SSD v2 disk", lambda entry, disk: _sku(entry, disk) == "premiumv2_lrs"),
    Misfit((CRASH,), "is write-accelerated", lambda entry, disk: bool(entry.get("writeAcceleratorEnabled"))),
    Misfit(
        (CRASH, APPLICATION), "is ephemeral",
        lambda entry, disk: (entry.get("diffDiskSettings") or {}).get("option") == "Local",
    ),
    Misfit(
        (CRASH, APPLICATION), "is shared",
        lambda entry, disk: int(disk.get("properties", {}).get("maxShares") or 1) > 1,
    ),
    Misfit((CRASH, APPLICATION), "is not managed", lambda entry, disk: bool(entry.get("vhd"))),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gap:
    """The least time between two points of one machine."""

    mode: str
    seconds: float
    evidence: Evidence = Evidence.DOCUMENTED
    source: str = FACTS


GAPS = (Gap(APPLICATION, 3 * 3600.0), Gap(CRASH, 3600.0))
# Creations per machine and hour: the recorded header counts down from 3 (CreateCrashConsistentRestorePoint;2).
POLICIES = {
    CRASH: "Microsoft.Compute/CreateCrashConsistentRestorePoint",
    APPLICATION: "Microsoft.Compute/CreateApplicationConsistentRestorePoint",
}
COPY_POLICY = "Microsoft.Compute/CopyRestorePoint"


def refused(message: str) -> ArmError:
    """Refuse in the compute provider's general way."""
    return ArmError(409, "OperationNotAllowed", message)


def check_machine(machine: Document, mode: str, running: bool, agent_ready: bool) -> None:
    """Refuse machines that a mode cannot take."""
    properties, name = machine["properties"], machine["name"]
    if (properties.get("securityProfile") or {}).get("securityType") == "ConfidentialVM":
        raise refused(f"Restore points are not supported for the confidential virtual machine '{name}'.")
    size = str((properties.get("hardwareProfile") or {}).get("vmSize", ""))
    if mode == CRASH and not machines.PREMIUM_SIZE.match(size):
        message = f"Crash consistent restore points are not supported for size '{size}' of virtual machine '{name}'."
        raise refused(message)
    if mode == APPLICATION and running and not agent_ready:
        message = f"The VM agent of virtual machine '{name}' is not ready; an application consistent restore point "
        raise ArmError(409, "VMAgentStatusCommunicationError", message + "cannot be created.")


def check_disks(world: "World", entries: list[Document], mode: str) -> None:
    """Refuse disks that a mode cannot take; the caller may exclude them."""
    for entry in entries:
        held = world.store.get(key_of(machine_disks.disk_id(entry))) if machine_disks.disk_id(entry) else None
        disk = held.document() if held else {}
        for misfit in MISFITS:
            if mode in misfit.modes and misfit.has(entry, disk):
                raise refused(
                    f"Disk '{entry.get('name') or disk.get('name')}' {misfit.because}; a restore point in mode "
                    f"'{mode}' cannot include it."
                )


def check_history(points: list[Resource], mode: str, now: float) -> None:
    """Refuse a point beside one that is being made, too soon after one of its mode, or beyond the most."""
    if len(points) >= MOST:
        raise refused(f"The virtual machine has reached the maximum number of {MOST} restore points.")
    gap = next(row for row in GAPS if row.mode == mode)
    for point in points:
        properties, name = point.document()["properties"], point.id.rsplit("/", 1)[-1]
        state, was = properties.get("provisioningState"), properties.get("consistencyMode")
        if state == "Creating":
            raise refused(f"Restore point '{name}' of the same virtual machine is being created.")
        same = (was == CRASH) is (mode == CRASH)
        if state == "Succeeded" and same and now - point.born < gap.seconds:
            raise refused(
                f"A restore point in mode '{mode}' can be created once in {int(gap.seconds // 3600)} hours; the last "
                f"one is '{name}'. Please try again after {int(point.born + gap.seconds - now) + 1} seconds."
            )
