"""Others who are at work in the same subscriptions: a neighbour who knows no measure, somebody who means harm.

Used by troubles.py. They have tokens of their own and go through Azure as everybody does.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import requests

from local.demo.cast import Cast
from local.demo.fleet import Fleet, Person
from local.demo.scenario import MachineStory, Trouble
from local.judges.evidence import tag
from local.judges.world import SNAPSHOT

SNAPSHOTS_API = "2023-10-02"
NEIGHBOURS = 6
MOST = 1600  # calls, of which a bucket of 1,000 does not take all
GREED = timedelta(seconds=40)  # they go on while the slot comes
TOO_MANY = 429
OPTED_OUT = 8


def hungry_neighbour(cast: Cast, trouble: Trouble) -> None:
    """Several programs take snapshot after snapshot of their own, until the provider has none left for anybody.

    Each has a bucket of its own with Resource Manager; the provider counts by subscription and region alone.
    """
    cast.sleep(timedelta(seconds=55))
    at, spent, refused = cast.now(), 0, 0
    with requests.Session() as session:
        while spent < MOST and cast.now() - at < GREED:
            status = take_snapshot(cast, session, spent)
            spent, refused = spent + 1, refused + (status == TOO_MANY)
    cast.script.note("trouble", at, at + trouble.lasts, fault=trouble.fault, says=trouble.says, calls=spent)
    cast.screen.line(f"    {spent} calls of the neighbours, {refused} of them refused with 429")


def take_snapshot(cast: Cast, session: requests.Session, number: int) -> int:
    """One call of one of the neighbours; its status."""
    place = f"/subscriptions/{cast.scenario.subscriptions[1]}/resourceGroups/us-lab/providers/Microsoft.Compute"
    url = f"{cast.stack.simulator_url}{place}/snapshots/neighbour-{number % 5}?api-version={SNAPSHOTS_API}"
    body: Any = {"location": "eastus", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}}
    token = Person(f"neighbour-{number % NEIGHBOURS}").get_token("").token
    headers = {"Authorization": f"Bearer {token}"}
    return session.put(url, json=body, headers=headers, verify=str(cast.stack.bundle), timeout=30).status_code


def attack(cast: Cast, trouble: Trouble) -> None:
    """Opt machines out, weaken plans, let snapshots look old and foreign; the owners put their tags right again."""
    mallory = Fleet(cast.stack.simulator_url, cast.stack.bundle, cast.conductor.stage.sleep, "mallory")
    victims = [machine for machine in cast.scenario.machines if machine.name.startswith(("db-", "web-"))]
    opted_out, weakened = victims[:OPTED_OUT], victims[OPTED_OUT : OPTED_OUT + 3]
    try:
        for machine in opted_out:
            harm(cast, mallory, machine, {**machine.tags, spelling(machine): "off"})
        for machine in weakened:
            harm(cast, mallory, machine, {**machine.tags, spelling(machine): "bronze"})
        aged = age_snapshots(cast, mallory)
        cast.screen.line(f"    {len(opted_out)} opted out, {len(weakened)} weakened, {aged} snapshots rewritten")
        cast.sleep(trouble.lasts)
        for machine in [*opted_out, *weakened]:
            with cast.noted("tag", machine=machine.id, tags=machine.tags, by="owner"):
                cast.fleet.tag(machine, machine.tags)
    finally:
        mallory.close()


def harm(cast: Cast, mallory: Fleet, machine: MachineStory, tags: dict[str, str]) -> None:
    with cast.noted("tag", machine=machine.id, tags=tags, by="mallory", fault="T1"):
        mallory.tag(machine, tags)


def spelling(machine: MachineStory) -> str:
    return next(name for name in machine.tags if name.lower() == "backup")


def age_snapshots(cast: Cast, mallory: Fleet) -> int:
    """Let some of the product's snapshots look long expired; how many."""
    found = [
        one
        for one in cast.observer.simulator("state")
        if str(one.get("type", "")).lower() == SNAPSHOT and not one["gone"] and tag(one, "tagback-owner")
    ]
    chosen = cast.chance.sample(sorted(found, key=lambda one: str(one["id"])), min(6, len(found)))
    for one in chosen:
        mallory.tag_resource(str(one["id"]), {"tagback-keep-until": "20260101T0000Z"})
        cast.script.note("aged", cast.now(), snapshot=one["id"], by="mallory", fault="T1")
    return len(chosen)
