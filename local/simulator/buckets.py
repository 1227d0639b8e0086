"""Token buckets of ARM, of the compute provider and of Resource Graph.

The front asks before a handler runs; refill follows virtual time. Sizes are data; `--buckets FILE` replaces them.
"""

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Limit:
    """How many tokens fit, and how fast they come back."""

    size: float
    per_second: float
    per_resource: bool = False


def _windows(name: str, three: int, thirty: int) -> dict[str, Limit]:
    return {
        f"Microsoft.Compute/{name}3Min": Limit(three, three / 180),
        f"Microsoft.Compute/{name}30Min": Limit(thirty, thirty / 1800),
    }


def _compute(name: str, size: int, per_resource: int = 0) -> dict[str, Limit]:
    """Return the buckets of the virtual machine provider: refill per minute is a third of the size (documented)."""
    found = {f"Microsoft.Compute/{name}SubscriptionMaximum": Limit(size, size / 180)}
    if per_resource:
        found[f"Microsoft.Compute/{name}Resource"] = Limit(per_resource, per_resource / 180, per_resource=True)
    return found


# ARM: documented (250 + 25/s, 200 + 10/s, 200 + 10/s; the subscription's own limit is 15 times that), recorded first
# answers 249/3749 and 199/2999. Provider sizes: the highest remaining value recorded in 2022-2025, plus one.
ARM = {"reads": Limit(250, 25), "writes": Limit(200, 10), "deletes": Limit(200, 10)}
GLOBAL_FACTOR = 15
PROVIDER: Mapping[str, Limit] = {
    **_windows("CreateUpdateDisks", 3000, 25000),
    **_windows("DeleteDisks", 3000, 24000),
    **_windows("HighCostSnapshotCreateHydrate", 1000, 8000),
    **_windows("HighCostDiskHydrate", 1000, 8000),
    **_windows("GetOperation", 50000, 400000),
    **_windows("LowCostGet", 15000, 120000),
    **_windows("HighCostGet", 240, 1920),
    **_compute("PutVM", 1500, 12),
    **_compute("UpdateVM", 1500, 12),
    **_compute("DeleteVM", 1500, 12),
    **_compute("LowCostGet", 40000, 45),
    **_compute("HighCostGet", 900),
    **_compute("GetOperation", 15000),
    **_compute("PutRestorePoint", 150, 6),
    **_compute("PutRestorePointCollection", 150, 15),
    **_compute("UpdateRestorePointCollection", 150, 15),
    **_compute("DeleteRestorePoint", 360),
    **_compute("LowCostGetRestorePoint", 600),
    **_compute("HighCostGetRestorePoint", 150),
    **_compute("CreateImages", 60),
    **_compute("GetImages", 360),
    # Lists of a vault's jobs: 150 an hour (recorded words of a refusal; that each vault has its own is assumed).
    "Microsoft.RecoveryServices/ListBackupJobs": Limit(150, 150 / 3600, per_resource=True),
    # 3 points per machine and hour for each mode, 3 copies per collection and hour (documented; one recorded).
    **{
        f"Microsoft.Compute/{name}": Limit(3, 3 / 3600, per_resource=True)
        for name in (
            "CreateCrashConsistentRestorePoint",
            "CreateApplicationConsistentRestorePoint",
            "CopyRestorePoint",
        )
    },
}
GRAPH = Limit(15, 3)


class BadLimits(Exception):
    """A limits file that cannot be used."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Which buckets there are."""

    arm: Mapping[str, Limit] = field(default_factory=lambda: dict(ARM))
    provider: Mapping[str, Limit] = field(default_factory=lambda: dict(PROVIDER))
    graph: Limit | None = GRAPH
    quotas: Mapping[str, int | None] = field(default_factory=dict)


