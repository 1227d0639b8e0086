"""Approvals: one blob per shard in the container `control`, beside the tables. Built by wiring.

The API writes what people agreed to after it checked their tokens, the reaper strikes out what it used. Nothing in a
table stands for an approval, so nobody who may only write to tables can make one.
"""

from __future__ import annotations

from shared.cloud.control import Control
from shared.cloud.storage import Storage
from shared.model.approval import Approvals
from shared.model.identity import Shard


class BlobApprovals:
    """What was asked for and agreed to, by shard."""

    def __init__(self, storage: Storage) -> None:
        self._control = Control(storage)

    def of(self, shard: Shard) -> Approvals:
        return self._control.load(_name(shard), Approvals)

    def change(self, shard: Shard, approvals: Approvals) -> None:
        self._control.store(_name(shard), approvals)


def _name(shard: Shard) -> str:
    return f"approvals/{shard.subscription}/{shard.region}.json"
