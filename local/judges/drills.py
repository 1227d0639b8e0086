"""Drills: each verdict says what was there to be found, a failed one shows, and every machine has its turn.

What a machine's disk held is known from the script (acts of `write`), what had to be on it from the plan, and that it
was restored at all from Azure's state. The product is asked for its verdicts alone.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise

from local.judges.evidence import Record, instant, maybe_instant, table
from local.judges.finding import Finding
from local.judges.lives import Machine, Stretch
from local.judges.plans import Trial
from local.judges.restores import of_drills, tried
from local.judges.world import World

FAILED = "Tagback.Drill.Failed"
TURN = timedelta(days=2)  # until a machine that is due is drilled: one at a time, so many a day
BEFORE = timedelta(hours=6)
BLOCK = "0"
NOTHING = "not checked: no plan of this script has drills"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the product says of one drill, and the machine's row of that evening."""

    request: str
    machine: Machine
    slot: datetime | None
    since: datetime
    at: datetime
    proven: bool
    row: Record


def drills_say_what_is_so(world: World) -> Finding:
    """Every verdict that was ever in a row."""
    finding = Finding()
    verdicts = _verdicts(world)
    for verdict in (one for given in verdicts.values() for one in given):
        _judge(world, finding, verdict)
    for machine in world.machines:
        asked = machine.stretches[-1] if machine.stretches else None
        if asked and asked.plan and asked.plan.trial and machine.gone is None:
            drilled = [one.at for one in verdicts.get(machine.uid, ())]
            _has_its_turn(finding, machine, asked, [*drilled, world.script.end])
    if not finding.checked:
        finding.note = NOTHING
    return finding


def _verdicts(world: World) -> dict[str, list[Verdict]]:
    """By machine, as they were given; of a day with several only the last is in the rows."""
    found: defaultdict[str, dict[str, Verdict]] = defaultdict(dict)
    for dump in world.dumps:
        for row in dump.of("m"):
            said, machine = table(row, "drill"), world.by_uid.get(str(row["uid"]).lower())
            if said and machine:
                times = maybe_instant(said.get("slot")), instant(said["started_at"]), instant(said["at"])
                verdict = Verdict(str(said["request"]), machine, *times, bool(said["proven"]), row)
                found[machine.uid].setdefault(verdict.request, verdict)
    return {uid: sorted(given.values(), key=lambda one: one.at) for uid, given in found.items()}


def _judge(world: World, finding: Finding, verdict: Verdict) -> None:
    machine, where, at = verdict.machine, verdict.machine.name, verdict.at
    asked = machine.at(verdict.since)
    trial = asked.plan.trial if asked and asked.plan else None
    if trial is None:
        finding.expect(False, "drilled, and its plan has no drills", where, at)
        return
    right = verdict.slot is not None and _was_there(world, machine, trial, verdict.slot)
    made = _made(world, verdict)
    if verdict.proven:
        finding.expect(right, "called proven, and what its plan asks for was not on its disk", where, at)
        finding.expect(made is not None, "called proven, and nothing was ever restored", where, at)
        if made is not None:
            finding.expect(_booted(world, made, at), "called proven, and its agent had not reported", where, at)
            holds = trial.expects in ("", _content(world, made))
            finding.expect(holds, "called proven, and what was restored holds something else", where, at)
        return
    excused = not right or bool(world.script.disturbed(verdict.since - BEFORE, at))
    finding.expect(excused, "called failed, and nothing was wrong", where, at)
    finding.expect(verdict.row["status"] != "protected", "a failed drill does not show", where, at)
    finding.expect(verdict.request in _told(world), "a drill failed and nobody was told", where, at)


def _was_there(world: World, machine: Machine, trial: Trial, slot: datetime) -> bool:
    """Whether the machine's disk held what its plan asks for when the point was due."""
    written = [act for act in world.script.of("write") if act.machine == machine.id and act.until <= slot]
    digest = sha256(str(written[-1].said["content"]).encode()).hexdigest() if written else "nothing"
    return trial.expects in digest


def _made(world: World, verdict: Verdict) -> Machine | None:
    """The machine that Azure saw come of a drill."""
    near = (one for one in of_drills(world) if verdict.since <= one.born <= verdict.at)
    return next((one for one in near if tried(world, one) == verdict.machine), None)


def _booted(world: World, machine: Machine, at: datetime) -> bool:
    """Whether what runs in a machine had told Azure so by an instant."""
    agents = [one.get("agent") for one in world.evidence.resources if str(one["id"]).lower() == machine.id]
    return any(since is not None and since <= at for since in map(maybe_instant, agents))


def _content(world: World, machine: Machine) -> str:
    """What the first block of a machine's OS disk holds, by the state of Azure."""
    state = {str(one["id"]).lower(): one for one in world.evidence.resources}
    disk = (state[machine.id]["properties"]["storageProfile"]["osDisk"].get("managedDisk") or {}).get("id", "")
    return str((state.get(str(disk).lower(), {}).get("content") or {}).get(BLOCK, ""))


def _told(world: World) -> set[str]:
    events = (one["event"] for one in world.evidence.events if one.get("kind") == "published")
    return {str(event["data"].get("drill")) for event in events if event["eventType"] == FAILED}


def _has_its_turn(finding: Finding, machine: Machine, asked: Stretch, at: list[datetime]) -> None:
    """Between its drills, before the first and since the last never more than the plan says and its turn takes."""
    assert asked.plan is not None
    assert asked.plan.trial is not None
    every = asked.plan.trial.every
    for last, following in pairwise([asked.since - every, *at]):
        in_time = following <= last + every + TURN
        finding.expect(in_time, f"not drilled since {last:%Y-%m-%d}", machine.name, following)