def read_limits(path: Path) -> Limits:
    """Read a limits file, with sections `arm`, `provider`, `graph` and `quota`.

    A bucket is `{size, per_second}` or `{size, window_s}`; `enabled = false` in a section removes its buckets; a
    named bucket replaces the one that is built in. A quota is a number, by the names of quotas.py.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        provider = document.get("provider", {})
        arm = document.get("arm", {})
        graph = document.get("graph", {})
        return Limits(
            _section(ARM, arm),
            _section(PROVIDER, provider),
            None if graph.get("enabled") is False else _limit(graph, GRAPH),
            {name: int(size) for name, size in document.get("quota", {}).items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadLimits(f"{path}: {error}") from error


def _section(built_in: Mapping[str, Limit], section: Mapping[str, Any]) -> dict[str, Limit]:
    start = {} if section.get("enabled") is False else dict(built_in)
    named = {name: value for name, value in section.items() if name != "enabled"}
    return {**start, **{name: _limit(value, built_in.get(name)) for name, value in named.items()}}


def _limit(section: Mapping[str, Any], otherwise: Limit | None) -> Limit:
    if not section and otherwise is not None:
        return otherwise
    per_second = section["per_second"] if "per_second" in section else section["size"] / section["window_s"]
    return Limit(float(section["size"]), float(per_second), otherwise.per_resource if otherwise else False)


@dataclass(slots=True)
class _Bucket:
    tokens: float
    stamp: float


@dataclass(frozen=True, slots=True)
class Toll:
    """What a call was charged: headers for its answer, the fullest bucket, and how long to wait if it was refused."""

    headers: dict[str, str]
    tightest: tuple[str, int] | None
    refused_by: str | None = None
    wait: float = 0.0

    @property
    def retry_after(self) -> int:
        """Whole seconds to wait, at least one."""
        return max(1, math.ceil(self.wait))


class Buckets:
    """All buckets in use."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held: dict[tuple[str, ...], _Bucket] = {}
        self.quotas = limits.quotas

    def _refilled(self, key: tuple[str, ...], limit: Limit, now: float) -> _Bucket:
        bucket = self._held.get(key)
        if bucket is None:
            bucket = self._held[key] = _Bucket(limit.size, now)
        elif now > bucket.stamp:
            bucket.tokens = min(limit.size, bucket.tokens + (now - bucket.stamp) * limit.per_second)
            bucket.stamp = now
        return bucket

    def charge_arm(self, kind: str, scope: str, principal: str, now: float) -> Toll:
        """Take one token for a read, write or delete in a subscription, or in the tenant where there is none."""
        limit = self._limits.arm.get(kind)
        if limit is None:
            return Toll({}, None)
        name = f"subscription-{kind}" if scope else f"tenant-{kind}"
        own = self._refilled(("arm", kind, scope, principal), limit, now)
        if own.tokens < 1:
            return Toll({}, (name, 0), name, (1 - own.tokens) / limit.per_second)
        headers = {f"x-ms-ratelimit-remaining-{name}": str(int(own.tokens - 1))}
        if scope:
            whole = Limit(limit.size * GLOBAL_FACTOR, limit.per_second * GLOBAL_FACTOR)
            shared = self._refilled(("arm", kind, scope), whole, now)
            if shared.tokens < 1:
                refused = f"subscription-global-{kind}"
                return Toll({}, (refused, 0), refused, (1 - shared.tokens) / whole.per_second)
            shared.tokens -= 1
            headers[f"x-ms-ratelimit-remaining-subscription-global-{kind}"] = str(int(shared.tokens))
        own.tokens -= 1
        return Toll(headers, (name, int(own.tokens)))

    def charge_provider(self, policies: tuple[str, ...], scope: tuple[str, str], resource: str, now: float) -> Toll:
        """Take one token from each policy of a route; `scope` is subscription and region."""
        taken: list[tuple[str, Limit, _Bucket]] = []
        for name in policies:
            limit = self._limits.provider.get(name)
            if limit is not None:
                key = ("provider", name, *scope, resource if limit.per_resource else "")
                taken.append((name, limit, self._refilled(key, limit, now)))
        if not taken:
            return Toll({}, None)
        for name, limit, bucket in taken:
            if bucket.tokens < 1:
                return Toll({}, (name, 0), name, (1 - bucket.tokens) / limit.per_second)
        for _, _, bucket in taken:
            bucket.tokens -= 1
        header = ",".join(f"{name};{int(bucket.tokens)}" for name, _, bucket in taken)
        least = min(taken, key=lambda item: item[2].tokens / item[1].size)
        return Toll({"x-ms-ratelimit-remaining-resource": header}, (least[0], int(least[2].tokens)))

    def charge_graph(self, principal: str, now: float) -> Toll:
        """Take one Resource Graph query of a principal's quota (15 per 5 seconds, documented; headers recorded)."""
        limit = self._limits.graph
        if limit is None:
            return Toll({}, None)
        bucket = self._refilled(("graph", principal), limit, now)
        if bucket.tokens < 1:
            return Toll(_quota(0), ("user-quota", 0), "user-quota", (1 - bucket.tokens) / limit.per_second)
        bucket.tokens -= 1
        return Toll(_quota(int(bucket.tokens)), ("user-quota", int(bucket.tokens)))


def _quota(remaining: int) -> dict[str, str]:
    return {
        "x-ms-user-quota-remaining": str(remaining),
        "x-ms-user-quota-resets-after": "00:00:05",
        "x-ms-ratelimit-remaining-tenant-resource-requests": str(remaining),
    }
