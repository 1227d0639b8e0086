"""Two people's word on deletions: what another asked for is agreed to, one's own never, and nothing lasts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.approvals import LASTS, MOST, TOGETHER, agreed, answered, deletion_of, used
from shared.model.approval import Approval, Approvals, Deletion
from shared.model.identity import VmUid
from shared.model.point import Engine, Removal
from tests.decide.plans import NOW
from tests.fleet import machine, point

HOUR = timedelta(hours=1)


def deletion(number: int) -> Deletion:
    return Deletion(VmUid(f"vm-{number}"), NOW - 9 * HOUR, Engine.DISK, NOW - HOUR)


ONE, TWO, THREE = (deletion(number) for number in range(3))


def test_the_first_person_asks_the_second_agrees() -> None:
    first = answered(Approvals(), [ONE, TWO], "ann", NOW)
    assert (first.asked, first.agreed, first.own) == ((ONE, TWO), (), ())
    assert agreed(first.after, ONE, NOW) == ""
    second = answered(first.after, [ONE, TWO], "bob", NOW + HOUR)
    assert (second.asked, second.agreed, second.own) == ((), (ONE, TWO), ())
    assert second.after.approvals == (Approval((ONE, TWO), "ann", NOW, "bob", NOW + HOUR),)
    assert "approved by bob" in agreed(second.after, ONE, NOW + HOUR)
    assert "asked for by ann" in agreed(second.after, TWO, NOW + HOUR)


def test_nobody_agrees_with_themselves() -> None:
    first = answered(Approvals(), [ONE], "ann", NOW)
    again = answered(first.after, [ONE], "ann", NOW + HOUR)
    assert (again.asked, again.agreed, again.own) == ((), (), (ONE,))
    assert again.after == first.after


def test_who_agrees_to_a_part_leaves_the_rest_asked_for() -> None:
    first = answered(Approvals(), [ONE, TWO], "ann", NOW)
    second = answered(first.after, [TWO, THREE], "bob", NOW)
    assert (second.asked, second.agreed) == ((THREE,), (TWO,))
    assert second.after.approvals == (
        Approval((TWO,), "ann", NOW, "bob", NOW),
        Approval((ONE,), "ann", NOW),
        Approval((THREE,), "bob", NOW),
    )
    assert [bool(agreed(second.after, one, NOW)) for one in (ONE, TWO, THREE)] == [False, True, False]
    third = answered(second.after, [ONE, THREE], "ann", NOW)
    assert (third.own, third.agreed) == ((ONE,), (THREE,))


def test_what_was_asked_for_at_different_times_is_answered_together() -> None:
    first = answered(Approvals(), [ONE], "ann", NOW)
    both = answered(first.after, [TWO], "ann", NOW + HOUR)
    assert answered(both.after, [ONE, TWO], "ann", NOW + HOUR).own == (ONE, TWO)
    second = answered(both.after, [ONE, TWO], "bob", NOW + HOUR)
    assert second.agreed == (ONE, TWO)
    assert second.after.approvals == (
        Approval((ONE,), "ann", NOW, "bob", NOW + HOUR),
        Approval((TWO,), "ann", NOW + HOUR, "bob", NOW + HOUR),
    )


def test_what_is_agreed_to_needs_nobody_any_more() -> None:
    second = answered(answered(Approvals(), [ONE], "ann", NOW).after, [ONE], "bob", NOW)
    third = answered(second.after, [ONE], "eve", NOW)
    assert (third.asked, third.agreed, third.own) == ((), (), ())


@pytest.mark.parametrize("changes", [{"uid": VmUid("x")}, {"slot": NOW}, {"marked_at": NOW}, {"engine": Engine.VAULT}])
def test_another_deletion_is_not_agreed_to(changes: dict[str, object]) -> None:
    second = answered(answered(Approvals(), [ONE], "ann", NOW).after, [ONE], "bob", NOW)
    assert agreed(second.after, replace(ONE, **changes), NOW) == ""  # type: ignore[arg-type] # a field each


@pytest.mark.parametrize(
    ("after", "stands"), [(LASTS - HOUR, True), (LASTS, False), (-LASTS, True), (-LASTS - HOUR, False)]
)
def test_questions_and_answers_age_out(after: timedelta, stands: bool) -> None:
    first = answered(Approvals(), [ONE], "ann", NOW)
    assert bool(answered(first.after, [ONE], "bob", NOW + after).agreed) is stands
    second = answered(first.after, [ONE], "bob", NOW)
    assert bool(agreed(second.after, ONE, NOW + after)) is stands
    assert bool(used(second.after, (), NOW + after).approvals) is stands


def test_an_answer_lasts_from_when_it_was_given() -> None:
    first = answered(Approvals(), [ONE], "ann", NOW)
    second = answered(first.after, [ONE], "bob", NOW + LASTS - HOUR)
    assert agreed(second.after, ONE, NOW + LASTS + HOUR)


def test_what_is_carried_out_leaves() -> None:
    second = answered(answered(Approvals(), [ONE, TWO], "ann", NOW).after, [ONE, TWO], "bob", NOW)
    left = used(second.after, {ONE}, NOW)
    assert (agreed(left, ONE, NOW), bool(agreed(left, TWO, NOW))) == ("", True)
    assert used(left, {TWO}, NOW).approvals == ()


def test_a_question_is_kept_in_pieces_and_has_an_end() -> None:
    many = [deletion(number) for number in range(MOST + 1)]
    first = answered(Approvals(), [*many, *many], "ann", NOW)
    assert len(first.asked) == MOST
    assert {len(one.deletions) for one in first.after.approvals} == {TOGETHER}
    assert len(answered(first.after, many, "bob", NOW).agreed) == MOST


def test_the_deletion_of_a_point_is_named_by_its_mark() -> None:
    row = point(machine(1, "web-1"))
    marked = replace(row, removal=Removal(NOW, NOW + HOUR, "due"))
    assert deletion_of(row) is None
    assert deletion_of(marked) == Deletion(row.uid, row.slot, Engine.DISK, NOW)
