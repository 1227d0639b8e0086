"""HTTP route templates as ASP.NET reads them: `orders/{id:int?}`, `{*rest}`; matched without case.

Used by `http_trigger`. Knows nothing of requests.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote
from uuid import UUID

Check = Callable[[str], bool]
PARAMETER = re.compile(r"\{(\*{0,2})([^{}:?=]+)((?::[^{}()?=]+(?:\([^()]*\))?)*)(?:=([^{}]*?))?(\?)?\}")


def _parses(read: Callable[[str], Any]) -> Check:
    def check(text: str) -> bool:
        try:
            read(text)
        except (ValueError, OverflowError):
            return False
        return True

    return check


def _integer(bits: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d+", text) or not -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1):
            raise ValueError(text)
        return int(text)

    return read


PLAIN: dict[str, Check] = {
    "int": _parses(_integer(32)),
    "long": _parses(_integer(64)),
    "bool": lambda text: text.lower() in ("true", "false"),
    "guid": _parses(UUID),
    "float": _parses(float),
    "double": _parses(float),
    "decimal": _parses(float),
    "alpha": lambda text: re.fullmatch("[A-Za-z]*", text) is not None,
    "required": lambda text: text != "",
}
WITH_NUMBERS: dict[str, Callable[[str, list[int]], bool]] = {
    "minlength": lambda text, n: len(text) >= n[0],
    "maxlength": lambda text, n: len(text) <= n[0],
    "length": lambda text, n: n[0] <= len(text) <= n[-1],
    "min": lambda text, n: _integer(64)(text) >= n[0],
    "max": lambda text, n: _integer(64)(text) <= n[0],
    "range": lambda text, n: n[0] <= _integer(64)(text) <= n[1],
}


class RouteError(ValueError):
    """The template cannot be read."""


def _constraint(text: str) -> Check:
    name, _, rest = text.partition("(")
    argument = rest.removesuffix(")")
    if name in PLAIN and not rest:
        return PLAIN[name]
    if name == "regex":
        pattern = re.compile(argument, re.IGNORECASE)
        return lambda value: pattern.search(value) is not None
    if name in WITH_NUMBERS:
        numbers = [int(part) for part in argument.split(",")]
        return _parses_and(WITH_NUMBERS[name], numbers)
    raise RouteError(f"unknown route constraint '{text}'")


def _parses_and(test: Callable[[str, list[int]], bool], numbers: list[int]) -> Check:
    def check(text: str) -> bool:
        try:
            return test(text, numbers)
        except ValueError:
            return False

    return check


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    checks: tuple[Check, ...]
    default: str | None


@dataclass(frozen=True, slots=True)
class Route:
    """One template, ready to be matched; the lower its rank, the earlier it is tried."""

    pattern: re.Pattern[str]
    parameters: tuple[Parameter, ...]
    rank: tuple[int, ...]

    def match(self, path: str) -> dict[str, str] | None:
        found = self.pattern.fullmatch(path.strip("/"))
        if found is None:
            return None
        values: dict[str, str] = {}
        for index, parameter in enumerate(self.parameters):
            text = unquote(found.group(f"p{index}") or "")
            if not text and parameter.default is not None:
                text = parameter.default
            if text and not all(check(text) for check in parameter.checks):
                return None
            if text:
                values[parameter.name] = text
        return values


def _segment(text: str, parameters: list[Parameter]) -> tuple[str, int]:
    """The expression of one segment and its rank: literal, constrained, free, catch-all."""
    pieces, rank, end = [], 1, 0
    for match in PARAMETER.finditer(text):
        stars, name, constraints, default, optional = match.groups()
        checks = tuple(_constraint(part) for part in constraints.split(":") if part)
        pieces.append(re.escape(text[end : match.start()]))
        group = f"(?P<p{len(parameters)}>{'.*' if stars else '[^/]+?'})"
        pieces.append(group + ("?" if optional or default is not None else ""))
        parameters.append(Parameter(name.strip(), checks, default))
        rank = max(rank, (4 if checks else 5) if stars else (2 if checks else 3))
        end = match.end()
    pieces.append(re.escape(text[end:]))
    if "{" in text[end:] or "}" in text[end:]:
        raise RouteError(f"unreadable route segment '{text}'")
    return "".join(pieces), rank


def compile_route(template: str) -> Route:
    """Read a template."""
    parameters: list[Parameter] = []
    pattern, ranks = "", []
    for position, text in enumerate(part for part in template.strip("/").split("/") if part):
        before = len(parameters)
        expression, rank = _segment(text, parameters)
        added = parameters[before:]
        can_be_absent = rank in (4, 5) or (bool(added) and expression.endswith(")?"))
        slash = "/" if position else ""
        pattern += f"(?:{slash}{expression})?" if can_be_absent else slash + expression
        ranks.append(rank)
    return Route(re.compile(pattern, re.IGNORECASE | re.DOTALL), tuple(parameters), (*ranks, 0))
