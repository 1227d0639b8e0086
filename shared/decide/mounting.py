"""Points that vaults mount for single files: which one a restore is about, and whose a mount is.

A vault says only whether a point is mounted, and not by whom: it is known from what was asked of it, and when.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.model.mount import VaultMount
from shared.model.request import Asked, Progress, Request
from shared.model.restore import Recovery, RestoreMode, Stage


def mount_of(recovery: Recovery) -> VaultMount:
    """The point that a vault is to mount."""
    return VaultMount(recovery.point.vault, recovery.vm, recovery.point.name)


def readable(request: Request) -> tuple[VaultMount, str] | None:
    """What a request has mounted, and the operation by which its script is fetched; None where it has nothing."""
    recovery = _recovery_of(request)
    if recovery is None or request.progress is not Progress.DONE or not recovery.task.tracking:
        return None
    return mount_of(recovery), recovery.task.tracking


def is_before(other: Request, request: Request) -> bool:
    """Whether another request, not ended, goes first at the point that one is looking at: further, or asked earlier."""
    mine, theirs = _recovery_of(request), _recovery_of(other)
    if mine is None or theirs is None or other.restore is None:
        return False
    further = other.restore.stage is not Stage.SURVEY
    return mount_of(theirs) == mount_of(mine) and (further or (other.at, other.id) < (request.at, request.id))


def is_anothers(recovery: Recovery, known: Iterable[Request]) -> bool:
    """Whether a later request had the vault mount the same point: the mount before it was over by then."""
    mine = recovery.task.sent_at
    theirs = (found for found in map(_recovery_of, known) if found and mount_of(found) == mount_of(recovery))
    return mine is not None and any(one.task.sent_at is not None and one.task.sent_at > mine for one in theirs)


def _recovery_of(request: Request) -> Recovery | None:
    """The point in a vault that a request mounts, as far as it does."""
    of_files = request.order is not None and request.order.mode is RestoreMode.FILES
    return request.restore.recovery if of_files and request.asked is Asked.RESTORE and request.restore else None
