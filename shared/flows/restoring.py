"""Carries a restore on, slice by slice: called for a message that names its request, or by a command that has no app.

Nothing is waited for: Azure is asked, the request's row says what comes next and when to look. Every name follows from
the request, and every stage looks before it acts, so a restore may be dropped at any instant and taken up by anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from shared.decide import restoring as decide
from shared.decide.failure import AskPerson, GiveUp, Gone, Retry, Tries, follow_up
from shared.errors import CloudError, LostRace, Throttled
from shared.flows.choosing import begun
from shared.flows.errand import Errand, Failed, Handler, Impossible, Later, Outcome, Passed, opened
from shared.flows.lending import LENDING
from shared.flows.making import REMOVED, make_disks, make_interfaces, make_machine, release, remove
from shared.flows.mounting import MOUNTING
from shared.flows.proving import command, make_network, make_rules, not_begun, probe, verdict
from shared.flows.recovering import RECOVERING
from shared.flows.setbacks import NEEDS_APPROVAL, fault_of
from shared.flows.swapping import claim, detach, let_go, start, stop, swap
from shared.flows.tidying import tidy_up
from shared.messages import REQUESTS, request_text
from shared.model.fault import Fault
from shared.model.operation import Failure
from shared.model.request import Asked, Progress, Request
from shared.model.restore import RestoreMode, Stage
from shared.model.rules import Rules
from shared.ports import World

log = logging.getLogger("tagback")

SOON = timedelta(seconds=1)
LATER = timedelta(seconds=60)  # a longer wait is the sweep's

HANDLERS: Mapping[Stage, Handler] = {
    **RECOVERING,
    Stage.RULES: make_rules,
    Stage.NETWORK: make_network,
    Stage.DISKS: make_disks,
    Stage.INTERFACES: make_interfaces,
    Stage.MACHINE: make_machine,
    Stage.PROBE: probe,
    Stage.COMMAND: command,
    Stage.VERDICT: verdict,
    Stage.CLAIM: claim,
    Stage.STOP: stop,
    Stage.DETACH: detach,
    Stage.SWAP: swap,
    Stage.START: start,
    Stage.LET_GO: let_go,
    Stage.RELEASE: release,
    **dict.fromkeys(REMOVED, remove),
    Stage.LEFTOVERS: tidy_up,
}
OF_LENDING: Mapping[Stage, Handler] = {**HANDLERS, **LENDING}


@dataclass(frozen=True, slots=True)
class Pause:
    """The slice is over: how long until another makes sense, None where it ended."""

    after: timedelta | None


def carry_on(world: World, rules: Rules, request: Request) -> None:
    """One slice for a message; the next look is asked for where it is near."""
    try:
        after = advance(world, rules, request)
    except LostRace as lost:
        log.info("restore.overtaken id=%s because=%r", request.id, str(lost))
        return
    if after is not None and after <= LATER:
        world.queue.send(REQUESTS, request_text(request.id), after)


def advance(world: World, rules: Rules, request: Request) -> timedelta | None:
    """Go on for one slice; how long until another look makes sense, None when it ended.

    LostRace when somebody else is carrying it on.
    """
    if request.progress is not Progress.ASKED:
        return None
    known = request.restore
    if known and known.next_look and known.next_look > world.clock.now():
        return None
    errand = opened(world, rules, request)
    if errand.request.restore is None:
        answer = begun(errand)
        if isinstance(answer, Impossible):
            return _refused(errand, answer).after
        errand = answer
    return _carried(errand)


def _carried(errand: Errand) -> timedelta | None:
    """Stage after stage, until one has to be waited for."""
    on: Errand | Pause = errand
    while isinstance(on, Errand):
        stage = on.restore.stage
        if stage is None:
            on = _done(on)
        elif on.slice_.is_over():
            on = _put_off(on, SOON)
        else:
            on = _followed(stage, _tried(on, stage), on)
    return on.after


def _followed(stage: Stage, outcome: Outcome, errand: Errand) -> Errand | Pause:
    match outcome:
        case Passed(on):
            return _onward(on)
        case Later(on):
            return _put_off(on, decide.pause_after(stage))
        case Failed(on, fault):
            return _set_back(on, fault)
        case Impossible(because):
            return _given_up(errand, because)
        case _:
            assert_never(outcome)


def _tried(errand: Errand, stage: Stage) -> Outcome:
    of_files = OF_LENDING if errand.restore.recovery is None else MOUNTING
    try:
        return (of_files if errand.order.mode is RestoreMode.FILES else HANDLERS)[stage](errand)
    except Throttled as error:
        return Failed(errand, fault_of(error)) if error.code != "Paced" else Later(errand)
    except CloudError as error:
        return Failed(errand, fault_of(error))


def _onward(errand: Errand) -> Errand:
    restore = errand.restore
    following = decide.next_stage(errand.order.mode, restore)
    log.info("restore.passed id=%s vm=%s stage=%s", errand.request.id, errand.target, restore.stage)
    after = replace(restore, stage=following, attempts=0, failure=None, next_look=None)
    return errand.saved(after) if following else errand.with_restore(after)


def _put_off(errand: Errand, after: timedelta) -> Pause:
    errand.saved(replace(errand.restore, next_look=errand.now() + after))
    return Pause(after)


def _set_back(errand: Errand, fault: Fault) -> Errand | Pause:
    """What follows a failed act: another try later, a person, putting things back, or the end."""
    restore = errand.restore
    alike = restore.failure.times + 1 if restore.failure and restore.failure.code == fault.code else 1
    following = follow_up(fault, Tries(restore.attempts + 1, alike, errand.request.id))
    failure = Failure(fault.code, fault.message, "", errand.now(), alike)
    what = (errand.request.id, restore.stage, type(following).__name__, fault.code, following.because)
    log.warning("restore.setback id=%s stage=%s next=%s code=%s because=%r", *what)
    errand = errand.with_restore(replace(restore, attempts=restore.attempts + 1))
    on_trial = decide.is_on_trial(errand.order.mode, restore)
    if on_trial and decide.is_verdict(following, restore.started_at, errand.now()):
        return _turned(errand, f"{following.because}: {fault.code}: {fault.message}")
    match following:
        case Retry(after, because, wait_for):
            return _waiting(errand, replace(failure, waits_for=wait_for), because, after)
        case AskPerson(_, remedy, because, _) if remedy.startswith(NEEDS_APPROVAL):
            return _stopped(errand, replace(failure, remedy=remedy), f"{remedy} ({because}: {fault.code})")
        case AskPerson(after, remedy, because, wait_for):
            return _waiting(errand, replace(failure, remedy=remedy, waits_for=wait_for), because, after)
        case GiveUp(because, remedy):
            return _stopped(errand, replace(failure, remedy=remedy), f"{because}: {fault.code}: {fault.message}")
        case Gone(because):
            return _stopped(errand, failure, f"{because}: {fault.code}: {fault.message}")
        case _:
            assert_never(following)


def _waiting(errand: Errand, failure: Failure, because: str, after: timedelta) -> Pause:
    restore = replace(errand.restore, failure=failure, next_look=errand.now() + after)
    errand.saved(restore, because=f"{because}: {failure.code}")
    return Pause(after)


def _stopped(errand: Errand, failure: Failure, because: str) -> Errand | Pause:
    """It cannot go on: a machine in bits is put together again, anything else is left for `undo` or its expiry."""
    restore = replace(errand.restore, failure=failure, because=because)
    if not (decide.must_be_put_back(restore) or decide.reverts(errand.order.mode, restore)):
        return _ended(errand.with_restore(restore), Progress.FAILED, because)
    return _turned(errand.with_restore(restore), because)


def _turned(errand: Errand, because: str) -> Errand:
    """From here on it goes back to how things were."""
    log.warning("restore.put_back id=%s vm=%s because=%r", errand.request.id, errand.target, because)
    first, restore = decide.way_back(errand.order.mode, errand.restore), replace(errand.restore, because=because)
    return errand.saved(replace(restore, undoing=True, stage=first, attempts=0, failure=None, next_look=None))


def _given_up(errand: Errand, because: str) -> Errand | Pause:
    if decide.reverts(errand.order.mode, errand.restore):
        return _turned(errand, because)
    return _ended(errand, Progress.REFUSED if errand.restore.stage is Stage.SURVEY else Progress.FAILED, because)


def _refused(errand: Errand, answer: Impossible) -> Pause:
    if errand.request.asked is Asked.DRILL:
        not_begun(errand.world, errand.slice_.rules, errand.request, answer.because)
    errand.world.requests.settle(replace(errand.request, progress=Progress.REFUSED, because=answer.because))
    log.warning("restore.refused id=%s because=%r", errand.request.id, answer.because)
    return Pause(None)


def _done(errand: Errand) -> Pause:
    restore = errand.restore
    if errand.request.asked is Asked.TIDY:
        return _ended(errand, Progress.DONE, "what was left behind and nobody uses is gone")
    if errand.request.asked is Asked.DRILL:
        return _drilled(errand)
    if not restore.undoing:
        done = "has disks" if restore.lent else "can be read" if errand.order.mode is RestoreMode.FILES else "is back"
        return _ended(errand, Progress.DONE, f"{errand.target} {done} as of {restore.slot:%Y-%m-%d %H:%M}Z")
    if errand.request.asked is Asked.UNDO:
        return _ended(errand, Progress.DONE, "everything that the restore made or changed is as it was before")
    return _ended(errand, Progress.FAILED, f"it could not be done, and was put back: {restore.because}")


def _drilled(errand: Errand) -> Pause:
    if errand.restore.undoing:
        return _ended(errand, Progress.FAILED, f"not proven, and nothing is left of it: {errand.restore.because}")
    slot = f"{errand.restore.slot:%Y-%m-%d %H:%M}Z"
    return _ended(errand, Progress.DONE, f"the point of {slot} was restored, tried, and removed again")


def _ended(errand: Errand, progress: Progress, because: str) -> Pause:
    errand.audit("restore.ended", progress=progress.value, because=because)
    restore = replace(errand.restore, ended_at=errand.now(), next_look=None)
    errand.saved(restore, progress=progress, because=because)
    log.info("restore.%s id=%s because=%r", progress, errand.request.id, because)
    return Pause(None)


def overdue(requests: Iterable[Request], now: datetime) -> tuple[Request, ...]:
    """Those whose next look is long past: their message was lost, or they wait longer than a message does."""
    waiting = [one for one in requests if one.order is not None]
    return tuple(one for one in waiting if _wanted_at(one) <= now - LATER)


def _wanted_at(request: Request) -> datetime:
    return (request.restore and request.restore.next_look) or request.at
