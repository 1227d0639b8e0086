"""Restores in place as people ask for them: a machine that runs gets the disks of a point, and its own ones back.

Used by owners.py. What hangs on the machine is looked at in Azure before and after, and written into the script.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.demo.cast import Cast
from local.demo.scenario import MachineStory

MARK = "tagback-swapping"  # what a machine bears while its disks are being changed (docs/restore.md)
LOOKING = timedelta(seconds=5)
MOST_LOOKS = 180
SETTLING = timedelta(minutes=5)  # what is to go afterwards goes, and what was asked for meanwhile is taken


@dataclass(frozen=True, slots=True)
class Hanging:
    """The disks of a machine by their unique ids, and what the first block of its OS disk holds."""

    disks: Sequence[str]
    holds: str


def swap(cast: Cast, machine: MachineStory, as_of: datetime) -> str:
    """A person puts a machine back as it was before an instant; another has it backed up in the midst of that.

    The request's id, by which it can be undone.
    """
    as_of = as_of.replace(second=0, microsecond=0)
    before = ["--mode", "in-place", "--before", f"{as_of:%Y-%m-%d %H:%M}"]
    return _changed(cast, machine, ["restore", machine.name, *before], as_of=as_of.isoformat())


def undo(cast: Cast, machine: MachineStory, request: str) -> None:
    """The person thinks better of it."""
    _changed(cast, machine, ["restore", "undo", request], undone=True)


def _changed(cast: Cast, machine: MachineStory, words: Sequence[str], **said: object) -> str:
    was, began = hanging(cast, machine), cast.now()
    asked = cast.tagback.done(*words, "--no-wait", "--output", "json").document()
    running = _followed(cast, machine, busy="undone" not in said)
    now, until = hanging(cast, machine), cast.now()
    hung = {"before": was.disks, "after": now.disks, "held": was.holds, "holds": now.holds}
    cast.script.note("swap", began, until, machine=machine.id, running=running, **hung, **said)
    cast.sleep(SETTLING)
    return str(asked["id"])


def _followed(cast: Cast, machine: MachineStory, *, busy: bool) -> bool:
    """Look until the machine bears the mark no more; whether it runs then. Somebody `busy` backs it up meanwhile."""
    seen = False
    for _ in range(MOST_LOOKS):
        cast.sleep(LOOKING)
        shown = cast.fleet.shown(machine)
        marked = MARK in {name.lower() for name in shown.get("tags") or {}}
        if marked and busy:
            cast.tagback.done("backup", machine.name)
            busy = False
        if seen and not marked:
            statuses = shown["properties"]["instanceView"]["statuses"]
            return any(one["code"] == "PowerState/running" for one in statuses)
        seen = seen or marked
    return False


def hanging(cast: Cast, machine: MachineStory) -> Hanging:
    """What hangs on a machine now, by the state of Azure."""
    state = {str(one["id"]).lower(): one for one in cast.observer.simulator("state") if not one["gone"]}
    profile = state[machine.id.lower()]["properties"]["storageProfile"]
    places = [disk["managedDisk"]["id"].lower() for disk in (profile["osDisk"], *profile["dataDisks"])]
    disks = [str(state[place]["properties"]["uniqueId"]).lower() for place in places]
    return Hanging(disks, str((state[places[0]].get("content") or {}).get("0", "")))
