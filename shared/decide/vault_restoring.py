"""Restores from a vault: which job answers for one, which disks it made, and what disk belongs to which LUN.

A vault names what it makes by a rule of its own, and its job does not list it: a disk is known by its name, and by
having been made while the job ran. Called by flows/recovering.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.decide.drawing import Captured, Drawing
from shared.decide.naming import OURS
from shared.decide.paired_region import answers
from shared.decide.restoring import tag_of
from shared.decide.subtraction import Body, at
from shared.decide.vault_jobs import SLACK, container_of, named_error
from shared.model.fault import Area, Fault, Task, Trouble
from shared.model.identity import ResourceId
from shared.model.restore import ArmPath, Recovery, Source
from shared.model.rules import Rules
from shared.model.vault import JobError, JobSeen
from shared.model.vault_restore import DiskSeen

RESTORE_JOB = "restore"
STAGING_TAG = "tagback-staging"
"""The tag of a vault that names the storage account for its restores by its id."""

UNSEEN = timedelta(minutes=10)
"""After this long a restore that left no job was never begun. Assumed: a job is recorded before its answer is sent."""

UNLISTED = timedelta(minutes=10)
"""How long after the end of its job a disk may still be missing from its group's list. Assumed."""

# As public configurations show them: `web1-osdisk-20250212-150358`, `web1-datadisk-000-20250212-150358`; of a machine's
# name only letters and digits are left.
NAME = re.compile(r"(?P<vm>.+)-(?:osdisk|datadisk-(?P<number>\d{3}))-(?P<stamp>\d{8}-\d{4,6})", re.IGNORECASE)
NOT_IN_A_NAME = re.compile(r"[^a-z0-9]")


def job_of(recovery: Recovery, jobs: Iterable[JobSeen]) -> JobSeen | None:
    """The first restore of the machine that began after the vault was asked, and answers for no earlier asking."""
    task = recovery.task
    if task.sent_at is None:
        return None
    since = task.sent_at - SLACK
    alike = (job for job in jobs if _is_meant(job, recovery))
    fresh = [job for job in alike if job.started >= since and job.name not in task.former]
    return min(fresh, key=lambda job: job.started, default=None)


def _is_meant(job: JobSeen, recovery: Recovery) -> bool:
    if recovery.region:
        return answers(job, recovery.vm.name)
    return job.operation.lower() == RESTORE_JOB and job.container == container_of(recovery.vm)


def failed(job: JobSeen) -> Fault:
    """Why a job came to nothing."""
    return refused(named_error(job.errors, f"job {job.name} failed and names no reason"))


def refused(error: JobError, trouble: Trouble = Trouble.CONFLICT) -> Fault:
    """What a vault said, as decisions know it."""
    advice = f"; {error.recommendation}" if error.recommendation else ""
    return Fault(trouble, error.code, f"{error.message}{advice}", area=Area.VAULT, task=Task.RESTORE)


@dataclass(frozen=True, slots=True)
class Unclear:
    """It cannot be told which disks a job made."""

    because: str


def made(disks: Iterable[DiskSeen], recovery: Recovery, job: JobSeen, now: datetime) -> tuple[Source, ...] | Unclear:
    """The disks that a job made, the OS disk first; none where none are listed. Both times are Azure's own."""
    begin, end = job.started, (job.ended or now) + SLACK
    stamps: dict[str, list[Source]] = {}
    for disk in disks:
        name = NAME.fullmatch(disk.place.rsplit("/", 1)[-1])
        if name and disk.made_at and begin <= disk.made_at <= end and _plain(name["vm"]) == _plain(recovery.vm.name):
            lun = None if name["number"] is None else int(name["number"])
            place = ArmPath(disk.place)
            source = Source(recovery.point.vault, ResourceId.parse(place), lun, place, disk.zones)
            stamps.setdefault(name["stamp"], []).append(source)
    if len(stamps) > 1:
        return Unclear(f"two restores of {recovery.vm.name} made disks at the same time: {', '.join(sorted(stamps))}")
    found = next(iter(stamps.values()), [])
    return tuple(sorted(found, key=lambda one: -1 if one.lun is None else one.lun))


def _plain(name: str) -> str:
    return NOT_IN_A_NAME.sub("", name.lower())


@dataclass(frozen=True, slots=True)
class Retagged:
    """Tags to be put on a restored disk, and those to be taken from it."""

    put: Mapping[str, str]
    gone: Mapping[str, str]


def retagged(disk: Body, drawing: Drawing) -> Retagged:
    """What makes a restored disk ours: a vault gives it the tags of its source, with a plan's and an earlier restore's
    [azure-facts 5.12: restored with the machine's tags]."""
    ours = drawing.tags(None)
    kept = {name.lower() for name in ours}
    telling = (drawing.rules.prefix, OURS)
    tags: Mapping[str, str] = disk.get("tags") or {}
    return Retagged(
        {name: value for name, value in ours.items() if tag_of(disk, name.lower()) != value},
        {name: value for name, value in tags.items() if name.lower().startswith(telling) and name.lower() not in kept},
    )


def left_out(captured: Captured, rules: Rules) -> frozenset[int]:
    """The LUNs of the captured machine's disks that a tag of theirs leaves out of every point."""
    entries = at(captured.machine, "properties.storageProfile.dataDisks") or ()
    places = {entry["lun"]: ResourceId.parse(str(at(entry, "managedDisk.id"))) for entry in entries}
    bodies = {lun: captured.disk(place) or {} for lun, place in places.items()}
    return frozenset(lun for lun, body in bodies.items() if tag_of(body, rules.prefix).strip().lower() == "off")


def misfit(sources: Sequence[Source], machine: Body, missing: frozenset[int] = frozenset()) -> str:
    """Why the disks cannot take the places of a machine's own, of which some are `missing` in the point by their LUNs;
    empty when they can.

    Nothing documents whether the number in a data disk's name is its LUN or its place in the order of them: only where
    both say the same, or only a LUN can be meant, is a disk given a place.
    """
    there = {entry.get("lun") for entry in at(machine, "properties.storageProfile.dataDisks") or ()} - missing
    restored = {source.lun for source in sources}
    if None not in restored:
        return "the vault restored no OS disk"
    if restored - {None} != there:
        told = sorted(lun for lun in restored if lun is not None)
        return f"the vault's data disks are numbered {told}, and the machine has LUNs {sorted(map(str, there))}"
    return ""
