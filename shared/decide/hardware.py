"""What a VM is made of, read from its bodies: what decides how consistent a recovery point of it can be. Pure.

Called by flows/together.py, with the machine by a GET with its instance view and its disks as they were captured.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from shared.decide.consistency import Choice, climb
from shared.decide.restored_disks import captured_at
from shared.decide.room import exists
from shared.decide.subtraction import Body, at
from shared.decide.swapping import power
from shared.model.hardware import Caching, DiskHardware, Hardware
from shared.model.machine import Disk, Machine
from shared.model.operation import Operation
from shared.model.point import Engine, Point

# Sizes say in their names what they can: an `s` after the number is premium storage, `_v6` and later are Azure Boost.
_PREMIUM = re.compile(r"standard_(?:[dglfe]s\d|b\d|[a-z]+\d+[a-z0-9-]*s(?:_|$)).*")
_BOOST = re.compile(r".*_v(?:[6-9]|\d\d)")
TRIES = 3  # a restore point that was refused so often is taken as snapshots instead: an unsafe night is worse


def ladder(
    machine: Machine, vm: Body, disks: Iterable[Body], points: Sequence[Point], operation: Operation, now: datetime
) -> Choice:
    """How the disks of a machine are taken, for an operation that perhaps was refused a restore point before."""
    hardware = hardware_of(machine, vm, disks, _age(points, now))
    possible = operation.attempts <= TRIES and not machine.unsupported
    return climb(hardware, (Engine.DISK, Engine.RESTORE_POINT) if possible else (Engine.DISK,))


def steps_down(point: Point, operation: Operation) -> bool:
    """Whether a restore point that was never accepted is to be tried no more."""
    unsent = any(part.is_restore_point and part.sent_at is None for part in point.live_parts)
    return unsent and operation.attempts > TRIES


def hardware_of(machine: Machine, vm: Body, disks: Iterable[Body], since_restore_point: timedelta) -> Hardware:
    """The machine with the disks that are to be in the point."""
    bodies = {str(body.get("id")).lower(): body for body in disks}
    size = str(at(vm, "properties.hardwareProfile.vmSize") or "").lower()
    security = str(at(vm, "properties.securityProfile.securityType") or "").lower()
    wanted = [disk for disk in machine.disks if not disk.left_out]
    return Hardware(
        disks=tuple(_disk(disk, captured_at(vm, disk.lun), bodies.get(str(disk.id), {})) for disk in wanted),
        running=power(vm) == "running",
        agent_ready=_agent_ready(vm),
        premium_capable=_PREMIUM.fullmatch(size) is not None,
        boost=_BOOST.fullmatch(size) is not None,
        confidential=security == "confidentialvm",
        since_restore_point=since_restore_point,
    )


def _disk(disk: Disk, attached: Body, body: Body) -> DiskHardware:
    caching = str(attached.get("caching") or "").lower()
    encryption = str(at(body, "properties.encryption.type") or "").lower()
    return DiskHardware(
        id=disk.id,
        sku=str(at(body, "sku.name") or "").lower(),
        caching=Caching(caching) if caching in set(Caching) else Caching.NONE,
        is_os=disk.lun is None,
        write_accelerated=bool(attached.get("writeAcceleratorEnabled")),
        shared=int(at(body, "properties.maxShares") or 1) > 1,
        customer_key="customerkey" in encryption,
    )


def _agent_ready(vm: Body) -> bool:
    said = at(vm, "properties.instanceView.vmAgent.statuses") or ()
    return any(str(status.get("displayStatus") or "").strip().lower() == "ready" for status in said)


def _age(points: Iterable[Point], now: datetime) -> timedelta:
    """How old the newest restore point is that we know of; one whose fate is unknown counts as made."""
    parts = (part for point in points for part in point.parts if part.is_restore_point and exists(part))
    return min((now - part.sent_at for part in parts if part.sent_at), default=timedelta.max)
