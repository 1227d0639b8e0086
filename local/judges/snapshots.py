"""What holds a machine's disks at an instant, as Azure has it: a snapshot of one disk, a restore point of several.

Made by world.py of the resources that Azure's state shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from local.judges.evidence import Record, maybe_instant, tag

NOT_TAKEN = frozenset({"creating", "updating", "failed", "canceled"})
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that bears the product's tags, as Azure's state has it at the end."""

    id: str
    name: str
    born: datetime
    gone: datetime | None
    said: Record

    def tag(self, name: str) -> str:
        return tag(self.said, f"tagback-{name}")

    @property
    def key(self) -> Key:
        return self.tag("vm").lower(), self.tag("slot")

    @property
    def source(self) -> str:
        """The unique id of the disk that it is of; of a restore point its machine's."""
        if self.as_one:
            return str(self.said["properties"]["sourceMetadata"]["vmId"]).lower()
        return str(self.said["properties"].get("creationData", {}).get("sourceUniqueId") or "").lower()

    @property
    def sources(self) -> frozenset[str]:
        """The unique ids of the disks that it holds: of a restore point those of its machine."""
        return frozenset(self.said["holds"] if self.as_one else [self.source])

    @property
    def as_one(self) -> bool:
        """Whether it is a restore point, which holds a machine's disks at one instant."""
        return "holds" in self.said

    @property
    def ready(self) -> bool:
        return str(self.said["properties"].get("provisioningState")).lower() == "succeeded"

    @property
    def holds_nothing(self) -> bool:
        """Whether Azure never got so far as to take anything: it is of no disk then."""
        return str(self.said["properties"].get("provisioningState")).lower() in NOT_TAKEN and not self.source

    def usable(self, at: datetime) -> bool:
        """Whether it could be restored from; one that went later is believed to have been ready, as its point said."""
        return self.born <= at and (self.ready if self.gone is None else at < self.gone)


def snapshot_of(said: Record, born: datetime) -> Snapshot:
    return Snapshot(str(said["id"]).lower(), str(said["name"]), born, maybe_instant(said["gone"]), said)
