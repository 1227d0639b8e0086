"""Which job of a vault answers for an operation, what it says of it, and how soon it is looked at again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.decide.failure import known_codes
from shared.decide.vault_jobs import (
    Broken,
    Called,
    Done,
    Running,
    Verdict,
    followed,
    going_on,
    job_of,
    named_error,
    succeeded,
    unclaimed,
)
from shared.decide.vaulting import opened
from shared.decide.vaults import VAULT_TYPE
from shared.model.identity import ResourceId
from shared.model.operation import Failure, Kind, Operation, State
from shared.model.point import Engine, Origin
from shared.model.vault import JobError, JobSeen, JobStatus, Standing, VaultTask
from tests.fleet import NOW, machine

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize("kind", [Kind.BACK_UP, Kind.PROTECT], ids=str)
@pytest.mark.parametrize(
    ("age", "pause"),
    [
        (0 * MINUTE, 2 * MINUTE),
        (9 * MINUTE, 2 * MINUTE),
        (10 * MINUTE, 10 * MINUTE),
        (59 * MINUTE, 10 * MINUTE),
        (HOUR, 30 * MINUTE),
        (11 * HOUR, 30 * MINUTE),
    ],
    ids=str,
)
def test_the_older_a_job_the_longer_until_the_next_look(kind: Kind, age: timedelta, pause: timedelta) -> None:
    sent = opened(machine(1, "web-1"), kind, "wanted", VaultTask(sent_at=NOW - age), NOW - age)
    verdict = followed(sent, Standing.NONE, "", [], NOW)
    assert isinstance(verdict, Running)
    assert verdict.until - NOW == pause


VAULT = ResourceId("s", "backups", VAULT_TYPE, "ours")
SENT = NOW - HOUR


def job(
    name: str, status: JobStatus = JobStatus.IN_PROGRESS, began: datetime = SENT, operation: str = "Backup"
) -> JobSeen:
    return JobSeen(VAULT, name, operation, status, "web;web-1", began)


def sent(kind: Kind = Kind.BACK_UP, **task: Any) -> Operation:
    return opened(machine(1, "web-1"), kind, "wanted", VaultTask(**{"sent_at": SENT, **task}), SENT)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (JobStatus.COMPLETED, Done("its job is completed", "j")),
        (JobStatus.WARNED, Done("its job is completed, with warnings", "j")),
        (JobStatus.FAILED, Broken("j", "its job failed")),
        (JobStatus.CANCELLED, Called("job j was cancelled")),
        (JobStatus.IN_PROGRESS, Running("job j is inprogress", NOW + 30 * MINUTE, "j")),
        (JobStatus.OTHER, Running("job j is going on", NOW + 30 * MINUTE, "j")),
    ],
)
def test_a_backup_stands_as_its_job_does(status: JobStatus, verdict: Verdict) -> None:
    assert followed(sent(), Standing.PROTECTED, "", [job("j", status)], NOW) == verdict


def test_a_backup_whose_job_is_not_listed_goes_on_and_is_endless_after_half_a_day() -> None:
    assert followed(sent(), Standing.PROTECTED, "", [], NOW) == Running("its job is not listed yet", NOW + 30 * MINUTE)
    for hours, endless in ((12, False), (13, True)):
        verdict = followed(sent(sent_at=NOW - hours * HOUR), Standing.PROTECTED, "", [], NOW)
        assert isinstance(verdict, Running)
        assert verdict.endless is endless


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        (Kind.PROTECT, {Standing.PENDING, Standing.PROTECTED}),
        (Kind.STOP, set(Standing) - {Standing.PENDING, Standing.PROTECTED}),
        (Kind.UNDELETE, set(Standing) - {Standing.DELETED}),
        (Kind.EMPTY, {Standing.DELETED, Standing.NONE, Standing.WANTED}),
    ],
)
@pytest.mark.parametrize("standing", Standing)
def test_what_a_vault_shows_of_the_machine_ends_an_operation(
    kind: Kind, done: set[Standing], standing: Standing
) -> None:
    verdict = followed(sent(kind, policy="p"), standing, "p", [], NOW)
    assert isinstance(verdict, Done) is (standing in done)
    if standing in done:
        assert verdict.because == f"vault shows it {standing}"


def test_a_machine_under_another_policy_is_not_yet_protected_as_wanted() -> None:
    verdict = followed(sent(Kind.PROTECT, policy="p"), Standing.PROTECTED, "q", [], NOW)
    assert isinstance(verdict, Running)
    assert (verdict.because, verdict.endless) == ("protect is under way", False)
    failed = job("c", JobStatus.FAILED, operation="ConfigureBackup")
    broken = followed(sent(Kind.PROTECT, policy="p"), Standing.PROTECTED, "q", [failed], NOW)
    assert broken == Broken("c", "job ConfigureBackup failed")


@pytest.mark.parametrize(
    ("listed", "name"), [([], ""), ([job("c", operation="ConfigureBackup")], "c")], ids=["unlisted", "listed"]
)
def test_a_protection_names_its_job_once_that_is_listed(listed: list[JobSeen], name: str) -> None:
    protect = sent(Kind.PROTECT, policy="p")
    assert followed(protect, Standing.PROTECTED, "p", listed, NOW) == Done("vault shows it protected", name)
    assert followed(protect, Standing.WANTED, "", listed, NOW) == Running(
        "protect is under way", NOW + 30 * MINUTE, name
    )


def test_an_operation_without_a_task_is_as_old_as_its_start_and_wants_no_policy() -> None:
    bare = replace(sent(Kind.PROTECT), task=None, started_at=NOW - 3 * HOUR)
    verdict = followed(bare, Standing.PROTECTED, "p", [], NOW)
    assert verdict == Running("protect is under way", NOW + 30 * MINUTE, endless=True)
    assert followed(replace(bare, started_at=NOW), Standing.WANTED, "", [], NOW) == Running(
        "protect is under way", NOW + 2 * MINUTE
    )
    assert isinstance(followed(bare, Standing.PROTECTED, "", [], NOW), Done)


def test_a_job_answers_for_what_began_it_and_for_nothing_older_or_other() -> None:
    early, first, second = (
        job(name, began=SENT + minutes * MINUTE) for name, minutes in zip("abc", (-3, -2, 5), strict=True)
    )
    other = job("o", operation="Restore")
    listed = [second, other, first, early]
    assert job_of(sent(), listed) == first
    assert job_of(sent(job="c"), listed) == second
    assert job_of(sent(job="gone"), listed) is None
    assert job_of(sent(former=("b",)), listed) == second
    assert job_of(sent(sent_at=None), listed) is None
    assert job_of(replace(sent(), task=None), listed) is None
    assert job_of(sent(Kind.PROTECT), [*listed, job("p", operation="ConfigureBackup")]) == job(
        "p", operation="ConfigureBackup"
    )
    assert job_of(sent(Kind.STOP), listed) is None


def test_every_backup_that_nobody_here_asked_for_gets_a_row_once() -> None:
    row = machine(1, "web-1")
    began = SENT - 9 * HOUR + timedelta(seconds=7, microseconds=9)
    ours, theirs = job("ours"), job("theirs", began=began)
    listed = [ours, theirs, job("r", operation="Restore")]
    [fresh] = unclaimed(row, listed, [sent()], NOW)
    assert fresh == Operation(
        uid=row.uid,
        id="job-theirs",
        kind=Kind.BACK_UP,
        origin=Origin.SLOT,
        engine=Engine.VAULT,
        slot=SENT - 9 * HOUR,
        state=State.STARTED,
        because="begun by the vault, or by somebody in it",
        intended_at=began,
        started_at=began,
        attempts=1,
        next_look=NOW,
        task=VaultTask(VAULT, job="theirs"),
    )
    assert unclaimed(row, listed, [sent(), fresh], NOW) == []
    assert unclaimed(row, listed, [sent(), replace(fresh, task=None)], NOW) == []
    assert unclaimed(row, listed, [sent(), sent(job="x", former=("theirs",))], NOW) == []
    known = replace(sent(job="ours"), state=State.SUCCEEDED)
    assert unclaimed(row, listed, [known, sent(job="x", former=("theirs",))], NOW) == []
    ended = replace(sent(), state=State.SUCCEEDED)
    assert [one.id for one in unclaimed(row, listed, [ended], NOW)] == ["job-ours", "job-theirs"]


def test_an_operation_that_ended_well_keeps_its_job_and_no_failure() -> None:
    failed = replace(sent(job="j"), failure=Failure("Code", "words", ""))
    over = succeeded(failed, Done("so it is"), NOW)
    assert (over.state, over.because, over.ended_at, over.next_look, over.failure) == (
        State.SUCCEEDED,
        "so it is",
        NOW,
        None,
        None,
    )
    assert over.task == failed.task
    assert succeeded(replace(failed, task=None), Done("so it is", "k"), NOW).task == VaultTask(job="k")
    assert succeeded(replace(failed, task=None), Done("so it is"), NOW).task == VaultTask()


def test_what_goes_on_too_long_waits_for_a_person_and_is_watched() -> None:
    running = Running("job j is inprogress", NOW + MINUTE, "j")
    after = going_on(sent(), running)
    assert (after.state, after.because, after.next_look) == (State.INTENDED, "job j is inprogress", NOW + MINUTE)
    assert after.task == VaultTask(job="j", sent_at=SENT)
    assert going_on(sent(job="i"), running).task == VaultTask(job="i", sent_at=SENT)
    endless = going_on(sent(), replace(running, endless=True))
    assert endless.state is State.NEEDS_PERSON
    assert endless.because == "job j is inprogress, for longer than it should take: look at it in the vault"


def test_the_error_that_a_rule_knows_decides() -> None:
    odd = JobError("1", "something")
    code = next(name for name in sorted(known_codes()) if name.isalpha())
    assert named_error([odd, JobError(code, "x")], "").code == code
    assert named_error([odd, JobError("2", f"words {code.upper()} words")], "").code == code.upper()
    assert named_error([odd], "") == odd
    assert named_error([], "it failed") == JobError("JobFailed", "it failed")
