"""Recovery points of a vault come into the ledger, each with the model that its machine is rebuilt from; and leave it.

Called by watching.py. A vault keeps no model that can be had without a restore, so ours is kept when a point is first
seen. That costs no read: the bulk lens was read for the disks of the machines that vaults hold.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from shared.decide.naming import stamp
from shared.decide.protection import plan_of
from shared.decide.tag_values import CLAIM
from shared.decide.vault_points import due, expired, recorded
from shared.decide.vaulting import View
from shared.flows.capturing import kept_model
from shared.flows.casework import Case
from shared.flows.slicing import Slice
from shared.flows.vault_desk import JOBS_OF, NO_TIME, Desk
from shared.flows.vault_expiry import under_former_ids
from shared.model.draining import CallKind
from shared.model.machine import Machine
from shared.model.operation import Kind
from shared.model.point import Point

log = logging.getLogger("tagback")

TOGETHER = 80  # points of one transaction, which takes a hundred rows


@dataclass(frozen=True, slots=True)
class Listed:
    """The points that are new, those that expired, and the model of the machine that new ones have."""

    fresh: tuple[Point, ...]
    gone: tuple[Point, ...]
    model: str


def listed(slice_: Slice, desk: Desk, case: Case, view: View) -> Listed:
    """What became of a machine's points: asked for when its vault shows a newer one, or a date is past."""
    machine, item, now = case.machine.row, view.item, slice_.now()
    known = machine.protection.last_point if machine.protection else None
    if item is None or not view.ours or item.soft_deleted:
        return Listed((), (), machine.model)
    if item.last_point in (None, known) and not any(due(case.known_points, now)):
        return Listed((), (), machine.model)
    if not slice_.admitted(CallKind.READ):
        raise NO_TIME
    seen = slice_.world.vault_jobs.points(item.vault, machine.id)
    own = [one for one in seen if not desk.is_of_another(machine, one.at)]
    machine = replace(machine, model=_model_now(slice_, machine))
    fresh = recorded(machine, plan_of(machine, slice_.rules, now), item.vault, own, case.known_points)
    for point in fresh:
        log.info(
            "point.recorded vm=%s slot=%s vault=%s consistency=%s because=%r",
            *(machine.name, stamp(point.slot), item.vault.name, point.consistency, point.because),
        )
    fresh = [_taken_back(case, point, now) for point in fresh]
    gone = expired(seen, case.known_points, now)
    if gone:  # a machine that moved has another item, and the vault keeps what the former one holds
        gone = expired([*seen, *under_former_ids(slice_, desk, item.vault, machine)], case.known_points, now)
    return Listed(tuple(fresh), tuple(gone), machine.model)


def _model_now(slice_: Slice, machine: Machine) -> str:
    """The machine as the bulk lens shows it, kept; as it was last kept where it is not shown, or is being swapped."""
    seen = slice_.sighted(machine.uid)
    if seen is None or any(name.lower() == CLAIM for name in seen.tags):
        return machine.model
    return kept_model(slice_, machine, seen)


def _taken_back(case: Case, point: Point, now: datetime) -> Point:
    """A point that was there before what its vault had was deleted, or the ledger lost, is known again, and no news."""
    if point.slot < now - JOBS_OF:
        return replace(point, rebuilt_at=now)
    ends = [held.row.ended_at for held in case.operations if held.row.kind is Kind.EMPTY and held.row.ended_at]
    return replace(point, rebuilt_at=now) if any(point.slot < end for end in ends) else point
