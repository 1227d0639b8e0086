"""Which machine is drilled next: whose turn it is, what stands in the way, and what a day allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest

from shared.decide.drilling import Choice, choose, due_at, reckoned, request_id
from shared.model.drill import Drill
from shared.model.identity import Shard, VmUid
from shared.model.machine import Machine
from shared.model.plan import DrillPart, Plans
from shared.model.request import Asked, Progress, Request
from shared.model.rules import Mode, Rules
from tests.decide.plans import GOLD, NOW, RULES, SHARD, SILVER, SUBSCRIPTION, machine

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PART = DrillPart(30 * DAY, 45 * DAY, 2, timedelta(minutes=30))
ELSEWHERE = Shard(SUBSCRIPTION, "northeurope")


def rules(part: DrillPart = PART) -> Rules:
    silver, gold = replace(SILVER, drill=part), replace(GOLD, drill=part)
    return replace(RULES, plans=Plans({"silver": silver, "gold": gold, "bronze": SILVER}, "silver", {}))


def vm(name: str, **changes: object) -> Machine:
    return machine(uid=VmUid(name), name=name, **changes)


def drilled(at: datetime, proven: bool = True, took: int = 600) -> Drill:
    return Drill(f"r-{at:%d%H}", at, at - timedelta(seconds=took), at, proven, "", (), took)


def asked(name: str, kind: Asked, shard: Shard = SHARD, progress: Progress = Progress.ASKED) -> Request:
    return Request(f"r-{name}", kind, shard, VmUid(name), "person", NOW, progress)


def chosen(machines: Sequence[Machine], requests: Sequence[Request] = (), part: DrillPart = PART) -> Choice:
    return choose(machines, requests, rules(part), NOW)


def begun(*machines: Machine, requests: Sequence[Request] = (), part: DrillPart = PART) -> list[str]:
    return [one.machine.name for one in chosen(machines, requests, part).begin]


def waits(*machines: Machine, requests: Sequence[Request] = (), part: DrillPart = PART) -> dict[str, str]:
    return {one.machine.name: one.because for one in chosen(machines, requests, part).waiting}


def test_who_was_never_drilled_comes_first_and_then_who_was_longest_ago() -> None:
    old, older, never = vm("a", drill=drilled(NOW - 31 * DAY)), vm("b", drill=drilled(NOW - 40 * DAY)), vm("c")
    assert begun(old, older, never) == ["c"]
    assert begun(old, older) == ["b"]
    assert begun(vm("z"), vm("y")) == ["y"], "by uid where nothing else tells"


def test_the_reason_is_said() -> None:
    reasons = [
        chosen([one]).begin[0].because
        for one in (vm("a"), vm("b", drill=drilled(NOW - 31 * DAY)), vm("c", drill=drilled(NOW - 2 * DAY, False)))
    ]
    assert reasons == [
        "no restore of it was ever tried",
        "its last verified restore is of 2027-02-07 12:00Z",
        "its drill of 2027-03-08 12:00Z failed",
    ]


def test_a_machine_is_due_again_after_the_time_of_its_plan_and_sooner_after_a_failure() -> None:
    assert due_at(vm("a"), PART) is None
    assert due_at(vm("a", drill=drilled(NOW)), PART) == NOW + 30 * DAY
    assert due_at(vm("a", drill=drilled(NOW, proven=False)), PART) == NOW + DAY
    assert due_at(vm("a", drill=drilled(NOW, proven=False)), replace(PART, every=DAY / 2)) == NOW + DAY / 2
    assert begun(vm("a", drill=drilled(NOW - 30 * DAY))) == ["a"]


def test_a_timer_that_comes_minutes_before_a_machine_is_due_does_not_pass_it_by_for_a_day() -> None:
    assert begun(vm("a", drill=drilled(NOW - 30 * DAY + HOUR))) == ["a"]
    assert begun(vm("a", drill=drilled(NOW - 30 * DAY + HOUR + timedelta(seconds=1)))) == []
    assert begun(vm("a", drill=drilled(NOW - DAY + timedelta(minutes=20), proven=False))) == ["a"]


def test_one_that_failed_does_not_keep_others_from_their_turn() -> None:
    failing, waiting = vm("a", drill=drilled(NOW - DAY, proven=False)), vm("b", drill=drilled(NOW - 35 * DAY))
    assert begun(failing, waiting) == ["b"]


@pytest.mark.parametrize(
    "changes",
    [
        {"last_point": None},
        {"tags": {"backup": "bronze"}, "plan": "bronze"},
        {"tags": {"backup": "off"}},
        {"tags": {}},
        {"absent_since": NOW},
    ],
    ids=str,
)
def test_only_machines_with_a_point_whose_plan_has_drills_are_meant(changes: dict[str, object]) -> None:
    found = chosen([vm("a", **changes)])
    assert (found.begin, found.waiting) == ((), ())
    assert begun(vm("a", **changes), vm("b")) == ["b"], "and nobody else's turn passes with it"


def test_nothing_is_begun_where_it_is_only_looked_on() -> None:
    observing = replace(rules(), subscriptions={SUBSCRIPTION: Mode.OBSERVE})
    assert choose([vm("a")], (), observing, NOW) == Choice((), ())


def test_one_at_a_time_in_each_region() -> None:
    far = vm("c", shard=ELSEWHERE)
    assert begun(vm("a"), vm("b"), far, part=replace(PART, per_day=5)) == ["a", "c"]
    assert waits(vm("a"), vm("b")) == {"b": "another machine of its region is being drilled"}
    assert begun(vm("a"), requests=[asked("x", Asked.DRILL)]) == []
    assert begun(vm("a"), requests=[asked("x", Asked.DRILL, ELSEWHERE)]) == ["a"]


@pytest.mark.parametrize("kind", [Asked.RESTORE, Asked.UNDO, Asked.DRILL, Asked.TIDY])
def test_a_machine_that_is_being_restored_is_left_alone(kind: Asked) -> None:
    assert waits(vm("a"), requests=[asked("a", kind)]) == {"a": "it is being restored, or drilled"}
    assert begun(vm("a"), requests=[asked("a", kind, progress=Progress.DONE)]) == ["a"]


@pytest.mark.parametrize("kind", [Asked.BACKUP, Asked.HOLD, Asked.RETRY])
def test_what_else_is_asked_of_a_machine_stands_in_nobodys_way(kind: Asked) -> None:
    assert begun(vm("a"), requests=[asked("a", kind)]) == ["a"]


def test_a_drill_that_is_judged_and_still_being_removed_counts_once() -> None:
    judged = drilled(NOW - HOUR)
    removing = replace(asked("x", Asked.DRILL, ELSEWHERE), id=judged.request)
    tried = vm("x", shard=ELSEWHERE, drill=judged)
    assert begun(vm("a"), tried, requests=[removing]) == ["a"]
    again = replace(removing, id="another")
    assert begun(vm("a"), tried, requests=[again]) == [], "two drills of one machine are two"


def test_no_more_are_begun_than_a_plan_allows_for_a_day() -> None:
    recent = [vm(f"r{number}", drill=drilled(NOW - 22 * HOUR)) for number in range(2)]
    assert begun(vm("a"), *recent) == []
    told = "2 of plan silver were drilled within a day, which is all it allows"
    assert waits(vm("a"), *recent) == {"a": told}
    misspelt = [replace(one, tags={"backup": "slver"}, grace_from=NOW - HOUR) for one in recent]
    assert waits(vm("a"), *misspelt) == {"a": told}, "the last good plan counts while it is kept"
    assert begun(vm("a"), recent[0], vm("r1", drill=drilled(NOW - 25 * HOUR))) == ["a"]
    assert begun(vm("a"), recent[0], requests=[asked("x", Asked.DRILL, ELSEWHERE)]) == ["a"], "not of this plan"
    underway = vm("x", shard=ELSEWHERE)
    assert begun(vm("a"), recent[0], underway, requests=[asked("x", Asked.DRILL, ELSEWHERE)]) == []
    began = vm("r1", drill=drilled(NOW - 23 * HOUR + timedelta(seconds=600), took=600))
    assert begun(vm("a"), recent[0], began) == ["a"], "one that began 23 hours ago to the second counts no more"
    later = vm("r1", drill=drilled(NOW - 23 * HOUR + timedelta(seconds=601), took=600))
    assert begun(vm("a"), recent[0], later) == []
    gold = vm("g", tags={"backup": "gold"}, plan="gold")
    assert begun(gold, *recent) == ["g"], "every plan has a budget of its own"


def test_no_more_is_spent_than_a_plan_allows_for_a_day() -> None:
    part = replace(PART, per_day=9, hourly_cost=2.0, cost_per_day=5.0)
    cheap = vm("c", drill=drilled(NOW - 2 * HOUR))
    assert begun(vm("a"), cheap, part=part) == ["a"], "2 of 5 were spent, and 2 more fit"
    assert begun(vm("a"), part=replace(part, cost_per_day=2.0)) == ["a"], "nothing was spent, and 2 of 2 fit"
    dear = vm("d", drill=drilled(NOW - 2 * HOUR, took=3601))
    assert waits(vm("a"), dear, part=part) == {
        "a": "a drill is reckoned at 2, and 1 of plan silver are left for the day"
    }
    assert begun(vm("a"), dear, part=replace(part, cost_per_day=6.0)) == ["a"]
    more = [vm(name, drill=drilled(NOW - 2 * HOUR)) for name in ("c", "d")]
    assert waits(vm("a"), *more, part=part) == {
        "a": "a drill is reckoned at 2, and 1 of plan silver are left for the day"
    }
    slow = vm("a", drill=drilled(NOW - 40 * DAY, took=3601))
    assert waits(slow, part=replace(part, cost_per_day=3.0)) == {
        "a": "a drill is reckoned at 4, and 3 of plan silver are left for the day"
    }
    long_ago = vm("e", shard=ELSEWHERE, drill=drilled(NOW - 40 * DAY, took=3601))
    newer = vm("f", drill=drilled(NOW - 35 * DAY))
    assert waits(long_ago, newer, part=part) == {
        "f": "a drill is reckoned at 2, and 1 of plan silver are left for the day"
    }, "what is begun now is reckoned as well"
    assert begun(vm("a"), dear, part=replace(part, hourly_cost=0.0, cost_per_day=0.0)) == ["a"]


def test_a_drill_has_the_id_of_its_turn_so_that_two_timers_ask_for_the_same() -> None:
    never, once = vm("a"), vm("a", drill=drilled(NOW))
    ids = [request_id(never, 0), request_id(never, 1), request_id(once, 0), request_id(vm("b"), 0)]
    assert ids == list(dict.fromkeys(ids))
    last = once.drill.request if once.drill else ""
    told = ["a||0", "a||1", f"a|{last}|0", "b||0"]
    assert ids == [f"drill-{sha256(each.encode()).hexdigest()[:32]}" for each in told]
    assert request_id(never, 0) == request_id(vm("a"), 0)


def test_every_hour_begun_is_reckoned_and_one_where_nothing_is_known() -> None:
    part = replace(PART, hourly_cost=1.5)
    takes = [None, *(drilled(NOW, took=took) for took in (0, 600, 3600, 3601, 7201))]
    assert [reckoned(part, drill) for drill in takes] == [1.5, 1.5, 1.5, 1.5, 3.0, 4.5]
