"""Remembers in a blob when a timer fired last and is due next, so that a missed occurrence is made up for at start.

Used by `timer_listener`. Blob and rules as the timer extension's StorageScheduleMonitor and ScheduleMonitor have them.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import BlobClient

from local.host.schedule import Schedule

NEVER = datetime(1, 1, 1, tzinfo=UTC)
FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ScheduleStatus:
    last: datetime
    next: datetime
    updated: datetime

    def document(self) -> dict[str, str]:
        return {"Last": _written(self.last), "Next": _written(self.next), "LastUpdated": _written(self.updated)}

    @classmethod
    def parse(cls, document: dict[str, Any]) -> "ScheduleStatus":
        last, due, updated = (datetime.fromisoformat(str(document[key])) for key in ("Last", "Next", "LastUpdated"))
        return cls(*(moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in (last, due, updated)))


def _written(moment: datetime) -> str:
    return "0001-01-01T00:00:00+00:00" if moment == NEVER else moment.isoformat()


def upcoming(schedule: Schedule, after: datetime, zone: tzinfo | None) -> datetime:
    return schedule.next_after(after, zone) or FOREVER


@dataclass(frozen=True, slots=True)
class ScheduleMonitor:
    blob: BlobClient
    schedule: Schedule
    zone: tzinfo | None

    async def read(self) -> ScheduleStatus | None:
        try:
            download = await self.blob.download_blob()
            return ScheduleStatus.parse(json.loads(await download.readall()))
        except (ResourceNotFoundError, ValueError, KeyError):
            return None

    async def write(self, status: ScheduleStatus) -> None:
        await self.blob.upload_blob(json.dumps(status.document()), overwrite=True)

    async def at_start(self, now: datetime) -> ScheduleStatus:
        """The status to go on from: a new one, the stored one, or the stored one fitted to a changed schedule."""
        stored = await self.read()
        if stored is None:
            status = ScheduleStatus(NEVER, upcoming(self.schedule, now, self.zone), now)
            await self.write(status)
            return status
        base = next((moment for moment in (stored.last, stored.updated) if moment > NEVER), now)
        expected = upcoming(self.schedule, base, self.zone)
        if stored.next == expected:
            return stored
        if now > expected:
            base, expected = now, upcoming(self.schedule, now, self.zone)
        changed = ScheduleStatus(NEVER, expected, base)
        await self.write(changed)
        return changed
