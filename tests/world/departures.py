"""What is promised of machines that leave: that they did leave (S7), and that many who leave at once keep it all (S3).

Part of promises.py. When a machine left is read from its rows as they are committed, and checked against the truth; the
mass brake is reckoned anew from that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine
from tests.world.catalogue import asked
from tests.world.twins.azure import Azure

AT_ONCE = timedelta(hours=1)
CLOCKS_DIFFER = timedelta(minutes=5)
LEAST = 5
SHARE = 0.2


@dataclass
class Departures:
    """Watches who leaves. `left` is since when, by machine, of those who do not ask for anything any more."""

    azure: Azure
    require: Callable[[bool, str, str], None]
    left: dict[Shard, dict[VmUid, datetime]] = field(default_factory=dict)
    known: dict[str, set[VmUid]] = field(default_factory=dict)

    def lost(self) -> None:
        """The ledger is gone, and with it who had left."""
        self.left.clear()

    def machine_written(self, shard: Shard, row: Machine, was: Machine | None, began_at: datetime) -> None:
        """A row was committed by an invocation that began at an instant."""
        self.known.setdefault(shard.subscription, set()).add(row.uid)
        here = self.left.setdefault(shard, {})
        if row.left_at is None:
            here.pop(row.uid, None)
            return
        here[row.uid] = row.left_at
        if was is None or was.left_at != row.left_at:
            since = min(row.left_at, began_at) - CLOCKS_DIFFER
            versions = self.azure.versions(row.uid, since)
            away = any(vm is None or vm.id != row.id or asked(vm.counted) is None for vm in versions)
            self.require(away, "S7", f"{row.uid} is said to have left at {row.left_at}, and asked all the time")

    def unplanned(self, shard: Shard, uid: VmUid) -> None:
        """A complete point of a machine begins to go that nobody planned to let go at its birth, or agreed to."""
        everywhere = [one for of, one in self.left.items() if of.subscription == shard.subscription]
        moments = sorted(moment for one in everywhere for moment in one.values())
        mine = self.left.get(shard, {}).get(uid)
        if mine is None:
            return
        around = [moment for moment in moments if abs(moment - mine) <= AT_ONCE]
        many = max((sum(first <= one <= first + AT_ONCE for one in around) for first in around), default=0)
        braked = many >= LEAST and many > SHARE * len(self.known[shard.subscription])
        self.require(not braked, "S3", f"a point of {uid} goes, which left {shard} together with {many - 1} others")
