"""What the kind of a vault's point promises."""

from __future__ import annotations

import pytest

from shared.decide.vault_points import recorded
from shared.decide.vaults import VAULT_TYPE
from shared.model.identity import ResourceId
from shared.model.point import Consistency
from shared.model.vault import PointSeen
from tests.fleet import NOW, SUBSCRIPTION, machine

VAULT = ResourceId(SUBSCRIPTION, "backups", VAULT_TYPE, "ours")


@pytest.mark.parametrize(
    ("kind", "promised"),
    [
        ("AppConsistent", Consistency.APPLICATION),
        ("FileSystemConsistent", Consistency.FILE_SYSTEM),
        ("filesystemconsistent", Consistency.FILE_SYSTEM),
        ("CrashConsistent", Consistency.CRASH),
        ("Invented", Consistency.CRASH),
        ("", Consistency.CRASH),
    ],
)
def test_a_point_promises_what_azure_says_of_it_and_the_least_where_that_is_unknown(
    kind: str, promised: Consistency
) -> None:
    [point] = recorded(machine(1, "web-1"), None, VAULT, [PointSeen("1", NOW, kind, ("InstantRP",))], [])
    assert point.consistency is promised
