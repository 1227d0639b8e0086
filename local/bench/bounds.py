"""How fast so many calls can be made at all, through token buckets of which a share is left to others. Pure arithmetic.

A bucket of `size` tokens that refills by `per_second` lets n calls through in (n - own part of size) / per_second; the
slowest of all buckets that a call draws from is the bound.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket, as the simulator is told of it."""

    name: str
    size: float
    per_second: float


# ARM: 200 writes and 10 a second, 250 reads and 25 a second, per subscription and principal (documented). The compute
# provider's windows for the creation of snapshots: 1,000 in 3 and 8,000 in 30 minutes per subscription and region
# (recorded 2023-03-15).
WRITES = Bucket("ARM writes", 200, 10)
READS = Bucket("ARM reads", 250, 25)
WINDOWS = (
    Bucket("HighCostSnapshotCreateHydrate3Min", 1000, 1000 / 180),
    Bucket("HighCostSnapshotCreateHydrate30Min", 8000, 8000 / 1800),
)
BOTH, ARM_ONLY = "ARM + provider windows of 2023", "ARM only"
SETS: Mapping[str, tuple[Bucket, ...]] = {BOTH: (WRITES, *WINDOWS), ARM_ONLY: (WRITES,)}
ENDLESS = 1e9


def seconds(calls: int, buckets: Iterable[Bucket], share: float) -> float:
    """The least time for so many calls from full buckets, `share` of each never being used."""
    return max([0.0, *((calls - (1 - share) * one.size) / one.per_second for one in buckets)])


AS_RECORDED = "{}"
"""The simulator's own buckets."""


def without_windows() -> str:
    """The simulator's buckets file without the provider's windows for snapshots."""
    endless = {"size": ENDLESS, "per_second": ENDLESS}
    return json.dumps({"provider": {f"Microsoft.Compute/{one.name}": endless for one in WINDOWS}})


def with_smaller_windows(scale: float) -> str:
    """The same with windows that are so much smaller: a small fleet then meets what a large one meets."""
    sizes = {one.name: {"size": one.size * scale, "per_second": one.per_second * scale} for one in WINDOWS}
    return json.dumps({"provider": {f"Microsoft.Compute/{name}": size for name, size in sizes.items()}})
