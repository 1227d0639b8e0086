"""Which points of a vault leave the ledger where the machine has no item in it any more, or where another has it now.

Called by protecting.py at each look; watching.py knows what becomes of the points of an item that is there. Only lists
of recovery points are read, and only of vaults that should have let something go.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from shared.decide.vault_points import due, expired
from shared.decide.vaulting import View
from shared.errors import Denied, Missing
from shared.flows.casework import Case
from shared.flows.slicing import Slice
from shared.flows.vault_desk import NO_TIME, Desk
from shared.model.draining import CallKind
from shared.model.identity import ResourceId
from shared.model.machine import Machine
from shared.model.point import Point
from shared.model.vault import PointSeen


def left_behind(slice_: Slice, desk: Desk, case: Case, view: View) -> tuple[Point, ...]:
    """The points that expired in vaults in which the machine has nothing any more, under no id that it may have borne.

    What is deleted softly can be taken back, and a vault that may not be read says nothing: such points stay.
    """
    item, now, gone = view.item, slice_.now(), list[Point]()
    waiting = [(one.vault.vault, one) for one in due(case.known_points, now) if one.vault]
    for vault in sorted({vault for vault, _ in waiting if not (item and item.vault == vault)}):
        with suppress(Denied):
            seen = [one for vm in sorted(desk.ids_in(vault, case.machine.row)) for one in _listed(slice_, vault, vm)]
            gone += expired(seen, (one for at, one in waiting if at == vault), now)
    return tuple(gone)


def under_former_ids(slice_: Slice, desk: Desk, vault: ResourceId, machine: Machine) -> Sequence[PointSeen]:
    """What a vault lists of a machine under ids that it may have borne before it moved."""
    former = sorted(desk.ids_in(vault, machine) - {machine.id})
    return [one for vm in former for one in _listed(slice_, vault, vm)]


def _listed(slice_: Slice, vault: ResourceId, vm: ResourceId) -> Sequence[PointSeen]:
    if not slice_.admitted(CallKind.READ):
        raise NO_TIME
    try:
        return slice_.world.vault_jobs.points(vault, vm)
    except Missing:
        return ()
