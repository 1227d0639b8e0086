"""The stages of a restore and of its undoing, and what a look at one of its pieces says. For flows/restoring.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.decide.drawing import RESTORE
from shared.decide.failure import Next, Retry
from shared.decide.subtraction import Body, at
from shared.model.fault import Fault, Trouble
from shared.model.restore import Restore, RestoreMode, Stage

_WHOLE = (Stage.SURVEY, Stage.DISKS, Stage.INTERFACES, Stage.MACHINE, Stage.RELEASE)
_TRIED = (
    Stage.SURVEY, Stage.RULES, Stage.NETWORK, Stage.DISKS, Stage.INTERFACES, Stage.MACHINE, Stage.PROBE, Stage.COMMAND,
)  # fmt: skip
_JUDGED = (
    Stage.VERDICT, Stage.REMOVE_MACHINE, Stage.REMOVE_INTERFACES, Stage.REMOVE_DISKS, Stage.REMOVE_NETWORK,
    Stage.REMOVE_RULES,
)  # fmt: skip
_RECOVERED = (Stage.RECOVER, Stage.FIND, Stage.ADOPT)
_MOUNTED = (Stage.SURVEY, Stage.MOUNT)
_UNMOUNTED = (Stage.UNMOUNT,)
_REMOVED = (Stage.REMOVE_MACHINE, Stage.REMOVE_INTERFACES, Stage.REMOVE_DISKS)
_MAKING_MACHINES = (RestoreMode.NEW, RestoreMode.REBUILD)
STAGES: Mapping[RestoreMode, tuple[Stage, ...]] = {
    RestoreMode.DISKS: (Stage.SURVEY, Stage.DISKS, Stage.RELEASE),
    RestoreMode.NEW: _WHOLE,
    RestoreMode.REBUILD: _WHOLE,
    RestoreMode.IN_PLACE: (
        Stage.SURVEY, Stage.DISKS, Stage.CLAIM, Stage.STOP, Stage.DETACH, Stage.SWAP, Stage.START, Stage.LET_GO,
        Stage.RELEASE,
    ),
    RestoreMode.DRILL: (*_TRIED, *_JUDGED),
    RestoreMode.FILES: (Stage.SURVEY, Stage.DISKS, Stage.CLAIM, Stage.ATTACH, Stage.LET_GO),
}  # fmt: skip
UNDOING: Mapping[RestoreMode, tuple[Stage, ...]] = {
    RestoreMode.DISKS: _REMOVED,
    RestoreMode.NEW: _REMOVED,
    RestoreMode.REBUILD: _REMOVED,
    RestoreMode.IN_PLACE: (
        Stage.CLAIM, Stage.STOP, Stage.DETACH, Stage.SWAP, Stage.START, Stage.LET_GO, Stage.RELEASE,
        Stage.REMOVE_DISKS,
    ),
    RestoreMode.DRILL: _JUDGED,
    RestoreMode.FILES: (Stage.CLAIM, Stage.DETACH, Stage.LET_GO, Stage.REMOVE_DISKS),
}  # fmt: skip
# How soon another look at what Azure is doing can tell something new; never more than a minute.
PAUSES: Mapping[Stage, timedelta] = {
    Stage.RECOVER: timedelta(seconds=30),
    Stage.MOUNT: timedelta(seconds=15),
    Stage.UNMOUNT: timedelta(seconds=15),
    Stage.DISKS: timedelta(seconds=5),
    Stage.RULES: timedelta(seconds=3),
    Stage.NETWORK: timedelta(seconds=3),
    Stage.INTERFACES: timedelta(seconds=3),
    Stage.REMOVE_INTERFACES: timedelta(seconds=3),
    Stage.REMOVE_NETWORK: timedelta(seconds=3),
    Stage.REMOVE_RULES: timedelta(seconds=3),
}
PAUSE = timedelta(seconds=10)
IN_BITS = (Stage.CLAIM, Stage.STOP, Stage.DETACH, Stage.SWAP, Stage.START, Stage.LET_GO)
"""Where a restore in place that cannot go on leaves a machine that must be put back."""

LEFT_FOR = timedelta(days=7)
"""How long what a restore leaves behind is kept: old disks of a machine in place, pieces of one that failed."""

DRILL_LASTS = timedelta(days=1)
"""When what a drill made has expired: it is long over by then, unless nobody could remove it."""

LENT_FOR = timedelta(days=1)
"""How long a VM may read files from the disks that were lent to it."""

MOUNTED_FOR = timedelta(hours=12)
"""How long a vault mounts a point, from the asking on: a script is valid for 12 hours [documented: recover files]."""

PATIENCE = timedelta(hours=4)
"""How long a drill tries to make its machine: a restore that takes longer than that is not proven by waiting."""


def pause_after(stage: Stage) -> timedelta:
    """How soon another look at what Azure is doing can tell something new."""
    return PAUSES.get(stage, PAUSE)


def must_be_put_back(restore: Restore) -> bool:
    """Whether a restore that cannot go on leaves a machine in bits, which only its undoing puts together again."""
    return not restore.undoing and restore.stage in IN_BITS


def lasts(mode: RestoreMode, *, of_vault: bool = False) -> timedelta:
    """When what a restore leaves behind has expired."""
    if mode is RestoreMode.FILES and of_vault:
        return MOUNTED_FOR
    return {RestoreMode.DRILL: DRILL_LASTS, RestoreMode.FILES: LENT_FOR}.get(mode, LEFT_FOR)


def is_on_trial(mode: RestoreMode, restore: Restore) -> bool:
    """Whether a drill has not come to its verdict: whatever it cannot do now is that verdict."""
    return mode is RestoreMode.DRILL and not restore.undoing and restore.stage in _TRIED


def reverts(mode: RestoreMode, restore: Restore) -> bool:
    """Whether nobody has a use for half of it: a drill that is not proven, disks that are not lent yet, or no mount."""
    lending = mode is RestoreMode.FILES and not restore.undoing and restore.stage is not Stage.SURVEY
    return lending or is_on_trial(mode, restore)


def is_verdict(following: Next, began: datetime, now: datetime) -> bool:
    """Whether a drill waits no longer: a restore that needs a person, or a morning, is not proven."""
    return not isinstance(following, Retry) or now + following.after > began + PATIENCE


def takes_too_long(mode: RestoreMode, restore: Restore, now: datetime) -> bool:
    """Whether a drill has waited long enough for what it makes; the trial of its machine has a time of its own."""
    return is_on_trial(mode, restore) and restore.probing is None and now > restore.started_at + PATIENCE


def first_of_removal(mode: RestoreMode, restore: Restore) -> Stage:
    """Where the undoing begins: of a drill the verdict was given, of a machine in place perhaps nothing was swapped."""
    if mode is RestoreMode.DRILL:
        return Stage.REMOVE_MACHINE
    if restore.swaps or mode is not RestoreMode.IN_PLACE or restore.recovery:
        return stages(mode, replace(restore, undoing=True))[0]
    return Stage.REMOVE_DISKS


def way_back(mode: RestoreMode, restore: Restore) -> Stage:
    """Where what cannot go on begins to go back to how things were."""
    return _UNMOUNTED[0] if mode is RestoreMode.FILES and restore.recovery else UNDOING[mode][0]


class Standing(StrEnum):
    """What became of one piece."""

    ABSENT = "absent"
    WORKING = "working"
    READY = "ready"
    FAILED = "failed"
    FOREIGN = "foreign"


def stages(mode: RestoreMode, restore: Restore) -> tuple[Stage, ...]:
    """The stages in their order. What a vault makes is found once it is there, also where it is undone."""
    order = UNDOING[mode] if restore.undoing else STAGES[mode]
    if restore.recovery is None:
        return order
    if mode is RestoreMode.FILES:
        return _UNMOUNTED if restore.undoing else _MOUNTED
    if not restore.undoing:
        at_disks = order.index(Stage.DISKS)
        return (*order[:at_disks], *_RECOVERED, *order[at_disks + 1 :])
    if restore.swaps:
        return order
    return (*_RECOVERED, *(_REMOVED if mode in _MAKING_MACHINES else (Stage.REMOVE_DISKS,)))


def next_stage(mode: RestoreMode, restore: Restore) -> Stage | None:
    """The stage after the one under way; None after the last."""
    if restore.stage is Stage.LEFTOVERS:
        return None
    order = stages(mode, restore)
    after = order.index(restore.stage) + 1 if restore.stage in order else 0
    return order[after] if after < len(order) else None


def standing(seen: Body | None, request_id: str) -> Standing:
    """How a piece stands by a look at it: only what carries the request's id is ours."""
    if seen is None:
        return Standing.ABSENT
    if tag_of(seen, RESTORE) != request_id:
        return Standing.FOREIGN
    match str(at(seen, "properties.provisioningState") or "").lower():
        case "succeeded":
            return Standing.READY
        case "failed" | "canceled":
            return Standing.FAILED
        case _:
            return Standing.WORKING


def tag_of(seen: Body, name: str) -> str:
    """The value of a tag, whatever the case of its name; empty when there is none."""
    tags = seen.get("tags") or {}
    return next((str(value) for key, value in tags.items() if key.lower() == name), "")


def failure(seen: Body) -> Fault:
    """Why Azure gave a piece up, as far as it says so: a machine tells it in its instance view (documented)."""
    for status in at(seen, "properties.instanceView.statuses") or ():
        words = str(status.get("code") or "").split("/")
        if len(words) > 2 and [word.lower() for word in words[:2]] == ["provisioningstate", "failed"]:
            return Fault(Trouble.CONFLICT, words[2], str(status.get("message") or ""))
    name = str(seen.get("name") or seen.get("id"))
    return Fault(Trouble.CONFLICT, "ProvisioningFailed", f"Azure says that {name} could not be made")
