"""The contract of ports.Approvals."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.approvals import TOGETHER
from shared.errors import LostRace
from shared.model.approval import Approval, Approvals, Deletion
from shared.model.identity import Shard
from shared.model.point import Engine
from shared.ports.storage import Approvals as ApprovalsPort
from tests.rows import EXACT, new_uid


def test_approvals_are_read_back_as_they_were_put_and_never_changed_unread(
    approvals: ApprovalsPort, shard: Shard
) -> None:
    before = approvals.of(shard)
    assert before == Approvals()
    many = tuple(Deletion(new_uid(), EXACT + timedelta(hours=n), Engine.DISK, EXACT) for n in range(TOGETHER))
    agreed = Approval(many, "person-1", EXACT, "person-2", EXACT + timedelta(hours=1))
    approvals.change(shard, replace(before, approvals=(agreed, Approval(many[:1], "müde", EXACT))))
    stored = approvals.of(shard)
    assert stored.approvals == (agreed, Approval(many[:1], "müde", EXACT))
    with pytest.raises(LostRace):
        approvals.change(shard, before)
    approvals.change(shard, replace(stored, approvals=()))
    with pytest.raises(LostRace):
        approvals.change(shard, stored)
    assert approvals.of(shard).approvals == ()


def test_approvals_of_different_shards_do_not_meet(approvals: ApprovalsPort, shard: Shard) -> None:
    one = Approval((Deletion(new_uid(), EXACT, Engine.DISK, EXACT),), "person-1", EXACT)
    approvals.change(shard, Approvals((one,)))
    assert approvals.of(Shard(shard.subscription, "northeurope")) == Approvals()
