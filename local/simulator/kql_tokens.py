"""Cuts a Kusto query into tokens that know where they stand.

Called by `kql` and `kql_expressions`; decides nothing about what a query means.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

END = "<EOF>"


class KqlError(Exception):
    """The query is not understood; says where, as Resource Graph does (the position counts from 0)."""

    def __init__(self, message: str, token: Token) -> None:
        super().__init__(f"{message} at line {token.line}, position {token.position}: {token.text}")
        self.line = token.line
        self.position = token.position
        self.token = token.text


class UnsupportedKql(KqlError):
    """The query is Kusto, but of the part that is not built here (join, union, let ...)."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the query; `value` is set on literals only."""

    kind: str
    text: str
    line: int
    position: int
    value: Any = None

    @property
    def word(self) -> str:
        return self.text if self.kind in ("name", "sign") else ""


_PATTERN = re.compile(
    r"""
      (?P<space>\s+|//[^\n]*)
    | (?P<verbatim>@'(?:[^']|'')*'|@"(?:[^"]|"")*")
    | (?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    | (?P<datetime>datetime\s*\([^()]*\))
    | (?P<dynamic>dynamic\s*\()
    | (?P<timespan>\d+(?:\.\d+)?(?:days?|hours?|minutes?|seconds?|ms|d|h|m|s)\b)
    | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b)
    | (?P<name>(?:project-(?:away|keep|rename|reorder)|mv-(?:expand|apply)|make-series)\b
        |(?:sample-distinct|top-(?:nested|hitters))\b
        |in~(?!=)|[A-Za-z_$][A-Za-z0-9_]*)
    | (?P<sign>!(?:(?:contains|has|startswith|endswith)(?:_cs)?|in~|in)(?![A-Za-z0-9_])
        |==|!=|=~|!~|<=|>=|<>|\.\.|[|()\[\],.=<>+\-*/%;:])
    """,
    re.VERBOSE,
)
_SPANS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
_FRACTION = re.compile(r"\.(\d+)")


def tokens_of(query: str) -> list[Token]:
    """Cut the whole query; the last token is always the end."""
    found: list[Token] = []
    at = 0
    while at < len(query):
        match = _PATTERN.match(query, at)
        if match is None:
            raise KqlError("unexpected character", _token(query, at, "sign", query[at]))
        kind = str(match.lastgroup)
        at = match.end()
        if kind == "dynamic":
            at, value = _dynamic(query, match)
            found.append(_token(query, match.start(), "literal", query[match.start() : at], value))
        elif kind in ("name", "sign"):
            found.append(_token(query, match.start(), kind, match.group()))
        elif kind != "space":
            token = _token(query, match.start(), "literal", match.group())
            found.append(_with_value(token, kind))
    found.append(_token(query, len(query), "end", END))
    return found


def _token(query: str, at: int, kind: str, text: str, value: Any = None) -> Token:
    line = query.count("\n", 0, at) + 1
    return Token(kind, text, line, at - (query.rfind("\n", 0, at) + 1), value)


def _with_value(token: Token, kind: str) -> Token:
    text = token.text
    value: Any
    if kind == "verbatim":
        value = text[2:-1].replace(text[1] * 2, text[1])
    elif kind == "string":
        value = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found.group(1), found.group(1)), text[1:-1])
    elif kind == "datetime":
        value = moment(text[text.index("(") + 1 : -1].strip().strip("'\""))
        if value is None:
            raise KqlError("not a datetime", token)
    elif kind == "timespan":
        number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", text).groups()  # type: ignore[union-attr]  # the token pattern has just matched
        value = timedelta(seconds=float(number) * _SPANS[unit if unit == "ms" else unit[0]])
    else:
        value = int(text) if text.isdigit() else float(text)
    return Token("literal", text, token.line, token.position, value)


def _dynamic(query: str, opening: re.Match[str]) -> tuple[int, Any]:
    start = opening.end() + len(query[opening.end() :]) - len(query[opening.end() :].lstrip())
    try:
        value, end = json.JSONDecoder().raw_decode(query, start)
    except json.JSONDecodeError:
        raise KqlError("not a dynamic literal", _token(query, start, "sign", query[start : start + 1] or END)) from None
    closing = re.compile(r"\s*\)").match(query, end)
    if closing is None:
        raise KqlError("missing )", _token(query, end, "sign", query[end : end + 1] or END))
    return closing.end(), value


def moment(text: str) -> datetime | None:
    """Read an ISO time as UTC; None when it is none (seven digits of a second are cut to six)."""
    trimmed = _FRACTION.sub(lambda found: "." + found.group(1)[:6].ljust(6, "0"), text.strip())
    try:
        found = datetime.fromisoformat(trimmed.replace("Z", "+00:00").replace("z", "+00:00"))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


@dataclass(slots=True)
class TokenReader:
    """Walks the tokens of one query."""

    tokens: list[Token]
    at: int = field(default=0, kw_only=True)

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def next(self) -> Token:
        token = self.tokens[self.at]
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def accept(self, *words: str) -> Token | None:
        return self.next() if self.token.word in words else None

    def expect(self, *words: str) -> Token:
        if self.token.word not in words:
            raise KqlError(f"expected {' or '.join(words)}", self.token)
        return self.next()

    def name(self) -> str:
        if self.token.kind == "name":
            return self.next().text
        if self.accept("["):
            name = self.literal(str)
            self.expect("]")
            return str(name)
        raise KqlError("expected a name", self.token)

    def assigned_name(self) -> str | None:
        """Read `name =` where it stands; None where an expression begins at once."""
        if self.token.kind != "name" or self.tokens[self.at + 1].text != "=":
            return None
        name = self.name()
        self.expect("=")
        return name

    def literal(self, *kinds: type) -> Any:
        if self.token.kind != "literal" or not isinstance(self.token.value, kinds):
            raise KqlError("expected a literal", self.token)
        return self.next().value
