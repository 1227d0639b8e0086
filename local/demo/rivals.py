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
from local.judges.world import PRODUCT
from local.stack import AUDIENCE

MAKING = "Microsoft.Compute/virtualMachines/write"
HELD = 5.0  # real seconds for which the call is on its way
LOOKING = timedelta(seconds=1)
MOST_LOOKS = 120
ENDED_WITHIN = timedelta(minutes=40)
REMOVED_WITHIN = timedelta(minutes=20)


def race(cast: Cast, machine: MachineStory, name: str) -> None:
    """A restore asks for a machine of a name; while that is on its way somebody else makes one that is called so."""
    other = replace(machine, name=name, tags={}, disks=())
    match = {"operation": MAKING, "resource": f"*/{name}", "principal": PRODUCT}
    rule = {"id": f"slow-{name}", "match": match, "count": 1, "effect": {"delay_s": HELD}}
    cast.observer.order("faults", rule)
    with cast.noted("race", machine=machine.id, to=other.id):
        words = ["restore", machine.name, "--mode", "new", "--as", name, "--no-wait", "--output", "json"]
        request = str(cast.tagback.done(*words).document()["id"])
        for _ in range(MOST_LOOKS):
            if any(one["id"] == rule["id"] and one["fired"] for one in cast.observer.simulator("faults")):
                break
            cast.sleep(LOOKING)
        with cast.noted("create", machine=other.id, tags=other.tags):
            cast.fleet.create(other)
        cast.sleep(ENDED_WITHIN)
        cast.tagback.done("restore", "undo", request, "--no-wait")
        cast.sleep(REMOVED_WITHIN)


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
