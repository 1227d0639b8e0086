"""Names and tags of what we create: derived, never drawn, so that a repeated act meets its own earlier result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.model.identity import VmUid
from shared.model.machine import Sighting
from shared.model.point import Part, Point
from shared.model.rules import Rules
from shared.model.snapshot import SnapshotSeen

STAMP = "%Y%m%dT%H%MZ"
MAX_TAGS = 50  # per resource; names to 512 and values to 256 characters [azure-facts 3.7]
MAX_TAG_NAME = 512
MAX_TAG_VALUE = 256
OURS = "tagback-"
KEEP_UNTIL = "tagback-keep-until"
BIRTH_KEEP_UNTIL = "tagback-birth-keep-until"
LATER_TAGS = 2  # room that is left at birth: for a hold, and for the birth stamp beside a later date


@dataclass(frozen=True, slots=True)
class TagSet:
    """The tags of one snapshot, and the names of the VM's tags that did not fit."""

    tags: Mapping[str, str]
    left_out: tuple[str, ...]


def stamp(instant: datetime) -> str:
    """A UTC instant to the minute, as names and tags carry it: `20261120T0200Z`."""
    return instant.astimezone(UTC).strftime(STAMP)


def part_name(uid: VmUid, engine: str, slot: datetime, attempt: int, disk_uid: str) -> str:
    """The snapshot's name: the same for the same part, whoever asks and however often."""
    key = "|".join((uid, engine, stamp(slot), str(attempt), disk_uid))
    return "tb-" + hashlib.sha256(key.encode()).hexdigest()[:32]


def model_reference(model: Mapping[str, object]) -> str:
    """The name under which a VM model is kept: a digest of its content."""
    return hashlib.sha256(json.dumps(dict(model), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def part_tags(point: Point, part: Part, sighting: Sighting, rules: Rules) -> TagSet:
    """Ours first, then the installation's extra tags, then the VM's own except the opt-in tags, as far as they fit."""
    tags = {
        "tagback-owner": rules.owner,
        "tagback-vm": point.uid,
        "tagback-disk": part.disk_uid,
        "tagback-lun": "os" if part.lun is None else str(part.lun),
        "tagback-slot": stamp(point.slot),
        "tagback-attempt": str(part.attempt),
        "tagback-plan": point.plan,
        "tagback-engine": point.engine.value,
        "tagback-consistency": point.consistency.value,
        KEEP_UNTIL: stamp(point.birth_keep_until),
        "tagback-origin": point.origin.value,
        "tagback-parts": str(len(point.live_parts)),
        "tagback-name": f"{sighting.id.group}/{sighting.name}",
    }
    if point.model:
        tags["tagback-model"] = point.model
    left_out = []
    wanted = [*rules.extra_tags.items(), *sorted(sighting.tags.items())]
    for name, value in wanted:
        folded = name.lower()
        if folded.startswith((rules.prefix, OURS)) or folded in {present.lower() for present in tags}:
            continue
        if len(tags) >= MAX_TAGS - LATER_TAGS or len(name) > MAX_TAG_NAME or len(value) > MAX_TAG_VALUE:
            left_out.append(name)
        else:
            tags[name] = value
    return TagSet(tags, tuple(left_out))


def says(seen: SnapshotSeen | None, until: datetime) -> bool:
    """Whether a snapshot was seen, with a tag that keeps it as long."""
    tags = {name.lower(): value for name, value in seen.tags.items()} if seen else {}
    return tags.get(KEEP_UNTIL, "") >= stamp(until)


def is_ours(seen: SnapshotSeen, point: Point, part: Part, owner: str) -> bool:
    """Whether a snapshot is that part: the name that follows from the part, our tags, the disk once Azure names it."""
    tags = {name.lower(): value for name, value in seen.tags.items()}
    ours = (tags.get("tagback-owner"), tags.get("tagback-vm"), tags.get("tagback-disk"))
    is_it = seen.id == part.id and ours == (owner, point.uid, part.disk_uid) and _is_named(tags, point, part)
    return is_it and seen.source_uid in ("", part.disk_uid)


def _is_named(tags: Mapping[str, str], point: Point, part: Part) -> bool:
    """Whether a part's name follows from it; of a restore point the tags are what its name bears out."""
    if part.is_restore_point:
        return (tags.get("tagback-slot"), tags.get("tagback-attempt")) == (stamp(point.slot), str(part.attempt))
    return part.id.name == part_name(point.uid, point.engine, point.slot, part.attempt, part.disk_uid)


def is_ready(seen: SnapshotSeen) -> bool:
    """Whether it can be restored from [azure-facts 3.1]: what it is of and from is named, and its copy is complete.

    One that says nothing of how far its copy is has none, unless it is `Pending` [sdk: SnapshotAccessState].
    """
    access = seen.access.lower()
    copied = seen.completion >= 100 if seen.completion is not None else access != "pending"
    at_hand = copied or access in ("instantaccess", "availablewithinstantaccess")
    named = seen.source_uid != "" and all(disk.id for disk in seen.inside)
    return seen.provisioning.lower() == "succeeded" and named and at_hand


def has_failed(seen: SnapshotSeen) -> bool:
    """Whether Azure says that this snapshot will never be ready."""
    return seen.provisioning.lower() in ("failed", "canceled")
