"""Checks of one JSON value against one schema: required members, types, enums, read-only and unknown members.

Schemas are compiled once to closures, because a test run has thousands of exchanges. Null counts as absent, as Azure's
services treat it. Used by exchanges.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tests.simulator.specification.documents import Schema, document


class Kind(StrEnum):
    """What is wrong with a value."""

    TYPE = "type"
    ENUM = "enum"
    REQUIRED = "required"
    READ_ONLY = "read-only"
    UNKNOWN = "unknown"
    STATUS = "status"


class Direction(StrEnum):
    """Which way a value travels: read-only members may not be asked for, and must be answered."""

    SENT = "sent"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit; `member` is its definition and name, `path` where it stood."""

    kind: Kind
    member: str
    path: str
    says: str = ""


Check = Callable[[Any, str, list[Finding]], None]
SIMPLE: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
STRUCTURE = {"properties", "allOf", "additionalProperties", "discriminator"}


@dataclass(frozen=True, slots=True)
class Members:
    """The members of an object schema, those of its bases included."""

    all: Mapping[str, Schema]
    required: frozenset[str]
    others: Schema | None
    free: bool


def members_of(schema: Schema) -> Members:
    """Collect the members of an object and of everything it builds on."""
    content = schema.content
    found: dict[str, Schema] = {}
    required = set(content.get("required", ()))
    others = None
    free = "properties" not in content and "allOf" not in content
    if isinstance(content.get("additionalProperties"), Mapping):
        others, free = schema.at(content["additionalProperties"]), False
    elif content.get("additionalProperties") is True:
        free = True
    for base in content.get("allOf", ()):
        inherited = members_of(schema.at(base))
        found.update(inherited.all)
        required |= inherited.required
        others = others or inherited.others
        free = free or inherited.free
    for name, part in content.get("properties", {}).items():
        target = schema.at(part)
        merged = {**target.content, **{key: value for key, value in part.items() if key != "$ref"}}
        found[name] = Schema(target.file, merged if "$ref" in part and len(part) > 1 else target.content, target.name)
    return Members(found, frozenset(required), others, free)


def variants_of(schema: Schema) -> tuple[str, dict[str, Schema]]:
    """Return the discriminator's name and the definitions that a value of it stands for."""
    name = str(schema.content.get("discriminator", ""))
    if not name:
        return "", {}
    found = {}
    for other, content in document(schema.file).get("definitions", {}).items():
        candidate = Schema(schema.file, content, other)
        if _builds_on(candidate, schema):
            found[str(content.get("x-ms-discriminator-value", other)).lower()] = candidate
    return name, found


def _builds_on(schema: Schema, base: Schema) -> bool:
    bases = [schema.at(part) for part in schema.content.get("allOf", ())]
    return any((each.file, each.name) == (base.file, base.name) or _builds_on(each, base) for each in bases)


def is_read_only(schema: Schema) -> bool:
    """Tell whether a member can only be read."""
    return bool(schema.content.get("readOnly")) or schema.content.get("x-ms-mutability") == ["read"]


