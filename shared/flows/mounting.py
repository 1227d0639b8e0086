"""The stages by which a vault mounts a point, so that single files are read from it, and unmounts it. For restoring.py.

The vault is asked once the intent is written. After a lost answer a look at the point says whether it is mounted: then
another script of the same mount is asked for, as only the operation that is known can be named to fetch one. It is
unmounted by `undo`, or once its time is over, by whoever comes next.

What connects to a mount is never seen here: whoever asked fetches it with rights of their own (cli/mounts.py).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.decide.mounting import is_anothers, is_before, mount_of, readable
from shared.decide.restoring import MOUNTED_FOR
from shared.decide.vault_restoring import UNSEEN, refused
from shared.errors import BadInput, CloudError, Missing, OutcomeUnknown
from shared.flows.asking import request
from shared.flows.errand import NO_TIME, Errand, Failed, Handler, Impossible, Later, Outcome, Passed
from shared.flows.setbacks import fault_of
from shared.flows.tidying import nothing_left, tidying_of
from shared.flows.vault_consulting import read, recovery_of, with_recovery
from shared.model.draining import CallKind
from shared.model.fault import Area, Task
from shared.model.mount import VaultMount
from shared.model.request import Asked, Progress
from shared.model.restore import Stage
from shared.model.vault import Tracked, VaultTask
from shared.ports import World

log = logging.getLogger("tagback")

HELD = "somebody reads files of this point already: let it be unmounted, or take another point"


def survey(errand: Errand) -> Outcome:
    """Whether the point is there, and nobody has it mounted: what somebody else mounted is theirs."""
    recovery = recovery_of(errand)
    if any(is_before(other, errand.request) for other in errand.world.requests.unsettled()):
        return Impossible(HELD)
    try:
        mounted = _is_mounted(errand)
    except Missing as error:
        return Impossible(f"vault {recovery.point.vault.name} has the point no more ({error.code})")
    return Impossible(HELD) if mounted else Passed(errand)


def mount(errand: Errand) -> Outcome:
    """The vault has mounted the point, and the operation is known by which its script is fetched."""
    if errand.now() >= errand.restore.expires:
        return Impossible("its time was over before the point was mounted")
    try:
        return _mounted(errand, recovery_of(errand).task)
    except CloudError as error:
        return _stumbled(errand, error)


def _mounted(errand: Errand, task: VaultTask) -> Outcome:
    if task.sent_at is None:
        return _asked(errand, again=False)
    tracked = _tracked(errand, task.tracking)
    if tracked.error:
        return Failed(_with_task(errand, VaultTask()), refused(tracked.error))
    if not tracked.done:
        return Later(errand)
    if _is_mounted(errand):
        return Passed(errand) if task.tracking else _asked(errand, again=True)
    if errand.now() - task.sent_at < UNSEEN:
        return Later(errand)
    log.warning("restore.unheard id=%s because=%r", errand.request.id, "the vault has not mounted the point")
    return _asked(errand, again=False)


def _asked(errand: Errand, *, again: bool) -> Outcome:
    """The intent written, then the vault asked: nothing in between may stop it but the end of this process."""
    recovery = recovery_of(errand)
    if not errand.slice_.admitted(CallKind.WRITE):
        raise NO_TIME
    errand.audit("restore.mounting", vault=str(recovery.point.vault), point=recovery.point.name, again=again)
    errand = _with_task(errand, VaultTask(recovery.point.vault, sent_at=errand.now()))
    errand = errand.saved(errand.restore)
    try:
        tracking = errand.world.vault_mounts.mount(mount_of(recovery), again=again)
    except OutcomeUnknown as error:
        log.warning("restore.unanswered id=%s because=%r", errand.request.id, str(error))
        return Later(errand)
    except CloudError as error:  # an earlier asking may have been heard all the same
        return _stumbled(_with_task(errand, replace(recovery.task, tracking="")), error)
    return Later(_with_task(errand, replace(recovery_of(errand).task, tracking=tracking)))


def unmount(errand: Errand) -> Outcome:
    """Nobody reads files of the point any more, unless a later request does: that one ends what it began."""
    recovery, requests = recovery_of(errand), errand.world.requests
    if recovery.task.sent_at is None:
        return Passed(errand)
    until = errand.now() + MOUNTED_FOR
    if is_anothers(recovery, (*requests.unsettled(), *requests.expired(until))):
        return Passed(_forgotten(errand))
    try:
        return _unmounted(errand, recovery.task)
    except Missing:
        return Passed(_forgotten(errand))
    except CloudError as error:
        return _stumbled(errand, error)


def _unmounted(errand: Errand, task: VaultTask) -> Outcome:
    assert task.sent_at is not None, "only what was asked for is ended"
    recovery, ending = recovery_of(errand), errand.restore.unmounting
    ended = _tracked(errand, ending)
    if ended.error:
        return Failed(_ending(errand, ""), refused(ended.error))
    if not (ended.done and _tracked(errand, task.tracking).done):
        return Later(errand)
    if not _is_mounted(errand):
        unheard = not task.tracking and errand.now() - task.sent_at < UNSEEN
        return Later(errand) if unheard else Passed(_forgotten(errand))
    if not errand.slice_.admitted(CallKind.WRITE):
        raise NO_TIME
    errand.audit("restore.unmounting", vault=str(recovery.point.vault), point=recovery.point.name)
    return Later(_ending(errand, errand.world.vault_mounts.unmount(mount_of(recovery))))


def _forgotten(errand: Errand) -> Errand:
    """With nothing mounted, and nothing left to be unmounted when its time is over: it may be somebody else's then."""
    if errand.request.asked is Asked.UNDO:
        nothing_left(errand)
    recovery = replace(recovery_of(errand), task=VaultTask())
    return errand.with_restore(replace(errand.restore, recovery=recovery, unmounting=""))


