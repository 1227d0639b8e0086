"""Writes and checks the simulator's tables of request bodies: what Microsoft's documents say a client may send.

`python -m tests.simulator.specification.tables` writes them anew, where the documents are; a test holds them to the
documents. Members of younger api-versions than the OpenAPI documents come from the Bicep types.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from local.simulator import providers
from local.simulator.routing import Route
from local.simulator.shapes import TABLES
from tests.simulator.specification.bicep import Bicep
from tests.simulator.specification.checks import is_read_only, members_of, variants_of
from tests.simulator.specification.documents import Documents, Schema

# Choices that are open: the documents list what there was once, services take what there is now.
OPEN = ("vmSize", "networkApiVersion", "enhancedSecurityState", "softDeleteState", "softDeleteFeatureState")
FILES = {
    "ComputeRP": "compute",
    "DiskRP": "disk",
    "Microsoft.Resources": "resources",
    "Microsoft.EventGrid": "eventgrid",
    "Microsoft.Authorization": "locks",
    "Microsoft.ResourceGraph": "resourcegraph",
    "Microsoft.RecoveryServices": "recoveryservices",
}
BUILT_IN = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean"}
Table = dict[str, dict[str, str]]


class Writer:
    """Collects the definitions that one family of bodies needs."""

    def __init__(self) -> None:
        self.tables: Table = {}
        self._names: dict[tuple[str, str | int], str] = {}
        self._kept: list[Schema] = []

    def kind(self, schema: Schema, member: str) -> str:
        """Write the kind of value that a schema asks for."""
        content = schema.content
        kind = content.get("type") or ("object" if {"properties", "allOf"} & content.keys() else None)
        if content.get("enum"):
            return "string" if member in OPEN else "(" + "|".join(str(value) for value in content["enum"]) + ")"
        if kind == "array":
            return f"[{self.kind(schema.at(content['items']), member)}]" if "items" in content else "[any]"
        if kind == "string" and content.get("format") == "date-time":
            return "time"
        if kind != "object":
            return BUILT_IN.get(str(kind), "any")
        members = members_of(schema)
        if not members.all and members.others is not None:
            return f"{{{self.kind(members.others, member)}}}"
        return self.name(schema, member) if members.all or "discriminator" in content else "any"

    def name(self, schema: Schema, member: str) -> str:
        """Return the name of an object's table, and write it if it is new."""
        if schema.key in self._names:
            return self._names[schema.key]
        wanted = schema.name or member[:1].upper() + member[1:]
        while wanted in self.tables:
            wanted += "X"
        self._names[schema.key] = wanted
        self._kept.append(schema)
        table = self.tables[wanted] = {}
        members = members_of(schema)
        for name, part in members.all.items():
            table[name] = self._member(part, name, name in members.required)
        if members.others is not None:
            table["*"] = self.kind(members.others, "")
        discriminator, variants = variants_of(schema)
        for value, variant in variants.items() if discriminator else ():
            table[f"?{discriminator}={variant.content.get('x-ms-discriminator-value', value)}"] = self.name(variant, "")
        return wanted

    def _member(self, part: Schema, member: str, required: bool) -> str:
        if is_read_only(part):
            return "-"
        return self.kind(part, member) + ("!" if required else "")


def _body(documents: Documents, route: Route) -> Schema | None:
    path = route.template.replace("{scope}", "/subscriptions/s/resourceGroups/g")
    operation = documents.operation(route.method, route.template, path, "9999")
    generic = operation is not None and operation.id.startswith("Resources_")
    return None if operation is None or generic else operation.body


def _specified(routes: Iterable[Route]) -> dict[str, Table]:
    """Return the tables of the OpenAPI documents by family."""
    documents, writers = Documents(), {family: Writer() for family in FILES.values()}
    found: dict[str, Table] = {family: {"bodies": {}} for family in FILES.values()}
    for route in routes:
        schema = _body(documents, route)
        if schema is not None:
            family = next(family for part, family in FILES.items() if part in schema.file.parts)
            found[family]["bodies"][f"{route.method} {route.action}"] = writers[family].name(schema, "Body")
    return {family: {**table, **writers[family].tables} for family, table in found.items()}


def expected() -> Mapping[str, Table]:
    """Return what the tables must say, by family."""
    routes = [route for route in providers.routes().all if route.method in ("PUT", "PATCH", "POST")]
    found = _specified(routes)
    puts = {route.action.removesuffix("/write"): f"PUT {route.action}" for route in routes if route.method == "PUT"}
    for family, table in found.items():
        types = Bicep(family, OPEN)
        for kind, key in puts.items():
            known = any(key in other["bodies"] for other in found.values())
            if key in table["bodies"] or not known:
                name = table["bodies"].get(key, kind.rsplit("/", 1)[-1])
                if types.resource(kind, name):
                    table["bodies"][key] = name
        _join(table, types.tables)
    return {family: _sorted(table) for family, table in found.items()}


def _join(table: Table, younger: Table) -> None:
    """Add what younger versions know; a change (`DiskUpdate`) may name what its resource (`Disk`) gained."""
    for name, members in younger.items():
        new = {member: kind for member, kind in members.items() if member not in table.get(name, {})}
        for member, kind in members.items():
            if kind.startswith("(") and table.get(name, {}).get(member, "").startswith("("):
                table[name][member] = _choices(table[name][member], kind)
        table.setdefault(name, {}).update(new)
        if name != "bodies" and (update := _update_of(name)) in table:
            table[update] |= {member: kind.rstrip("!") for member, kind in new.items() if member not in table[update]}


def _update_of(name: str) -> str:
    return name.removesuffix("Properties") + "Update" + ("Properties" if name.endswith("Properties") else "")


def _choices(one: str, other: str) -> str:
    values = dict.fromkeys([*one.rstrip("!")[1:-1].split("|"), *other.rstrip("!")[1:-1].split("|")])
    return "(" + "|".join(values) + ")" + ("!" if one.endswith("!") and other.endswith("!") else "")


def _sorted(table: Table) -> Table:
    return {"bodies": dict(sorted(table.pop("bodies").items())), **dict(sorted(table.items()))}


def _lines(table: Table) -> list[str]:
    lines = []
    for section, members in table.items():
        lines += ["", f"[{section}]"]
        lines += [f"{_key(name)} = {json.dumps(kind, ensure_ascii=False)}" for name, kind in members.items()]
    return lines


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)


def write(directory: Path) -> None:
    """Write all tables."""
    for family, table in expected().items():
        text = f"# What request bodies may hold: {family}. Notation: local/simulator/shapes.py."
        (directory / f"{family}.toml").write_text("\n".join([text, *_lines(table), ""]), encoding="utf-8")


def main() -> int:
    """Write the tables of this checkout."""
    write(TABLES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
