"""The deletion rule: a test per clause, which fails when its clause is taken away, and the rails around all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decide.deletion import CLAUSES, Facts, Look, verdict
from shared.decide.deletion_dates import Going, Staying
from shared.decide.deletion_verdicts import Delete, Frozen, Held, NeedsApproval, NotOurs, Verdict, WaitUntil
from shared.decide.tag_values import FOREVER
from shared.model.identity import DiskUid
from shared.model.point import Point
from shared.model.snapshot import SnapshotSeen
from tests.decide.plans import NOW, UID
from tests.decide.points import changed, point_of

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
OLD = point_of(NOW - 8 * DAY)
[PART] = OLD.parts
SEEN = SnapshotSeen(
    id=PART.id,
    source_uid=PART.disk_uid,
    provisioning="Succeeded",
    completion=None,
    access="Available",
    tags={"tagback-owner": "acct", "tagback-vm": UID, "tagback-disk": PART.disk_uid},
)
GOING = Going(OLD, OLD.keep_until, True, "its week is over")
UNPLANNED = replace(GOING, planned=False)
FREE = Facts(
    now=NOW,
    clocks_apart=timedelta(0),
    owner="acct",
    standing=GOING,
    marked_at=NOW - 4 * DAY,
    wait=DAY,
    listed_at=NOW - MINUTE,
    looks=(Look(PART, SEEN),),
    room=1,
)


def facts(**fields: object) -> Facts:
    return replace(FREE, **fields)  # type: ignore[arg-type]  # a test names the fields it changes


def shown(**fields: object) -> Facts:
    """Azure shows the part otherwise."""
    return facts(looks=(Look(PART, replace(SEEN, **fields)),))  # type: ignore[arg-type]  # as above


def held(point: Point) -> Facts:
    return facts(standing=replace(GOING, point=point))


STOPPED: dict[str, list[tuple[Facts, type]]] = {
    "ours": [
        (shown(tags={}), NotOurs),
        (shown(tags={**SEEN.tags, "tagback-owner": "another"}), NotOurs),
        (shown(tags={**SEEN.tags, "tagback-vm": "another"}), NotOurs),
        (shown(tags={**SEEN.tags, "tagback-disk": "another"}), NotOurs),
        (shown(source_uid=DiskUid("another")), NotOurs),
        (shown(id=replace(PART.id, name="tb-" + 32 * "0")), NotOurs),
    ],
    "may ever go": [(facts(standing=Staying(OLD, "the newest of a living machine")), WaitUntil)],
    "date": [(facts(standing=replace(GOING, at=NOW + MINUTE)), WaitUntil)],
    "Azure's date": [(facts(not_before=NOW + MINUTE), WaitUntil)],
    "outlived": [(facts(outlived=False), WaitUntil)],
    "machine asks": [(facts(standing=UNPLANNED, asks=True), WaitUntil), (facts(last=True, asks=True), WaitUntil)],
    "lives elsewhere": [(facts(standing=UNPLANNED, elsewhere="it lives on in another shard"), Held)],
    "announced": [(facts(marked_at=NOW - DAY + MINUTE), WaitUntil)],
    "cooling-off": [
        (facts(standing=UNPLANNED, marked_at=NOW - 71 * HOUR), WaitUntil),
        (facts(standing=UNPLANNED, left_at=NOW - 71 * HOUR), WaitUntil),
    ],
    "point held": [(held(changed(OLD, held_until=NOW + MINUTE)), Held)],
    "machine held": [(facts(machine_held_until=FOREVER), Held)],
    "part held": [(facts(looks=(Look(PART, SEEN), Look(PART, SEEN, NOW + MINUTE))), Held)],
    "active access": [(shown(disk_state="ActiveSAS"), Held)],
    "clocks": [(facts(clocks_apart=10 * MINUTE + timedelta(seconds=1)), Frozen)],
    "fresh look": [
        (facts(listed_at=NOW - 16 * MINUTE), WaitUntil),
        (facts(marked_at=NOW - 5 * MINUTE, listed_at=NOW - 6 * MINUTE, wait=timedelta(0)), WaitUntil),
    ],
    "halted": [(facts(halted="deletions are paused by person-1"), Frozen)],
    "mass brake": [(facts(standing=UNPLANNED, burst="7 machines left at once"), NeedsApproval)],
    "budget": [(facts(room=0), WaitUntil), (facts(standing=UNPLANNED, room=0), NeedsApproval)],
}
CASES = [
    pytest.param(name, case, kind, id=f"{name} {n}")
    for name, cases in STOPPED.items()
    for n, (case, kind) in enumerate(cases)
]


def test_what_nothing_stops_is_deleted_with_the_reason_of_its_date() -> None:
    assert verdict(FREE) == Delete("its week is over")


def test_every_clause_has_a_case() -> None:
    assert set(STOPPED) == set(CLAUSES)


@pytest.mark.parametrize(("name", "case", "kind"), CASES)
def test_a_clause_stops_the_deletion_and_says_why(name: str, case: Facts, kind: type) -> None:
    answer = verdict(case)
    assert type(answer) is kind
    assert answer.because


TOLD = [
    *6 * [("ours", None, f"{PART.id.name} does not carry our tags for this machine and disk, or is of another disk")],
    ("may ever go", DAY, "the newest of a living machine"),
    ("date", MINUTE, "kept until 2027-03-10 12:01Z: its week is over"),
    ("Azure's date", MINUTE, "Azure's own dates keep it until 2027-03-10 12:01Z"),
    ("outlived", HOUR, "Azure does not show a newer complete point of the machine, whatever our rows say"),
    *2 * [("machine asks", HOUR, "Azure shows its machine asking for protection, whatever our rows say")],
    ("lives elsewhere", DAY, "it lives on in another shard"),
    ("announced", MINUTE, "marked at 2027-03-09 12:01Z, to be deleted later"),
    *2 * [("cooling-off", HOUR, "nobody planned it at its birth: it waits 72 hours, in case it is a mistake")],
    ("point held", MINUTE, "the point is held until 2027-03-10 12:01Z"),
    ("machine held", DAY, "its machine is held by a tag for ever"),
    ("part held", MINUTE, "a part is held by a tag until 2027-03-10 12:01Z"),
    ("active access", DAY, f"{PART.id.name} is being read by a SAS: revoke the access to let it go"),
    ("clocks", None, "our clock and Azure's are 0:10:01 apart; at most 0:10:00 is allowed"),
    *2 * [("fresh look", timedelta(0), "the list that tells what is held is too old: look again first")],
    ("halted", None, "deletions are paused by person-1"),
    ("mass brake", None, "7 machines left at once"),
    ("budget", HOUR, "as many points went within a day as its new complete points allow"),
    ("budget", None, "today's unplanned deletions are used up; more of them need a second person, or another day"),
]


def test_each_verdict_says_when_to_look_again_and_why_in_these_words() -> None:
    answers = [(name, verdict(case)) for name, cases in STOPPED.items() for case, _ in cases]
    looks = [(name, getattr(answer, "until", None), answer.because) for name, answer in answers]
    assert looks == [(name, NOW + after if after is not None else None, because) for name, after, because in TOLD]


@pytest.mark.parametrize(("name", "case", "kind"), CASES)
def test_two_people_stand_in_for_the_brake_and_the_unplanned_budget_and_for_nothing_else(
    name: str, case: Facts, kind: type
) -> None:
    answer = verdict(replace(case, approved="approved by bob"))
    assert isinstance(answer, Delete) is (kind is NeedsApproval)


@pytest.mark.parametrize(("name", "case", "kind"), CASES)
def test_no_other_clause_would_have_stopped_it(name: str, case: Facts, kind: type) -> None:
    others = [clause for each, clause in CLAUSES.items() if each != name]
    assert isinstance(verdict(case, others), Delete)


@pytest.mark.parametrize(
    "case",
    [
        facts(standing=replace(GOING, at=NOW)),
        facts(not_before=NOW),
        facts(asks=True),
        facts(standing=UNPLANNED, asks=True, left=False),
        facts(last=True, outlived=False),
        facts(marked_at=NOW - DAY),
        facts(standing=UNPLANNED, marked_at=NOW - 72 * HOUR, left_at=NOW - 72 * HOUR),
        held(changed(OLD, held_until=NOW)),
        facts(machine_held_until=NOW),
        facts(clocks_apart=10 * MINUTE),
        facts(listed_at=NOW - 15 * MINUTE),
        facts(
            marked_at=NOW - DAY,
            listed_at=NOW - DAY,
            now=NOW - DAY,
            wait=timedelta(0),
            standing=replace(GOING, at=NOW - DAY),
        ),
        facts(burst="7 machines left at once"),
        facts(room=0, paid=True),
        facts(room=0, standing=replace(GOING, remains=True)),
        facts(looks=(Look(PART, None),)),
        facts(looks=(Look(PART, SEEN), Look(PART, None))),
    ],
)
def test_at_the_edge_it_may_go(case: Facts) -> None:
    assert isinstance(verdict(case), Delete)


def test_a_held_point_is_looked_at_every_day_and_never_later_than_its_hold_ends() -> None:
    for until in (NOW + HOUR, NOW + 40 * DAY, FOREVER):
        answer = verdict(facts(machine_held_until=until))
        assert isinstance(answer, Held)
        assert answer.until == min(until, NOW + DAY)


MOMENTS = st.integers(-200, 200).map(lambda hours: NOW + hours * HOUR)
LOOKS = st.builds(
    Look,
    st.just(PART),
    st.none() | st.just(SEEN) | st.just(replace(SEEN, tags={})) | st.just(replace(SEEN, disk_state="ActiveSAS")),
    st.none() | MOMENTS,
)
FACTS = st.builds(
    Facts,
    now=MOMENTS,
    clocks_apart=st.integers(0, 20).map(lambda minutes: minutes * MINUTE),
    owner=st.just("acct"),
    standing=st.builds(Going, st.just(OLD), MOMENTS, st.booleans(), st.just("due")) | st.just(Staying(OLD, "stays")),
    marked_at=MOMENTS,
    wait=st.just(DAY),
    listed_at=MOMENTS,
    looks=st.lists(LOOKS, min_size=1, max_size=3).map(tuple),
    room=st.integers(0, 2),
    paid=st.booleans(),
    machine_held_until=st.none() | MOMENTS,
    left_at=st.none() | MOMENTS,
    halted=st.sampled_from(["", "", "paused"]),
    burst=st.sampled_from(["", "", "burst"]),
)


@given(FACTS)
def test_every_verdict_has_a_reason_and_is_the_first_clause_that_speaks(case: Facts) -> None:
    answer: Verdict = verdict(case)
    assert answer.because
    spoken = [said for clause in CLAUSES.values() if (said := clause(case)) is not None]
    assert answer == (spoken[0] if spoken else Delete(case.standing.because))


@given(FACTS, MOMENTS)
def test_a_hold_a_pause_or_a_foreign_part_always_stops_it(case: Facts, until: datetime) -> None:
    assert not isinstance(verdict(replace(case, halted="paused")), Delete)
    assert not isinstance(verdict(replace(case, looks=(*case.looks, Look(PART, replace(SEEN, tags={}))))), Delete)
    if until > case.now:
        assert not isinstance(verdict(replace(case, machine_held_until=until)), Delete)
        assert not isinstance(verdict(replace(case, looks=(*case.looks, Look(PART, SEEN, until)))), Delete)
