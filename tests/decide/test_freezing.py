"""When machines that left together are a freeze, and which brake was noted for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.decide.deletion_brake import AT_ONCE
from shared.decide.freezing import Freeze, freezes, noticed
from shared.model.brake import Brake, Braking, Stops
from shared.model.identity import VmUid
from tests.decide.plans import NOW, SHARD, SUBSCRIPTION, machine

MINUTE = timedelta(minutes=1)
FREEZE = Freeze("s", NOW, NOW + 10 * MINUTE, "5 machines left")


@pytest.mark.parametrize(
    ("scope", "since", "is_known"),
    [
        ("s", FREEZE.since - AT_ONCE - MINUTE, False),
        ("s", FREEZE.since - AT_ONCE, True),
        ("s", FREEZE.until, True),
        ("s", FREEZE.until + MINUTE, False),
        ("t", FREEZE.since, False),
    ],
)
def test_a_freeze_is_noticed_once_by_its_scope_and_its_time(scope: str, since: datetime, is_known: bool) -> None:
    brake = Brake(Stops.UNPLANNED, "", since, "noticed before", scope=scope, told=True)
    after = noticed(Braking((brake,)), [FREEZE], NOW)
    if is_known:
        assert after.brakes == (brake,)
    else:
        over, fresh = after.brakes
        assert (over.released_at, over.told) == (NOW, False)
        assert fresh == Brake(Stops.UNPLANNED, "", NOW, "5 machines left", scope="s")


def test_a_freeze_that_goes_on_has_the_reason_of_its_last_machines() -> None:
    moments = [NOW] * 5 + [NOW + 50 * MINUTE] + [NOW + 100 * MINUTE] * 6
    left = [machine(uid=VmUid(f"vm-{n:02}"), enrolled_at=None, left_at=at) for n, at in enumerate(moments)]
    because = f"7 machines of shard {left[0].shard} lost their protection within an hour: is that wanted?"
    assert freezes(left) == (Freeze(SUBSCRIPTION, NOW, NOW + 100 * MINUTE, because),)


def test_a_freeze_may_be_of_machines_of_several_regions() -> None:
    shards = [SHARD, replace(SHARD, region="northeurope")]
    left = [machine(uid=VmUid(f"vm-{n}"), shard=shards[n % 2], enrolled_at=None, left_at=NOW) for n in range(6)]
    because = f"6 machines of subscription {SUBSCRIPTION} lost their protection within an hour: is that wanted?"
    assert freezes(left) == (Freeze(SUBSCRIPTION, NOW, NOW, because),)


def test_a_brake_of_a_person_and_one_that_is_over_are_no_freezes_of_ours() -> None:
    persons = Brake(Stops.DELETES, "anna", NOW, "an audit")
    over = Brake(Stops.UNPLANNED, "", NOW, "before", scope="s", released_at=NOW)
    assert noticed(Braking((persons, over)), [], NOW).brakes == (persons, over)
    assert len(noticed(Braking((over,)), [FREEZE], NOW).brakes) == 2


@pytest.mark.parametrize(
    ("apart", "spans"),
    [
        (AT_ONCE + MINUTE, [(0, 0, 5), (61, 61, 5)]),
        (AT_ONCE, [(0, 60, 10)]),
        (MINUTE, [(0, 1, 10)]),
    ],
)
def test_machines_that_left_within_an_hour_of_each_other_are_one_freeze(
    apart: timedelta, spans: list[tuple[int, int, int]]
) -> None:
    moments = [NOW] * 5 + [NOW + apart] * 5
    left = [machine(uid=VmUid(f"vm-{n}"), enrolled_at=None, left_at=at) for n, at in enumerate(moments)]
    because = "machines of shard {shard} lost their protection within an hour: is that wanted?"
    assert freezes(left) == tuple(
        Freeze(
            SUBSCRIPTION,
            NOW + first * MINUTE,
            NOW + last * MINUTE,
            f"{count} {because.format(shard=left[0].shard)}",
        )
        for first, last, count in spans
    )
