"""Microsoft's OpenAPI documents: which operation a request is, at the api-version nearest to the one asked for.

Read by the checks of exchanges and by the tests of the simulator's own tables; knows nothing of either.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

REALDATA = Path(__file__).resolve().parents[4] / "shared" / "realdata"
SPECIFICATIONS = REALDATA / "specs" / "azure-rest-api-specs-2025-04-18" / "specification"
METHODS = ("get", "put", "patch", "post", "delete", "head")
SCOPE = re.compile(r"^/?\{(scope|resourceid|linkedresourceid)\}", re.IGNORECASE)
PARENT = "{parentresourcepath}/"  # the one parameter that stands for several segments, or for none


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema and the file its references start from; `name` is the definition's, where it has one."""

    file: Path
    content: Mapping[str, Any]
    name: str = ""

    def at(self, content: Mapping[str, Any]) -> Schema:
        """Return a part of this schema, or what the part refers to."""
        if "$ref" not in content:
            return Schema(self.file, content)
        where, _, pointer = content["$ref"].partition("#")
        file = (self.file.parent / where).resolve() if where else self.file
        found: Any = document(file)
        for part in pointer.strip("/").split("/"):
            found = found[part]
        return Schema(file, found, pointer.rsplit("/", 1)[-1])

    @property
    def key(self) -> tuple[str, str | int]:
        """Tell this schema from any other; what stands beside a reference to it makes no other of it."""
        return str(self.file), self.name or id(self.content)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one api-version."""

    id: str
    version: str
    file: Path
    content: Mapping[str, Any]
    body: Schema | None
    responses: Mapping[str, Schema | None] = field(default_factory=dict)


@cache
def document(file: Path) -> dict[str, Any]:
    """Read one document, once."""
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _operation(file: Path, version: str, content: Mapping[str, Any]) -> Operation:
    root = Schema(file, content)
    body = None
    for parameter in content.get("parameters", []):
        found = root.at(parameter)
        if found.content.get("in") == "body":
            body = found.at(found.content["schema"])
    responses: dict[str, Schema | None] = {}
    for status, response in content["responses"].items():
        found = root.at(response)
        responses[status] = found.at(found.content["schema"]) if "schema" in found.content else None
    return Operation(content["operationId"], version, file, content, body, responses)


def examples_of(operation: Operation) -> Iterator[dict[str, Any]]:
    """Return the documents' own examples of an operation."""
    folder = operation.file.parent.relative_to(REALDATA / "specs")
    for reference in operation.content.get("x-ms-examples", {}).values():
        path = REALDATA / "examples" / folder / reference["$ref"]
        if path.exists():
            yield {"file": path.name, **json.loads(path.read_text(encoding="utf-8"))}


def normal(path: str) -> str:
    """Write a path template without the names in it."""
    anonymous = re.sub(r"\{[^}]*\}", "{}", SCOPE.sub("", path).lower().replace(PARENT, "<>"))
    return anonymous.strip("/")


def pattern(path: str) -> re.Pattern[str]:
    """Return what the paths of a template without names look like."""
    literal = re.escape(path).replace(re.escape("{}"), "[^/]+").replace(re.escape("<>"), "(?:.+/)?")
    return re.compile(literal)


class Documents:
    """All operations by method and path."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[Operation]] = {}
        self._patterns: dict[str, re.Pattern[str]] = {}
        for file in sorted(SPECIFICATIONS.rglob("*.json")):
            if "examples" not in file.parts and "resource-manager" in file.parts:
                self._read(file)

    def _read(self, file: Path) -> None:
        for path, methods in document(file).get("paths", {}).items():
            for method, content in methods.items():
                if method in METHODS:
                    operation = _operation(file, file.parent.name, content)
                    self._found.setdefault((method.upper(), normal(path)), []).append(operation)

    def operation(self, method: str, template: str, path: str, version: str) -> Operation | None:
        """Return the operation of a route at the nearest version: the newest not after it, else the oldest.

        Lists below any scope have one template for each kind of scope in the documents: there the path decides.
        """
        candidates = self._found.get((method, normal(template))) or self._by_path(method, path.lower().strip("/"))
        ordered = sorted(candidates, key=lambda one: one.version)
        before = [one for one in ordered if one.version <= version]
        return before[-1] if before else ordered[0] if ordered else None

    def _by_path(self, method: str, path: str) -> list[Operation]:
        fitting = [
            (template.count("{}") + 9 * template.count("<>"), found)
            for (known, template), found in self._found.items()
            if known == method and self._patterns.setdefault(template, pattern(template)).fullmatch(path)
        ]
        return min(fitting, key=lambda one: one[0])[1] if fitting else []

    def __iter__(self) -> Iterator[tuple[str, str, Operation]]:
        for (method, path), operations in self._found.items():
            for operation in operations:
                yield method, path, operation
