"""In which partition a machine's rows live: partition keys are `subscription|region|slice`.

A shard begins with one slice, `00`. From `FULL` machines on, new ones go to slice 1 + hash(uid) mod 32, so that no
partition grows without end; rows never move. A shard's census row (`m{` in slice 00, right before the machines: what
reads them reads it too) counts the machines of slice 00 and says whether it still takes new ones. Each registration
there changes the census in the same transaction, and closing it is a change of the census too: a machine that two
workers register at that very moment is registered once.
Whoever registers elsewhere has seen slice 00 closed, so a look into it for the same machine is conclusive.

Used by the ledger adapter only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.cloud.rows import SCHEMA, Entity
from shared.model.identity import Shard, VmUid

FIRST = "00"
FULL = 500
HASHED = 32
CENSUS = "m{"
EARLIER = "s|"  # where builds kept the census that read it by itself; it stays there for them
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)  # the census is wanted by every query about machines


@dataclass(frozen=True, slots=True)
class Census:
    """How many machines slice 00 of a shard holds, and whether it is closed to new ones."""

    machines: int = 0
    closed: bool = False
    etag: str = ""


def partition(shard: Shard, slice_: str) -> str:
    return f"{shard}|{slice_}"


def hashed(uid: VmUid) -> str:
    """The slice of a machine that came after slice 00 was closed."""
    number = int.from_bytes(hashlib.sha256(uid.encode()).digest()[:4], "big") % HASHED
    return f"{number + 1:02}"


def slices_of(uid: VmUid) -> Sequence[str]:
    """Where the machine can be, in the order to look."""
    return (FIRST, hashed(uid))


def further_slices(closed: bool) -> Sequence[str]:
    """The slices beside 00 that can hold machines, slice 00 being closed or not."""
    return [f"{number + 1:02}" for number in range(HASHED)] if closed else []


def census_of(entity: dict[str, Any], etag: str) -> Census:
    return Census(int(entity["machines"]), bool(entity["closed"]), etag)


def census_entity(shard: Shard, census: Census) -> Entity:
    return {
        "PartitionKey": partition(shard, FIRST),
        "RowKey": CENSUS,
        "schema": SCHEMA,
        "machines": census.machines,
        "closed": census.closed,
        "wanted_at": ALWAYS,
        "next_expiry": ALWAYS,
    }
