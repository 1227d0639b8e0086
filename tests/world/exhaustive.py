"""The exhaustive driver: every flow, harmed at every port call it makes, before and after it takes effect.

A scene sets a small fleet up, calmly; then one trigger fires, and its invocation is harmed at one step. Whatever is
left must converge, and keep every promise on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from shared.errors import Blocked, Denied, LostRace, OutcomeUnknown, TagbackError, Throttled, Unavailable
from shared.ports import World
from tests.world.encounters import Encounters, flow_here
from tests.world.ending import Ending
from tests.world.host import Flows, Regular
from tests.world.options import Options
from tests.world.promises import Violation
from tests.world.scheduler import Invocation, Killed
from tests.world.seeded import Run, build
from tests.world.steps import Call, Calm, Effect, Phase
from tests.world.storm import ARM, RACED, STORAGE
from tests.world.twins.azure import Fair

START = datetime(2026, 6, 3, 7, 13, tzinfo=UTC)
TO_CONVERGE = timedelta(hours=14)


class Harm(StrEnum):
    """What happens at the chosen step. The exhaustive driver deals the first two, matrix.py deals all."""

    KILL = "kill"
    LOSE = "lose"
    THROTTLE = "throttle"
    FAIL = "fail"
    SLOW = "slow"
    RACE = "race"
    LOCK = "lock"
    DENY = "deny"
    OUTAGE = "outage"


FAULT_OF = {
    Harm.KILL: "F16",
    Harm.LOSE: "F3",
    Harm.THROTTLE: "F1",
    Harm.FAIL: "F2",
    Harm.SLOW: "F13",
    Harm.RACE: "F14",
    Harm.LOCK: "F18",
    Harm.DENY: "F21",
    Harm.OUTAGE: "F22",
}
A_WHILE = timedelta(seconds=60)
FAR_TOO_LONG = timedelta(minutes=25)
LOCKABLE = (
    "snapshots.create",
    "snapshots.merge",
    "restore_points.create",
    "restore_points.mark",
    "deletions.delete",
)


def applies(harm: Harm, call: Call) -> bool:
    """Whether a call can meet this harm."""
    match harm:
        case Harm.KILL | Harm.SLOW:
            return True
        case Harm.LOSE:
            return call.effect is not Effect.LOCAL
        case Harm.THROTTLE | Harm.FAIL:
            return call.service in ARM
        case Harm.RACE:
            return call.verb in RACED
        case Harm.LOCK:
            return call.verb in LOCKABLE
        case Harm.DENY:
            return call.service in ("arm", "topic")
        case Harm.OUTAGE:
            return call.service in STORAGE


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
    flows: list[tuple[int, str]] = field(default_factory=list)
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
        self.flows.append((self._numbers[id(call)], flow_here()))
        if self.blow and not self.struck and call is self._chosen and phase is self.blow.phase:
            self.struck = True
            self._strike(self.blow, invocation, call)

    def _strike(self, blow: Blow, invocation: Invocation, call: Call) -> None:
        match blow.harm:
            case Harm.KILL:
                self.world.host.kill(invocation.process)
                raise Killed
            case Harm.SLOW:
                self.world.stage.scheduler.sleep(FAR_TOO_LONG)
            case Harm.THROTTLE if call.bucket is not None:
                raise self.world.stage.throttle.close(call.bucket, A_WHILE)
            case _:
                raise _error(blow.harm, call)


def _error(harm: Harm, call: Call) -> TagbackError:
    """What a call raises that is harmed."""
    match harm:
        case Harm.THROTTLE:
            return Throttled("RateLimiting", call.verb, A_WHILE)
        case Harm.FAIL:
            return Unavailable("InternalServerError", call.verb)
        case Harm.RACE:
            return LostRace(f"somebody else wrote before this {call.verb}")
        case Harm.LOCK:
            return Blocked("ScopeLocked", call.verb, 409)
        case Harm.DENY:
            return Denied("AuthorizationFailed", call.verb, 403)
        case Harm.OUTAGE:
            return Unavailable("ServerBusy", call.verb)
        case _:
            lost = OutcomeUnknown if call.effect is Effect.WRITE else Unavailable
            return lost("timeout", call.verb)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one harmed run came to. `flows` has the flow of each step."""

    calls: tuple[Call, ...]
    steps: tuple[tuple[int, Phase], ...]
    flows: tuple[tuple[int, str], ...]
    struck: bool
    violations: tuple[Violation, ...]
    tail: tuple[str, ...]


def small_world(flows: Flows | None = None, seed: int = 1, encounters: Encounters | None = None) -> Run:
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
    world = build(options, flows, encounters)
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


def play(
    scene: Scene,
    blow: Blow | None,
    change: Callable[[Run], None] | None = None,
    encounters: Encounters | None = None,
) -> Outcome:
    """Play a scene with one blow, and let everything converge."""
    world = small_world(encounters=encounters)
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
        tuple(saboteur.calls),
        tuple(saboteur.steps),
        tuple(saboteur.flows),
        saboteur.struck,
        tuple(world.promises.violations),
        tail,
    )


def blows(scene: Scene) -> Iterator[Blow]:
    """Every blow that an undisturbed run of the scene has room for; a call that is refused has no step after it."""
    undisturbed = play(scene, None)
    for at, phase in undisturbed.steps:
        yield Blow(at, phase, Harm.KILL)
        if undisturbed.calls[at].effect is not Effect.LOCAL:
            yield Blow(at, phase, Harm.LOSE)
