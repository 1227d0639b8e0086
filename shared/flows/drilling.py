"""Begins the drills that are due: asked for by the timer, by the end of another drill, or by a person.

Every drill is a request like any other; restoring.py carries it out. It reads the machines' rows only.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from itertools import count

from shared.decide.brakes import stopped
from shared.decide.drilling import choose, request_id
from shared.decide.plan_drill import USUAL
from shared.decide.proofs import overdue
from shared.decide.protection import plan_of
from shared.decide.standing import at_read_time
from shared.errors import BadInput, LostRace
from shared.flows.asking import filed, new_request
from shared.flows.casework import Case, saved
from shared.flows.ordering import foreseen
from shared.messages import SHARDS, shard_text
from shared.model.brake import Stops
from shared.model.drill import Trial
from shared.model.machine import Machine
from shared.model.plan import DrillPart
from shared.model.request import Asked, Progress, Request
from shared.model.restore import RestoreMode, RestoreOrder
from shared.model.rules import Rules
from shared.ports import World

log = logging.getLogger("tagback")

BY = "drill"


def drill(world: World, rules: Rules) -> None:
    """Begin what is due and fits the day's budget. While captures are paused nobody's machines are made either."""
    if not any(plan.drill for plan in rules.plans.by_name.values()):
        return
    machines = _machines(world)
    for machine in machines:
        _alarmed(world, rules, machine)
    if pause := stopped(world.brakes.now(), Stops.CAPTURES):
        log.info("drill.paused because=%r", pause)
        return
    chosen = choose(machines, world.requests.unsettled(), rules, world.clock.now())
    for waiting in chosen.waiting:
        log.info("drill.waits vm=%s because=%r", waiting.machine.name, waiting.because)
    for due in chosen.begin:
        with suppress(LostRace):  # another timer was faster
            if next_id := _next_id(world, due.machine):
                asked = filed(world, replace(_request(world, due.machine, due.part, BY), id=next_id))
                log.info("drill.asked vm=%s id=%s because=%r", due.machine.name, asked.id, due.because)


def _machines(world: World) -> list[Machine]:
    return [held.row for shard in world.ledger.shards() for held in world.ledger.machines(shard)]


def _alarmed(world: World, rules: Rules, machine: Machine) -> None:
    """Say what has gone unproven for too long; a row that became worse by time alone is written, so that it is told."""
    now = world.clock.now()
    plan = plan_of(machine, rules, now)
    late = overdue(machine, plan.drill, now) if plan and plan.drill else ""
    if late:
        log.warning("drill.overdue vm=%s because=%r", machine.name, late)
    known = not late or late in machine.problems
    if known and at_read_time(machine, (), rules, now) == machine:
        return
    record = world.ledger.record(machine.shard, machine.uid)
    with suppress(LostRace):  # whoever was faster has written what follows from today
        if record is not None:
            saved(world, rules, Case.of(record), [record.machine.row], now)
            world.queue.send(SHARDS, shard_text(machine.shard))


def _next_id(world: World, machine: Machine) -> str:
    """An id that nobody used, past those of drills that were taken back; empty while one of them is open."""
    for turn in count():
        known = world.requests.find(request_id(machine, turn))
        if known is None:
            return request_id(machine, turn)
        if known.progress is Progress.ASKED:
            return ""
    raise AssertionError("unreachable")


def ask_drill(world: World, rules: Rules, machine: Machine, by: str) -> Request:
    """Ask for a drill of one machine now, whatever is left of the budget; BadInput where it surely cannot be."""
    open_now = [one for one in world.requests.unsettled() if one.uid == machine.uid]
    if any(one.order is not None for one in open_now):
        raise BadInput([f"{machine.name} is being restored or drilled: {', '.join(one.id for one in open_now)}"])
    plan = plan_of(machine, rules, world.clock.now())
    asked = _request(world, machine, plan.drill if plan and plan.drill else USUAL, by)
    assert asked.order is not None, "a drill has an order"
    foreseen(world, machine, asked.order)
    return filed(world, asked)


def _request(world: World, machine: Machine, part: DrillPart, by: str) -> Request:
    trial = Trial(int(part.boot_within.total_seconds()), part.command, part.expects)
    order = RestoreOrder(RestoreMode.DRILL, group=part.group, trial=trial)
    return replace(new_request(world, Asked.DRILL, machine.shard, machine.uid, by), order=order)
