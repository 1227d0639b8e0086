"""Tables of request bodies from the Bicep types: younger api-versions than the OpenAPI documents have.

Used by tables.py. The types say what a PUT may hold; what they call open, they list with a plain string beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.simulator.specification.documents import REALDATA

REQUIRED, READ_ONLY = 1, 2
COMPUTE = REALDATA / "specs" / "bicep-types-az-2026-08" / "compute_1" / "microsoft.compute"
VERSIONS = {"compute": "2026-04-01", "disk": "2026-03-02"}
SIMPLE = {"StringType": "string", "IntegerType": "integer", "BooleanType": "boolean", "AnyType": "any"}
ADDED = ("id", "name", "type", "apiVersion")  # what Bicep adds to every resource
Table = dict[str, dict[str, str]]


@cache
def _types(version: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((COMPUTE / version / "types.json").read_text(encoding="utf-8"))
    return found


class Bicep:
    """The types of one family, written as tables."""

    def __init__(self, family: str, open_choices: tuple[str, ...]) -> None:
        self._types = _types(VERSIONS[family]) if family in VERSIONS else []
        self._open = open_choices
        self._names: dict[int, str] = {}
        self.tables: Table = {}

    def resource(self, kind: str, name: str) -> bool:
        """Write the table of a resource type under a name; False where the types do not know it."""
        for each in self._types:
            if each["$type"] == "ResourceType" and each["name"].partition("@")[0].lower() == kind.lower():
                self._object(_index(each["body"]), name)
                for member in ADDED:
                    self.tables[name].pop(member, None)
                return True
        return False

    def _object(self, index: int, name: str) -> str:
        if index in self._names:
            return self._names[index]
        while name in self.tables:
            name += "X"
        self._names[index] = name
        table = self.tables[name] = {}
        found = self._types[index]
        for member, part in found["properties"].items():
            table[member] = self._member(part, member)
        if "additionalProperties" in found:
            table["*"] = self._kind(_index(found["additionalProperties"]), "")
        return name

    def _member(self, part: Mapping[str, Any], member: str) -> str:
        if part["flags"] & READ_ONLY:
            return "-"
        return self._kind(_index(part["type"]), member) + ("!" if part["flags"] & REQUIRED else "")

    def _kind(self, index: int, member: str) -> str:
        found = self._types[index]
        kind = found["$type"]
        if kind == "UnionType" or kind == "StringLiteralType":
            return self._choice(index, member)
        if kind == "ArrayType":
            return f"[{self._kind(_index(found['itemType']), member)}]"
        if kind == "ObjectType":
            return self._of_object(index, member)
        return SIMPLE.get(kind, "any")

    def _of_object(self, index: int, member: str) -> str:
        found = self._types[index]
        if found["properties"]:
            return self._object(index, found["name"])
        if "additionalProperties" not in found:
            return "any"
        return f"{{{self._kind(_index(found['additionalProperties']), member)}}}"

    def _choice(self, index: int, member: str) -> str:
        found = self._types[index]
        parts = (
            [found] if found["$type"] == "StringLiteralType" else [self._types[_index(e)] for e in found["elements"]]
        )
        values = [part["value"] for part in parts if part["$type"] == "StringLiteralType"]
        return "string" if member in self._open or not values else "(" + "|".join(values) + ")"


def _index(reference: Mapping[str, str]) -> int:
    return int(reference["$ref"].rsplit("/", 1)[-1])
