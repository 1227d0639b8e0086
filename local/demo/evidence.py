"""Gathers what a stranger needs to recompute every promise: calls, events, rows, storage requests, resources, audit.

Read from the simulator and from Azurite directly; no product code takes part. Used by the demo and by tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.blob import ContainerClient

from local.stack import Stack

Record = Mapping[str, Any]
AUDIT = "audit"
END = "end"
ROWS = "rows.jsonl"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything observed, as plain records."""

    calls: tuple[Record, ...]
    events: object
    rows: tuple[Record, ...]
    requests: tuple[Record, ...]
    resources: tuple[Record, ...]
    audit: str


def plain(value: object) -> object:
    """A table value as JSON can hold it."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


class Observer:
    """Looks at a running stack from outside."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._session = requests.Session()
        self._tables = TableServiceClient.from_connection_string(stack.azurite.connection_string)
        self._folder = stack.wanted.run / "evidence"
        self._fresh = True
        self._calls = 0

    def close(self) -> None:
        self._session.close()
        self._tables.close()

    def simulator(self, route: str) -> Any:
        # Said with each request: a CA bundle named in the environment outranks the session's.
        verify = str(self._stack.bundle)
        answer = self._session.get(f"{self._stack.simulator_url}/_sim/{route}", timeout=60, verify=verify)
        answer.raise_for_status()
        return answer.json()

    def order(self, route: str, body: Any) -> Any:
        """Post to a control route of the simulator."""
        verify, url = str(self._stack.bundle), f"{self._stack.simulator_url}/_sim/{route}"
        answer = self._session.post(url, json=body, timeout=60, verify=verify)
        answer.raise_for_status()
        return answer.json()

    def new_calls(self) -> list[Record]:
        """The calls made since this was last asked."""
        calls: list[Record] = self.simulator(f"calls?since={self._calls}")
        self._calls = max((int(call["n"]) for call in calls), default=self._calls)
        return calls

    def rows(self) -> Iterator[Record]:
        """Every row of every table as it is now."""
        for table in self._tables.list_tables():
            for entity in self._tables.get_table_client(table.name).list_entities():
                stamp = entity.metadata["timestamp"]
                yield {"table": table.name, **{name: plain(value) for name, value in entity.items()}, "t": plain(stamp)}

    def delete_tables(self) -> int:
        """What an operator's slip does: every table is gone, with all rows."""
        names = [table.name for table in self._tables.list_tables()]
        for name in names:
            self._tables.delete_table(name)
        return len(names)

    def end_of_day(self, day: str) -> tuple[Record, ...]:
        """Keep all rows as they stand at the end of a virtual day, and give them back."""
        rows = tuple(self.rows())
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ROWS).open("w" if self._fresh else "a", encoding="utf-8") as lines:
            lines.writelines(json.dumps({"day": day, **row}) + "\n" for row in rows)
        self._fresh = False
        return rows

    def audit(self) -> str:
        """All audit blobs, one after the other."""
        string = self._stack.azurite.connection_string
        with ContainerClient.from_connection_string(string, AUDIT) as container:
            try:
                names = sorted(blob.name for blob in container.list_blobs())
            except ResourceNotFoundError:
                return ""
            return "".join(container.download_blob(name).readall().decode() for name in names)

    def gather(self) -> Evidence:
        """All that can be seen now; the rows are kept as those of the end."""
        return Evidence(
            calls=tuple(self.simulator("calls?since=0")),
            events=self.simulator("events"),
            rows=self.end_of_day(END),
            requests=tuple(self._stack.azurite.requests()),
            resources=tuple(self.simulator("state")),
            audit=self.audit(),
        )

    def write(self, evidence: Evidence) -> None:
        """Write the files of local/.run/evidence, beside the script and the rows that stand there."""
        folder = self._folder
        write_lines(folder / "calls.jsonl", evidence.calls)
        write_lines(folder / "events.jsonl", event_lines(evidence.events))
        write_lines(folder / "requests.jsonl", evidence.requests)
        (folder / "state.json").write_text(json.dumps(evidence.resources, indent=1) + "\n")
        (folder / "audit.txt").write_text(evidence.audit)
        (folder / "faults.json").write_text(json.dumps(self.simulator("faults"), indent=1) + "\n")


def event_lines(events: object) -> Iterable[Record]:
    """Deliveries and publications one below the other, each line saying which it is."""
    if isinstance(events, dict):
        return [{"kind": kind, **entry} for kind, entries in events.items() for entry in entries]
    assert isinstance(events, list)
    return events


def write_lines(path: Path, records: Iterable[Record]) -> None:
    with path.open("w", encoding="utf-8") as lines:
        for record in records:
            lines.write(json.dumps(record) + "\n")
