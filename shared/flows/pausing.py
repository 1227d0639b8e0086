"""A person's brake: asked by the command line or the API, carried out for requesting.py, told to the topic.

It changes one small value under If-Match. The drainer reads it once per slice, the reaper before each batch, so a pause
is heard within a slice; what Azure has accepted by then comes to its end.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace

from shared.decide import brakes as decide
from shared.decide.brakes import WHAT, Word
from shared.errors import BadInput, CloudError, LostRace
from shared.flows.asking import filed, new_request
from shared.flows.casework import TRIES
from shared.model.brake import Brake, Braking, Stops
from shared.model.identity import EVERYWHERE, VmUid
from shared.model.request import Asked, Progress, Request
from shared.model.rules import Rules
from shared.ports import World

log = logging.getLogger("tagback")

MOST_WORDS = 500
CHOICES = tuple(WHAT)


def ask_pause(world: World, what: str, because: str, by: str) -> Request:
    """Ask that captures, deletions or all of it stop; BadInput without a reason that others can read."""
    _known(what, because)
    return _asked(world, Asked.PAUSE, what, because, by)


def ask_resume(world: World, what: str, because: str, by: str) -> Request:
    """Ask that they go on; BadInput where nothing of it is paused."""
    _known(what, because or "-")
    if not [brake for brake in standing(world) if brake.by and brake.stops in WHAT[what]]:
        raise BadInput([f"{what}: nothing of it is paused"])
    return _asked(world, Asked.RESUME, what, because, by)


def _known(what: str, because: str) -> None:
    problems = [] if what in WHAT else [f"{what!r} cannot be paused; allowed: {', '.join(WHAT)}"]
    if not because.strip() or len(because) > MOST_WORDS:
        problems.append(f"say why, in at most {MOST_WORDS} characters: others will ask")
    if problems:
        raise BadInput(problems)


def _asked(world: World, asked: Asked, what: str, because: str, by: str) -> Request:
    request = new_request(world, asked, EVERYWHERE, VmUid(""), by)
    return filed(world, replace(request, stops=what, reason=because.strip()))


def standing(world: World) -> tuple[Brake, ...]:
    """What is stopped now, by people and by the mass brake."""
    return decide.standing(world.brakes.now())


def braked(world: World, rules: Rules, request: Request) -> Request:
    """The request settled: the brakes are as it wants them. Repeating it changes nothing."""
    stops = WHAT.get(request.stops, ())
    word = Word(request.by, request.at, request.reason)
    for turn in range(TRIES):
        before = world.brakes.now()
        after = _changed(before, request.asked, stops, word)
        try:
            if after != before:
                _audit(world, request)
                world.brakes.change(after)
                log.info("brakes.changed asked=%s what=%s by=%s", request.asked, request.stops, request.by)
            break
        except LostRace:
            if turn == TRIES - 1:
                raise
    tell(world, rules)
    return replace(request, progress=Progress.DONE, because=_outcome(world, request, stops))


def _changed(before: Braking, asked: Asked, stops: tuple[Stops, ...], word: Word) -> Braking:
    return decide.paused(before, stops, word) if asked is Asked.PAUSE else decide.resumed(before, stops, word)


def _outcome(world: World, request: Request, stops: tuple[Stops, ...]) -> str:
    left = [decide.said(brake) for brake in standing(world) if brake.stops in stops and brake.by]
    return "; ".join(left) or f"{request.stops}: nothing of it is paused any more"


def _audit(world: World, request: Request) -> None:
    line = {
        "at": world.clock.now().isoformat(timespec="seconds"),
        "event": f"brakes.{request.asked}",
        "what": request.stops,
        "by": request.by,
        "because": request.reason,
    }
    world.audit.append(EVERYWHERE, world.clock.now(), [json.dumps(line)])


def tell(world: World, rules: Rules) -> None:
    """Tell the topic what changed, then note that it was told. What cannot be told now is told by the next sweep."""
    braking = world.brakes.now()
    news = decide.untold(braking, rules.owner)
    if not news:
        return
    try:
        world.events.publish(news)
        world.brakes.change(decide.told(braking))
    except (CloudError, LostRace) as error:
        log.warning("brakes.untold events=%d because=%r", len(news), str(error))
