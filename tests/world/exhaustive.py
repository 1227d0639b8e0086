"""The exhaustive driver: every flow, harmed at every port call it makes, before and after it takes effect.

A scene sets a small fleet up, calmly; then one trigger fires, and its invocation is harmed at one step. Whatever is
left must converge, and keep every promise on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from shared.errors import OutcomeUnknown, Unavailable
from shared.ports import World
from tests.world.ending import Ending
from tests.world.host import Flows, Regular
from tests.world.promises import Violation
from tests.world.scheduler import Invocation, Killed
from tests.world.seeded import Options, Run, build
from tests.world.steps import Call, Calm, Effect, Phase
from tests.world.twins.azure import Fair

START = datetime(2026, 6, 3, 7, 13, tzinfo=UTC)
TO_CONVERGE = timedelta(hours=14)


class Harm(StrEnum):
    """What happens at the chosen step: the process dies, or the call's answer is lost."""

    KILL = "kill"
    LOSE = "lose"


@dataclass(frozen=True, slots=True)
class Blow:
    """Harm at the call number `at` (from 0) of the harmed invocation, before or after it takes effect."""

    at: int
    phase: Phase
    harm: Harm


@dataclass(frozen=True)
class Scene:
    """`prepare` leads to the moment before; `trigger` names the function that fires, and fires it."""

    name: str
    prepare: Callable[[Run], None]
    function: str
    trigger: Callable[[Run], None]


@dataclass
class Saboteur:
    """Harms the first invocation of one function, once."""

    world: Run
    function: str
    blow: Blow | None
    calls: list[Call] = field(default_factory=list)
    steps: list[tuple[int, Phase]] = field(default_factory=list)
    struck: bool = False
    _numbers: dict[int, int] = field(default_factory=dict)
    _target: Invocation | None = None
    _chosen: Call | None = None

    def step(self, invocation: Invocation, call: Call, phase: Phase) -> None:
        if self._target is None and f"/{self.function}#" in invocation.name:
            self._target = invocation
        if invocation is not self._target:
            return
        if phase is Phase.BEFORE:
            self.calls.append(call)
            self._numbers[id(call)] = len(self.calls) - 1
            if self.blow and self.blow.at == len(self.calls) - 1:
                self._chosen = call
        self.steps.append((self._numbers[id(call)], phase))
        if self.blow and not self.struck and call is self._chosen and phase is self.blow.phase:
            self.struck = True
            self._strike(self.blow, invocation, call)

    def _strike(self, blow: Blow, invocation: Invocation, call: Call) -> None:
        if blow.harm is Harm.KILL:
            self.world.host.kill(invocation.process)
            raise Killed
        if call.effect is Effect.WRITE:
            raise OutcomeUnknown("timeout", call.verb)
        if call.effect is Effect.READ:
            raise Unavailable("timeout", call.verb)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one harmed run came to."""

    calls: tuple[Call, ...]
    steps: tuple[tuple[int, Phase], ...]
    struck: bool
    violations: tuple[Violation, ...]
    tail: tuple[str, ...]


def small_world(flows: Flows | None = None, seed: int = 1) -> Run:
    """One calm process and no machines; nothing fires by itself before the host is started."""
    options = Options(
        seed=seed,
        start=START,
        machines=0,
        skews=(timedelta(0),),
        kinds=(),
        spells_every=timedelta(days=1),
        acts_every=timedelta(days=1),
        share=0.0,
    )
    world = build(options, flows)
    world.host.habits = Regular()
    world.stage.azure.weather = Fair()
    world.stage.steps.interference = Calm()
    world.stage.azure.publish = lambda operation, resource: None
    return world


def perform(world: Run, flow: Callable[[World], None]) -> None:
    """Run a flow now, calmly, in the first process."""
    world.host.invoke("setup", world.host.processes[0], lambda: flow(world.stage.world), lambda failure: None)
    world.stage.scheduler.run(world.stage.scheduler.now)


def pass_time(world: Run, duration: timedelta) -> None:
    world.stage.scheduler.run(world.stage.scheduler.now + duration)


def play(scene: Scene, blow: Blow | None, change: Callable[[Run], None] | None = None) -> Outcome:
    """Play a scene with one blow, and let everything converge."""
    world = small_world()
    if change is not None:
        change(world)
    scene.prepare(world)
    world.stage.queues.messages.clear()
    saboteur = Saboteur(world, scene.function, blow)
    world.stage.steps.interference = saboteur
    world.stage.azure.publish = world.host.publish
    world.host.start()
    scene.trigger(world)
    pass_time(world, TO_CONVERGE)
    for name, failure in world.host.crashed:
        world.promises.require(False, "no crash", f"{name}: {type(failure).__name__}: {failure}")
    if not world.promises.violations:
        Ending(world.stage, world.promises).check()
        world.loss.check()
    tail = tuple(world.stage.log.tail)
    return Outcome(
        tuple(saboteur.calls), tuple(saboteur.steps), saboteur.struck, tuple(world.promises.violations), tail
    )


def blows(scene: Scene) -> Iterator[Blow]:
    """Every blow that an undisturbed run of the scene has room for; a call that is refused has no step after it."""
    undisturbed = play(scene, None)
    for at, phase in undisturbed.steps:
        yield Blow(at, phase, Harm.KILL)
        if undisturbed.calls[at].effect is not Effect.LOCAL:
            yield Blow(at, phase, Harm.LOSE)
