"""Bicep files as trees: what a file declares, and what its expressions name. It evaluates nothing.

Parameter files (`.bicepparam`) assign where Bicep declares; they are read as the same grammar's variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

from tests.infra.roles import INFRA

PARSER = Parser(Language(tree_sitter_bicep.language()))
ASSIGNED = re.compile(r"^param (\w+) = ", re.MULTILINE)
USING = re.compile(r"^using '([^']+)'\n", re.MULTILINE)


@dataclass(frozen=True)
class Declaration:
    """One `param`, `var`, `type`, `resource`, `module` or `output`, with the decorators above it."""

    kind: str
    name: str
    node: Node
    decorators: tuple[str, ...]

    @property
    def text(self) -> str:
        return said(self.node)

    @cached_property
    def value(self) -> Node | None:
        """What stands behind `=`; None where nothing does."""
        children = self.node.children
        signs = [at for at, child in enumerate(children) if child.type == "="]
        return next((child for child in children[signs[-1] + 1 :] if child.is_named), None) if signs else None

    @property
    def label(self) -> str:
        """The type of a resource, or the file of a module."""
        return literal(self.node.named_children[1]) or ""

    @property
    def is_existing(self) -> bool:
        return any(child.type == "existing" for child in self.node.children)

    @property
    def body(self) -> Node:
        """The object of a resource or module, whatever loop or condition stands around it."""
        return inner(self.value)

    @property
    def is_required(self) -> bool:
        return self.value is None and not any(child.type == "nullable_type" for child in self.node.named_children)


@dataclass(frozen=True)
class File:
    """One parsed file."""

    path: Path
    root: Node

    @property
    def shown(self) -> str:
        return str(self.path.relative_to(INFRA))

    @cached_property
    def declarations(self) -> tuple[Declaration, ...]:
        found, decorators = [], []
        for node in self.root.named_children:
            if node.type == "decorators":
                decorators = [said(child).removeprefix("@") for child in node.named_children]
            elif node.type.endswith("_declaration"):
                name = next(child for child in node.named_children if child.type == "identifier")
                kind = node.type.removesuffix("_declaration")
                found.append(Declaration(kind, said(name), node, tuple(decorators)))
                decorators = []
        return tuple(found)

    def of(self, kind: str) -> dict[str, Declaration]:
        return {each.name: each for each in self.declarations if each.kind == kind}

    def find(self, name: str) -> Declaration:
        return next(each for each in self.declarations if each.name == name)

    @property
    def scope(self) -> str:
        found = [said(node) for node in self.root.named_children if node.type == "target_scope_assignment"]
        return found[0].split("'")[1] if found else "resourceGroup"


def said(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()


def literal(node: Node) -> str | None:
    """The text of a string without interpolation."""
    if node.type != "string" or any(child.type == "interpolation" for child in node.named_children):
        return None
    return said(node)[1:-1].replace("\\'", "'")


def inner(node: Node | None) -> Node:
    """What a loop or a condition is about."""
    assert node is not None
    while node.type in ("for_statement", "if_statement"):
        node = node.named_children[-1]
    return node


def properties(node: Node) -> dict[str, Node]:
    """The properties of an object, by name; computed names are left out."""
    found = {}
    for child in node.named_children:
        if child.type == "object_property" and len(child.named_children) > 1:
            key, value = child.named_children[0], child.named_children[-1]
            name = literal(key) if key.type == "string" else said(key)
            if name is not None:
                found[name] = value
    return found


def items(node: Node) -> list[Node]:
    """The elements of an array."""
    return [child for child in node.named_children if child.type != "comment"]


def at(body: Node, path: str) -> Node:
    """The value at a path of properties."""
    for name in path.split("."):
        body = properties(body)[name]
    return body


def texts(node: Node | None) -> list[str]:
    """Every string without interpolation within a value."""
    assert node is not None
    return [value for each in every(node, "string") if (value := literal(each)) is not None]


def every(node: Node, *kinds: str) -> Iterator[Node]:
    """Every node of some kinds, from the top."""
    if node.type in kinds:
        yield node
    for child in node.named_children:
        yield from every(child, *kinds)


def broken(node: Node) -> Iterator[Node]:
    """What the grammar does not know."""
    if node.type == "ERROR" or node.is_missing:
        yield node
    for child in node.children:
        yield from broken(child)


@cache
def parsed(path: Path) -> File:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".bicepparam":
        text = USING.sub("", ASSIGNED.sub(r"var \1 = ", text))
    return File(path, PARSER.parse(text.encode()).root_node)


def files() -> tuple[File, ...]:
    return tuple(parsed(path) for path in sorted(INFRA.rglob("*.bicep")))


def examples() -> tuple[File, ...]:
    return tuple(parsed(path) for path in sorted(INFRA.rglob("*.bicepparam")))
