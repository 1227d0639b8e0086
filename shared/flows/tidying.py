"""What restores left behind goes when its time is over: old disks of machines in place, pieces of what failed.

`tidy` is called by the timer, `tidy_up` by restoring.py. Only what still says so itself goes: our tag, the request's
id, an expiry that has passed, and nobody uses it. A machine is never removed by time alone, but for that of a drill.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from shared.decide.drawing import EXPIRES, RESTORE
from shared.decide.naming import OURS, STAMP
from shared.decide.restoring import tag_of
from shared.decide.subtraction import at
from shared.errors import LostRace
from shared.flows.asking import new_request
from shared.flows.errand import Errand, Later, Outcome, Passed
from shared.messages import REQUESTS, request_text
from shared.model.draining import CallKind
from shared.model.identity import VM_TYPE, ResourceId
from shared.model.request import Asked, Progress
from shared.ports import World

log = logging.getLogger("tagback")

BY = "expiry"
USERS = ("managedBy", "properties.virtualMachine.id")


def tidy(world: World) -> None:
    """Ask for the tidying up after every restore whose leftovers' time is over; once for each."""
    for done in world.requests.expired(world.clock.now()):
        if done.asked is Asked.DRILL and done.restore and done.restore.stage is None:
            continue  # it came to its end, and so saw everything of it gone
        asked = new_request(world, Asked.TIDY, done.shard, done.uid, BY)
        asked = replace(asked, id=tidying_of(done.id), operation=done.id, order=done.order)
        with suppress(LostRace):
            world.requests.add(asked)
            world.queue.send(REQUESTS, request_text(asked.id))


def tidying_of(restore: str) -> str:
    """The id of the one request by which a restore is tidied up after."""
    return f"tidy-{restore}"


def nothing_left(errand: Errand) -> None:
    """Say of an undone restore that nothing is left to tidy up: nobody asks for it when its time is over."""
    request, of = errand.request, errand.drawing.id
    asked = new_request(errand.world, Asked.TIDY, request.shard, request.uid, BY)
    asked = replace(asked, id=tidying_of(of), operation=of, order=request.order)
    with suppress(LostRace):
        errand.world.requests.add(replace(asked, progress=Progress.DONE, because=f"undone by {request.id}"))


def tidy_up(errand: Errand) -> Outcome:
    """Everything of the restore that may go is asked to; passed once none of it is left."""
    waiting = False
    for place in (*errand.restore.makes, *(swap.old for swap in errand.restore.swaps)):
        if ResourceId.parse(place).type == VM_TYPE:
            continue
        seen = errand.find(place)
        if seen is not None and _may_go(seen, errand):
            errand.audit("restore.removing", id=place)
            errand.write(partial(errand.world.builder.remove, errand.shard, place), CallKind.DELETE)
            waiting = True
    return Later(errand) if waiting else Passed(errand)


def _may_go(seen: Mapping[str, Any], errand: Errand) -> bool:
    ours = tag_of(seen, f"{OURS}owner") == errand.slice_.rules.owner and tag_of(seen, RESTORE) == errand.drawing.id
    used = any(at(seen, user) for user in USERS)
    return ours and not used and _is_over(tag_of(seen, EXPIRES), errand.now())


def _is_over(text: str, now: datetime) -> bool:
    try:
        return datetime.strptime(text, STAMP).replace(tzinfo=UTC) <= now
    except ValueError:
        return False
