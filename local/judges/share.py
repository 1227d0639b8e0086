"""share: of the reads, writes and deletes that Azure Resource Manager grants, a part is left to others.

Azure counts them in a bucket for each subscription and principal (documented), so nobody else takes from the product's,
and its own calls tell what was left when each of them came. What people ask for goes as low as the share and no lower;
what runs by itself stays a little above it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from local.judges.evidence import Record, instant, path_of
from local.judges.finding import Finding
from local.judges.world import World

SHARE = "0.3"
TOO_MANY = 429
KINDS = {"GET": "reads", "PUT": "writes", "PATCH": "writes", "POST": "writes", "DELETE": "deletes"}
# A host that was killed has forgotten what was left, and hears of it by its first answer: by then the first calls of
# its drains are on their way. One sends eight at a time (observed), and a subscription of a scenario has three regions.
IN_FLIGHT = 24


@dataclass(frozen=True, slots=True)
class Size:
    """How many requests a bucket holds, and how many come back in a second."""

    holds: float
    back: float


SIZES: Mapping[str, Size] = {"reads": Size(250, 25), "writes": Size(200, 10), "deletes": Size(200, 10)}  # documented


@dataclass(slots=True)
class Bucket:
    """What is left of one, by the calls so far."""

    size: Size
    left: float
    at: datetime

    def take(self, at: datetime) -> float:
        """Count one call that arrived; what is left then."""
        passed = max((at - self.at).total_seconds(), 0)
        self.left = min(self.left + passed * self.size.back, self.size.holds) - 1
        self.at = max(at, self.at)
        return self.left


def others_keep_their_share(world: World) -> Finding:
    """No call of the product's leaves a bucket clearly below the share of others."""
    finding = Finding()
    share = float(world.script.settings.get("TAGBACK_THROTTLE_SHARE", SHARE))
    buckets: dict[tuple[str, str], Bucket] = {}
    for call in filter(_was_counted, world.calls):
        kind, at = KINDS[str(call["method"])], instant(call["t"])
        key, size = (path_of(call).split("/")[2], kind), SIZES[kind]
        bucket = buckets.setdefault(key, Bucket(size, size.holds, at))
        left, kept = bucket.take(at), share * size.holds
        told = f"{left:.0f} {kind} are left, {kept:.0f} are others'"
        finding.expect(left >= kept - IN_FLIGHT, told, key[0], at)
    return finding


def _was_counted(call: Record) -> bool:
    """Whether it surely took a request from a subscription's bucket.

    What was refused for want of requests may have taken none; what a fault answered may not have come so far.
    """
    ours = call["method"] in KINDS and path_of(call).startswith("/subscriptions/")
    status = int(call["status"])
    return ours and status != TOO_MANY and (not call["fault"] or 200 <= status < 300)
