"""Draws the machines of a fleet that have no story of their own: where they are, their disks, zones and spellings.

Pure; called by scenario.py. The same chance gives the same fleet.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

ZONES = (None, None, "1", "2", "3")

Entry = dict[str, Any]


def drawn(document: Mapping[str, Any], chance: random.Random) -> Iterator[Entry]:
    """An entry of the form of a `[[machine]]` for each machine of each `[[kind]]`."""
    places = document.get("place", [])
    for kind in document.get("kind", ()):
        for number in range(1, kind["count"] + 1):
            yield _one(kind, number, places, chance)


def _one(kind: Entry, number: int, places: list[Entry], chance: random.Random) -> Entry:
    [place] = chance.choices(places, [place["share"] for place in places])
    tags = dict(chance.choice(kind["tags"]))
    entry: Entry = {
        "name": f"{kind['name']}-{number:02}",
        "story": "one of many",
        "where": [chance.choice(place["groups"]), place["subscription"], place["region"]],
        "tags": tags,
        "disks": list(chance.choice(kind["disks"])),
        "status": "protected",
    }
    if zone := chance.choice(ZONES):
        entry["zone"] = zone
    if "created" in kind:
        entry["created"] = kind["created"]
    return entry
