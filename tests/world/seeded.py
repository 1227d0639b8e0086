"""The seeded driver: a fleet lives for ten days under faults, then faults stop and everything must converge."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.messages import REAP, REQUESTS, SHARDS, VMS
from tests.world.catalogue import ENFORCED, FOREIGN, WATCHED, rules
from tests.world.editors import Editors
from tests.world.encounters import Encounters, recorded
from tests.world.ending import Ending
from tests.world.flows import product_flows
from tests.world.host import Flows, Host
from tests.world.life import TAG_VALUES, TAG_VALUES_OF_BOTH, TAG_VALUES_OF_WHOLES, TAG_VALUES_WITH_VAULTS, Life
from tests.world.loss import Loss
from tests.world.loss import plan as lose
from tests.world.options import Options
from tests.world.plan_file import PlanFile
from tests.world.promises import Promises, Violation
from tests.world.scheduler import Process
from tests.world.stage import Stage, stage
from tests.world.steps import Calm
from tests.world.storm import Storm
from tests.world.twins.azure import Fair, vm_place
from tests.world.twins.builder import BuilderTwin

QUIET = timedelta(hours=36)
VALUES = {  # by whether machines ask for vaults, and for restore points
    (False, False): TAG_VALUES,
    (True, False): TAG_VALUES_WITH_VAULTS,
    (False, True): TAG_VALUES_OF_WHOLES,
    (True, True): TAG_VALUES_OF_BOTH,
}
DRILL = {"every": "2d", "per_day": 2, "boot_within": "30min", "command": "check", "expects": "fine"}
CROWD = 10  # machines at least where most leave: the mass brake counts from five on
SUBSCRIPTIONS = (*ENFORCED, WATCHED, FOREIGN)
GARBAGE = (
    "",
    "{",
    "[]",
    "ÿþ",
    '{"vm": 1}',
    '{"vm": "/subscriptions/x"}',
    f'{{"vm": "{vm_place(ENFORCED[0], "app", "never-was")}"}}',
    '{"shard": "a|b|c"}',
    f'{{"shard": "{ENFORCED[0]}|atlantis"}}',
    '{"request": "none"}',
)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run."""

    options: Options
    digest: str
    violations: tuple[Violation, ...]
    counters: dict[str, int]
    fired: Counter[str]
    checked: Counter[str]
    tail: tuple[str, ...]


@dataclass
class Run:
    """One seeded world."""

    options: Options
    stage: Stage
    promises: Promises
    storm: Storm
    host: Host
    life: Life
    loss: Loss
    plans: PlanFile


def build(options: Options, flows: Flows | None = None, encounters: Encounters | None = None) -> Run:
    given = replace(rules(), inherit_group_tags=options.inherits)
    plans = PlanFile(given)
    promises = Promises(plans)
    made = stage(options.seed, options.start, promises)
    promises.watch(made.azure, made.scheduler, made.requests)
    promises.vaulted.vaults = made.vaults
    made.azure.subscriptions = list(SUBSCRIPTIONS)
    made.azure.inherits = options.inherits
    made.pace.share = options.share
    if encounters is not None:
        made.world = recorded(made.world, encounters)
    storm = Storm(made, options.seed + 1)
    processes = [Process(f"host{number}", skew=skew) for number, skew in enumerate(options.skews)]
    host = Host(made.scheduler, made.queues, made.log, made.world, flows or product_flows(plans), processes, storm)
    host.sweeps_every = options.sweeps_every
    storm.host = host
    made.azure.publish = host.publish
    made.azure.weather = storm
    made.vaults.mishap = storm.mishap
    made.steps.interference = storm
    life, loss = Life(made, options.seed + 2, VALUES[options.vaults, options.wholes]), Loss(made, promises, given)
    life.people.asked, life.people.rules = loss.asked, given
    _peopled(life, options, Editors(made, random.Random(options.seed + 5), plans))
    return Run(options, made, promises, storm, host, life, loss, plans)


def _peopled(life: Life, options: Options, editors: Editors) -> None:
    """Those live here too of whom not every world has any."""
    people, keepers = life.people, life.keepers
    if options.vaults:
        life.also((3, people.agree), (4, people.ask_to_empty))
    if options.edits:
        life.also((4, editors.edit_keep), (2, editors.edit_engine), (2, editors.remove_plan))
        life.also((4, life.tag_keep))
    if options.keepers:
        life.also((6, keepers.hold_snapshot), (3, keepers.hold_snapshot_oddly), (3, keepers.hold_machine_oddly))
        life.also((5, keepers.let_go), (4, keepers.export_snapshot), (2, keepers.export_for_days))


