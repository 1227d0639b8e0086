"""The stages by which disks of a point are lent to a machine that reads single files from them, and taken back.

Called by restoring.py. The machine is claimed while its disks change, so that no point is taken of it then, and two
who lend to it do so in turn. What is lent goes by `undo`, or once its time is over, by whoever comes next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from shared.decide import lending as decide
from shared.decide.drawing import disk_place
from shared.decide.restoring import failure, tag_of
from shared.decide.subtraction import at
from shared.decide.swapping import unmarkable
from shared.decide.tag_values import CLAIM
from shared.errors import Denied, Missing, Refused
from shared.flows.errand import NO_TIME, Errand, Failed, Handler, Impossible, Later, Outcome, Passed
from shared.flows.making import made
from shared.flows.setbacks import fault_of
from shared.model.draining import CallKind
from shared.model.identity import VmUid
from shared.model.request import Asked
from shared.model.restore import ArmPath, RestoreMode, Stage
from shared.model.vault import Standing

SETTLED = ("succeeded", "failed", "canceled")
FOR_A_VAULT = (Standing.WANTED, Standing.ELSEWHERE)


def survey(errand: Errand) -> Outcome:
    """Whether the machine can read the disks that are meant, and nobody else is changing it."""
    restore, order = errand.restore, errand.order
    if wrong := decide.misnamed(order.reader, errand.request.shard):
        return Impossible(wrong)
    sources = decide.chosen(restore.sources, order.disk)
    if not sources:
        return Impossible(f"the point has no disk {order.disk!r}; it has {decide.known(restore.sources)}")
    reader = errand.find(restore.machine)
    if reader is None:
        return Impossible(f"there is no machine {errand.target} to read the disks: name another with --to")
    places = tuple(disk_place(errand.drawing.id, restore.machine, source) for source in sources)
    errand = errand.with_restore(replace(restore, sources=sources, makes=places))
    because = decide.unfit(reader, errand.drawing) or unmarkable(reader) or _busy(errand, reader)
    because = because or _backed_up(errand, reader) or _unusable_part(errand, reader)
    if not because and len(decide.free_luns(reader, len(sources), _room(errand, reader))) < len(sources):
        because = f"{errand.target} has no LUN free for {len(sources)} more disks: name one with --disk, or another VM"
    return Impossible(because) if because else Passed(errand)


def _busy(errand: Errand, reader: Mapping[str, Any]) -> str:
    """Which restore is about to change the machine itself; empty when none is."""
    uid = str(at(reader, "properties.vmId") or "").lower()
    for other in errand.world.requests.unsettled():
        if other.order is None or other.order.mode is RestoreMode.FILES:
            continue
        in_place = other.order.mode is RestoreMode.IN_PLACE and other.uid == uid
        target = other.restore.machine.lower() if other.restore else ""
        if in_place or target == errand.restore.machine.lower():
            return f"{errand.target} is being restored itself ({other.id}): name another with --to"
    return ""


def _backed_up(errand: Errand, reader: Mapping[str, Any]) -> str:
    """Why a machine that Azure Backup protects, or is to protect, reads nothing: its points would hold the disks."""
    uid = VmUid(str(at(reader, "properties.vmId") or "").lower())
    record = errand.world.ledger.record(errand.request.shard, uid)
    protection = record.machine.row.protection if record else None
    if protection is None or not (protection.holds or protection.asked or protection.state in FOR_A_VAULT):
        return ""
    return f"Azure Backup would back the disks up with {errand.target}: name a VM that no vault protects with --to"


def _unusable_part(errand: Errand, reader: Mapping[str, Any]) -> str:
    """Which part of the point is gone, or cannot become a disk where the machine is; empty when none."""
    for source in errand.restore.sources:
        part = errand.find(ArmPath(str(source.snapshot)))
        if part is None:
            return f"the part {source.snapshot.own_name} of the point is gone: restore from another point"
        if because := decide.out_of_zone(source, part, reader, errand.drawing):
            return because
    return ""


def _room(errand: Errand, reader: Mapping[str, Any]) -> int | None:
    """How many data disks the machine's size takes; None where that cannot be learnt."""
    if not errand.slice_.admitted(CallKind.READ):
        raise NO_TIME
    size = str(at(reader, "properties.hardwareProfile.vmSize") or "")
    try:
        return errand.world.builder.room(errand.request.shard, errand.restore.machine, size)
    except Denied:
        return None


