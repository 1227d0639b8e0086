"""Somebody who may write to the app's tables and make snapshots, and means harm: rows and snapshots are rewritten.

Used by owners.py. What was done to which points is written into the script; the app is to delete nothing for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import TableServiceClient, UpdateMode

from local.demo.cast import Cast
from local.demo.fleet import Fleet
from local.demo.scenario import MachineStory

LONG_AGO = timedelta(days=3)
BY_HAND = "before-update"
BIRTH = "tagback-birth-keep-until"
STAMP = "%Y%m%dT%H%MZ"
Row = Mapping[str, Any]


def tamper(cast: Cast, machine: MachineStory) -> None:
    """Of a machine's points: a snapshot is replaced, a date is shortened, a row is led to another snapshot."""
    mallory = Fleet(cast.stack.simulator_url, cast.stack.bundle, cast.conductor.stage.sleep, "mallory")
    service = TableServiceClient.from_connection_string(cast.stack.azurite.connection_string)
    with service, cast.noted("tamper", machine=machine.id, slots=(slots := list[str]())):
        table = service.get_table_client("ledger")
        first, second, *_, last = complete_points(cast, table, machine)
        replaced(cast, mallory, first)
        shortened(cast, table, second)
        led_astray(cast, mallory, table, last)
        slots += [f"{row['slot']:{STAMP}}" for row in (first, second, last)]
    mallory.close()


def strip(cast: Cast, machine: MachineStory) -> None:
    """The date of birth is taken off the machine's snapshots, of those that are kept longer by now."""
    with cast.noted("strip", machine=machine.id):
        for one in cast.observer.simulator("state"):
            tags = one.get("tags") or {}
            if BIRTH in tags and not one["gone"] and str(tags.get("tagback-name", "")).endswith(f"/{machine.name}"):
                cast.fleet.tag_resource(one["id"], {BIRTH: tags[BIRTH]}, "Delete")


def complete_points(cast: Cast, table: Any, machine: MachineStory) -> list[Row]:
    """The rows of a machine's complete points, the oldest first."""
    state = cast.observer.simulator("state")
    uid = next(
        one["properties"]["vmId"] for one in state if one["id"].lower() == machine.id.lower() and not one["gone"]
    )
    rows = [row for row in table.list_entities() if row["RowKey"].lower().startswith(f"p|{uid.lower()}|")]
    return sorted((row for row in rows if row["complete"]), key=lambda row: row["RowKey"])


def replaced(cast: Cast, mallory: Fleet, row: Row) -> None:
    """A snapshot of the app's is deleted; another one, of another disk, gets its name and its tags."""
    place = json.loads(row["parts"])[0]["id"]
    resources = [one for one in cast.observer.simulator("state") if not one["gone"]]
    ours = next(one for one in resources if one["id"].lower() == place)
    source = str(ours["properties"]["creationData"]["sourceResourceId"]).lower()
    other = next(
        one for one in resources if str(one.get("type", "")).lower().endswith("/disks") and _is_other(one, ours, source)
    )
    mallory.drop_snapshot(place)
    mallory.take_snapshot(place, ours["location"], other["id"], ours["tags"])


def _is_other(disk: Row, ours: Row, source: str) -> bool:
    return bool(disk["location"] == ours["location"] and str(disk["id"]).lower() != source)


def shortened(cast: Cast, table: Any, row: Row) -> None:
    """A row says that its point may go, and was announced days ago."""
    past = cast.now() - LONG_AGO
    removal = {**json.loads(row.get("removal") or "{}"), "marked_at": _text(past), "next_look": _text(cast.now())}
    said = {"because": "its date has come", "remains": False, "planned": True, "frozen": False, "claimed_at": None}
    changes = {"keep_until": past, "birth_keep_until": past, "removal": json.dumps({**said, **removal})}
    _written(table, row, changes)


def led_astray(cast: Cast, mallory: Fleet, table: Any, row: Row) -> None:
    """Somebody's own snapshot of the same disk gets the app's tags, and a row names it instead of the app's."""
    parts = json.loads(row["parts"])
    ours = next(one for one in cast.observer.simulator("state") if one["id"].lower() == parts[0]["id"])
    place = ours["id"].rpartition("/")[0] + f"/{BY_HAND}"
    mallory.take_snapshot(place, ours["location"], ours["properties"]["creationData"]["sourceResourceId"], ours["tags"])
    parts[0]["id"] = place.lower()
    _written(table, row, {"parts": json.dumps(parts)})


def _written(table: Any, row: Row, changes: Row) -> None:
    key = {name: row[name] for name in ("PartitionKey", "RowKey")}
    etag = row.metadata["etag"]  # type: ignore[attr-defined] # a table's entity is a mapping with metadata
    table.update_entity({**key, **changes}, UpdateMode.MERGE, etag=etag, match_condition=MatchConditions.IfNotModified)


def _text(moment: datetime) -> str:
    return moment.isoformat()
