"""One restore as a plain document, for the command line and the API: what it does, how far it is, what is lacking."""

from __future__ import annotations

from typing import Any, TypeAlias

from shared.decide.lending import linux_path
from shared.decide.mounting import readable
from shared.decide.restoring import stages
from shared.flows.show import instant
from shared.model.request import Progress, Request
from shared.model.restore import Lent, Restore, RestoreMode, Stage

Json: TypeAlias = dict[str, Any]


def restore(asked: Request) -> Json:
    """A request for a restore or for its undoing, and how far it came."""
    far, mode = asked.restore, asked.order.mode if asked.order else RestoreMode.REBUILD
    return {
        "id": asked.id,
        "asked": asked.asked.value,
        "by": asked.by,
        "at": instant(asked.at),
        "mode": mode.value,
        "progress": asked.progress.value,
        "because": asked.because,
        "undoes": asked.operation or None,
        **(_far(asked, far, mode) if far else {}),
    }


def beside(asked: Request) -> Json:
    """What is shown beside any other request's answer: the restore, where it is one."""
    return {"restore": restore(asked)} if asked.order else {}


def _far(asked: Request, far: Restore, mode: RestoreMode) -> Json:
    return {
        "slot": instant(far.slot),
        "lost_seconds": far.lost_seconds,
        "machine": far.machine,
        "stages": _stages(asked, far, mode),
        "makes": list(far.makes),
        "lacking": list(far.lacking),
        "kept_until": instant(far.expires),
        "trial": _trial(far) if mode is RestoreMode.DRILL else None,
        "lent": [_lent(one) for one in far.lent],
        "mount": _mount(asked),
        "old_disks": [swap.old for swap in far.swaps],
        "error": _error(far),
        "next_look": instant(far.next_look),
        "started": instant(far.started_at),
        "ended": instant(far.ended_at),
    }


def _lent(one: Lent) -> Json:
    """A disk that is lent, and where the machine that reads it finds it."""
    of = "OS disk" if one.was is None else f"LUN {one.was}"
    return {"disk": one.disk, "of": one.source.own_name, "was": of, "lun": one.lun, "linux": linux_path(one.lun)}


def _mount(asked: Request) -> Json | None:
    """A mounted point, as whoever may fetches its script from the vault; the script is no part of any answer."""
    found = readable(asked)
    if found is None:
        return None
    mount, operation = found
    return {"vault": str(mount.vault), "vm": str(mount.vm), "point": mount.point, "operation": operation}


def _trial(far: Restore) -> Json:
    """What was seen of the machine of a drill."""
    seen, proven = (far.probing.seen, far.probing.proven_at) if far.probing else ((), None)
    return {"seen": list(seen), "proven": instant(proven)}


def _stages(asked: Request, far: Restore, mode: RestoreMode) -> list[Json]:
    order = stages(mode, far)
    reached = order.index(far.stage) if far.stage in order else len(order)
    return [{"stage": stage.value, "state": _state(at, reached, asked)} for at, stage in enumerate(order)]


def _state(at: int, reached: int, asked: Request) -> str:
    if at != reached:
        return "done" if at < reached else "waiting"
    return "under-way" if asked.progress is Progress.ASKED else "stopped"


def _error(far: Restore) -> Json | None:
    if far.failure is None:
        return None
    one = far.failure
    return {
        "code": one.code,
        "message": one.message,
        "remedy": one.remedy,
        "times": one.times,
        "waits_for": one.waits_for or None,
    }


SAID = {
    Stage.SURVEY: "look at what is there",
    Stage.RECOVER: "have the vault restore the disks",
    Stage.FIND: "find what the vault made",
    Stage.ADOPT: "mark it as this restore's",
    Stage.RULES: "make rules that let nothing in or out",
    Stage.NETWORK: "make a network of its own",
    Stage.DISKS: "make the disks",
    Stage.INTERFACES: "make the network interfaces",
    Stage.MACHINE: "make the machine",
    Stage.PROBE: "wait until it runs and its agent is ready",
    Stage.COMMAND: "run its command",
    Stage.VERDICT: "record the verdict",
    Stage.CLAIM: "claim the machine",
    Stage.STOP: "stop the machine",
    Stage.ATTACH: "attach the disks",
    Stage.DETACH: "detach what is to leave",
    Stage.SWAP: "attach the right disks",
    Stage.START: "start the machine",
    Stage.LET_GO: "let the machine go",
    Stage.MOUNT: "have the vault mount the point",
    Stage.UNMOUNT: "have the vault unmount the point",
    Stage.RELEASE: "take the expiry off what is to stay",
    Stage.REMOVE_MACHINE: "remove the machine",
    Stage.REMOVE_INTERFACES: "remove the network interfaces",
    Stage.REMOVE_DISKS: "remove the disks",
    Stage.REMOVE_NETWORK: "remove its network",
    Stage.REMOVE_RULES: "remove its rules",
}
