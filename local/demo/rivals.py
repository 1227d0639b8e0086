"""People at odds with each other: two want the same name at once, one wants more deleted than one person may.

Used by owners.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import requests

from local.demo.cast import Cast
from local.demo.knocks import token
from local.demo.scenario import MachineStory
from local.stack import AUDIENCE

LOOKING = timedelta(seconds=1)
MOST_LOOKS = 120
ENDED_WITHIN = timedelta(minutes=40)
REMOVED_WITHIN = timedelta(minutes=20)


def race(cast: Cast, machine: MachineStory, name: str) -> None:
    """A restore is to make a machine of a name; once it is at work somebody else makes one that is called so."""
    other = replace(machine, name=name, tags={}, disks=())
    with cast.noted("race", machine=machine.id, to=other.id):
        words = ["restore", machine.name, "--mode", "new", "--as", name, "--no-wait", "--output", "json"]
        request = str(cast.tagback.done(*words).document()["id"])
        for _ in range(MOST_LOOKS):
            if _has_begun(cast, request):
                break
            cast.sleep(LOOKING)
        with cast.noted("create", machine=other.id, tags=other.tags):
            cast.fleet.create(other)
        cast.sleep(ENDED_WITHIN)
        cast.tagback.done("restore", "undo", request, "--no-wait")
        cast.sleep(REMOVED_WITHIN)


def _has_begun(cast: Cast, request: str) -> bool:
    """Whether Azure shows something that the restore made."""
    return any((one.get("tags") or {}).get("tagback-restore") == request for one in cast.observer.simulator("state"))


def approve(cast: Cast, who: str) -> None:
    """Somebody gives their word, through the app's API, for all deletions that wait for two people."""
    headers = {"x-functions-key": cast.stack.keys["default"]}
    headers["Authorization"] = f"Bearer {token(cast, who, AUDIENCE)}"
    at = cast.now()
    answer = requests.post(f"{cast.stack.host_url}/api/approvals", json={"all": True}, headers=headers, timeout=30)
    said = answer.json()
    approved, asked = ([f"{one['vm']} {one['slot']}" for one in said.get(word, ())] for word in ("approved", "asked"))
    told = {"by": who, "status": answer.status_code, "approved": approved, "asked": asked, "count": len(approved)}
    cast.script.note("approve", at, cast.now(), **told)
    cast.screen.line(f"    {who}: {answer.status_code}, {len(asked)} asked for, {len(approved)} approved")