def make(errand: Errand) -> Outcome:
    """The disks are there, beside the machine that is to read them."""
    reader = errand.find(errand.restore.machine)
    if late := _late(errand):
        return late
    if reader is None:
        return _gone(errand)
    try:
        return made(errand, decide.disks(errand.drawing, reader))
    except Missing as error:
        missing = _unusable_part(errand, reader)
        return Impossible(missing) if missing else Failed(errand, fault_of(error))


def claim(errand: Errand) -> Outcome:
    """The machine says who changes its disks. Nothing is to be taken back where nothing is attached."""
    if late := _late(errand):
        return late
    reader = errand.find(errand.restore.machine)
    if reader is None:
        return Passed(errand) if errand.restore.undoing else _gone(errand)
    if errand.restore.undoing and not decide.attached(reader, errand.restore.makes):
        return Passed(errand)
    if _holder(reader) in _ours(errand):
        return Passed(errand)
    if not _holder(reader):
        tags = {CLAIM: errand.drawing.id}
        errand.write(partial(errand.world.builder.tag, errand.request.shard, errand.restore.machine, tags, {}))
    return Later(errand)  # of two who claim it at once the last one has it: another look says who


def _holder(reader: Mapping[str, Any]) -> str:
    return tag_of(reader, CLAIM)


def _ours(errand: Errand) -> tuple[str, str]:
    return errand.request.id, errand.drawing.id


def attach(errand: Errand) -> Outcome:
    """Every disk is at a LUN of its own; which, is written down for whoever reads."""
    if late := _late(errand):
        return late
    restore, reader = errand.restore, errand.find(errand.restore.machine)
    if reader is None:
        return _gone(errand)
    state = str(at(reader, "properties.provisioningState") or "").lower()
    if state not in SETTLED:
        return Later(errand)
    there = decide.attached(reader, restore.makes)
    missing = [place for place in restore.makes if place not in there]
    if not missing:
        return Passed(errand.with_restore(replace(restore, lent=decide.lent(errand.drawing, reader))))
    if state == "failed" and restore.attempts % 2 == 0:
        return Failed(errand, failure(reader))
    luns = decide.free_luns(reader, len(missing), _room(errand, reader))
    if len(luns) < len(missing):
        return Impossible(f"{errand.target} has no LUN free any more for {len(missing)} disks")
    errand.audit("restore.lending", disks=missing, luns=luns)
    wanted = dict(zip(missing, luns, strict=True))
    try:
        errand.write(partial(errand.world.builder.attach, errand.request.shard, restore.machine, wanted))
    except Refused:
        if not decide.used_luns(errand.find(restore.machine) or {}) & set(luns):
            raise
    return Later(errand.with_restore(replace(restore, attempts=restore.attempts + (state == "failed"))))


def detach(errand: Errand) -> Outcome:
    """None of the disks is attached any more; one that somebody moved to another machine is theirs to detach."""
    restore, reader = errand.restore, errand.find(errand.restore.machine)
    alone = errand.with_restore(replace(restore, lent=()))
    if reader is None:
        return Passed(alone)
    if str(at(reader, "properties.provisioningState") or "").lower() not in SETTLED:
        return Later(errand)
    there = list(decide.attached(reader, restore.makes))
    if not there:
        return Passed(alone)
    errand.audit("restore.taking_back", disks=there)
    errand.write(partial(errand.world.builder.detach, errand.request.shard, restore.machine, there))
    return Later(errand)


def let_go(errand: Errand) -> Outcome:
    """Nobody changes the machine's disks any more; it may be gone, or another's by now."""
    reader = errand.find(errand.restore.machine)
    if reader is not None and _holder(reader) in _ours(errand):
        gone = {CLAIM: _holder(reader)}
        errand.write(partial(errand.world.builder.tag, errand.request.shard, errand.restore.machine, {}, gone))
    return Passed(errand)


def _late(errand: Errand) -> Impossible | None:
    """Disks are lent for so long and no longer, whatever held them up."""
    restore, asked = errand.restore, errand.request.asked
    if asked is Asked.RESTORE and not restore.undoing and errand.now() >= restore.expires:
        return Impossible("its time was over before the disks could be attached")
    return None


def _gone(errand: Errand) -> Impossible:
    return Impossible(f"the machine {errand.target} is not there any more")


LENDING: Mapping[Stage, Handler] = {
    Stage.SURVEY: survey,
    Stage.DISKS: make,
    Stage.CLAIM: claim,
    Stage.ATTACH: attach,
    Stage.DETACH: detach,
    Stage.LET_GO: let_go,
}
