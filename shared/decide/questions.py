"""What the bulk lens makes us ask: machines that are new, changed or vanished. A GET answers, never the list."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.decide.enrolment import outdated
from shared.decide.registration import may_be_gone
from shared.decide.tag_values import remembered as kept
from shared.decide.tags import seen_group
from shared.model.identity import ResourceId, VmUid
from shared.model.machine import Machine, Remembered, Sighting, Status
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


@dataclass(frozen=True, slots=True)
class Loss:
    """The living machines of a shard that no list shows, and how many there are in all."""

    missing: tuple[Remembered, ...]
    of: int

    @property
    def beyond_belief(self) -> bool:
        """Whether so much is missing that the list is doubted rather than the machines."""
        return len(self.missing) >= SHRUNK_LEAST and len(self.missing) > SHRUNK_BY * self.of


def differs(machine: Machine | Remembered, sighting: Sighting, prefix: str) -> str:
    """What of a registered machine the bulk lens shows otherwise; empty when nothing."""
    if machine.status is Status.GONE or machine.absent_since:
        return "it is seen again"
    if machine.id != sighting.id or machine.name != sighting.name:
        return "it moved"
    if dict(machine.tags) != kept(sighting.tags, prefix):
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


def remembered(machine: Machine, rules: Rules, now: datetime) -> Remembered:
    """What is to be held of a row until every list has passed by."""
    return Remembered(
        uid=machine.uid,
        id=machine.id,
        name=machine.name,
        shard=machine.shard,
        tags=machine.tags,
        disks=machine.disks,
        unsupported=machine.unsupported,
        status=machine.status,
        enrolled_at=machine.enrolled_at,
        absent_since=machine.absent_since,
        left_at=machine.left_at,
        group=machine.group,
        scale_set=machine.scale_set,
        outdated=outdated(machine, rules, now),
    )


def question(known: Remembered | None, sighting: Sighting, prefix: str) -> Question | None:
    """What to ask about a machine that a list shows; None when nothing. `known` is None without a row in its shard."""
    because = differs(known, sighting, prefix) or known.outdated if known else "it is new"
    return Question(sighting.id, None, because) if because else None


def questions(
    rows: Mapping[VmUid, Remembered], seen: Mapping[VmUid, Question | None], now: datetime
) -> tuple[Question, ...]:
    """What to ask about one shard, in the order of the machines' uids: of those that the lists show, then the others.

    `seen` holds every machine of the shard that a list shows, with its question.
    """
    asked = [one for _, one in sorted(seen.items(), key=lambda item: item[0]) if one]
    return (*asked, *_vanished(rows, seen, now))


def loss(rows: Mapping[VmUid, Remembered], seen: Collection[VmUid]) -> Loss:
    """What the lists, which show the machines `seen`, lost of one shard."""
    living = [machine for machine in rows.values() if machine.status is not Status.GONE]
    return Loss(tuple(machine for machine in living if machine.uid not in seen), len(living))


def _vanished(rows: Mapping[VmUid, Remembered], seen: Collection[VmUid], now: datetime) -> tuple[Question, ...]:
    """Absence proves nothing: a few are asked about, and only as often as an answer could change something."""
    lost = loss(rows, seen)
    worth_asking = [one for one in lost.missing if one.absent_since is None or may_be_gone(one, now)]
    chosen = sorted(worth_asking, key=lambda machine: machine.uid)
    if lost.beyond_belief:
        chosen = chosen[:SAMPLE]
    return tuple(Question(machine.id, machine.uid, "no list shows it any more") for machine in chosen)
