"""Every step of a protection, whole: what is begun with which task, and what is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.decide.policies import properties_of
from shared.decide.vault_wish import Undecided, Unwanted, Want
from shared.decide.vaulting import Begin, Rest, Step, View, backups_left, next_step, opened
from shared.model.operation import Kind, Operation, State
from shared.model.point import Engine, Origin
from shared.model.vault import ItemState, PolicySeen, Protection, Standing, VaultTask
from tests.decide.test_vaulting import DAY, HOUR, KNOWN, MINUTE, ROW, VAULT, item, of_kind, plan_of, want, wanted
from tests.fleet import NOW

POLICY = wanted().policy.name
UNWANTED = Unwanted("nobody asks")
PENDING = View(item(ItemState.PENDING), ours=True)
OTHER = View(item(policy="Other"), ours=True)


def step(view: View, *operations: Operation, of: Want | None = None, known: Protection | None = None) -> Step:
    return next_step(replace(ROW, protection=known), of or want(), view, operations, NOW)


def readable(keep: str = "30d") -> View:
    part = plan_of(keep=keep).vault
    assert part is not None
    return replace(OTHER, policy=PolicySeen("Other", dict(properties_of(part, part.schedule.start))))


def test_what_is_opened_is_told_whole_and_named_by_its_minute() -> None:
    now = NOW + timedelta(seconds=7, microseconds=9)
    task = VaultTask(VAULT, policy="p")
    assert opened(ROW, Kind.STOP, "nobody asks", task, now) == Operation(
        uid=ROW.uid,
        id="stop-protection-20261120T1200Z",
        kind=Kind.STOP,
        origin=Origin.ENROLMENT,
        engine=Engine.VAULT,
        slot=NOW,
        state=State.INTENDED,
        because="nobody asks",
        intended_at=now,
        next_look=now,
        task=task,
    )


@pytest.mark.parametrize(
    ("view", "of", "kind", "because", "task"),
    [
        (View(), None, Kind.PROTECT, "plan silver wants it in a vault", VaultTask(policy=POLICY)),
        (
            View(item(ItemState.PAUSED), ours=True),
            None,
            Kind.PROTECT,
            "its protection is resumed",
            VaultTask(VAULT, policy=POLICY),
        ),
        (
            readable(),
            None,
            Kind.PROTECT,
            f"its plan changed: policy Other becomes {POLICY}",
            VaultTask(VAULT, policy=POLICY),
        ),
        (
            View(item(soft_deleted=True), ours=True),
            None,
            Kind.UNDELETE,
            "its deleted backups are taken back",
            VaultTask(VAULT),
        ),
        (PENDING, None, Kind.BACK_UP, "the first backup, right after protection began", VaultTask(VAULT)),
        (
            View(item(ItemState.PENDING, last_point=NOW - DAY), ours=True),
            None,
            Kind.BACK_UP,
            "the first backup, right after protection began",
            VaultTask(VAULT),
        ),
        (
            View(item(), ours=True),
            None,
            Kind.BACK_UP,
            "the first backup, right after protection began",
            VaultTask(VAULT),
        ),
        (
            View(item(), ours=True),
            UNWANTED,
            Kind.STOP,
            "nobody asks: protection stops, what it has is kept",
            VaultTask(VAULT),
        ),
    ],
)
def test_what_is_begun_says_why_and_where(
    view: View, of: Want | None, kind: Kind, because: str, task: VaultTask
) -> None:
    assert step(view, of=of) == Begin(opened(ROW, kind, because, task, NOW))


ELSEWHERE = "it is protected in vault ours, which is not ours; a VM can be in one vault only"
SHORTER = "its plan keeps less than policy Other, which stays: daily points from 90 to 30 days"


@pytest.mark.parametrize(
    ("view", "of", "rest"),
    [
        (View(), UNWANTED, Rest("nobody asks")),
        (View(), Undecided("a look found nothing"), Rest("a look found nothing")),
        (View(item()), UNWANTED, Rest("nobody asks; somebody else protects it in vault ours")),
        (
            View(item()),
            None,
            Rest(
                ELSEWHERE, f"Azure Backup: {ELSEWHERE}: stop that protection and delete its data, or leave the VM to it"
            ),
        ),
        (View(item(last_point=NOW), ours=True), None, Rest(f"vault ours protects it by policy {POLICY}")),
        (OTHER, None, Rest("its policy Other cannot be read")),
        (
            readable("90d"),
            None,
            Rest(
                SHORTER,
                f"Azure Backup: {SHORTER}; to shorten what is there as well, assign policy {POLICY} in the vault",
            ),
        ),
    ],
)
def test_who_rests_says_why_and_what_people_should_know(view: View, of: Want | None, rest: Rest) -> None:
    assert step(view, of=of) == rest


GIVEN_UP = {
    Kind.PROTECT: (None, View(), Rest("protecting it was given up; `tagback retry` begins anew")),
    Kind.STOP: (
        UNWANTED,
        View(item(), ours=True),
        Rest("nobody asks; stopping its protection was given up", "Azure Backup: stopping its protection failed"),
    ),
}


@pytest.mark.parametrize("kind", GIVEN_UP, ids=str)
def test_what_was_given_up_is_told_until_something_newer_was_tried(kind: Kind) -> None:
    of, view, rest = GIVEN_UP[kind]
    given_up = of_kind(kind, State.GAVE_UP, HOUR, policy=POLICY)
    after, before = (of_kind(kind, State.SUCCEEDED, age, policy=POLICY) for age in (MINUTE, DAY))
    assert step(view, given_up, of=of) == rest
    assert step(view, before, given_up, of=of) == rest
    assert step(view, given_up, before, of=of) == rest
    for newer in ([given_up, after], [after, given_up]):
        assert isinstance(step(view, *newer, of=of), Begin)
    for since, begins in ((NOW - HOUR - MINUTE, False), (NOW - HOUR, False), (NOW - HOUR + MINUTE, True)):
        known = replace(KNOWN, state=Standing.WANTED, since=since)
        assert isinstance(step(view, given_up, of=of, known=known), Begin) is begins


def test_what_was_given_up_of_another_kind_or_policy_says_nothing() -> None:
    for other in (
        of_kind(Kind.PROTECT, State.GAVE_UP, policy="another"),
        of_kind(Kind.BACK_UP, State.GAVE_UP, policy=POLICY),
        replace(of_kind(Kind.PROTECT, State.GAVE_UP), task=None),
    ):
        assert isinstance(step(View(), other), Begin)
    stop_given_up = of_kind(Kind.PROTECT, State.GAVE_UP, policy=POLICY)
    assert isinstance(step(View(item(), ours=True), stop_given_up, of=UNWANTED), Begin)


@pytest.mark.parametrize(
    ("operation", "goes_on"),
    [
        (of_kind(Kind.PROTECT), "protect goes on"),
        (of_kind(Kind.PROTECT, State.INTENDED), "protect goes on"),
        (of_kind(Kind.BACK_UP), "back-up goes on"),
        (of_kind(Kind.PROTECT, State.FAILED), "protect goes on"),
        (of_kind(Kind.BACK_UP, State.INTENDED, sent_at=NOW - MINUTE), "back-up goes on"),
        (of_kind(Kind.BACK_UP, State.INTENDED), ""),
        (of_kind(Kind.BACK_UP, State.FAILED, sent_at=NOW - MINUTE), ""),
        (replace(of_kind(Kind.BACK_UP, State.INTENDED), task=None), ""),
        (replace(of_kind(Kind.PROTECT, State.NEEDS_PERSON), next_look=None), ""),
        (replace(of_kind(Kind.UNDELETE, State.SUCCEEDED), next_look=NOW), ""),
    ],
)
def test_one_thing_at_a_time_and_a_backup_that_is_yet_to_be_sent_may_need_what_is_begun(
    operation: Operation, goes_on: str
) -> None:
    begun = step(View())
    assert step(View(), operation) == (Rest(goes_on) if goes_on else begun)


@pytest.mark.parametrize(
    ("operation", "begins"),
    [
        (of_kind(Kind.BACK_UP, State.INTENDED, 2 * DAY), False),
        (of_kind(Kind.BACK_UP, State.SUCCEEDED, 2 * DAY), True),
        (of_kind(Kind.BACK_UP, State.SUCCEEDED, DAY), True),
        (of_kind(Kind.BACK_UP, State.SUCCEEDED, DAY - MINUTE), False),
        (replace(of_kind(Kind.BACK_UP, State.SUCCEEDED), origin=Origin.SLOT), True),
        (of_kind(Kind.PROTECT, State.SUCCEEDED), True),
        (replace(of_kind(Kind.PROTECT, State.NEEDS_PERSON), next_look=None), True),
    ],
)
def test_a_first_backup_is_begun_unless_one_is_asked_for_or_was_tried_within_a_day(
    operation: Operation, begins: bool
) -> None:
    assert isinstance(step(PENDING, operation), Begin) is begins


def test_three_backups_a_day_may_be_asked_for_and_only_what_was_sent_counts() -> None:
    sent = [
        of_kind(Kind.BACK_UP, State.SUCCEEDED, 2 * DAY, sent_at=NOW - age)
        for age in (timedelta(0), DAY - MINUTE, DAY, 2 * DAY)
    ]
    assert [backups_left(sent[:count], NOW) for count in range(5)] == [3, 2, 1, 1, 1]
    others = [
        of_kind(Kind.BACK_UP),
        replace(of_kind(Kind.BACK_UP), task=None),
        of_kind(Kind.PROTECT, sent_at=NOW),
    ]
    assert backups_left(others, NOW) == 3
    assert isinstance(step(PENDING, *sent), Begin)
    assert isinstance(step(PENDING, *sent, sent[0]), Rest)