class Compiler:
    """Turns schemas into checks for one direction."""

    def __init__(self, direction: Direction) -> None:
        self._direction = direction
        self._made: dict[tuple[str, str | int, bool], Check] = {}
        self._kept: list[Schema] = []

    def check(self, schema: Schema, *, variant: bool = False) -> Check:
        """Return the check of a schema; `variant` means that its discriminator is already known."""
        key = (*schema.key, variant)
        if key not in self._made:
            self._kept.append(schema)
            made: list[Check] = []
            self._made[key] = lambda value, path, found: made[0](value, path, found)
            made.append(self._compile(schema, variant))
            self._made[key] = made[0]
        return self._made[key]

    def _compile(self, schema: Schema, variant: bool) -> Check:
        kind = schema.content.get("type") or ("object" if {"properties", "allOf"} & schema.content.keys() else None)
        if kind is None or (kind == "object" and not STRUCTURE & schema.content.keys()):
            return _anything  # an object of no stated form stands for any JSON value
        if kind == "array":
            return self._array(schema)
        if kind == "object":
            return self._variants(schema) if "discriminator" in schema.content and not variant else self._object(schema)
        return self._simple(schema, SIMPLE[kind])

    def _simple(self, schema: Schema, types: tuple[type, ...]) -> Check:
        name, dated = schema.name, schema.content.get("format") == "date-time"
        folded = _loose if self._direction is Direction.SENT else str
        allowed = {folded(str(value)) for value in schema.content.get("enum", ())}

        def check(value: Any, path: str, found: list[Finding]) -> None:
            if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
                found.append(Finding(Kind.TYPE, name or path, path, f"{value!r} is not {types[0].__name__}"))
            elif allowed and folded(str(value)) not in allowed:
                found.append(Finding(Kind.ENUM, name or path, path, f"{value!r}"))
            elif dated and not _is_time(str(value)):
                found.append(Finding(Kind.TYPE, name or path, path, f"{value!r} is not a time"))

        return check

    def _array(self, schema: Schema) -> Check:
        element = self.check(schema.at(schema.content["items"])) if "items" in schema.content else _anything

        def check(value: Any, path: str, found: list[Finding]) -> None:
            if not isinstance(value, list):
                found.append(Finding(Kind.TYPE, schema.name or path, path, f"{value!r} is not a list"))
                return
            for each in value:
                if each is not None:
                    element(each, path + "[]", found)

        return check

    def _variants(self, schema: Schema) -> Check:
        name, known = variants_of(schema)
        checks = {value: self.check(found, variant=True) for value, found in known.items()}
        base = self.check(schema, variant=True)

        def check(value: Any, path: str, found: list[Finding]) -> None:
            chosen = value.get(name) if isinstance(value, dict) else None
            if isinstance(chosen, str) and chosen.lower() not in {*checks, schema.name.lower()} and checks:
                found.append(Finding(Kind.ENUM, f"{schema.name}.{name}", f"{path}.{name}", repr(chosen)))
            checks.get(str(chosen).lower(), base)(value, path, found)

        return check

    def _object(self, schema: Schema) -> Check:
        members = members_of(schema)
        folded = str.lower if self._direction is Direction.SENT else str
        checks = {folded(name): self.check(part) for name, part in members.all.items()}
        read_only = {folded(name) for name, part in members.all.items() if is_read_only(part)}
        required = self._required(members)
        refused = read_only if self._direction is Direction.SENT else set()
        others = self.check(members.others) if members.others else None

        def check(value: Any, path: str, found: list[Finding]) -> None:
            if not isinstance(value, dict):
                found.append(Finding(Kind.TYPE, schema.name or path, path, f"{value!r} is not an object"))
                return
            there = {folded(name) for name, part in value.items() if part is not None}
            for name in required:
                if folded(name) not in there:
                    found.append(Finding(Kind.REQUIRED, f"{schema.name}.{name}", f"{path}.{name}"))
            for name, part in value.items():
                if part is None:
                    continue
                if folded(name) in refused:
                    found.append(Finding(Kind.READ_ONLY, f"{schema.name}.{name}", f"{path}.{name}"))
                elif folded(name) in checks:
                    checks[folded(name)](part, f"{path}.{name}", found)
                elif others is not None:
                    others(part, f"{path}.{{}}", found)
                elif not members.free:
                    found.append(Finding(Kind.UNKNOWN, f"{schema.name}.{name}", f"{path}.{name}"))

        return check

    def _required(self, members: Members) -> list[str]:
        if self._direction is Direction.SENT:
            return sorted(
                name for name in members.required if name not in members.all or not is_read_only(members.all[name])
            )
        return sorted(name for name in members.required if name not in members.all or not _is_secret(members.all[name]))


def _is_secret(schema: Schema) -> bool:
    mutability = schema.content.get("x-ms-mutability")
    return bool(schema.content.get("x-ms-secret")) or (mutability is not None and "read" not in mutability)


def _anything(_value: Any, _path: str, _found: list[Finding]) -> None:
    pass


def _is_time(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def judged(check: Check, value: Any) -> Iterator[Finding]:
    """Return what a check finds in a value."""
    found: list[Finding] = []
    check(value, "", found)
    return iter(found)


def _loose(value: str) -> str:
    """Fold what services do not tell apart in a request: letter case, spaces in lists (test_vm_explicit_msi)."""
    return value.lower().replace(" ", "")
