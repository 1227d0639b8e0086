"""The stages of a restore that make things, and those that remove them again. Called by restoring.py.

Each looks at its pieces first: what carries the request's id is adopted, what carries another's name is left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from shared.decide import blueprint
from shared.decide.blueprint import WHOLE
from shared.decide.drawing import EXPIRES, RESTORE, Piece, group_of
from shared.decide.naming import MAX_TAGS, OURS
from shared.decide.restoring import PATIENCE, Standing, failure, standing, tag_of, takes_too_long
from shared.decide.subtraction import Body, at
from shared.decide.swapping import power, unmarkable
from shared.errors import Denied, Missing
from shared.flows.errand import Errand, Failed, Impossible, Later, Outcome, Passed
from shared.flows.setbacks import fault_of
from shared.model.draining import CallKind
from shared.model.identity import VM_TYPE, ResourceId
from shared.model.restore import ArmPath, Restore, RestoreMode, Stage
from shared.model.span import told

log = logging.getLogger("tagback")

# What each stage of removal is about, by type.
REMOVED: Mapping[Stage, str] = {
    Stage.REMOVE_MACHINE: VM_TYPE,
    Stage.REMOVE_INTERFACES: "microsoft.network/networkinterfaces",
    Stage.REMOVE_DISKS: "microsoft.compute/disks",
    Stage.REMOVE_NETWORK: "microsoft.network/virtualnetworks",
    Stage.REMOVE_RULES: "microsoft.network/networksecuritygroups",
}


def survey(errand: Errand) -> Outcome:
    """Whether the target is free, and what of all that the machine refers to is still there."""
    if missing := _missing_part(errand):
        return Impossible(missing)
    there = errand.find(errand.restore.machine)
    if errand.order.mode is RestoreMode.IN_PLACE:
        return _machine_in_place(errand, there)
    if errand.order.mode in WHOLE and there is not None and standing(there, errand.request.id) is Standing.FOREIGN:
        return Impossible(f"there is a machine {errand.target} already: take another name, or restore in place")
    if errand.order.mode is RestoreMode.DRILL:
        return Passed(_drawn(errand))
    errand = _with_surroundings(errand)
    for place in _subnets(blueprint.interfaces(errand.drawing)):
        if errand.find(place) is None:
            return Impossible(f"the subnet {place} does not exist: choose another with --subnet")
    if errand.order.mode in WHOLE and not blueprint.interface_places(errand.drawing):
        return Impossible("none of its network interfaces was seen when the point was taken: choose a --subnet")
    return Passed(_drawn(errand))


def _missing_part(errand: Errand) -> str:
    """Which part of the point is not there any more; empty when all of them are."""
    for source in errand.restore.sources:
        if errand.find(ArmPath(str(source.snapshot))) is None:
            return f"the part {source.snapshot.own_name} of the point is gone: restore from another point"
    return ""


def _machine_in_place(errand: Errand, there: Mapping[str, Any] | None) -> Outcome:
    if there is None:
        return Impossible(f"there is no machine {errand.target} to be restored in place: --mode rebuild makes it again")
    found = str(at(there, "properties.vmId") or "").lower()
    if found != errand.request.uid:
        return Impossible(f"the machine {errand.target} is another one now ({found}): restore beside it, or by disks")
    if because := unmarkable(there):
        return Impossible(because)
    running = power(there) in ("running", "starting")
    return Passed(_drawn(errand.with_restore(replace(errand.restore, was_running=running))))


def _with_surroundings(errand: Errand) -> Errand:
    behind = blueprint.left_behind(errand.drawing)
    absent, taken = [ArmPath(place) for place in behind], []
    for place in blueprint.needed(errand.drawing):
        if place in behind:
            continue
        try:
            found = errand.find(ArmPath(place))
        except Denied:
            continue  # what may not be read may still be used: Azure says so when it is
        if found is None:
            absent.append(ArmPath(place))
        elif _is_anothers(found, errand):
            taken.append(ArmPath(place))
    return errand.with_restore(replace(errand.restore, absent=tuple(absent), taken=tuple(taken)))


def _is_anothers(found: Body, errand: Errand) -> bool:
    """Whether an interface or a public address is in use by another machine than the one to be made."""
    user = str(at(found, "properties.virtualMachine.id") or "").lower()
    if user:
        return user != errand.restore.machine.lower()
    holder = str(at(found, "properties.ipConfiguration.id") or "").lower()
    cards = [str(each.get("id")).lower() for each in errand.captured.attached_interfaces]
    return bool(holder) and not any(holder.startswith(f"{card}/") for card in cards)


def _subnets(pieces: Sequence[Piece]) -> Iterator[ArmPath]:
    places = (
        str(at(one, "properties.subnet.id") or "")
        for piece in pieces
        for one in at(piece.body, "properties.ipConfigurations") or ()
    )
    yield from (ArmPath(place) for place in dict.fromkeys(places) if place)


def _drawn(errand: Errand) -> Errand:
    """With everything that it may make, recorded before any of it is."""
    drawing = errand.drawing
    drawn = replace(errand.restore, makes=blueprint.makes(drawing), lacking=blueprint.lacking(drawing))
    return errand.with_restore(drawn)


def make_disks(errand: Errand) -> Outcome:
    try:
        return made(errand, blueprint.disks(errand.drawing))
    except Missing as error:
        missing = _missing_part(errand) or _missing_group(errand, error)
        return Impossible(missing) if missing else Failed(errand, fault_of(error))


def _missing_group(errand: Errand, error: Missing) -> str:
    """That the group is gone, or never was, in which all of it is to be; empty where it is something else."""
    if error.code.lower() != "resourcegroupnotfound":
        return ""
    return f"there is no resource group {group_of(errand.restore.machine)}: make it, or name another with --group"


def make_interfaces(errand: Errand) -> Outcome:
    return made(errand, blueprint.interfaces(errand.drawing))


def make_machine(errand: Errand) -> Outcome:
    return made(errand, [blueprint.machine(errand.drawing)])


def made(errand: Errand, pieces: Sequence[Piece]) -> Outcome:
    """Every piece asked for that is not there; passed once all of them are ready."""
    builder, shard, waiting = errand.world.builder, errand.shard, False
    for piece in pieces:
        seen = errand.find(piece.id)
        match standing(seen, errand.drawing.id):
            case Standing.FOREIGN:
                return Impossible(f"something else is at {piece.id}")
            case Standing.ABSENT:
                errand.audit("restore.making", id=piece.id)
                errand.write(partial(builder.make, shard, piece.id, piece.body))
                waiting = True
            case Standing.FAILED:
                errand.write(partial(builder.change, shard, piece.id, piece.body))
                return Failed(errand, failure(seen or {}))
            case Standing.WORKING:
                waiting = True
            case Standing.READY:
                pass
    if waiting and takes_too_long(errand.order.mode, errand.restore, errand.now()):
        return Impossible(f"it was not made within {told(PATIENCE)}")
    return Later(errand) if waiting else Passed(errand)


def release(errand: Errand) -> Outcome:
    """What is to last loses its expiry; what an exchange left behind gets one."""
    restore, drawing = errand.restore, errand.drawing
    lasting = [] if restore.undoing else [one for one in restore.makes if _is_to_last(restore, one)]
    for place in lasting:
        _tagged(errand, place, _protecting(errand) if place == restore.machine else {}, (EXPIRES,))
    leftover = {f"{OURS}owner": errand.slice_.rules.owner, RESTORE: drawing.id, EXPIRES: drawing.expires}
    for swap in restore.swaps:
        if restore.undoing:
            _tagged(errand, swap.old, {}, tuple(leftover))
        else:
            _tagged(errand, swap.old, leftover, ())
    return Passed(errand)


def _is_to_last(restore: Restore, place: ArmPath) -> bool:
    """Not what a job of the vault left that failed: a later one made the disks that are used."""
    of_vault = restore.recovery is not None and ResourceId.parse(place).type == REMOVED[Stage.REMOVE_DISKS]
    return not of_vault or place in {source.made for source in restore.sources}


def _protecting(errand: Errand) -> dict[str, str]:
    """The machine's opt-in tags as they were captured, where it is to be protected again."""
    if not errand.order.protect:
        return {}
    prefix = errand.slice_.rules.prefix
    tags: Mapping[str, str] = at(errand.captured.machine, "tags") or {}
    return {name: value for name, value in tags.items() if name.lower().startswith(prefix)}


