"""What request bodies may hold, as tables, and how the services refuse what does not fit.

Asked by `Call.body`. The tables (specified/*.toml) say for every route with a body what Microsoft's documents say; a
test holds them to these. A body comes back in the documents' spelling, without what only the service may write.

Notation of a table: member = kind; kinds are `string integer number boolean time any`, `[kind]` a list, `{kind}` a map,
`(a|b)` a choice, any other word a table; `!` at the end: required; `-`: only the service writes it; member `*`: all
others; member `?name=value`: the table for objects whose `name` has this value.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from local.simulator.answers import ArmError, Document

TABLES = Path(__file__).with_name("specified")
# The compute provider refuses members that it does not know (documented: azure-sdk-for-net#37855); for others nothing
# is known, and what they do not know does no harm.
STRICT = frozenset({"compute", "disk"})
# Members of these are named alone when one is missing (documented: azure-powershell#4001, #9409, terraform#7229).
PLAIN = frozenset({"", "properties", "storageProfile", "osProfile"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a body a value stands, and whose body it is."""

    path: str
    target: str
    strict: bool

    def member(self, name: str) -> "Place":
        """Return the place of a member."""
        return Place(f"{self.path}.{name}" if self.path else name, self.target, self.strict)

    def element(self, number: int) -> "Place":
        """Return the place of an element of a list."""
        return Place(f"{self.path}[{number}]", self.target, self.strict)


Take = Callable[[Any, Place], Any]


@dataclass(slots=True)
class _Table:
    """An object's members, by lower-cased name."""

    name: str
    members: dict[str, tuple[str, Take]] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    read_only: set[str] = field(default_factory=set)
    others: Take | None = None
    choice: str = ""
    variants: dict[str, Take] = field(default_factory=dict)


def _refused(place: Place, says: str) -> ArmError:
    """Refuse a value: at the top in ARM's words, below in the provider's (both documented)."""
    if not place.strict or not place.path.startswith("properties."):
        message = f"The request content was invalid and could not be deserialized: '{says} Path '{place.path}'.'."
        return ArmError(400, "InvalidRequestContent", message)
    return ArmError(400, "BadRequest", f"{says} Path '{place.path}'.", target=f"{place.target}.{place.path}")


def _missing(place: Place, name: str) -> ArmError:
    if not place.path and name == "location":
        return ArmError(400, "LocationRequired", "The location property is required for this definition.")
    last = place.path.rsplit(".", 1)[-1]
    owner = last.partition("[")[0]
    if last != owner:
        owner = owner.removesuffix("s")
    full = name if owner in PLAIN else f"{owner}.{name}"
    target = {"target": full} if place.strict else {}
    return ArmError(400, "InvalidParameter", f"Required parameter '{full}' is missing (null).", **target)


def _simple(types: tuple[type, ...], name: str) -> Take:
    def take(value: Any, place: Place) -> Any:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            if isinstance(value, dict | list):
                sign = "{" if isinstance(value, dict) else "["
                raise _refused(place, f"Unexpected character encountered while parsing value: {sign}.")
            raise _refused(place, f"Error converting value {_written(value)} to type '{name}'.")
        return value

    return take


