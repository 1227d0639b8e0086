"""Turns the scalar expressions of a Kusto query into Python closures over a row.

Called by `kql`; parses by recursive descent and compiles as it goes, so a row costs only calls.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.simulator.kql_tokens import KqlError, Token, TokenReader, UnsupportedKql, tokens_of
from local.simulator.kql_values import FUNCTIONS, NEGATED, TESTS, folded_side, member, member_folded, text_of

Row = Mapping[str, Any]
Evaluate = Callable[[Row], Any]
OPERATOR_WORDS = frozenset(
    [
        "where",
        "filter",
        "project",
        "extend",
        "order",
        "sort",
        "by",
        "limit",
        "take",
        "top",
        "count",
        "summarize",
        "distinct",
        "mv-expand",
        "project-away",
    ]
)
_CONVERSIONS = frozenset(
    ["tostring", "todatetime", "toint", "tolong", "todouble", "toreal", "tobool", "todynamic", "parse_json"]
)
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; `name` is what Kusto calls its column, `constant` says it does not look at the row."""

    evaluate: Evaluate
    name: str | None = None
    constant: bool = False


@dataclass(slots=True)
class Reader(TokenReader):
    """Reads scalar expressions, from the weakest binding operator to the strongest."""

    now: datetime

    @classmethod
    def over(cls, query: str, now: datetime) -> Reader:
        return cls(tokens_of(query), now)

    def condition(self) -> Expression:
        found = self._conjunction()
        while self.accept("or"):
            found = _either(found, self._conjunction())
        return found

    def _conjunction(self) -> Expression:
        found = self._comparison()
        while self.accept("and"):
            found = _both(found, self._comparison())
        return found

    def _comparison(self) -> Expression:
        start = self.token
        left = self._sum()
        word = self.token.word
        if word in TESTS or word in NEGATED:
            self.next()
            return _test(word, left, self._sum())
        if word in ("in", "in~", "!in", "!in~"):
            self.next()
            return _among(word, left, self._list())
        if word == "between":
            raise UnsupportedKql("between is not built here", self.token)
        if start.word in OPERATOR_WORDS and self.tokens[self.at - 1] is start:
            raise KqlError("an operator's name is no condition", self.token)
        return left

    def _list(self) -> list[Expression]:
        self.expect("(")
        found = [self._sum()]
        while self.accept(","):
            found.append(self._sum())
        self.expect(")")
        return found

    def _sum(self) -> Expression:
        found = self._product()
        while token := self.accept("+", "-"):
            found = _arithmetic(operator.add if token.text == "+" else operator.sub, found, self._product())
        return found

    def _product(self) -> Expression:
        found = self._path()
        while token := self.accept("*", "/", "%"):
            act = {"*": operator.mul, "/": operator.truediv, "%": operator.mod}[token.text]
            found = _arithmetic(act, found, self._path())
        return found

    def _path(self) -> Expression:
        found = self._primary()
        while True:
            if self.accept("."):
                found = _step(found, self.name())
            elif self.accept("["):
                sign = -1 if self.accept("-") else 1
                key = self.literal(str, int)
                self.expect("]")
                found = _step(found, key if isinstance(key, str) else sign * key)
            else:
                return found

    def _primary(self) -> Expression:
        token = self.token
        if token.kind == "literal":
            return _constant(self.next().value)
        if self.accept("-"):
            value = self._path()
            return Expression(lambda row: -value.evaluate(row), None, value.constant)
        if self.accept("("):
            found = self.condition()
            self.expect(")")
            return found
        if token.kind == "name" and self.tokens[self.at + 1].text == "(":
            return self._call()
        if token.word in _CONSTANTS:
            self.next()
            return _constant(_CONSTANTS[token.word])
        name = self.name()
        return Expression(lambda row: row.get(name), name)

    def _call(self) -> Expression:
        token = self.next()
        self.expect("(")
        arguments: list[Expression] = []
        while not self.accept(")"):
            if arguments:
                self.expect(",")
            arguments.append(self.condition())
        return _call(token, arguments, self.now)


def _constant(value: Any) -> Expression:
    return Expression(lambda row: value, None, True)


def _both(left: Expression, right: Expression) -> Expression:
    first, second = left.evaluate, right.evaluate
    return Expression(lambda row: bool(first(row)) and bool(second(row)))


def _either(left: Expression, right: Expression) -> Expression:
    first, second = left.evaluate, right.evaluate
    return Expression(lambda row: bool(first(row)) or bool(second(row)))


def _test(word: str, left: Expression, right: Expression) -> Expression:
    name = NEGATED.get(word, word)
    test, wanted = TESTS[name], word not in NEGATED
    first, second = left.evaluate, right.evaluate
    if right.constant:
        value = second({})
        if folded_side(name):
            value = text_of(value).lower()
        return Expression(lambda row: test(first(row), value) is wanted)
    return Expression(lambda row: test(first(row), second(row)) is wanted)


def _among(word: str, left: Expression, members: Sequence[Expression]) -> Expression:
    folded, wanted = word.endswith("~"), not word.startswith("!")
    test, value = member_folded if folded else member, left.evaluate

    def texts(row: Row) -> frozenset[str]:
        values = [found for each in members for found in _several(each.evaluate(row))]
        return frozenset(text_of(found).lower() if folded else text_of(found) for found in values)

    if all(each.constant for each in members):
        among = texts({})
        return Expression(lambda row: test(value(row), among) is wanted)
    return Expression(lambda row: test(value(row), texts(row)) is wanted)


def _several(value: Any) -> Sequence[Any]:
    """`in (dynamic([...]))` means the members of the list."""
    return value if isinstance(value, list) else [value]


def _arithmetic(act: Callable[[Any, Any], Any], left: Expression, right: Expression) -> Expression:
    first, second = left.evaluate, right.evaluate

    def evaluate(row: Row) -> Any:
        try:
            return act(first(row), second(row))
        except (TypeError, ZeroDivisionError, OverflowError):
            return None

    return Expression(evaluate, None, left.constant and right.constant)


def _step(of: Expression, key: str | int) -> Expression:
    inner = of.evaluate
    name = None if of.name is None else f"{of.name}_{key}"
    if isinstance(key, int):

        def element(row: Row) -> Any:
            value = inner(row)
            return value[key] if isinstance(value, list) and -len(value) <= key < len(value) else None

        return Expression(element, name)

    def attribute(row: Row) -> Any:
        value = inner(row)
        return value.get(key) if isinstance(value, Mapping) else None

    return Expression(attribute, name)


def _call(token: Token, arguments: Sequence[Expression], now: datetime) -> Expression:
    name = token.word
    if name == "now" and not arguments:
        return _constant(now)
    if name in ("ago", "now") and len(arguments) == 1:
        act = operator.sub if name == "ago" else operator.add
        return _arithmetic(act, _constant(now), arguments[0])
    if name not in FUNCTIONS:
        raise UnsupportedKql(f"the function {token.text} is not built here", token)
    fewest, most, function = FUNCTIONS[name]
    if not fewest <= len(arguments) <= most:
        raise KqlError(f"{token.text} takes another number of arguments", token)
    if len(arguments) == 1:
        only = arguments[0].evaluate
        kept = arguments[0].name if name in _CONVERSIONS else None
        return Expression(lambda row: function(only(row)), kept, arguments[0].constant)
    each = [argument.evaluate for argument in arguments]
    constant = all(argument.constant for argument in arguments)
    return Expression(lambda row: function(*(evaluate(row) for evaluate in each)), None, constant)