def run(
    seed: int,
    options: Options | None = None,
    change: Callable[[Run], None] | None = None,
    encounters: Encounters | None = None,
) -> Result:
    """Live through one seed. `change` plants a bug before it begins, `encounters` count what meets what."""
    world = build(options or Options.of(seed), encounters=encounters)
    if change is not None:
        change(world)
    scheduler, chosen = world.stage.scheduler, world.options
    over = chosen.start + timedelta(days=chosen.days)
    if chosen.drills:
        _drill(world)
    if chosen.exodus:
        world.life.crowd()
    world.host.start()
    world.life.populate(max(chosen.machines, CROWD) if chosen.exodus else chosen.machines)
    world.life.go_on(over, chosen.acts_every)
    world.storm.plan(chosen.kinds, over, chosen.spells_every)
    _throw_garbage(world, over)
    if chosen.exodus:
        moment = random.Random(chosen.seed + 6).choice((12, 30, 60))
        scheduler.at(chosen.start + timedelta(hours=moment), world.life.exodus)
    if chosen.loses_ledger:
        lose(world.loss, chosen.seed + 4, (timedelta(days=1), timedelta(days=chosen.days - 2)))
    scheduler.run(over)
    _calm_down(world)
    scheduler.run(over + QUIET)
    _judge(world)
    return _result(world)


def _drill(world: Run) -> None:
    """Every plan has drills; what machines write when they are tried is not always what it should be."""
    drilled, builder = world.promises.drilled, world.stage.world.builder
    assert isinstance(builder, BuilderTwin)
    world.plans.set_drills(DRILL, world.stage.scheduler.now)
    world.host.drills = True
    drilled.watch(builder)
    world.life.also((1, drilled.mend), (1, drilled.break_down))


def _throw_garbage(world: Run, until: datetime) -> None:
    """F12: messages that nobody of ours wrote."""
    draw = random.Random(world.options.seed + 3)
    for _ in range(world.options.garbage):
        moment = world.options.start + (until - world.options.start) * draw.random()
        queue, text = draw.choice((VMS, SHARDS, REAP, REQUESTS)), draw.choice(GARBAGE)
        world.stage.scheduler.at(moment, _garbage(world, queue, text))


def _garbage(world: Run, queue: str, text: str) -> Callable[[], None]:
    def throw() -> None:
        world.storm.fired["F12"] += 1
        world.stage.queues.put(queue, text, timedelta(0), frozenset({"F12"}))

    return throw


def _calm_down(world: Run) -> None:
    """Faults stop; what was lost stays lost. Whatever is still paused, or becomes so late, is resumed."""
    for pause in (timedelta(0), timedelta(hours=2)):
        world.stage.scheduler.at(world.stage.scheduler.now + pause, world.life.people.resume)
    world.plans.bring_all_back(world.stage.scheduler.now)
    if world.host.drills:
        world.plans.set_drills(None, world.stage.scheduler.now)
    world.storm.active.clear()
    world.stage.azure.disabled.clear()
    world.stage.azure.locks.clear()
    world.stage.azure.refusals.clear()
    world.stage.azure.weather = Fair()
    world.stage.vaults.mishap = str
    world.stage.steps.interference = Calm()


def _judge(world: Run) -> None:
    for name, failure in world.host.crashed:
        world.promises.require(False, "no crash", f"{name}: {type(failure).__name__}: {failure}")
    if world.stage.steps.endless:
        world.promises.require(False, "S8", f"{world.stage.steps.endless} does not end")
    if not world.promises.violations:
        Ending(world.stage, world.promises, world.life.people.asked).check()
        world.loss.check()


def _result(world: Run) -> Result:
    made = world.stage
    points = sum(len(attempts) for attempts in world.promises.born.attempts.values())
    counters = {
        "port_calls": sum(made.steps.calls.values()),
        "steps": made.scheduler.steps,
        "captures": points,
        "snapshots": len(made.azure.snapshots),
        "deleted": world.promises.removals.deleted,
        "answers": sum(len(answers) for answers in world.promises.answers.values()),
        "adopted": world.promises.adopted,
        "kills": world.storm.fired["F16"] + world.storm.fired["F24"],
        "lost_races": made.ledger.races,
        "poisoned": len(made.queues.poison),
        "acts_of_life": sum(world.life.acts.values()),
    }
    violations = tuple(world.promises.violations)
    return Result(
        world.options,
        made.log.digest,
        violations,
        counters,
        world.storm.fired,
        world.promises.checked,
        tuple(made.log.tail),
    )
