"""The beginning of a restore: its point is chosen, its target named, or it is refused with the reason.

Called by restoring.py. Nothing is asked of Azure here but what the ledger and the captured model say.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.decide import orders
from shared.decide.blueprint import WHOLE
from shared.decide.drawing import Captured, group_of, made_name, place_in
from shared.decide.naming import stamp
from shared.decide.paired_region import NOT_CANCELLED
from shared.decide.recovery import NEWEST, Chosen, NothingFits, Wish, choose
from shared.decide.restoring import STAGES, first_of_removal, lasts
from shared.errors import Missing
from shared.flows.errand import SLICE, Errand, Impossible, model_of
from shared.model.identity import ResourceId
from shared.model.point import Point
from shared.model.request import Asked, Progress, Request
from shared.model.restore import ArmPath, Recovery, Restore, RestoreMode, RestoreOrder, Source, Stage
from shared.model.vault import VaultTask

log = logging.getLogger("tagback")

VM = "Microsoft.Compute/virtualMachines"
BESIDE = "-restored"
LONGEST = 64  # characters of a machine's name: the most that Azure takes
OWN_PART = 40  # of a machine's own name that one of its drill has


def begun(errand: Errand) -> Errand | Impossible:
    """The request with its first progress written, or why it is refused."""
    if errand.request.asked in (Asked.UNDO, Asked.TIDY):
        return _afterwards(errand)
    world, request = errand.world, errand.request
    if outside := orders.outside(request.shard.subscription, errand.slice_.rules):
        return Impossible(outside)
    if request.order is None:
        return Impossible("its row is damaged: it does not say what to restore")
    if wrong := orders.problems(errand.order):
        return Impossible("; ".join(wrong))
    record = world.ledger.record(request.shard, request.uid)
    if record is None:
        return Impossible("the machine is not registered; after a loss of the tables, `tagback rebuild` finds it again")
    points = [held.row for held in world.ledger.points(request.shard, request.uid)]
    chosen = chosen_point(points, errand.order, errand.now())
    if isinstance(chosen, NothingFits):
        return Impossible(chosen.because)
    return with_point(errand, record.machine.row.id, chosen)


def chosen_point(points: Sequence[Point], order: RestoreOrder, now: datetime) -> Chosen | NothingFits:
    """The point that an order means. Only complete ones are ever chosen, one of a vault where none of ours fits."""
    found = _chosen(points, order, now, in_vault=order.from_vault)
    if isinstance(found, NothingFits) and order.mode in orders.VAULT_MODES and not order.from_vault:
        in_vault = _chosen(points, order, now, in_vault=True)
        return in_vault if isinstance(in_vault, Chosen) else found
    return found


def _chosen(points: Sequence[Point], order: RestoreOrder, now: datetime, *, in_vault: bool) -> Chosen | NothingFits:
    if order.slot is None:
        return choose(points, Wish(order.before, order.at_least), now, in_vault=in_vault)
    of_slot = [point for point in points if stamp(point.slot) == stamp(order.slot)]
    if not of_slot:
        return NothingFits(f"it has no point of {order.slot:%Y-%m-%d %H:%M}Z", ())
    found = choose(of_slot, NEWEST, now, in_vault=in_vault)
    if isinstance(found, NothingFits):
        (point, because), *others = found.passed_over
        said = f"the point of {point.slot:%Y-%m-%d %H:%M}Z cannot be used: {because}"
        return NothingFits(said, tuple(others))
    return replace(found, because=f"the point that was asked for ({found.point.consistency})")


def with_point(errand: Errand, machine: ResourceId, chosen: Chosen) -> Errand | Impossible:
    """The first progress, written: the point with its parts, and where the machine is to be."""
    rules, of_vault = errand.slice_.rules, not chosen.point.is_ours
    wrong = orders.unreachable(errand.order, machine.subscription, rules, of_vault=of_vault)
    if wrong := wrong or orders.unpaired(errand.order, machine.subscription, errand.request.shard.region):
        return Impossible(wrong)
    captured = _captured(errand, chosen.point)
    if isinstance(captured, str):
        if errand.order.mode in WHOLE:
            return Impossible(f"{captured}, so only its disks can be brought back: --mode disks")
        captured = Captured()
    headless = chosen.point.is_ours and not any(disk.lun is None for disk in chosen.point.disks)
    if errand.order.mode in WHOLE and headless:
        return Impossible("the OS disk is not in the point, so no machine can be made of it: --mode disks, or in-place")
    restore = _first(errand, machine, chosen, captured)
    after = replace(errand, captured=captured).saved(restore, because=chosen.because)
    slot = stamp(chosen.point.slot)
    after.audit("restore.begun", mode=errand.order.mode.value, slot=slot, because=chosen.because)
    what = (errand.request.id, machine.name, slot, chosen.because)
    log.info("restore.begun id=%s vm=%s slot=%s because=%r", *what)
    return after


def _captured(errand: Errand, point: Point) -> Captured | str:
    """What was captured beside the point, or why that is not known."""
    if not point.model:
        return "no model was kept with the point"
    try:
        return model_of(errand.world, point.model)
    except Missing as error:
        return f"the model of the point is lost ({error.code})"


def _first(errand: Errand, machine: ResourceId, chosen: Chosen, captured: Captured) -> Restore:
    point, now = chosen.point, errand.now()
    sources = (Source(disk.id, disk.disk, disk.lun) for disk in point.disks if disk.id)
    return Restore(
        because=chosen.because,
        slot=point.slot,
        lost_seconds=int(chosen.lost.total_seconds()),
        sources=tuple(sorted(sources, key=lambda one: -1 if one.lun is None else one.lun)),
        model=point.model if captured.machine else "",
        machine=_target(machine, captured, errand.order, errand.request.id),
        makes=(),
        expires=now + lasts(errand.order.mode, of_vault=bool(point.vault)),
        started_at=now,
        stage=STAGES[errand.order.mode][0],
        recovery=_recovery(point, machine, errand.order),
    )


def _recovery(point: Point, machine: ResourceId, order: RestoreOrder) -> Recovery | None:
    return Recovery(point.vault, machine, order.staging, VaultTask(), order.region) if point.vault else None


def _target(machine: ResourceId, captured: Captured, order: RestoreOrder, request_id: str) -> ArmPath:
    """Where the machine is to be, in the spelling that it had; of disks that are lent the one that reads them."""
    if order.mode is RestoreMode.FILES and order.reader:
        return ArmPath(order.reader)
    known = str(captured.machine.get("id") or machine)
    own_group, own_name = group_of(known), known.rsplit("/", 1)[-1]
    group = orders.group_path(order, machine.subscription) or own_group
    if order.mode is RestoreMode.IN_PLACE:
        return place_in(own_group, VM, own_name)
    if order.mode is RestoreMode.DRILL:
        drawn = made_name(request_id, "machine").removeprefix("tb-")[:8]
        return place_in(group, VM, f"{own_name[:OWN_PART]}-drill-{drawn}")
    beside = own_name[: LONGEST - len(BESIDE)] + BESIDE if order.mode is RestoreMode.NEW else own_name
    return place_in(group, VM, order.name or beside)


def _afterwards(errand: Errand) -> Errand | Impossible:
    """The undoing of another request, or the tidying up after it: what it made is known from its row."""
    done = errand.world.requests.find(errand.request.operation)
    if done is None or done.restore is None or done.order is None:
        return Impossible("the restore to be undone made nothing, or is forgotten")
    if done.asked not in (Asked.RESTORE, Asked.DRILL):
        return Impossible("it undoes another one itself; ask for the restore anew instead")
    wait = _stopped(errand, done)
    turned = replace(
        done.restore,
        undoing=True,
        stage=_first_afterwards(errand.request.asked, done),
        because=f"asked to {errand.request.asked} {done.id}{_waits(done)}",
        attempts=0,
        failure=None,
        next_look=wait,
        started_at=errand.now(),
        ended_at=None,
    )
    after = replace(errand, request=replace(errand.request, order=done.order)).saved(turned, because=turned.because)
    after.audit("restore.afterwards", of=done.id, asked=errand.request.asked.value)
    return after


def _waits(done: Request) -> str:
    recovery = done.restore.recovery if done.restore else None
    running = done.progress is Progress.ASKED and recovery is not None and recovery.region
    return f"; {NOT_CANCELLED}" if running else ""


def _first_afterwards(asked: Asked, done: Request) -> Stage:
    assert done.order is not None, "only restores are undone"
    if asked is Asked.TIDY and done.order.mode not in (RestoreMode.DRILL, RestoreMode.FILES):
        return Stage.LEFTOVERS
    assert done.restore is not None, "only what began is undone"
    return first_of_removal(done.order.mode, done.restore)


def _stopped(errand: Errand, done: Request) -> datetime | None:
    """Until when the undone restore may still act, where it is under way: a slice of it learns of this too late."""
    if done.progress is not Progress.ASKED:
        return None
    errand.world.requests.settle(replace(done, progress=Progress.FAILED, because=f"undone by {errand.request.id}"))
    return errand.now() + SLICE