def _is_mounted(errand: Errand) -> bool:
    return read(errand, lambda: errand.world.vault_mounts.is_mounted(mount_of(recovery_of(errand))))


def _tracked(errand: Errand, operation: str) -> Tracked:
    """How far an operation came; one that is not known is waited for no longer."""
    vault = recovery_of(errand).point.vault
    if not operation:
        return Tracked(done=True)
    return read(errand, lambda: errand.world.vault_items.tracked(vault, operation))


def _with_task(errand: Errand, task: VaultTask) -> Errand:
    return with_recovery(errand, replace(recovery_of(errand), task=task))


def _ending(errand: Errand, operation: str) -> Errand:
    return errand.with_restore(replace(errand.restore, unmounting=operation))


def _stumbled(errand: Errand, error: CloudError) -> Outcome:
    if error.code == NO_TIME.code:
        return Later(errand)
    return Failed(errand, replace(fault_of(error), area=Area.VAULT, task=Task.RESTORE))


@dataclass(frozen=True, slots=True)
class Reading:
    """A mounted point whose script can be fetched by naming the operation, until it is unmounted."""

    mount: VaultMount
    operation: str
    until: datetime


def reading(world: World, request_id: str) -> Reading:
    """What a request has mounted. BadInput with the reason where it has nothing, or has no more."""
    asked = request(world, request_id)
    found, after = readable(asked), world.requests.find(tidying_of(request_id))
    if found is None or asked.restore is None:
        raise BadInput([f"request {request_id} has mounted nothing: {asked.because or asked.progress.value}"])
    if after is not None and after.progress is Progress.DONE:
        raise BadInput([f"the point of request {request_id} is unmounted: {after.because}"])
    return Reading(*found, until=asked.restore.expires)


MOUNTING: Mapping[Stage, Handler] = {
    Stage.SURVEY: survey,
    Stage.MOUNT: mount,
    Stage.UNMOUNT: unmount,
}
