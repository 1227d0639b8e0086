"""The stages of a restore in place, and of putting things back: the machine stops, its disks change, it starts.

Called by restoring.py. Each stage says what the machine is to be like and asks for that, from whatever state it is in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from shared.decide import swapping as decide
from shared.decide.restoring import failure, tag_of
from shared.decide.subtraction import at
from shared.decide.swapping import Wanted
from shared.decide.tag_values import CLAIM
from shared.errors import Missing
from shared.flows.errand import Errand, Failed, Impossible, Later, Outcome, Passed
from shared.model.restore import Power, Stage

STOPPED = ("stopped", "deallocated")
SURE = 3  # looks that found no machine, minutes apart


def claim(errand: Errand) -> Outcome:
    """The machine says who changes its disks, before any of them does; how it was is remembered.

    Of a machine that stays away nothing is put back: only what the restore made is removed.
    """
    if errand.restore.undoing and errand.restore.attempts >= SURE and errand.find(errand.restore.machine) is None:
        return Passed(errand.with_restore(replace(errand.restore, stage=Stage.LET_GO)))
    machine = _machine(errand)
    holder = tag_of(machine, CLAIM)
    if holder not in ("", errand.request.id, errand.drawing.id):
        return Impossible(f"another restore is changing its disks: {holder}")
    if not holder:
        tags = {CLAIM: errand.request.id}
        errand.write(partial(errand.world.builder.tag, errand.request.shard, errand.restore.machine, tags, {}))
    restore = errand.restore
    if not restore.swaps and not restore.undoing:
        errand = errand.with_restore(replace(restore, swaps=decide.swaps(machine, restore)))
    return Passed(errand)


def stop(errand: Errand) -> Outcome:
    return _powered(errand, Power.STOP, STOPPED, "stopping deallocating")


def start(errand: Errand) -> Outcome:
    if not errand.restore.was_running:
        return Passed(errand)
    return _powered(errand, Power.START, ("running",), "starting")


def _powered(errand: Errand, wanted: Power, reached: tuple[str, ...], on_the_way: str) -> Outcome:
    machine = _machine(errand)
    state = decide.power(machine)
    if state in reached:
        return Passed(errand)
    if state not in on_the_way.split():
        errand.write(partial(errand.world.builder.power, errand.request.shard, errand.restore.machine, wanted))
    return Later(errand)


def detach(errand: Errand) -> Outcome:
    """Data disks that are to leave are gone from their LUNs."""
    restore, machine = errand.restore, _machine(errand)
    leaving = frozenset(place.lower() for place in restore.makes) if restore.undoing else frozenset[str]()
    return _changed(errand, machine, decide.detached(machine, _wanted(errand), leaving))


def swap(errand: Errand) -> Outcome:
    """Every wanted disk is in its place."""
    machine = _machine(errand)
    return _changed(errand, machine, decide.swapped(machine, _wanted(errand)))


def _wanted(errand: Errand) -> Wanted:
    return decide.former(errand.restore) if errand.restore.undoing else decide.restored(errand.drawing)


def _changed(errand: Errand, machine: Mapping[str, Any], body: Mapping[str, Any] | None) -> Outcome:
    """Passed when nothing is left to change and Azure is done with what was."""
    state = str(at(machine, "properties.provisioningState") or "").lower()
    if state not in ("succeeded", "failed", "canceled"):
        return Later(errand)
    if body is None:
        return Passed(errand)
    if state == "failed" and errand.restore.attempts == 0:
        return Failed(errand, failure(machine))
    errand.write(partial(errand.world.builder.change, errand.request.shard, errand.restore.machine, body))
    return Later(errand)


def _machine(errand: Errand) -> Mapping[str, Any]:
    seen = errand.find(errand.restore.machine)
    if seen is None:
        raise Missing("NotFound", f"the machine {errand.target} is not there any more", 404)
    return seen


def let_go(errand: Errand) -> Outcome:
    """Nobody changes the machine's disks any more."""
    machine = _machine(errand)
    if holder := tag_of(machine, CLAIM):
        gone = {CLAIM: holder}
        errand.write(partial(errand.world.builder.tag, errand.request.shard, errand.restore.machine, {}, gone))
    return Passed(errand)