def _tagged(errand: Errand, place: ArmPath, tags: Mapping[str, str], leaving: Sequence[str]) -> None:
    """Tags put and taken as far as they are not so already; what is gone meanwhile needs none."""
    seen = errand.find(place)
    if seen is None:
        return
    put = {name: value for name, value in tags.items() if tag_of(seen, name.lower()) != value}
    if len({name.lower() for name in (*(at(seen, "tags") or {}), *put)}) > MAX_TAGS:
        log.warning("restore.unmarked id=%s place=%s because=%r", errand.request.id, place, "it has no room for tags")
        put = {}
    gone = {name: tag_of(seen, name.lower()) for name in leaving if tag_of(seen, name.lower())}
    if put or gone:
        errand.write(partial(errand.world.builder.tag, errand.shard, place, put, gone))


def remove(errand: Errand) -> Outcome:
    """Everything of one type that the restore made is removed, as far as it still carries the restore's id."""
    stage, waiting = errand.restore.stage, False
    assert stage is not None, "a stage is under way"
    for place in errand.restore.makes:
        if ResourceId.parse(place).type == REMOVED[stage]:
            waiting = _removed(errand, place) or waiting
    return Later(errand) if waiting else Passed(errand)


def _removed(errand: Errand, place: ArmPath) -> bool:
    """Whether it is still there, and ours."""
    seen = errand.find(place)
    owner = tag_of(seen, f"{OURS}owner") if seen else ""
    if seen is None or standing(seen, errand.drawing.id) is Standing.FOREIGN or owner != errand.slice_.rules.owner:
        return False
    if str(at(seen, "properties.provisioningState")).lower() != "deleting":
        errand.audit("restore.removing", id=place)
        errand.write(partial(errand.world.builder.remove, errand.shard, place), CallKind.DELETE)
    return True
