"""The twin of ports.Approvals: one value per shard, replaced only as it was read. No table."""

from __future__ import annotations

from dataclasses import replace

from shared.errors import LostRace
from shared.model.approval import Approvals
from shared.model.identity import Shard
from tests.world.steps import Call, Effect, Steps


class ApprovalsTwin:
    """What two people agreed to."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._writes = 0
        self.kept: dict[Shard, Approvals] = {}

    def of(self, shard: Shard) -> Approvals:
        call = Call("blob", "approvals.of", Effect.READ, str(shard), str(shard))
        self._steps.before(call)
        answer = self.kept.get(shard, Approvals())
        self._steps.after(call)
        return answer

    def change(self, shard: Shard, approvals: Approvals) -> None:
        call = Call("blob", "approvals.change", Effect.WRITE, str(shard), str(shard))
        self._steps.before(call)
        if self.kept.get(shard, Approvals()).etag != approvals.etag:
            raise LostRace(f"the approvals of {shard} changed")
        self._writes += 1
        self.kept[shard] = replace(approvals, etag=f"y{self._writes}")
        self._steps.after(call)
