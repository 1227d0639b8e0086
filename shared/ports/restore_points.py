"""What flows need of restore points, in collections of ours: one per machine, in numbered recovery groups of a region.

Nothing here deletes: `Deletions` does, one restore point at a time. Nothing anywhere deletes a collection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from shared.model.identity import ResourceId, Shard
from shared.model.restore_point import RestorePointOrder, RestorePointSeen


class RestorePoints(Protocol):
    """Restore points of machines."""

    def create(self, order: RestorePointOrder) -> None:
        """Ask for a restore point; returns when Azure accepted it, never waits for it.

        Never call it for a name that may already exist. Missing when its collection is not there yet (`prepare`).
        """

    def prepare(self, order: RestorePointOrder) -> None:
        """Make the collection and its group, tagged as ours; nothing happens to what is there."""

    def find(self, point: ResourceId) -> RestorePointSeen | None:
        """One restore point with how far its data is, from the provider itself; None when there is none."""

    def of(self, collection: ResourceId) -> Sequence[RestorePointSeen]:
        """All of a collection, from the provider itself, without how far their data is; none where nothing is."""

    def mark(self, point: ResourceId, tags: Mapping[str, str]) -> None:
        """Put tags beside those of the point's collection; those of the same names take the new values.

        Safe to repeat. Missing when there is no such collection.
        """

    def place(self, shard: Shard, number: int, collection: str) -> ResourceId:
        """The id that a collection of this name has in the shard's recovery group of this number. Pure."""
