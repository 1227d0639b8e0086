"""What the twins tell whoever watches the truth: every change as it takes effect. Watchers override what they need."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.model.brake import Braking
from shared.model.event import Event
from shared.model.identity import ResourceId, Shard, VmUid
from shared.model.restore_point import RestorePointOrder
from shared.model.snapshot import SnapshotOrder
from shared.model.transition import Transition
from tests.world.scheduler import Invocation
from tests.world.steps import Bucket
from tests.world.twins.azure import SnapshotTruth
from tests.world.twins.rows import Kept


class Witness:
    """Sees the truth and not what anybody says of it. This one looks away."""

    def snapshot_put(self, order: SnapshotOrder, there: SnapshotTruth | None, by: Invocation | None) -> None: ...

    def restore_point_put(
        self, order: RestorePointOrder, made: SnapshotTruth, there: SnapshotTruth | None, by: Invocation | None
    ) -> None: ...

    def snapshot_deleted(self, snapshot: SnapshotTruth, asked_at: datetime) -> None: ...

    def vault_written(self, vault: ResourceId, about: str) -> None: ...

    def vault_emptied(self, vault: ResourceId, vm: ResourceId) -> None: ...

    def group_made(self, shard: Shard, by: Invocation | None) -> None: ...

    def machine_looked_at(self, vm: ResourceId, uid: VmUid | None) -> None: ...

    def machine_listed(self, uid: VmUid, as_of: datetime) -> None: ...

    def rows_committed(self, transition: Transition, before: Sequence[Kept | None]) -> None: ...

    def audit_written(self, shard: Shard, at: datetime, lines: Sequence[str]) -> None: ...

    def events_published(self, events: Sequence[Event]) -> None: ...

    def brakes_changed(self, before: Braking, after: Braking) -> None: ...

    def told_to_wait(self, bucket: Bucket, until: datetime, by: Invocation | None) -> None: ...

    def sent(self, bucket: Bucket, by: Invocation | None) -> None: ...
