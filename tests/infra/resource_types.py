"""The published types of Azure resources, and what a Bicep body says that they do not allow.

Each JSON file is an array of types; a property's type is a reference into its own file. Expressions are not evaluated:
of a condition both sides are judged, of a variable what it stands for, of a call nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.infra import written_types
from tests.infra.bicep import File, inner, items, literal, properties, said
from tests.infra.roles import INFRA

TYPES = INFRA.parents[1] / "shared" / "bicep-types"
WRITTEN = Path(written_types.__file__)
REQUIRED, READ_ONLY = 1, 2
# What Bicep itself takes beside the properties of a type.
BICEP_OWN = {"parent", "scope", "dependsOn"}

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Type:
    """One type, in the file that its references lead into."""

    file: Path
    body: Document

    def at(self, reference: Document) -> Type:
        return Type(self.file, loaded(self.file)[int(reference["$ref"].removeprefix("#/"))])

    @property
    def kind(self) -> str:
        return str(self.body["$type"])

    @property
    def elements(self) -> list[Type]:
        return [self.at(each) for each in self.body["elements"]]


@cache
def loaded(file: Path) -> list[Document]:
    if file == WRITTEN:
        return [*written_types.document()]
    found: list[Document] = json.loads(file.read_text(encoding="utf-8"))
    return found


@cache
def known() -> Mapping[str, Type]:
    """Every resource type by its name with version, lower case."""
    found = {}
    for file in (*sorted(TYPES.glob("*.json")), WRITTEN):
        for body in loaded(file):
            if body["$type"] == "ResourceType":
                whole = Type(file, body)
                found[body["name"].lower()] = whole.at(body["body"])
    return found


@dataclass(frozen=True, slots=True)
class Judge:
    """Holds the bodies of one file to the types."""

    file: File

    def problems(self, node: Node, type_: Type, where: str) -> Iterator[str]:
        if node.type == "for_statement" and type_.kind == "ArrayType":
            yield from self.problems(inner(node), type_.at(type_.body["itemType"]), f"{where}[]")
            return
        node = inner(node)
        match node.type:
            case "parenthesized_expression":
                yield from self.problems(node.named_children[0], type_, where)
            case "ternary_expression":
                for branch in node.named_children[1:]:
                    yield from self.problems(branch, type_, where)
            case "identifier":
                variable = self.file.of("variable").get(said(node))
                if variable is not None and variable.value is not None:
                    yield from self.problems(variable.value, type_, where)
            case "object" | "array" | "string" | "number" | "boolean":
                yield from self._held(node, type_, where)

    def _held(self, node: Node, type_: Type, where: str) -> Iterator[str]:
        match type_.kind:
            case "ObjectType":
                yield from self._object(node, type_, where)
            case "DiscriminatedObjectType":
                yield from self._discriminated(node, type_, where)
            case "ArrayType":
                yield from self._array(node, type_, where)
            case "UnionType":
                if all([*self.problems(node, each, where)] for each in type_.elements):
                    allowed = ", ".join(str(each.body.get("value", each.kind)) for each in type_.elements)
                    yield f"{where}: {said(node)} is none of {allowed}"
            case "AnyType":
                return
            case _:
                yield from _scalar(node, type_, where)

    def _object(self, node: Node, type_: Type, where: str) -> Iterator[str]:
        if node.type != "object":
            yield f"{where}: an object is wanted, not {said(node)[:40]}"
            return
        allowed, given = type_.body.get("properties", {}), properties(node)
        for name, value in given.items():
            if name in allowed:
                if allowed[name]["flags"] & READ_ONLY and not allowed[name]["flags"] & REQUIRED:
                    yield f"{where}.{name} is read-only"
                yield from self.problems(value, type_.at(allowed[name]["type"]), f"{where}.{name}")
            elif type_.body.get("additionalProperties"):
                yield from self.problems(value, type_.at(type_.body["additionalProperties"]), f"{where}.{name}")
            else:
                yield f"{where}.{name}: there is no such property"
        for name, rule in allowed.items():
            if rule["flags"] & REQUIRED and not rule["flags"] & READ_ONLY and name not in given:
                yield f"{where}.{name} is missing"

    def _discriminated(self, node: Node, type_: Type, where: str) -> Iterator[str]:
        name = type_.body["discriminator"]
        chosen = properties(node).get(name) if node.type == "object" else None
        value = literal(chosen) if chosen is not None else None
        if value not in type_.body["elements"]:
            yield f"{where}.{name}: {value} is none of {', '.join(type_.body['elements'])}"
            return
        element = type_.at(type_.body["elements"][value])
        merged = {**type_.body.get("baseProperties", {}), **element.body["properties"]}
        yield from self._object(node, Type(type_.file, {**element.body, "properties": merged}), where)

    def _array(self, node: Node, type_: Type, where: str) -> Iterator[str]:
        if node.type != "array":
            yield f"{where}: an array is wanted, not {said(node)[:40]}"
            return
        for index, each in enumerate(items(node)):
            yield from self.problems(each, type_.at(type_.body["itemType"]), f"{where}[{index}]")


def _scalar(node: Node, type_: Type, where: str) -> Iterator[str]:
    """A literal against a string, number or boolean; what is interpolated is only known to be a string."""
    wanted = {"StringType": "string", "StringLiteralType": "string", "IntegerType": "number", "BooleanType": "boolean"}
    if node.type != wanted.get(type_.kind, node.type):
        yield f"{where}: {type_.kind} is wanted, not {said(node)[:40]}"
        return
    value = literal(node)
    if type_.kind == "StringLiteralType" and value is not None and value != type_.body["value"]:
        yield f"{where}: {value!r} is not {type_.body['value']!r}"
    if type_.kind == "StringType" and value is not None:
        yield from _shaped(value, type_.body, where)
    if type_.kind == "IntegerType":
        least, most = type_.body.get("minValue"), type_.body.get("maxValue")
        number = int(said(node))
        if (least is not None and number < least) or (most is not None and number > most):
            yield f"{where}: {number} is not between {least} and {most}"


def _shaped(value: str, rule: Document, where: str) -> Iterator[str]:
    if not rule.get("minLength", 0) <= len(value) <= rule.get("maxLength", len(value)):
        yield f"{where}: {value!r} has {len(value)} characters"
    if "pattern" in rule and not re.search(rule["pattern"], value):
        yield f"{where}: {value!r} does not match {rule['pattern']}"
