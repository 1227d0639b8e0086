"""One slice of work on a shard: its lease, its limits, its pacing, and the bulk view that it reads at most once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from shared.errors import CloudError
from shared.model.draining import CallKind
from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.machine import Sighting
from shared.model.point import PartState, Point
from shared.model.rules import Rules
from shared.model.snapshot import SnapshotSeen
from shared.ports import World
from shared.ports.storage import Leases

Answer = TypeVar("Answer")

TOGETHER = 8  # calls in flight at once
MARGIN = timedelta(seconds=60)  # a lease outlives its slice by the longest call


@dataclass(frozen=True, slots=True)
class Look:
    """What the bulk lens showed of the snapshots of some slots, and when it was asked."""

    at: datetime
    seen: Mapping[ResourceId, SnapshotSeen]


@dataclass(slots=True)
class Slice:
    """What one worker may do until `until`. `claim_ends` is how long its fresh intents are left to it.

    `gives_way` is work that nobody asked for: it leaves calls to what somebody did. `paused` says who paused captures;
    empty while nobody did.
    """

    world: World
    rules: Rules
    shard: Shard
    until: datetime
    claim_ends: datetime
    gives_way: bool = False
    paused: str = ""
    looks: dict[tuple[datetime, ...], Look] = field(default_factory=dict, init=False)
    _lens: Mapping[VmUid, Sighting] | None = field(default=None, init=False)
    _in_region: int | None = field(default=None, init=False)
    _opens: dict[CallKind, datetime] = field(default_factory=dict, init=False)

    def now(self) -> datetime:
        return self.world.clock.now()

    def is_over(self) -> bool:
        return self.now() >= self.until

    def place(self, name: str) -> ResourceId:
        return self.world.snapshots.place(self.shard, name)

    def sighted(self, uid: VmUid) -> Sighting | None:
        """The machine by the bulk lens; None as well when the lens cannot be read now."""
        if self._lens is None:
            try:
                self._lens = self.world.inventory.shard(self.shard) if self.admitted(CallKind.READ) else {}
            except CloudError:
                self._lens = {}
        return self._lens.get(uid)

    def in_region(self) -> int:
        """How many snapshots the shard has by the ledger, with those that this slice is about to send; read once."""
        if self._in_region is None:
            self._in_region = self.world.ledger.snapshots(self.shard)
        return self._in_region

    def planned(self, point: Point) -> None:
        """Count the parts that are about to be sent."""
        self._in_region = self.in_region() + sum(part.state is PartState.PLANNED for part in point.live_parts)

    def admitted(self, kind: CallKind) -> bool:
        """Wait until a call of this kind may be sent; False when that lies beyond the slice."""
        while wait := self._wait(kind):
            if self.now() + wait >= self.until:
                self._opens[kind] = self.now() + wait
                return False
            self.world.clock.sleep(wait.total_seconds())
        return not self.is_over()

    def _wait(self, kind: CallKind) -> timedelta:
        return self.world.pace.wait(self.shard, kind, gives_way=self.gives_way)

    def opens(self, kind: CallKind) -> datetime:
        """When a call of this kind is worth another try: at once, unless this slice was told to wait past its end."""
        return max(self._opens.get(kind, self.now()), self.now())

    def each(self, kind: CallKind, calls: Sequence[Callable[[], Answer]]) -> list[Answer | CloudError | None]:
        """The answers of paced calls, a few at a time; None for each that the slice had no time to send."""
        answers: list[Answer | CloudError | None] = []
        while len(answers) < len(calls) and self.admitted(kind):
            ready = [calls[len(answers)]]
            for call in calls[len(answers) + 1 : len(answers) + TOGETHER]:
                if self._wait(kind):
                    break
                ready.append(call)
            answers += self.world.workers.run(ready)
        return answers + [None] * (len(calls) - len(answers))

    def audit(self, lines: Sequence[Mapping[str, object]]) -> None:
        """Append to the audit log what is about to be done; it is there when this returns."""
        if lines:
            at = self.now()
            stamped = [json.dumps({"at": at.isoformat(timespec="seconds"), **line}) for line in lines]
            self.world.audit.append(self.shard, at, stamped)


@contextmanager
def slice_under(leases: Leases, world: World, rules: Rules, shard: Shard) -> Iterator[Slice | None]:
    """A slice of a shard while nobody else has the lease on it; None while somebody has: they hand back.

    The lease is free again when the block ends, so that whoever is asked for next finds it so.
    """
    now = world.clock.now()
    until = now + rules.drain_for
    lease = leases.take(shard, world.chance.token(), now, until + MARGIN)
    if lease is None:
        yield None
        return
    try:
        yield Slice(world, rules, shard, until, until + MARGIN, gives_way=True)
    finally:
        leases.give_back(lease)
