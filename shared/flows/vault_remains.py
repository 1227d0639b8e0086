"""After a loss of the ledger: whatever a vault holds backups of is looked at, so that its points are known again.

Called by rebuilding.py once the snapshots are read. A vault names VMs and no uids: a machine that is gone, and of which
no snapshot is left either, comes back by its name alone, with a uid of ours.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from shared.decide.policies import PREFIX
from shared.decide.vault_points import recorded
from shared.decide.vault_remains import LOST, remembered
from shared.decide.vaults import is_ours
from shared.errors import Conflict, Denied, LostRace, Missing
from shared.flows.casework import TRIES, Case, saved
from shared.flows.registering import reconcile
from shared.flows.slicing import Slice
from shared.flows.vault_desk import NO_TIME
from shared.flows.vault_recording import TOGETHER
from shared.messages import VmKey
from shared.model.draining import CallKind
from shared.model.identity import ResourceId, VmUid
from shared.model.machine import Absent, Machine
from shared.model.transition import Held
from shared.model.vault import ItemSeen, Protection, Standing

log = logging.getLogger("tagback")

UNSEEN = "a vault may hold backups of it; it was not looked at since the ledger was lost"


def look_into_vaults(slice_: Slice) -> str:
    """Have every machine looked at that a vault of ours holds something of; what came of it, in words to append.

    Whoever may not read vaults leaves the question to the drainer, which may: then every machine is looked at.
    """
    if not any(plan.vault for plan in slice_.rules.plans.by_name.values()):
        return ""
    try:
        items = _items(slice_)
    except Denied as error:
        for machine in _machines(slice_):
            _marked(slice_, machine.uid, None)
        return f"; its vaults could not be read, which is left to the drainer: {error}"
    for vm in sorted(set(items) - {machine.id for machine in _machines(slice_)}):
        reconcile(slice_.world, slice_.rules, VmKey(vm))
    known = [machine for machine in _machines(slice_) if machine.id in items]
    for machine in known:
        _marked(slice_, machine.uid, items[machine.id])
    strange = sorted(set(items) - {machine.id for machine in known})
    found = [_remembered(slice_, items[vm]) for vm in strange]
    return _told(len(items), sum(found), len(found) - sum(found))


def _told(all_of_them: int, gone: int, unread: int) -> str:
    told = f"; vaults hold backups of {all_of_them} machines" if all_of_them else ""
    told += f", of which {gone} were not found and are known by their vaults alone" if gone else ""
    return told + (f", and {unread} could not be looked at" if unread else "")


def _machines(slice_: Slice) -> list[Machine]:
    return [held.row for held in slice_.world.ledger.machines(slice_.shard)]


def _items(slice_: Slice) -> Mapping[ResourceId, ItemSeen]:
    world, found = slice_.world, dict[ResourceId, ItemSeen]()
    if not slice_.admitted(CallKind.READ):
        raise NO_TIME
    for vault in world.vaults.vaults(slice_.shard):
        if is_ours(vault, slice_.rules):
            if not slice_.admitted(CallKind.READ):
                raise NO_TIME
            found |= {item.vm: item for item in world.vault_items.items(vault.id)}
    return found


def _remembered(slice_: Slice, item: ItemSeen) -> int:
    """A machine brought back with its points where a GET finds nothing of it; how many that makes."""
    world, now, rules = slice_.world, slice_.now(), slice_.rules
    if not slice_.admitted(CallKind.READ):
        raise NO_TIME
    try:
        seen = world.inventory.look(item.vm)
        points = () if item.soft_deleted else world.vault_jobs.points(item.vault, item.vm)
    except (Denied, Conflict, Missing) as error:
        log.warning("vm.unread id=%s because=%r", item.vm, str(error))
        return 0
    if not isinstance(seen, Absent):
        return 0
    machine = remembered(item, slice_.shard, now)
    rows = [replace(one, rebuilt_at=now) for one in recorded(machine, None, item.vault, points, ())]
    case = Case(Held(machine, ""), ())
    for start in range(0, len(rows) or 1, TOGETHER):
        case = saved(world, rules, case, rows[start : start + TOGETHER], now)
    log.info("vm.remembered vm=%s points=%d because=%r", machine.name, len(rows), machine.because)
    return 1


def _marked(slice_: Slice, uid: VmUid, item: ItemSeen | None) -> None:
    """The machine's vault is looked at by the next drainer; nothing where that is known of already."""
    world, now = slice_.world, slice_.now()
    asked = LOST if item and (not item.policy or item.policy.startswith(PREFIX)) else ""
    for turn in range(TRIES):
        record = world.ledger.record(slice_.shard, uid)
        if record is None or (record.machine.row.protection and record.machine.row.protection.vault):
            return
        known = record.machine.row.protection or Protection(Standing.NONE, UNSEEN, now)
        fresh = replace(known, asked=known.asked or asked, vault=item.vault if item else None, next_look=now)
        try:
            saved(world, slice_.rules, Case.of(record), [replace(record.machine.row, protection=fresh)], now)
        except LostRace:
            if turn == TRIES - 1:
                raise
        else:
            return
