"""What the bulk lens makes us ask: what differs from the row, what the plans changed under it, what vanished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.decide.protection import settled_row
from shared.decide.questions import SAMPLE, SHRUNK_LEAST, Question, differs, loss, question, questions, remembered
from shared.decide.registration import registered
from shared.model.identity import VmUid, vm_id
from shared.model.machine import GroupSeen, Machine, Sighting, Status
from shared.model.rules import Mode, Rules
from tests.decide.plans import NOW, RULES, SUBSCRIPTION, UID, VM, disk, machine, sighting

ROW = settled_row(machine(), (), RULES, NOW)
ELSEWHERE = vm_id(str(VM).replace("web-1", "web-2"))


def asking(
    rows: Mapping[VmUid, Machine], seen: Mapping[VmUid, Sighting], rules: Rules, now: datetime
) -> tuple[Question, ...]:
    """What a sweep asks about one shard when the lists show these machines of it."""
    known = {uid: remembered(row, rules, now) for uid, row in rows.items()}
    shown = {uid: question(known.get(uid), one, rules.prefix) for uid, one in seen.items()}
    return questions(known, shown, now)


def test_what_the_row_knows_already_is_not_asked() -> None:
    assert differs(machine(), sighting(), "backup") == ""
    assert asking({UID: ROW}, {UID: sighting()}, RULES, NOW) == ()
    misspelt = {"backup": "slver"}
    row = settled_row(registered(machine(), sighting(misspelt), RULES, NOW), (), RULES, NOW)
    assert asking({UID: row}, {UID: sighting(misspelt)}, RULES, NOW) == ()


@pytest.mark.parametrize(
    ("row", "seen", "because"),
    [
        (machine(status=Status.GONE), sighting(), "it is seen again"),
        (machine(absent_since=NOW), sighting(), "it is seen again"),
        (machine(), replace(sighting(), id=ELSEWHERE), "it moved"),
        (machine(), replace(sighting(), name="WEB-1"), "it moved"),
        (machine(), sighting({"backup": "gold"}), "its tags changed"),
        (machine(), sighting(disks=(disk("other"),)), "its disks changed"),
        (machine(), sighting(disks=(disk("os", 1),)), "its disks changed"),
        (machine(), replace(sighting(), unsupported=("LUN 1 is unmanaged",)), "its disks changed"),
        (machine(), replace(sighting(), group=GroupSeen({"backup": "gold"})), "its resource group changed"),
        (machine(group=GroupSeen({})), replace(sighting(), group=GroupSeen({}, "/c")), "its resource group changed"),
        (machine(), replace(sighting(), scale_set=True), "it joined or left a scale set"),
    ],
    ids=["gone", "absent", "id", "name", "tags", "disks", "lun", "unsupported", "group", "managed", "scale set"],
)
def test_what_differs_is_asked_once_with_its_reason(row: Machine, seen: Sighting, because: str) -> None:
    assert differs(row, seen, "backup") == because
    assert asking({UID: row}, {UID: seen}, RULES, NOW) == (Question(seen.id, None, because),)


def test_what_is_held_of_a_row_is_what_questions_are_asked_by() -> None:
    row = replace(ROW, left_at=NOW, absent_since=NOW, group=GroupSeen({}), scale_set=True, unsupported=("a",))
    held = remembered(row, RULES, NOW)
    for name in ("uid", "id", "name", "shard", "tags", "disks", "unsupported", "status", "enrolled_at"):
        assert getattr(held, name) == getattr(row, name)
    assert (held.absent_since, held.left_at, held.group, held.scale_set) == (NOW, NOW, GroupSeen({}), True)


def test_other_tags_of_a_group_say_nothing_and_neither_does_a_group_that_is_not_seen() -> None:
    row = machine(group=GroupSeen({"backup": "gold"}))
    assert differs(row, replace(sighting(), group=GroupSeen({"Backup": " gold", "team": "x"})), "backup") == ""
    assert differs(row, sighting(), "backup") == ""


def test_other_tags_and_the_order_of_what_cannot_be_captured_say_nothing() -> None:
    row = machine(unsupported=("a", "b"))
    seen = replace(sighting({"backup": "silver", "env": "test"}), unsupported=("b", "a"))
    assert differs(row, seen, "backup") == ""


def test_a_machine_without_a_row_is_new() -> None:
    assert asking({}, {UID: sighting()}, RULES, NOW) == (Question(VM, None, "it is new"),)


def test_changed_plans_are_a_question_although_azure_shows_nothing_new() -> None:
    observed = replace(RULES, subscriptions={SUBSCRIPTION: Mode.OBSERVE})
    found = asking({UID: machine()}, {UID: sighting()}, observed, NOW)
    assert found == (Question(VM, None, "its plans or their mode changed"),)


def fleet(size: int) -> dict[VmUid, Machine]:
    rows = [machine(uid=VmUid(f"{number:04}")) for number in range(size)]
    return {row.uid: settled_row(row, (), RULES, NOW) for row in rows}


def test_a_vanished_machine_is_asked_about_by_its_uid() -> None:
    found = asking({UID: machine()}, {}, RULES, NOW)
    assert found == (Question(VM, UID, "no list shows it any more"),)


def test_a_machine_that_is_gone_is_not_missed() -> None:
    assert asking({UID: machine(status=Status.GONE)}, {}, RULES, NOW) == ()


def test_a_machine_missed_once_is_asked_about_again_when_the_answer_could_say_that_it_is_gone() -> None:
    for minutes, asked in ((9, 0), (10, 1)):
        row = machine(absent_since=NOW - timedelta(minutes=minutes))
        assert len(asking({UID: row}, {}, RULES, NOW)) == asked


@pytest.mark.parametrize(
    ("size", "missing", "asked"),
    [
        (4, 4, 4),
        (SHRUNK_LEAST * 5, SHRUNK_LEAST, SHRUNK_LEAST),
        (100, 20, 20),
        (100, 21, SAMPLE),
        (12, 12, SAMPLE),
        (SHRUNK_LEAST, SHRUNK_LEAST, SHRUNK_LEAST),
    ],
)
def test_a_list_that_shrank_much_is_asked_about_by_a_sample(size: int, missing: int, asked: int) -> None:
    rows = fleet(size)
    seen = {uid: replace(sighting(), uid=uid) for uid in sorted(rows)[missing:]}
    found = asking(rows, seen, RULES, NOW)
    assert [one.uid for one in found] == sorted(rows)[:asked]


@pytest.mark.parametrize(
    ("size", "missing", "beyond"),
    [(4, 4, False), (SHRUNK_LEAST * 5, SHRUNK_LEAST, False), (100, 20, False), (100, 21, True), (5, 5, True)],
)
def test_what_a_list_lost_is_counted_and_doubted_above_a_fifth(size: int, missing: int, beyond: bool) -> None:
    rows = {uid: remembered(row, RULES, NOW) for uid, row in fleet(size).items()}
    gone = remembered(machine(uid=VmUid("gone"), status=Status.GONE), RULES, NOW)
    lost = loss({**rows, gone.uid: gone}, sorted(rows)[missing:])
    assert ([one.uid for one in lost.missing], lost.of) == (sorted(rows)[:missing], size)
    assert lost.beyond_belief is beyond


def test_machines_seen_are_asked_about_in_order_before_those_that_vanished() -> None:
    rows = {VmUid("0002"): machine(uid=VmUid("0002"))}
    seen = {VmUid(uid): replace(sighting(), uid=VmUid(uid)) for uid in ("0003", "0001")}
    assert [one.because for one in asking(rows, seen, RULES, NOW)] == [
        "it is new",
        "it is new",
        "no list shows it any more",
    ]