def _written(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _time(value: Any, place: Place) -> Any:
    try:
        datetime.fromisoformat(str(value))
    except ValueError as error:
        raise _refused(place, f"Could not convert string to DateTime: {value}.") from error
    return value


def _anything(value: Any, _place: Place) -> Any:
    return value


SIMPLE: Mapping[str, Take] = {
    "string": _simple((str,), "System.String"),
    "integer": _simple((int,), "System.Int32"),
    "number": _simple((int, float), "System.Double"),
    "boolean": _simple((bool,), "System.Boolean"),
    "time": _time,
    "any": _anything,
}


def _choice(values: list[str], name: str) -> Take:
    """Accept one of the values in any letter case (recorded: clients send `fromImage`), give it back as it is known."""
    known = {_folded(value): value for value in values}

    def take(value: Any, place: Place) -> Any:
        found = known.get(_folded(value)) if isinstance(value, str) else None
        if found is None:
            raise _refused(place, f"Error converting value {_written(value)} to type '{name}'.")
        return found

    return take


def _folded(value: str) -> str:
    return value.lower().replace(" ", "")


def _list(element: Take) -> Take:
    def take(value: Any, place: Place) -> Any:
        if not isinstance(value, list):
            raise _refused(place, f"Error converting value {_written(value)} to a list.")
        return [element(each, place.element(number)) for number, each in enumerate(value) if each is not None]

    return take


def _map(element: Take) -> Take:
    def take(value: Any, place: Place) -> Any:
        if not isinstance(value, dict):
            raise _refused(place, f"Error converting value {_written(value)} to a map.")
        return {name: each if each is None else element(each, place.member(name)) for name, each in value.items()}

    return take


class Shapes:
    """The tables of one family, made into functions that take a body in."""

    def __init__(self, family: str) -> None:
        self._tables = tomllib.loads((TABLES / f"{family}.toml").read_text(encoding="utf-8"))
        self.bodies: dict[str, str] = self._tables.pop("bodies")
        self._made: dict[str, Take] = {}

    def take(self, name: str) -> Take:
        """Return what takes in a body of this table."""
        if name not in self._made:
            table = _Table(name)
            self._made[name] = lambda value, place: _object(table, value, place)
            for member, kind in self._tables[name].items():
                self._add(table, member, kind)
        return self._made[name]

    def _add(self, table: _Table, member: str, kind: str) -> None:
        if member.startswith("?"):
            table.choice, _, value = member[1:].partition("=")
            table.variants[value.lower()] = self.take(kind)
        elif member == "*":
            table.others = self._kind(kind, member)
        elif kind == "-":
            table.read_only.add(member.lower())
        else:
            if kind.endswith("!"):
                table.required.append(member)
            table.members[member.lower()] = (member, self._kind(kind.removesuffix("!"), member))

    def _kind(self, kind: str, member: str) -> Take:
        if kind.startswith("["):
            return _list(self._kind(kind[1:-1], member))
        if kind.startswith("{"):
            return _map(self._kind(kind[1:-1], member))
        if kind.startswith("("):
            return _choice(kind[1:-1].split("|"), member[:1].upper() + member[1:])
        return SIMPLE[kind] if kind in SIMPLE else self.take(kind)


def _object(table: _Table, value: Any, place: Place) -> Any:
    if not isinstance(value, dict):
        raise _refused(place, f"Error converting value {_written(value)} to type '{table.name}'.")
    if table.variants:
        return _variant(table, value, place)
    found: Document = {}
    for name, part in value.items():
        known = table.members.get(name.lower())
        if known is not None:
            found[known[0]] = part if part is None else known[1](part, place.member(known[0]))
        elif table.others is not None:
            found[name] = table.others(part, place.member(name))
        elif name.lower() not in table.read_only and place.strict:
            owner = "Properties" if place.path == "properties" else table.name if place.path else "ResourceDefinition"
            raise _refused(place.member(name), f"Could not find member '{name}' on object of type '{owner}'.")
    for name in table.required:
        if found.get(name) is None:
            raise _missing(place, name)
    return found


def _variant(table: _Table, value: Document, place: Place) -> Any:
    chosen = str(value.get(table.choice, ""))
    take = table.variants.get(chosen.lower())
    if take is None:
        raise _refused(place.member(table.choice), f"Error converting value \"{chosen}\" to type '{table.name}'.")
    return {**take(value, place), table.choice: value[table.choice]}


@cache
def _bodies() -> Mapping[str, tuple[str, str]]:
    found = {}
    for path in sorted(TABLES.glob("*.toml")):
        for key, name in _family(path.stem).bodies.items():
            found[key] = (path.stem, name)
    return found


@cache
def _family(name: str) -> Shapes:
    return Shapes(name)


TARGETS = {"virtualMachines": "vm", "disks": "disk", "snapshots": "snapshot"}  # documented for vm, assumed for others


def taken_in(method: str, action: str, document: Document) -> Document:
    """Return a body as the service understands it, or refuse it."""
    family, name = _bodies().get(f"{method} {action}", ("", ""))
    if not name:
        return document
    kind = action.split("/")[-2]
    taken: Document = _family(family).take(name)(document, Place("", TARGETS.get(kind, kind), family in STRICT))
    return taken
