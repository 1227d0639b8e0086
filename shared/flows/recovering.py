"""The stages of a restore from a vault: it is asked once, its job is followed, what it made is found and marked.

Called by restoring.py. An intent is written before the vault hears of it; after a lost answer the vault's jobs are
read, and it is asked again only when none of them can be meant.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from shared.decide import blueprint
from shared.decide.blueprint import WHOLE
from shared.decide.vault_jobs import SLACK
from shared.decide.vault_restoring import (
    UNLISTED,
    UNSEEN,
    Unclear,
    failed,
    job_of,
    left_out,
    made,
    misfit,
    refused,
    retagged,
)
from shared.errors import CloudError, Conflict, OutcomeUnknown, Refused
from shared.flows import pairing
from shared.flows.errand import NO_TIME, Errand, Failed, Handler, Impossible, Later, Outcome, Passed
from shared.flows.setbacks import fault_of
from shared.flows.vault_consulting import group, read, recovery_of, with_recovery
from shared.model.draining import CallKind
from shared.model.fault import Area, Fault, Task
from shared.model.identity import ResourceId
from shared.model.restore import RestoreMode, Stage
from shared.model.vault import JobSeen, JobStatus, VaultTask

log = logging.getLogger("tagback")

DISK_TYPE = "microsoft.compute/disks"
WELL = (JobStatus.COMPLETED, JobStatus.WARNED)


def recover(errand: Errand) -> Outcome:
    """The vault restores the disks; passed when its job has ended, however it did."""
    try:
        return _recovered(errand)
    except CloudError as error:
        return _stumbled(errand, error)


def _recovered(errand: Errand) -> Outcome:
    task = recovery_of(errand).task
    if task.sent_at is None:
        return Passed(errand) if errand.restore.undoing else _asked(errand)
    job = _job(errand, task)
    if isinstance(job, Fault):
        return Failed(_anew(errand), job)
    if job is None:
        return _unseen(errand, task)
    errand = with_recovery(errand, replace(recovery_of(errand), task=replace(task, job=job.name)))
    if not job.status.open:
        return Passed(errand)
    if errand.restore.undoing and job.status is JobStatus.IN_PROGRESS and not recovery_of(errand).region:
        _cancel(errand, job)
    return Later(errand)


def _asked(errand: Errand) -> Outcome:
    """The intent written, then the vault asked: nothing in between may stop it but the end of this process."""
    recovery, slice_ = recovery_of(errand), errand.slice_
    if not slice_.admitted(CallKind.WRITE):
        raise NO_TIME
    errand.audit("restore.recovering", vault=str(recovery.point.vault), point=recovery.point.name)
    task = replace(recovery.task, vault=recovery.point.vault, sent_at=errand.now())
    errand = errand.saved(replace(errand.restore, recovery=replace(recovery, task=task)))
    try:
        tracking = pairing.restore(errand)
    except OutcomeUnknown as error:
        log.warning("restore.unanswered id=%s because=%r", errand.request.id, str(error))
        return Later(errand)
    except CloudError as error:
        return _stumbled(_anew(errand), error)
    return Later(with_recovery(errand, replace(recovery_of(errand), task=replace(task, tracking=tracking))))


def _job(errand: Errand, task: VaultTask) -> JobSeen | Fault | None:
    """The job that answers for it; a fault where the vault gave the request up, None where nothing is seen of it."""
    recovery, name = recovery_of(errand), task.job
    if not name and task.tracking:
        tracked = read(errand, lambda: pairing.tracked(errand, task.tracking))
        if tracked.error:
            return refused(tracked.error)
        name = tracked.job
    if not name:
        assert task.sent_at is not None, "only what was asked for is looked for"
        since = task.sent_at - SLACK
        found = job_of(recovery, read(errand, lambda: pairing.jobs(errand, since)))
        if found is None:
            return None
        name = found.name
    return read(errand, lambda: pairing.job(errand, name))


def _unseen(errand: Errand, task: VaultTask) -> Outcome:
    """No job is seen: it may be late, or the vault never heard of it."""
    assert task.sent_at is not None, "only what was asked for is looked for"
    if errand.now() - task.sent_at < UNSEEN:
        return Later(errand)
    if errand.restore.undoing:
        return Passed(errand)
    log.warning("restore.unheard id=%s because=%r", errand.request.id, "the vault has no job for it")
    return _asked(_anew(errand))


def _cancel(errand: Errand, job: JobSeen) -> None:
    """Ask that a job end that nobody wants any more; one that cannot be cancelled ends by itself."""
    vault = recovery_of(errand).point.vault
    with suppress(Conflict, Refused):
        errand.write(partial(errand.world.vault_jobs.cancel, vault, job.name))


def find(errand: Errand) -> Outcome:
    """What the vault made is found, and written down before any of it is touched. A job that failed may leave some."""
    job = _ended_job(errand)
    if job is None:
        return Passed(errand)
    disks = read(errand, lambda: errand.world.vault_restores.disks(group(errand)))
    found = made(disks, recovery_of(errand), job, errand.now())
    if isinstance(found, Unclear):
        return Passed(errand) if errand.restore.undoing else Impossible(found.because)
    wanted = job.status in WELL and not errand.restore.undoing
    if wanted and not found:
        late = job.ended is None or errand.now() - job.ended < UNLISTED
        return Later(errand) if late else Impossible(f"job {job.name} ended, and no disk of it is in {group(errand)}")
    places = tuple(dict.fromkeys([*errand.restore.makes, *(source.made for source in found)]))
    return Passed(errand.with_restore(replace(errand.restore, sources=found, makes=places)))


def adopt(errand: Errand) -> Outcome:
    """Its disks carry the request's id and its expiry, and no plan's tag that came back with them; a failed job is told
    only then."""
    for place in errand.restore.makes:
        seen = errand.find(place) if ResourceId.parse(place).type == DISK_TYPE else None
        tags = retagged(seen, errand.drawing) if seen else None
        if tags and (tags.put or tags.gone):
            errand.write(partial(errand.world.builder.tag, errand.shard, place, tags.put, tags.gone))
    job = None if errand.restore.undoing else _ended_job(errand)
    if job is None:
        return Passed(errand)
    if job.status is JobStatus.CANCELLED:
        return Impossible(f"job {job.name} was cancelled in the vault")
    if job.status not in WELL:
        again = replace(errand.restore, stage=Stage.RECOVER, sources=())
        return Failed(_anew(errand.with_restore(again)), failed(job))
    return _fitting(errand)


def _fitting(errand: Errand) -> Outcome:
    """Whether each disk has its place in the machine: the one that stands there, or the one to be made."""
    mode, drawing, because = errand.order.mode, errand.drawing, ""
    if mode is RestoreMode.IN_PLACE:
        because = misfit(errand.restore.sources, errand.find(errand.restore.machine) or {})
    elif mode in WHOLE:
        because = misfit(errand.restore.sources, drawing.captured.machine, left_out(drawing.captured, drawing.rules))
    if because:
        return Impossible(f"{because}; the disks are restored: attach them by hand")
    return Passed(errand.with_restore(replace(errand.restore, lacking=blueprint.lacking(drawing))))


RECOVERING: Mapping[Stage, Handler] = {
    Stage.SURVEY: pairing.survey,
    Stage.RECOVER: recover,
    Stage.FIND: find,
    Stage.ADOPT: adopt,
}


def _ended_job(errand: Errand) -> JobSeen | None:
    """The job that was followed to its end; None where the vault was never asked."""
    recovery = recovery_of(errand)
    if not recovery.task.job:
        return None
    return read(errand, lambda: pairing.job(errand, recovery.task.job))


def _anew(errand: Errand) -> Errand:
    """Nothing of it is under way: the vault may be asked again."""
    recovery = recovery_of(errand)
    return with_recovery(errand, replace(recovery, task=recovery.task.anew(None)))


def _stumbled(errand: Errand, error: CloudError) -> Outcome:
    if error.code == NO_TIME.code:
        return Later(errand)
    return Failed(errand, replace(fault_of(error), area=Area.VAULT, task=Task.RESTORE))
