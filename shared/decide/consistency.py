"""What a point of a VM can promise about its disks relative to each other: the highest rung of a ladder that holds.

Called when parts are planned (`of_snapshots`), and by engines that take restore points (`climb`). The tables name their
sources; where Azure's pages say nothing the row refuses, because a point must never claim more than the platform gives.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from shared.model.hardware import Caching, DiskHardware, Hardware
from shared.model.identity import ResourceId
from shared.model.machine import Machine
from shared.model.point import Consistency, Engine


class Rung(StrEnum):
    """The ways to capture all disks of a VM, the best first."""

    APPLICATION = "application-consistent restore point"
    CRASH = "crash-consistent restore point"
    MIXED = "restore point of most disks and snapshots of the others"
    SNAPSHOTS = "a snapshot of each disk"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rung that does not hold for this VM."""

    rung: Rung
    because: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The highest rung that holds. `apart` are the disks that get a snapshot of their own beside a restore point."""

    rung: Rung
    consistency: Consistency
    because: str
    apart: tuple[ResourceId, ...]
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """What of a VM rules rungs out, whichever of its disks are in the restore point."""

    rungs: frozenset[Rung]
    stands: Callable[[Hardware], bool]
    because: str
    source: str


@dataclass(frozen=True, slots=True)
class _Misfit:
    """What of a disk keeps it out of a restore point of these rungs; a MIXED point captures it by a snapshot."""

    rungs: frozenset[Rung]
    has: Callable[[DiskHardware], bool]
    because: str
    source: str


RESTORE_POINTS = frozenset({Rung.APPLICATION, Rung.CRASH, Rung.MIXED})
_APPLICATION = frozenset({Rung.APPLICATION})
_CRASH = frozenset({Rung.CRASH, Rung.MIXED})  # the restore point of a mixed point is taken in crash mode

OBSTACLES = (
    _Obstacle(RESTORE_POINTS, lambda vm: vm.confidential, "a confidential VM has no restore points", "facts 3.4 c-rp"),
    _Obstacle(RESTORE_POINTS, lambda vm: vm.uniform, "a Uniform scale set has no restore points", "facts 3.4 c-rp"),
    _Obstacle(_APPLICATION, lambda vm: not vm.running, "the VM does not run", "facts 3.4 c-rp2"),
    _Obstacle(_APPLICATION, lambda vm: not vm.agent_ready, "the VM agent is not ready", "facts 3.4 c-rp2"),
    _Obstacle(
        _APPLICATION,
        lambda vm: vm.since_restore_point < timedelta(hours=3),
        "its last restore point is younger than 3 hours",
        "facts 3.4 c-rp2",
    ),
    _Obstacle(_CRASH, lambda vm: not vm.premium_capable, "its size takes no premium disks", "facts 3.4 c-rp2"),
    _Obstacle(
        _CRASH,
        lambda vm: vm.since_restore_point < timedelta(hours=1),
        "its last restore point is younger than an hour",
        "facts 3.4 c-rp2",
    ),
    _Obstacle(
        _CRASH,
        lambda vm: vm.boost and sum(not disk.is_os for disk in vm.disks) > 1,
        "nothing is promised across several data disks on an Azure Boost size",
        "facts 3.4 c-rp",
    ),
)

MISFITS = (
    _Misfit(_CRASH, lambda disk: disk.sku == "ultrassd_lrs", "is an Ultra disk", "facts 3.4 c-rp"),
    _Misfit(_CRASH, lambda disk: disk.sku == "premiumv2_lrs", "is a Premium SSD v2 disk", "facts 3.4 c-rp"),
    _Misfit(_CRASH, lambda disk: disk.write_accelerated, "is write-accelerated", "facts 3.4 c-rp"),
    _Misfit(RESTORE_POINTS, lambda disk: disk.shared, "is shared", "facts 3.4 c-rp for crash mode; else assumed"),
    _Misfit(RESTORE_POINTS, lambda disk: disk.ephemeral, "is ephemeral", "facts 3.4 c-rp for crash mode; else assumed"),
    _Misfit(RESTORE_POINTS, lambda disk: disk.customer_key, "has a key of the customer's own", "facts 3.4 c-rp"),
)
CACHED = "is cached for writing by the host, which breaks the order of writes across disks"  # facts 3.4 c-rp

CLAIMS = {
    Rung.APPLICATION: (Consistency.APPLICATION, "the guest brings its applications to rest while it is taken"),
    Rung.CRASH: (Consistency.CRASH, "one restore point holds all disks at one instant"),
    Rung.MIXED: (Consistency.MIXED, "one restore point holds most disks at one instant, the others stand beside it"),
}


def climb(vm: Hardware, engines: Collection[Engine]) -> Choice:
    """The highest rung that holds for a VM, with the reason for every rung above it that does not."""
    refused: list[Refusal] = []
    for rung in (Rung.APPLICATION, Rung.CRASH, Rung.MIXED):
        apart = _apart(vm, rung)
        because = _refusal(vm, rung, apart, engines)
        if not because:
            consistency, why = CLAIMS[rung]
            return Choice(rung, consistency, why, apart, tuple(refused))
        refused.append(Refusal(rung, because))
    consistency, why = by_snapshots(len(vm.disks))
    return Choice(Rung.SNAPSHOTS, consistency, why, (), tuple(refused))


def _refusal(vm: Hardware, rung: Rung, apart: tuple[ResourceId, ...], engines: Collection[Engine]) -> str:
    if Engine.RESTORE_POINT not in engines:
        return "this build has no engine for restore points"
    if because := next((one.because for one in OBSTACLES if rung in one.rungs and one.stands(vm)), ""):
        return because
    if rung is not Rung.MIXED and apart:
        disk = next(disk for disk in vm.disks if disk.id == apart[0])
        return f"disk {disk.id.name} {_misfit(vm, disk, rung)}"
    if rung is Rung.MIXED and len(vm.disks) - len(apart) < 2:
        return "fewer than two of its disks could share a restore point"
    return ""


def _apart(vm: Hardware, rung: Rung) -> tuple[ResourceId, ...]:
    return tuple(disk.id for disk in vm.disks if _misfit(vm, disk, rung))


def _misfit(vm: Hardware, disk: DiskHardware, rung: Rung) -> str:
    """What keeps a disk out of a restore point of this rung; empty when nothing does."""
    if because := next((one.because for one in MISFITS if rung in one.rungs and one.has(disk)), ""):
        return because
    cached = disk.caching is Caching.READ_WRITE and len(vm.disks) > 1
    return CACHED if cached and rung in _CRASH else ""


def of_snapshots(machine: Machine) -> tuple[Consistency, str]:
    """What snapshots of a machine's disks promise, with the reason: a disk that is not in the point counts as well."""
    apart = len(machine.unsupported) + sum(bool(disk.left_out) for disk in machine.disks)
    taken = len(machine.disks) + len(machine.unsupported) - apart
    if taken == 1 and apart:
        return Consistency.PER_DISK, "only one of its disks is in the point, the others are not"
    return by_snapshots(taken)


def by_snapshots(disks: int) -> tuple[Consistency, str]:
    """What a snapshot of each of so many disks promises [facts 3.1: one is an image of its disk as after a crash]."""
    if disks == 1:
        return Consistency.CRASH, "one snapshot holds its only disk at one instant"
    return Consistency.PER_DISK, f"its {disks} disks are taken one by one, not at one instant"
