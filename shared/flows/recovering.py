"""The stages of a restore from a vault: it is asked once, its job is followed, what it made is found and marked.

Called by restoring.py. An intent is written before the vault hears of it; after a lost answer the vault's jobs are
read, and it is asked again only when none of them can be meant.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

from shared.decide import orders
from shared.decide.drawing import group_of
from shared.decide.restoring import tag_of
from shared.decide.vault_jobs import SLACK
from shared.decide.vault_restoring import STAGING_TAG, UNLISTED, UNSEEN, Unclear, failed, job_of, made, misfit, refused
from shared.errors import CloudError, Conflict, Missing, OutcomeUnknown, Refused
from shared.flows import making
from shared.flows.errand import NO_TIME, Errand, Failed, Handler, Impossible, Later, Outcome, Passed
from shared.flows.setbacks import fault_of
from shared.model.draining import CallKind
from shared.model.fault import Area, Fault, Task, Trouble
from shared.model.restore import ArmPath, Recovery, RestoreMode, Stage
from shared.model.vault import JobSeen, JobStatus, VaultTask
from shared.model.vault_restore import RecoveryOrder

log = logging.getLogger("tagback")

Answer = TypeVar("Answer")
WELL = (JobStatus.COMPLETED, JobStatus.WARNED)


def survey(errand: Errand) -> Outcome:
    """Whether the target is free and, where the point is in a vault, whether the vault would restore it there."""
    outcome = making.survey(errand)
    if not isinstance(outcome, Passed) or errand.restore.recovery is None:
        return outcome
    errand = _with_staging(outcome.errand)
    recovery = _recovery(errand)
    if not recovery.staging:
        vault = recovery.point.vault.name
        return Impossible(
            f"vault {vault} restores by way of a storage account: name it by --staging ID, or by the tag {STAGING_TAG}"
        )
    if outside := _outside(errand, recovery):
        return Impossible(outside)
    try:
        _read(errand, lambda: errand.world.vault_restores.disks(_group(errand)))
    except Missing:
        return Impossible(f"the resource group {_group(errand)} does not exist: choose another with --group")
    found = _read(errand, lambda: errand.world.vault_restores.check(_order(errand)))
    return Failed(errand, refused(found[0], Trouble.REFUSED)) if found else Passed(errand)


def _with_staging(errand: Errand) -> Errand:
    """The storage account that the order names, else the vault's tag."""
    recovery = _recovery(errand)
    if recovery.staging:
        return errand
    shard, vault = errand.request.shard, recovery.point.vault
    seen = _read(errand, lambda: errand.world.vaults.vaults(shard))
    tags = next((one.tags for one in seen if one.id == vault), {})
    return _with(errand, replace(recovery, staging=tag_of({"tags": tags}, STAGING_TAG).strip()))


def _outside(errand: Errand, recovery: Recovery) -> str:
    """Why the storage account may not be used; empty when it may."""
    if not orders.STAGING.fullmatch(recovery.staging):
        return f"{recovery.staging!r} is not the id of a storage account"
    subscription = recovery.staging.strip("/").split("/")[1].lower()
    refusal = orders.outside(subscription, errand.slice_.rules)
    return f"the storage account {recovery.staging}: {refusal}" if refusal else ""


def recover(errand: Errand) -> Outcome:
    """The vault restores the disks; passed when its job has ended, however it did."""
    try:
        return _recovered(errand)
    except CloudError as error:
        return _stumbled(errand, error)


def _recovered(errand: Errand) -> Outcome:
    task = _recovery(errand).task
    if task.sent_at is None:
        return Passed(errand) if errand.restore.undoing else _asked(errand)
    job = _job(errand, task)
    if isinstance(job, Fault):
        return Failed(_anew(errand), job)
    if job is None:
        return _unseen(errand, task)
    errand = _with(errand, replace(_recovery(errand), task=replace(task, job=job.name)))
    if not job.status.open:
        return Passed(errand)
    if errand.restore.undoing and job.status is JobStatus.IN_PROGRESS:
        _cancel(errand, job)
    return Later(errand)


def _asked(errand: Errand) -> Outcome:
    """The intent written, then the vault asked: nothing in between may stop it but the end of this process."""
    recovery, slice_ = _recovery(errand), errand.slice_
    if not slice_.admitted(CallKind.WRITE):
        raise NO_TIME
    errand.audit("restore.recovering", vault=str(recovery.point.vault), point=recovery.point.name)
    task = replace(recovery.task, vault=recovery.point.vault, sent_at=errand.now())
    errand = errand.saved(replace(errand.restore, recovery=replace(recovery, task=task)))
    try:
        tracking = errand.world.vault_restores.restore(_order(errand))
    except OutcomeUnknown as error:
        log.warning("restore.unanswered id=%s because=%r", errand.request.id, str(error))
        return Later(errand)
    except CloudError as error:
        return _stumbled(_anew(errand), error)
    return Later(_with(errand, replace(_recovery(errand), task=replace(task, tracking=tracking))))


