"""What the bulk lens makes us ask: machines that are new, changed or vanished. A GET answers, never the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.decide.enrolment import outdated
from shared.decide.registration import may_be_gone
from shared.decide.tag_values import relevant
from shared.decide.tags import seen_group
from shared.model.identity import ResourceId, VmUid
from shared.model.machine import Machine, Sighting, Status
from shared.model.rules import Rules

SHRUNK_BY = 0.2  # a list that lost more than this share of the machines is not believed ...
SHRUNK_LEAST = 5  # ... when that is at least so many of them,
SAMPLE = 10  # and only so many of them are asked about at a time


@dataclass(frozen=True, slots=True)
class Question:
    """A machine to look at. `uid` is set when the question is about a registered one; `because` says why."""

    id: ResourceId
    uid: VmUid | None
    because: str


def differs(machine: Machine, sighting: Sighting, prefix: str) -> str:
    """What of a registered machine the bulk lens shows otherwise; empty when nothing."""
    if machine.status is Status.GONE or machine.absent_since:
        return "it is seen again"
    if machine.id != sighting.id or machine.name != sighting.name:
        return "it moved"
    if dict(machine.tags) != relevant(sighting.tags, prefix):
        return "its tags changed"
    if sighting.group and machine.group != seen_group(sighting.group, prefix):
        return "its resource group changed"
    if machine.scale_set != sighting.scale_set:
        return "it joined or left a scale set"
    attached = {(disk.id, disk.lun) for disk in sighting.disks}
    if attached != {(disk.id, disk.lun) for disk in machine.disks} or set(machine.unsupported) != set(
        sighting.unsupported
    ):
        return "its disks changed"
    return ""


def questions(
    rows: Mapping[VmUid, Machine], seen: Mapping[VmUid, Sighting], rules: Rules, now: datetime
) -> tuple[Question, ...]:
    """What to ask about one shard, in the order of the machines' uids."""
    asked = []
    for uid, sighting in sorted(seen.items()):
        known = rows.get(uid)
        because = differs(known, sighting, rules.prefix) or outdated(known, rules, now) if known else "it is new"
        if because:
            asked.append(Question(sighting.id, None, because))
    return (*asked, *_vanished(rows, seen, now))


def _vanished(rows: Mapping[VmUid, Machine], seen: Mapping[VmUid, Sighting], now: datetime) -> tuple[Question, ...]:
    """Absence proves nothing: a few are asked about, and only as often as an answer could change something."""
    living = [machine for machine in rows.values() if machine.status is not Status.GONE]
    missing = [machine for machine in living if machine.uid not in seen]
    worth_asking = [one for one in missing if one.absent_since is None or may_be_gone(one, now)]
    shrunk = len(missing) >= SHRUNK_LEAST and len(missing) > SHRUNK_BY * len(living)
    chosen = sorted(worth_asking, key=lambda machine: machine.uid)
    if shrunk:
        chosen = chosen[:SAMPLE]
    return tuple(Question(machine.id, machine.uid, "no list shows it any more") for machine in chosen)
