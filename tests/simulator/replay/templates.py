"""Runs a recorded deployment: the requests its template stands for, in an order that respects dependsOn. Pure.

Evaluates the few template expressions the CLI writes; what it cannot evaluate stays as it is and shows in the score.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulator.replay.recordings import Exchange
from tests.simulator.replay.scope import is_set_up

_CALL = re.compile(r"^\[(.*)\]$", re.DOTALL)
_ARGUMENT = re.compile(r"\s*(?:'((?:[^']|'')*)'|([A-Za-z]+)\(|(\)|,))")


@dataclass(frozen=True, slots=True)
class Wish:
    """A resource to be made: where and how, in recorded names."""

    target: str
    body: Any
    method: str = "PUT"


def wishes_of(exchange: Exchange) -> list[Wish]:
    """What a carried-out exchange asks for: itself, or what its template says."""
    if is_set_up(exchange):
        return deployed(exchange) if exchange.method == "PUT" else []
    return [Wish(exchange.target, exchange.request, exchange.method)]


def deployed(exchange: Exchange) -> list[Wish]:
    """The resources a deployment asks for, dependencies first."""
    properties = exchange.request.get("properties", {}) if isinstance(exchange.request, dict) else {}
    template = properties.get("template", {})
    given = {name: each.get("value") for name, each in properties.get("parameters", {}).items()}
    defaults = {name: each.get("defaultValue") for name, each in template.get("parameters", {}).items()}
    scope = re.split("/providers/", exchange.target, flags=re.IGNORECASE)[0]
    values = _Values(scope, {**defaults, **given}, template.get("variables", {}))
    resources = [values.evaluate(each) for each in template.get("resources", [])]
    return [_wish(scope, each) for each in _ordered(resources)]


def _wish(scope: str, resource: Mapping[str, Any]) -> Wish:
    kept = ("location", "tags", "zones", "identity", "sku", "plan", "kind", "properties", "extendedLocation")
    body = {name: _without_nulls(resource[name]) for name in kept if resource.get(name) is not None}
    return Wish(f"{_id(scope, resource['type'], resource['name'])}?api-version={resource['apiVersion']}", body)


def _without_nulls(value: Any) -> Any:
    """Template deployments do not pass nulls on, nor objects that held nothing else."""
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return {name: each for name, each in kept.items() if each != {} or value[name] == {}}


def _id(scope: str, kind: str, name: str) -> str:
    namespace, *types = kind.split("/")
    pairs = "/".join(f"{each}/{part}" for each, part in zip(types, name.split("/"), strict=False))
    return f"{scope}/providers/{namespace}/{pairs}"


def _ordered(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put dependencies first; whatever depends in a circle comes last as written."""
    waiting, found = list(resources), list[dict[str, Any]]()
    while waiting:
        names = [_words(each["type"] + "/" + each["name"]) for each in waiting]
        ready = [
            each for each in waiting if not any(_words(on).endswith(name) for on in _needs(each) for name in names)
        ]
        found.extend(ready or waiting)
        waiting = [each for each in waiting if each not in ready] if ready else []
    return found


def _needs(resource: Mapping[str, Any]) -> list[str]:
    return [each for each in resource.get("dependsOn", []) if isinstance(each, str)]


def _words(path: str) -> str:
    return path.strip("/").lower()


@dataclass(frozen=True, slots=True)
class _Values:
    scope: str
    parameters: Mapping[str, Any]
    variables: Mapping[str, Any]

    def evaluate(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.evaluate(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.evaluate(each) for each in value]
        if isinstance(value, str) and (found := _CALL.match(value)) and not value.startswith("[["):
            try:
                return self._expression(found.group(1), 0)[0]
            except (ValueError, KeyError):
                return value
        return value

    def _expression(self, text: str, at: int) -> tuple[Any, int]:
        found = _ARGUMENT.match(text, at)
        if found is None:
            raise ValueError(text)
        if found.group(1) is not None:
            return found.group(1).replace("''", "'"), found.end()
        if found.group(2) is None:
            raise ValueError(text)
        arguments, at = list[Any](), found.end()
        while True:
            closing = _ARGUMENT.match(text, at)
            if closing is None:
                raise ValueError(text)
            if closing.group(3) is not None:
                at = closing.end()
                if closing.group(3) == ")":
                    return self._call(found.group(2).lower(), arguments), at
                continue
            argument, at = self._expression(text, at)
            arguments.append(argument)

    def _call(self, name: str, arguments: list[Any]) -> Any:
        if name == "parameters":
            return self.parameters[arguments[0]]
        if name == "variables":
            return self.evaluate(self.variables[arguments[0]])
        if name == "concat":
            return "".join(map(str, arguments))
        if name == "resourceid":
            return _id(self.scope, arguments[-2], arguments[-1])
        raise ValueError(name)
