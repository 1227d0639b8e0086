"""The platform's limits on incremental snapshots of one disk: how many there may be, how fast, how many unfinished."""

from collections import deque
from dataclasses import dataclass

from local.simulator.answers import ArmError
from local.simulator.routing import Evidence
from local.simulator.store import Resource


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit and where it comes from."""

    name: str
    most: int
    evidence: Evidence
    source: str


MOST = Rule("snapshots per disk", 500, Evidence.DOCUMENTED, "azure-facts 3.2")
RATE = Rule(
    "creations per disk in five minutes", 7, Evidence.DOCUMENTED, "azure-facts 3.2; status and code are assumed"
)
PENDING = Rule("unfinished snapshots per disk", 3, Evidence.DOCUMENTED, "azure-facts 3.2, Premium SSD v2 and Ultra")
WINDOW_SECONDS = 300.0
COPIES = Rule("copies to a region at a time", 100, Evidence.DOCUMENTED, "azure-facts 3.3; status and code are assumed")
COPIES_OF_DISK = Rule("copies of a disk's snapshots at a time", 1, Evidence.DOCUMENTED, "azure-facts 3.3; as above")


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy to another region: from where to where, of which disk's data."""

    subscription: str
    region: str
    disk: str
    snapshot: Resource


class SnapshotLimits:
    """Living snapshots and recent creations by the disk's unique id."""

    def __init__(self) -> None:
        self._made: dict[str, list[Resource]] = {}
        self._times: dict[str, deque[float]] = {}
        self._copies: list[Copy] = []

    def made(self, disk: str, snapshot: Resource, now: float) -> None:
        """Count a creation."""
        self._made.setdefault(disk, []).append(snapshot)
        self._times.setdefault(disk, deque()).append(now)

    def recall(self, snapshot: Resource) -> None:
        """Count a snapshot that was there before the start."""
        properties = snapshot.document().get("properties", {})
        disk = properties.get("creationData", {}).get("sourceUniqueId")
        if disk is not None and properties.get("incremental"):
            self.made(disk, snapshot, snapshot.born)

    def copied(self, copy: Copy) -> None:
        """Count a copy that begins."""
        self._copies.append(copy)

    def check_copy(self, subscription: str, region: str, disk: str, now: float) -> None:
        """Refuse a copy beside too many others (rules documented)."""
        self._copies = [copy for copy in self._copies if _runs(copy.snapshot, now)]
        beside = [copy for copy in self._copies if (copy.subscription, copy.region) == (subscription, region)]
        if len(beside) >= COPIES.most:
            message = f"The subscription already copies {COPIES.most} snapshots to region '{region}'."
            raise ArmError(409, "OperationNotAllowed", message)
        if sum(1 for copy in beside if copy.disk == disk) >= COPIES_OF_DISK.most:
            message = "Another snapshot of the same disk is being copied to this region; copies go one after the other."
            raise ArmError(409, "OperationNotAllowed", message)

    def check(self, disk: str, name: str, now: float) -> None:
        """Refuse a creation that goes past a limit."""
        times = self._times.setdefault(disk, deque())
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        if len(times) >= RATE.most:
            wait = int(times[0] + WINDOW_SECONDS - now) + 1
            raise ArmError(
                429,
                "TooManyRequests",
                f"Disk {name} has had {RATE.most} incremental snapshots created within 5 minutes. "
                f"Try again after {wait} seconds.",
                headers={"Retry-After": str(wait)},
            )
        living = [snapshot for snapshot in self._made.get(disk, []) if snapshot.gone is None]
        self._made[disk] = living
        if len(living) >= MOST.most:
            message = f"Disk {name} has reached the maximum number of {MOST.most} incremental snapshots."
            raise ArmError(409, "OperationNotAllowed", message)
        pending = sum(1 for snapshot in living if snapshot.copying is not None and snapshot.copying[1] > now)
        if pending >= PENDING.most:
            message = f"Disk {name} has {pending} incremental snapshots whose copy is not complete."
            raise ArmError(409, "OperationNotAllowed", message)


def _runs(snapshot: Resource, now: float) -> bool:
    if snapshot.gone is not None:
        return False
    if snapshot.copying is None:  # accepted and not yet begun
        return b'"provisioningState":"Updating"' in snapshot.body
    return snapshot.copying[1] > now
