"""Judges recorded exchanges: requests that the simulator accepted and answers that it gave, against the documents.

A request that breaks its specification must be refused; an answer never may break it. What is known to differ, with its
reason, stands in known.toml. Used by the test session (plugin.py) and by `python -m tests.simulator.specification`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.simulator.specification.checks import Compiler, Direction, Finding, Kind
from tests.simulator.specification.documents import Documents, Operation

VERSION = re.compile(r"api-version=([^&]*)", re.IGNORECASE)
KNOWN = Path(__file__).with_name("known.toml")
GENERIC = "Resources_"  # what the documents say of any type is said of no type
REPLACED = {"status", "body", "code", "cut", "answer"}  # effects of fault rules that answer in the simulator's place


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer as the simulator kept them."""

    method: str
    target: str
    template: str
    status: int
    effects: tuple[str, ...]
    sent: str
    answered: str

    @property
    def version(self) -> str:
        """The api-version asked for."""
        found = VERSION.search(self.target)
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Deviation:
    """One finding and where it was seen first."""

    direction: Direction
    finding: Finding
    seen: str

    def line(self) -> str:
        """Describe it on one line."""
        found = self.finding
        return f"{self.direction} {found.kind} {found.member} at {found.path} {found.says}: {self.seen}"


@dataclass(frozen=True, slots=True)
class Known:
    """A deviation that is meant, and why."""

    direction: str
    kind: str
    member: str
    because: str
    says: str = ""

    def covers(self, deviation: Deviation) -> bool:
        """Tell whether this explains a deviation."""
        found = deviation.finding
        return (
            re.fullmatch(self.direction, deviation.direction) is not None
            and re.fullmatch(self.kind, found.kind) is not None
            and re.fullmatch(self.member, found.member) is not None
            and self.says in found.says
        )


def known(path: Path = KNOWN) -> list[Known]:
    """Read the list of known deviations."""
    return [Known(**row) for row in tomllib.loads(path.read_text(encoding="utf-8"))["known"]]


@dataclass(slots=True)
class Verdict:
    """What became of a set of exchanges."""

    exchanges: int = 0
    specified: int = 0
    without: set[str] = field(default_factory=set)
    deviations: dict[tuple[str, str, str, str], Deviation] = field(default_factory=dict)

    def unexplained(self, excuses: Iterable[Known]) -> list[Deviation]:
        """Return the deviations that no known one covers."""
        listed = list(excuses)
        return [one for one in self.deviations.values() if not any(each.covers(one) for each in listed)]


class Judge:
    """Holds exchanges to the documents."""

    def __init__(self) -> None:
        self._documents = Documents()
        self._compilers = {direction: Compiler(direction) for direction in Direction}

    def judge(self, exchanges: Iterable[Exchange]) -> Verdict:
        """Judge all exchanges."""
        verdict = Verdict()
        for exchange in exchanges:
            verdict.exchanges += 1
            if not exchange.template:
                continue
            path = unquote(exchange.target.partition("?")[0])
            operation = self._documents.operation(exchange.method, exchange.template, path, exchange.version)
            if operation is None or operation.id.startswith(GENERIC):
                verdict.without.add(f"{exchange.method} {exchange.template}")
                continue
            verdict.specified += 1
            seen = f"{exchange.method} {exchange.target[:160]} -> {exchange.status} ({operation.id})"
            for direction, finding in self.findings(exchange, operation):
                key = (direction, finding.kind, finding.member, finding.says)
                verdict.deviations.setdefault(key, Deviation(direction, finding, seen))
        return verdict

    def findings(self, exchange: Exchange, operation: Operation) -> Iterator[tuple[Direction, Finding]]:
        """Return what is wrong with one exchange."""
        if exchange.status < 300 and operation.body is not None and exchange.sent:
            for finding in self._of(Direction.SENT, operation.body, json.loads(exchange.sent)):
                yield Direction.SENT, finding
        if not REPLACED.intersection(exchange.effects):
            for finding in self._answer(exchange, operation):
                yield Direction.ANSWERED, finding

    def _of(self, direction: Direction, schema: Any, value: Any) -> list[Finding]:
        found: list[Finding] = []
        self._compilers[direction].check(schema)(value, "", found)
        return found

    def _answer(self, exchange: Exchange, operation: Operation) -> list[Finding]:
        status = str(exchange.status)
        if exchange.status < 300 and status not in operation.responses:
            return [Finding(Kind.STATUS, operation.id, "", status)]
        schema = operation.responses.get(status, operation.responses.get("default"))
        if exchange.status >= 300 and schema is None:
            return _refusal(exchange, operation)
        if schema is None:
            return [Finding(Kind.UNKNOWN, f"{operation.id} {status}", "", "a body")] if exchange.answered else []
        if not exchange.answered:
            return (
                [] if exchange.method == "HEAD" else [Finding(Kind.REQUIRED, f"{operation.id} {status}", "", "a body")]
            )
        return self._of(Direction.ANSWERED, schema, json.loads(exchange.answered))


def _refusal(exchange: Exchange, operation: Operation) -> list[Finding]:
    """Check an error for which the documents give no form: ARM's own."""
    if exchange.method == "HEAD":
        return []
    error = json.loads(exchange.answered or "{}").get("error", {})
    named = isinstance(error.get("code"), str) and isinstance(error.get("message"), str)
    return [] if named else [Finding(Kind.REQUIRED, f"{operation.id} error", "", "code and message")]


def read(directory: Path) -> Iterator[Exchange]:
    """Read the exchanges that simulators kept in a directory."""
    for path in sorted(directory.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    found = json.loads(line)
                    yield Exchange(**{**found, "effects": tuple(found["effects"])})
