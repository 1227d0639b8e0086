"""What people and programs are shown: status, jobs, points and requests as JSON values, to the letter of the contract.

Called by the command line and the API, so that both answer the same. It renders and never decides.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from shared.decide.brakes import said
from shared.decide.progress import Headway, headway
from shared.decide.standing import all_is_well, is_job, is_of_today
from shared.flows.standing import Standing
from shared.model.brake import Brake
from shared.model.drill import Drill
from shared.model.machine import Machine
from shared.model.operation import Failure, Operation
from shared.model.point import Inside, Part, Point
from shared.model.request import PoisonedMessage, Request
from shared.model.vault import VaultPoint
from shared.ports import World

Json = dict[str, object]


def status(standing: Standing) -> Json:
    """Every machine, counted and listed."""
    counts = Counter(machine.status.value for machine in standing.machines)
    return {
        "as_of": instant(standing.as_of),
        "all_is_well": not standing.newer and all_is_well(standing.machines, standing.operations),
        "counts": dict(sorted(counts.items())),
        "machines": [_machine(machine) for machine in standing.machines],
        "poisoned": [_poisoned(message) for message in standing.poisoned],
        "newer": list(standing.newer),
        "brakes": [_brake(brake) for brake in standing.brakes],
    }


def _machine(machine: Machine) -> Json:
    return {
        "vm": machine.name,
        "id": str(machine.id),
        "vm_uid": machine.uid,
        "subscription": machine.shard.subscription,
        "region": machine.shard.region,
        "plan": machine.plan or None,
        "status": machine.status.value,
        "because": machine.because,
        "last_point": instant(machine.last_point),
        "next_due": instant(machine.next_due),
        "last_verified": instant(machine.last_verified),
        "drill": drill(machine.drill),
        "problems": list(machine.problems),
        "frozen": machine.frozen or None,
    }


def drill(given: Drill | None) -> Json | None:
    """The verdict of a machine's last drill."""
    if given is None:
        return None
    return {
        "id": given.request,
        "slot": instant(given.slot),
        "started": instant(given.started_at),
        "at": instant(given.at),
        "proven": given.proven,
        "because": given.because,
        "seen": list(given.seen),
        "rto_seconds": given.took_seconds,
        "rpo_seconds": given.lost_seconds,
    }


def _poisoned(message: PoisonedMessage) -> Json:
    return {"queue": message.queue, "text": message.text, "at": instant(message.at)}


def _brake(brake: Brake) -> Json:
    return {
        "stops": brake.stops.value,
        "subscription": brake.scope or None,
        "by": brake.by or None,
        "since": instant(brake.since),
        "because": brake.because,
        "said": said(brake),
    }


def points(world: World, machine: Machine) -> list[Json]:
    """The points of one machine, oldest first."""
    return [_point(held.row) for held in world.ledger.points(machine.shard, machine.uid)]


def _point(point: Point) -> Json:
    return {
        "slot": instant(point.slot),
        "engine": point.engine.value,
        "consistency": point.consistency.value,
        "state": point.state.value,
        "complete": point.complete,
        "parts": [_part(part, disk) for part in point.live_parts for disk in part.disks],
        "class": point.earned or None,
        "keep_until": instant(point.keep_until),
        "held_until": instant(point.held_until),
        "because": point.because,
        "tags_left_out": list(point.tags_left_out),
        "vault": _vault(point.vault) if point.vault else None,
    }


def _vault(where: VaultPoint) -> Json:
    """Where a point of Azure Backup is, as a restore names it."""
    return {
        "id": str(where.vault),
        "recovery_point": where.name,
        "at": instant(where.at),
        "tiers": list(where.tiers),
    }


def _part(part: Part, disk: Inside) -> Json:
    return {"id": str(part.id), "disk": str(disk.disk), "lun": disk.lun, "state": part.state.value}


def jobs(world: World, standing: Standing) -> list[Json]:
    """The operations that do something, or did within a day, newest first; of the open ones how far they came."""
    machines = {machine.uid: machine for machine in standing.machines}
    work = [operation for operation in reversed(standing.operations) if is_job(operation)]
    shown = [one for one in work if is_of_today(one, machines.get(one.uid), standing.as_of)]
    points = {
        (uid, held.row.slot, held.row.engine): held.row
        for uid in dict.fromkeys(one.uid for one in shown if one.state.open)
        for held in world.ledger.points(machines[uid].shard, uid)
    }
    found = ((one, points.get((one.uid, one.slot, one.engine))) for one in shown)
    return [_job(one, machines[one.uid], headway(one, point, standing.as_of)) for one, point in found]


def _job(operation: Operation, machine: Machine, far: Headway) -> Json:
    return {
        "id": job_id(operation.uid, operation.id),
        "vm": machine.name,
        "vm_id": str(machine.id),
        "kind": operation.kind.value,
        "slot": instant(operation.slot),
        "state": operation.state.value,
        "because": operation.because,
        "attempts": operation.attempts,
        "started": instant(operation.started_at),
        "ended": instant(operation.ended_at),
        "error": _failure(operation.failure),
        "next_look": instant(operation.next_look),
        "age_seconds": int(far.age.total_seconds()),
        "progress": _progress(far) if operation.state.open else None,
    }


def _progress(far: Headway) -> Json:
    return {"ready": far.ready, "parts": far.parts, "percent": far.percent, "because": far.because}


def job_id(uid: str, operation: str) -> str:
    """An operation's id is only unique within its machine; a job's is everywhere: its ledger row key without `o|`."""
    return f"{uid}|{operation}"


def _failure(failure: Failure | None) -> Json | None:
    if failure is None:
        return None
    return {
        "code": failure.code,
        "message": failure.message,
        "remedy": failure.remedy,
        "since": instant(failure.since),
        "times": failure.times,
        "waits_for": failure.waits_for or None,
        "known": failure.known,
    }


def request(asked: Request, operation: Operation | None) -> Json:
    """One request, how far it came, and how the operation that answers for it stands."""
    return {
        "id": asked.id,
        "asked": asked.asked.value,
        "vm_uid": asked.uid,
        "by": asked.by,
        "at": instant(asked.at),
        "progress": asked.progress.value,
        "because": asked.because,
        "job": job_id(asked.uid, asked.operation) if asked.operation else None,
        "outcome": {"state": operation.state.value, "because": operation.because} if operation else None,
    }


def instant(moment: datetime | None) -> str | None:
    """A UTC instant as ISO 8601, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