def _job(errand: Errand, task: VaultTask) -> JobSeen | Fault | None:
    """The job that answers for it; a fault where the vault gave the request up, None where nothing is seen of it."""
    world, recovery = errand.world, _recovery(errand)
    vault, name = recovery.point.vault, task.job
    if not name and task.tracking:
        tracked = _read(errand, lambda: world.vault_items.tracked(vault, task.tracking))
        if tracked.error:
            return refused(tracked.error)
        name = tracked.job
    if not name:
        assert task.sent_at is not None, "only what was asked for is looked for"
        since = task.sent_at - SLACK
        found = job_of(recovery, _read(errand, lambda: list(world.vault_jobs.jobs(vault, since))))
        if found is None:
            return None
        name = found.name
    return _read(errand, lambda: world.vault_jobs.job(vault, name))


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
    vault = _recovery(errand).point.vault
    with suppress(Conflict, Refused):
        errand.write(partial(errand.world.vault_jobs.cancel, vault, job.name))


def find(errand: Errand) -> Outcome:
    """What the vault made is found, and written down before any of it is touched. A job that failed may leave some."""
    job = _ended_job(errand)
    if job is None:
        return Passed(errand)
    disks = _read(errand, lambda: errand.world.vault_restores.disks(_group(errand)))
    found = made(disks, _recovery(errand), job, errand.now())
    if isinstance(found, Unclear):
        return Passed(errand) if errand.restore.undoing else Impossible(found.because)
    wanted = job.status in WELL and not errand.restore.undoing
    if wanted and not found:
        late = job.ended is None or errand.now() - job.ended < UNLISTED
        return Later(errand) if late else Impossible(f"job {job.name} ended, and no disk of it is in {_group(errand)}")
    places = tuple(dict.fromkeys([*errand.restore.makes, *(source.made for source in found)]))
    return Passed(errand.with_restore(replace(errand.restore, sources=found, makes=places)))


def adopt(errand: Errand) -> Outcome:
    """All of it carries the request's id and its expiry, whatever its tags were; a failed job is told only then."""
    tags = errand.drawing.tags(None)
    for place in errand.restore.makes:
        seen = errand.find(place)
        put = {name: value for name, value in tags.items() if seen and tag_of(seen, name.lower()) != value}
        if put:
            errand.write(partial(errand.world.builder.tag, errand.request.shard, place, put, {}))
    job = None if errand.restore.undoing else _ended_job(errand)
    if job is None:
        return Passed(errand)
    if job.status is JobStatus.CANCELLED:
        return Impossible(f"job {job.name} was cancelled in the vault")
    if job.status not in WELL:
        again = replace(errand.restore, stage=Stage.RECOVER, sources=())
        return Failed(_anew(errand.with_restore(again)), failed(job))
    if errand.order.mode is RestoreMode.IN_PLACE:
        machine = errand.find(errand.restore.machine)
        if because := misfit(errand.restore.sources, machine or {}):
            return Impossible(f"{because}; the disks are restored: attach them by hand")
    return Passed(errand)


RECOVERING: Mapping[Stage, Handler] = {Stage.RECOVER: recover, Stage.FIND: find, Stage.ADOPT: adopt}


def _ended_job(errand: Errand) -> JobSeen | None:
    """The job that was followed to its end; None where the vault was never asked."""
    recovery = _recovery(errand)
    if not recovery.task.job:
        return None
    return _read(errand, lambda: errand.world.vault_jobs.job(recovery.point.vault, recovery.task.job))


def _order(errand: Errand) -> RecoveryOrder:
    recovery, shard = _recovery(errand), errand.request.shard
    point, group = recovery.point, _group(errand)
    return RecoveryOrder(point.vault, recovery.vm, point.name, group, recovery.staging, shard.region)


def _group(errand: Errand) -> ArmPath:
    """The path of the group that the disks are to be in: that of the machine that they are for."""
    return ArmPath(group_of(errand.restore.machine))


def _recovery(errand: Errand) -> Recovery:
    assert errand.restore.recovery is not None, "only restores from vaults come here"
    return errand.restore.recovery


def _with(errand: Errand, recovery: Recovery) -> Errand:
    return errand.with_restore(replace(errand.restore, recovery=recovery))


def _anew(errand: Errand) -> Errand:
    """Nothing of it is under way: the vault may be asked again."""
    recovery = _recovery(errand)
    return _with(errand, replace(recovery, task=recovery.task.anew(None)))


def _stumbled(errand: Errand, error: CloudError) -> Outcome:
    if error.code == NO_TIME.code:
        return Later(errand)
    return Failed(errand, replace(fault_of(error), area=Area.VAULT, task=Task.RESTORE))


def _read(errand: Errand, call: Callable[[], Answer]) -> Answer:
    """A read in its turn; Throttled when this slice has no time for it."""
    if not errand.slice_.admitted(CallKind.READ):
        raise NO_TIME
    return call()
