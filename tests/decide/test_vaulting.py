"""The next step of a protection, how its jobs are read, and what is told of it: the cases that flows seldom meet."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.decide.plan import read_plans
from shared.decide.policies import properties_of
from shared.decide.protection import wish_of
from shared.decide.vault_jobs import Broken, Called, Done, Running, followed, going_on, job_of, named_error, unclaimed
from shared.decide.vault_looks import observed, on_grid
from shared.decide.vault_points import expired, recorded
from shared.decide.vault_reasons import backup_reasons
from shared.decide.vault_wish import DROPPED, Undecided, Unwanted, Want, Wanted, is_made_up_for, want_of
from shared.decide.vaulting import Begin, Rest, Step, View, next_step, opened
from shared.decide.vaults import VAULT_TYPE
from shared.model.identity import ResourceId
from shared.model.machine import Machine, Status
from shared.model.operation import Kind, Operation, State
from shared.model.plan import Plan
from shared.model.point import Consistency
from shared.model.rules import Mode, Rules
from shared.model.vault import (
    ItemSeen,
    ItemState,
    JobError,
    JobSeen,
    JobStatus,
    PointSeen,
    PolicySeen,
    Protection,
    Standing,
    VaultTask,
)
from tests.fleet import NOW, SHARD, SUBSCRIPTION, machine

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
VAULT = ResourceId(SUBSCRIPTION, "backups", VAULT_TYPE, "ours")


def plan_of(**vault: Any) -> Plan:
    fields = {"at": "22:00", "keep": "30d", **vault}
    plans, problems = read_plans({"default": "silver", "plans": {"silver": {"vault": fields}}})
    assert problems == ()
    return plans.by_name["silver"]


def rules_of(mode: Mode = Mode.ENFORCE, **vault: Any) -> Rules:
    plans, _ = read_plans(
        {"default": "silver", "plans": {"silver": {"vault": {"at": "22:00", "keep": "30d", **vault}}}}
    )
    return Rules(plans, {SHARD.subscription: mode}, "tagback-test")


RULES = rules_of()
ROW = machine(1, "web-1")
KNOWN = Protection(Standing.PROTECTED, "well", NOW - DAY, asked="something", vault=VAULT)


def want(row: Machine = ROW, rules: Rules = RULES) -> Want:
    return want_of(row, wish_of(row, rules, NOW), rules)


def wanted() -> Wanted:
    found = want()
    assert isinstance(found, Wanted)
    return found


def item(state: ItemState = ItemState.PROTECTED, policy: str | None = None, **fields: Any) -> ItemSeen:
    return ItemSeen(VAULT, ROW.id, state, wanted().policy.name if policy is None else policy, **fields)


def step(view: View, *operations: Operation, row: Machine = ROW, of: Want | None = None) -> Step:
    return next_step(row, of or want(), view, operations, NOW)


def of_kind(kind: Kind, state: State = State.STARTED, age: timedelta = 10 * MINUTE, **task: Any) -> Operation:
    made = opened(ROW, kind, "wanted", VaultTask(VAULT, **task), NOW - age)
    return replace(made, state=state, next_look=NOW if state.open else None)


def job(status: JobStatus, operation: str = "Backup", age: timedelta = 9 * MINUTE, name: str = "job-1") -> JobSeen:
    return JobSeen(VAULT, name, operation, status, "web;web-1", NOW - age)


def test_what_may_not_be_concluded_starts_nothing() -> None:
    for told in (
        want(rules=rules_of(Mode.OBSERVE)),
        want(replace(ROW, absent_since=NOW)),
        want(replace(ROW, tags={"backup": "misspelt"}, plan="")),
    ):
        assert isinstance(told, Undecided)
        found = step(View(item(), ours=True), of=told)
        assert isinstance(found, Rest)
        assert found.because == told.because


def test_nobody_wants_a_machine_that_is_gone_or_left() -> None:
    assert isinstance(want(replace(ROW, status=Status.GONE)), Unwanted)
    assert isinstance(want(replace(ROW, tags={"backup": "off"})), Unwanted)


def test_only_a_protection_of_our_making_is_stopped() -> None:
    unwanted = Unwanted("nobody asks")
    ours = step(View(item(), ours=True), of=unwanted)
    assert isinstance(ours, Begin)
    assert ours.operation.kind is Kind.STOP
    for view in (View(), View(item(policy="Theirs"), ours=True), View(item(), ours=False)):
        assert isinstance(step(view, of=unwanted), Rest)
    asked = replace(ROW, protection=KNOWN)
    assert isinstance(step(View(item(policy="Theirs"), ours=True), row=asked, of=unwanted), Begin)
    dropped = replace(ROW, protection=replace(KNOWN, asked=DROPPED))
    assert isinstance(step(View(item(policy="Theirs"), ours=True), row=dropped, of=unwanted), Rest)
    for done in (*(item(state) for state in AT_REST), item(soft_deleted=True)):
        assert isinstance(step(View(done, ours=True), row=asked, of=unwanted), Rest)


@pytest.mark.parametrize(("kind", "view"), [(Kind.STOP, View(item(), ours=True)), (Kind.PROTECT, View())], ids=str)
def test_what_was_given_up_is_not_begun_again_by_itself(kind: Kind, view: View) -> None:
    given_up = of_kind(kind, State.GAVE_UP, policy=wanted().policy.name)
    told = Unwanted("nobody asks") if kind is Kind.STOP else want()
    assert isinstance(step(view, given_up, of=told), Rest)
    since = replace(ROW, protection=replace(KNOWN, state=Standing.WANTED, since=NOW - MINUTE))
    assert isinstance(step(view, given_up, row=since, of=told), Begin)


def test_another_policy_is_assigned_unless_it_cannot_be_read_or_keeps_more() -> None:
    other = View(item(policy="Other"), ours=True)
    assert isinstance(step(other), Rest)
    properties = properties_of(wanted().part, wanted().part.schedule.start)
    alike = replace(other, policy=PolicySeen("Other", dict(properties)))
    assert isinstance(step(alike), Begin)
    longer = properties_of(plan_of(keep="90d").vault or wanted().part, wanted().part.schedule.start)
    guarded = step(replace(other, policy=PolicySeen("Other", dict(longer))))
    assert isinstance(guarded, Rest)
    assert "daily points from 90 to 30 days" in guarded.problem


def test_a_first_backup_waits_for_any_job_and_is_begun_once_a_day() -> None:
    pending = View(item(ItemState.PENDING), ours=True)
    assert isinstance(step(pending), Begin)
    assert isinstance(step(replace(pending, jobs=(job(JobStatus.IN_PROGRESS),))), Rest)
    assert isinstance(step(pending, of_kind(Kind.BACK_UP, State.GAVE_UP)), Rest)
    spent = [
        replace(of_kind(Kind.BACK_UP, State.SUCCEEDED, age, sent_at=NOW - age), id=str(age))
        for age in (HOUR, 2 * HOUR, 3 * HOUR)
    ]
    assert isinstance(step(pending, *[replace(one, intended_at=NOW - 2 * DAY) for one in spent]), Rest)


AT_REST = (ItemState.STOPPED, ItemState.PAUSED, ItemState.SUSPENDED)


@pytest.mark.parametrize("state", AT_REST)
def test_what_stands_still_is_resumed(state: ItemState) -> None:
    found = step(View(item(state), ours=True))
    assert isinstance(found, Begin)
    assert found.operation.kind is Kind.PROTECT


def test_looks_fall_on_a_grid_and_a_machine_without_a_wish_is_not_looked_at() -> None:
    assert on_grid(NOW.replace(minute=3, second=1)) == NOW.replace(minute=5, second=0, microsecond=0)
    unwanted = Unwanted("nobody asks")
    quiet = observed(replace(ROW, protection=KNOWN), unwanted, View(), Rest("x"), NOW)
    assert (quiet.next_look, quiet.asked, quiet.state) == (None, "", Standing.NONE)
    stopped = observed(ROW, unwanted, View(item(ItemState.STOPPED, ""), ours=True), Rest("x"), NOW)
    assert stopped.next_look is not None
    assert stopped.next_look >= NOW + 7 * DAY
    deleted = observed(ROW, unwanted, View(item(soft_deleted=True), ours=True), Rest("x"), NOW)
    assert (deleted.state, deleted.next_look) == (Standing.DELETED, None)


def test_a_missing_point_is_looked_for_and_its_absence_found_in_time() -> None:
    now = datetime.fromisoformat("2026-11-20T22:30:00+00:00")
    well = replace(KNOWN, last_point=now - DAY)
    row = replace(ROW, protection=well)
    seen = observed(row, want(), View(item(), ours=True), Rest("x"), now)
    assert seen.next_look is not None
    assert seen.next_look <= now + HOUR
    got = observed(row, want(), View(item(last_point=now), ours=True), Rest("x"), now)
    assert got.next_look == datetime.fromisoformat("2026-11-21T23:00:00+00:00")


def test_a_protection_that_failed_in_its_job_is_broken() -> None:
    sent = of_kind(Kind.PROTECT, sent_at=NOW - 10 * MINUTE, policy="tagback-x")
    verdict = followed(sent, Standing.NONE, "", [job(JobStatus.FAILED, "ConfigureBackup")], NOW)
    assert isinstance(verdict, Broken)
    assert isinstance(followed(sent, Standing.PROTECTED, "tagback-x", [], NOW), Done)
    assert isinstance(followed(sent, Standing.PROTECTED, "other", [], NOW), Running)
    assert isinstance(followed(of_kind(Kind.UNDELETE), Standing.DELETED, "", [], NOW), Running)
    assert isinstance(followed(of_kind(Kind.STOP), Standing.STOPPED, "", [], NOW), Done)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (JobStatus.COMPLETED, Done),
        (JobStatus.WARNED, Done),
        (JobStatus.FAILED, Broken),
        (JobStatus.CANCELLED, Called),
        (JobStatus.CANCELLING, Running),
        (JobStatus.OTHER, Running),
    ],
)
def test_a_backup_stands_as_its_job_does(status: JobStatus, kind: type) -> None:
    sent = of_kind(Kind.BACK_UP, sent_at=NOW - 10 * MINUTE)
    assert isinstance(followed(sent, Standing.PROTECTED, "", [job(status)], NOW), kind)


def test_a_job_that_never_ends_is_put_before_a_person_and_watched_on() -> None:
    sent = of_kind(Kind.BACK_UP, sent_at=NOW - 13 * HOUR)
    verdict = followed(sent, Standing.PROTECTED, "", [job(JobStatus.IN_PROGRESS, age=13 * HOUR)], NOW)
    assert isinstance(verdict, Running)
    assert verdict.endless
    after = going_on(sent, verdict)
    assert (after.state, after.task and after.task.job) == (State.NEEDS_PERSON, "job-1")
    assert after.next_look is not None


def test_the_job_of_an_operation_is_the_first_since_it_was_sent_and_never_a_former_one() -> None:
    sent = of_kind(Kind.BACK_UP, sent_at=NOW - 10 * MINUTE, former=("job-1",))
    listed = [job(JobStatus.FAILED), job(JobStatus.COMPLETED, name="job-2", age=MINUTE)]
    found = job_of(sent, listed)
    assert found is not None
    assert found.name == "job-2"
    assert job_of(replace(sent, task=None), listed) is None
    assert job_of(of_kind(Kind.BACK_UP), listed) is None
    assert unclaimed(ROW, listed, [sent], NOW) == []
    alone = unclaimed(ROW, listed, [], NOW)
    assert [one.id for one in alone] == ["job-job-1", "job-job-2"]
    assert unclaimed(ROW, listed, alone, NOW) == []


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ((), "JobFailed"),
        ((JobError("400001", "words"),), "400001"),
        ((JobError("0", "UserErrorFsFreezeFailed: a file system"),), "UserErrorFsFreezeFailed"),
        ((JobError("1", "unknown"), JobError("380008", "the VM is stopped")), "380008"),
    ],
    ids=["none", "unknown", "by name", "by number"],
)
def test_of_several_errors_the_first_that_a_rule_knows_decides(errors: tuple[JobError, ...], code: str) -> None:
    assert named_error(errors, "its job failed").code == code


def test_what_failed_is_made_up_for_by_what_the_vault_shows() -> None:
    old, fresh = replace(KNOWN, since=NOW, last_point=NOW), replace(KNOWN, since=NOW - DAY, last_point=NOW - DAY)
    for kind in (Kind.BACK_UP, Kind.PROTECT, Kind.UNDELETE):
        assert is_made_up_for(of_kind(kind), old)
        assert not is_made_up_for(of_kind(kind), fresh)
        assert not is_made_up_for(of_kind(kind), None)
    assert is_made_up_for(of_kind(Kind.STOP), replace(old, state=Standing.STOPPED))
    assert not is_made_up_for(of_kind(Kind.STOP), old)


def seen(name: str, age: timedelta, kind: str = "AppConsistent", expires: datetime | None = None) -> PointSeen:
    return PointSeen(name, NOW - age, kind, ("InstantRP",), expires)


def test_points_are_told_with_the_date_that_the_vault_or_its_policy_gives_them() -> None:
    plan = plan_of(keep="30d12w")
    listed = [seen("1", 2 * DAY), seen("2", DAY, "CrashConsistent"), seen("3", HOUR, "Odd", NOW + 5 * DAY)]
    first, second, third = recorded(ROW, plan, VAULT, listed, [])
    assert (first.consistency, second.consistency, third.consistency) == (
        Consistency.APPLICATION,
        Consistency.CRASH,
        Consistency.CRASH,
    )
    assert first.keep_until > second.keep_until >= second.slot + 29 * DAY
    assert "reckoned" in first.because
    assert third.keep_until == NOW + 5 * DAY
    assert recorded(ROW, plan, VAULT, listed, [first, second, third]) == []
    [planless] = recorded(ROW, None, VAULT, [seen("4", DAY)], [])
    assert "names no date" in planless.because
    moved = replace(listed[0], tiers=("HardenedRP",))
    [again] = recorded(ROW, plan, VAULT, [moved], [replace(first, keep_until=NOW + 999 * DAY)])
    assert again.vault is not None
    assert (again.vault.tiers, again.keep_until) == (("HardenedRP",), NOW + 999 * DAY)


def test_a_point_leaves_only_when_it_is_listed_no_more_and_its_date_has_passed() -> None:
    plan = plan_of()
    [old, young] = recorded(ROW, plan, VAULT, [seen("1", 40 * DAY), seen("2", DAY)], [])
    assert expired([], [old, young], NOW) == [old]
    assert expired([seen("1", 40 * DAY)], [old, young], NOW) == []


@pytest.mark.parametrize(
    ("vault", "words"),
    [
        ({}, "every day from 22:00 UTC on, by a standard policy that keeps 30d"),
        (
            {"every": "4h", "for": "12h", "policy": "enhanced"},
            "every 4h for 12h a day from 22:00 UTC on, by an enhanced",
        ),
        ({"days": ["monday", "friday"], "keep": "4w"}, "on monday and friday from 22:00"),
        ({"zone": "Europe/Paris"}, "does not follow changes of the clocks"),
    ],
    ids=str,
)
def test_explain_says_what_is_asked_of_the_vault(vault: dict[str, Any], words: str) -> None:
    told = backup_reasons(ROW, plan_of(**vault))
    assert words in " ".join(told)


def test_explain_says_what_the_vault_cannot_do_and_how_it_stands() -> None:
    os_disk = replace(ROW.disks[0], lun=None, left_out="tagged backup = off")
    data = replace(ROW.disks[0], lun=3, left_out="tagged backup = off")
    row = replace(ROW, disks=(os_disk, data), tags={"backup": "silver", "backup-keep": "1y"}, protection=KNOWN)
    told = " ".join(backup_reasons(row, plan_of()))
    for words in (
        "tag backup-keep does not reach",
        "the OS disk all the same",
        "restore disks only",
        "protected in vault ours",
    ):
        assert words in told
    enhanced = " ".join(backup_reasons(row, plan_of(policy="enhanced")))
    assert "restore disks only" not in enhanced
    assert backup_reasons(ROW, None) == []
    point = replace(KNOWN, vault=None, last_point=NOW, next_look=NOW, policy="x")
    alone = " ".join(backup_reasons(replace(ROW, protection=point), None))
    assert "by policy x" in alone
    assert "newest point" in alone
