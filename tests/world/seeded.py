"""The seeded driver: a fleet lives for ten days under faults, then faults stop and everything must converge."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from shared.messages import REAP, REQUESTS, SHARDS, VMS
from tests.world.catalogue import ENFORCED, FOREIGN, WATCHED, rules
from tests.world.encounters import Encounters, recorded
from tests.world.ending import Ending
from tests.world.flows import product_flows
from tests.world.host import SWEEP, Flows, Host
from tests.world.life import TAG_VALUES, TAG_VALUES_WITH_VAULTS, Life
from tests.world.loss import Loss
from tests.world.loss import plan as lose
from tests.world.promises import Promises, Violation
from tests.world.scheduler import Process
from tests.world.stage import Stage, stage
from tests.world.steps import Calm
from tests.world.storm import KINDS, Kind, Storm
from tests.world.twins.azure import Fair, vm_place

STARTS = (
    datetime(2026, 3, 24, 7, 13, tzinfo=UTC),  # summer time begins in Berlin on the 29th
    datetime(2026, 10, 20, 7, 13, tzinfo=UTC),  # and ends on the 25th, in New York on November 1st
    datetime(2027, 3, 9, 23, 50, tzinfo=UTC),  # summer time begins in New York on the 14th
    datetime(2028, 2, 24, 12, 0, tzinfo=UTC),  # a leap day
    datetime(2026, 12, 27, 0, 0, tzinfo=UTC),  # ISO week 53 and a new year
    datetime(2026, 6, 3, 3, 33, tzinfo=UTC),
)
DAYS = 10
SKEWS = (0, 0, 0, -150, 40, 150)  # F9: seconds by which the clock of a process is wrong
SWEEPS = (SWEEP, 4 * SWEEP, 4 * SWEEP)  # every quarter of an hour as we ship it, or hourly by setting
QUIET = timedelta(hours=36)
INHERITS = 0.4  # the share of installations in which machines inherit the tags of their resource group
LOSSES = 0.25  # the share of runs in which every table is deleted once
VAULTS = 0.1  # the share of runs in which machines ask for Azure Backup too
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
class Options:
    """What a run is made of, drawn from its seed. `skews` has the wrongness of the clock of each process."""

    seed: int
    start: datetime
    machines: int
    skews: tuple[timedelta, ...]
    kinds: tuple[Kind, ...]
    spells_every: timedelta
    acts_every: timedelta
    share: float
    days: int = DAYS
    loses_ledger: bool = False
    sweeps_every: timedelta = SWEEP
    inherits: bool = False
    garbage: int = 0
    vaults: bool = False

    @classmethod
    def of(cls, seed: int) -> Options:
        draw = random.Random(seed)
        kinds = tuple(sorted(draw.sample(KINDS, draw.randint(3, len(KINDS))), key=KINDS.index))
        return cls(
            seed=seed,
            start=draw.choice(STARTS),
            machines=draw.choice((8, 8, 8, 12)),
            skews=tuple(timedelta(seconds=draw.choice(SKEWS)) for _ in range(draw.randint(1, 3))),
            kinds=kinds,
            spells_every=timedelta(hours=draw.choice((2, 4, 8))),
            acts_every=timedelta(hours=draw.choice((3, 6, 12))),
            share=draw.choice((0.0, 0.0, 0.1)),
            loses_ledger=draw.random() < LOSSES,
            sweeps_every=draw.choice(SWEEPS),
            inherits=draw.random() < INHERITS,
            garbage=draw.randint(0, 4),
            vaults=draw.random() < VAULTS,
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


def build(options: Options, flows: Flows | None = None, encounters: Encounters | None = None) -> Run:
    given = replace(rules(), inherit_group_tags=options.inherits)
    promises = Promises()
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
    host = Host(made.scheduler, made.queues, made.log, made.world, flows or product_flows(given), processes, storm)
    host.sweeps_every = options.sweeps_every
    storm.host = host
    made.azure.publish = host.publish
    made.azure.weather = storm
    made.vaults.mishap = storm.mishap
    made.steps.interference = storm
    values = TAG_VALUES_WITH_VAULTS if options.vaults else TAG_VALUES
    life, loss = Life(made, options.seed + 2, values), Loss(made, promises, given)
    life.people.asked, life.people.rules = loss.asked, given
    return Run(options, made, promises, storm, host, life, loss)


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
    world.host.start()
    world.life.populate(chosen.machines)
    world.life.go_on(over, chosen.acts_every)
    world.storm.plan(chosen.kinds, over, chosen.spells_every)
    _throw_garbage(world, over)
    if chosen.loses_ledger:
        lose(world.loss, chosen.seed + 4, (timedelta(days=1), timedelta(days=chosen.days - 2)))
    scheduler.run(over)
    _calm_down(world)
    scheduler.run(over + QUIET)
    _judge(world)
    return _result(world)


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
