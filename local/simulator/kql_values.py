"""What Kusto's operators and functions do to single values.

Called by `kql_expressions`, which looks operators and functions up here by name. Case rules follow the Kusto
documentation: `==`, `in` and `*_cs` respect case, `=~`, `in~`, `has`, `contains`, `startswith`, `endswith` do not; a
missing value equals nothing, and every negated operator holds for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from local.simulator.kql_tokens import moment

Test = Callable[[Any, Any], bool]


def text_of(value: Any) -> str:
    """Render as `tostring` does: nothing is the empty string, objects are compact JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond:06d}0Z"
    if isinstance(value, (Mapping, list, tuple)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)
    return str(value)


def same(left: Any, right: Any) -> bool:
    """`==`: of one kind and equal; text beside something else compares as text."""
    if left is None or right is None:
        return False
    if isinstance(left, datetime) != isinstance(right, datetime):
        return _time(left) == _time(right)
    if isinstance(left, str) != isinstance(right, str):
        return text_of(left) == text_of(right)
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def same_folded(left: Any, right: Any) -> bool:
    """`=~`: equal as text, whatever the case."""
    return left is not None and text_of(left).lower() == text_of(right).lower()


def member(value: Any, among: Collection[Any]) -> bool:
    """`in`: the value is one of the list, by case."""
    return value is not None and (text_of(value) in among if isinstance(among, frozenset) else value in among)


def member_folded(value: Any, among: Collection[Any]) -> bool:
    """`in~`: the value is one of the (already lower-cased) list."""
    return value is not None and text_of(value).lower() in among


def _has(left: Any, right: Any) -> bool:
    return _term(text_of(left).lower(), text_of(right).lower())


def _term(text: str, term: str) -> bool:
    at = text.find(term)
    while at >= 0:
        end = at + len(term)
        if (at == 0 or not text[at - 1].isalnum()) and (end == len(text) or not text[end].isalnum()):
            return True
        at = text.find(term, at + 1)
    return False


def _time(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return moment(value) if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    if isinstance(value, (int, float)):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _ordered(holds: Callable[[Any, Any], bool]) -> Test:
    def test(left: Any, right: Any) -> bool:
        if isinstance(left, datetime) or isinstance(right, datetime):
            left, right = _time(left), _time(right)
        elif isinstance(left, timedelta) or isinstance(right, timedelta):
            return type(left) is type(right) and holds(left, right)
        elif not (isinstance(left, str) and isinstance(right, str)):
            left, right = _number(left), _number(right)
        return left is not None and right is not None and holds(left, right)

    return test


TESTS: dict[str, Test] = {
    "==": same,
    "=~": same_folded,
    "has": _has,
    "has_cs": lambda left, right: _term(text_of(left), text_of(right)),
    "contains": lambda left, right: text_of(right).lower() in text_of(left).lower(),
    "contains_cs": lambda left, right: text_of(right) in text_of(left),
    "startswith": lambda left, right: text_of(left).lower().startswith(text_of(right).lower()),
    "startswith_cs": lambda left, right: text_of(left).startswith(text_of(right)),
    "endswith": lambda left, right: text_of(left).lower().endswith(text_of(right).lower()),
    "endswith_cs": lambda left, right: text_of(left).endswith(text_of(right)),
    "<": _ordered(lambda left, right: left < right),
    ">": _ordered(lambda left, right: left > right),
    "<=": _ordered(lambda left, right: left <= right),
    ">=": _ordered(lambda left, right: left >= right),
}
# operator as written -> the test whose opposite it is
NEGATED = {"!=": "==", "<>": "==", "!~": "=~"} | {f"!{name}": name for name in TESTS if name[0].isalpha()}


def folded_side(operator: str) -> bool:
    """Say whether the operator ignores case, so that a literal can be lower-cased once."""
    return operator in ("=~", "has", "contains", "startswith", "endswith")


def empty(value: Any) -> bool:
    """`isempty`: nothing, or the empty string."""
    return value is None or value == ""


def _integer(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _truth(value: Any) -> bool | None:
    if isinstance(value, (bool, int, float)):
        return bool(value)
    return {"true": True, "1": True, "false": False, "0": False}.get(text_of(value).lower())


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def _substring(text: Any, start: int, length: int | None = None) -> str:
    whole = text_of(text)
    return whole[start:] if length is None else whole[start : start + length]


def _split(text: Any, by: str, index: int | None = None) -> list[str]:
    parts = text_of(text).split(by)
    return parts if index is None else parts[index : index + 1]


def _case(*arms: Any) -> Any:
    for condition, value in zip(arms[:-1:2], arms[1::2], strict=False):
        if condition:
            return value
    return arms[-1]


# name -> (fewest arguments, most arguments, what it does); `now` and `ago` need the clock and live in kql_expressions
FUNCTIONS: dict[str, tuple[int, int, Callable[..., Any]]] = {
    "isnull": (1, 1, lambda value: value is None),
    "isnotnull": (1, 1, lambda value: value is not None),
    "isempty": (1, 1, empty),
    "isnotempty": (1, 1, lambda value: not empty(value)),
    "not": (1, 1, lambda value: not value),
    "tolower": (1, 1, lambda value: text_of(value).lower()),
    "toupper": (1, 1, lambda value: text_of(value).upper()),
    "tostring": (1, 1, text_of),
    "todatetime": (1, 1, _time),
    "toint": (1, 1, _integer),
    "tolong": (1, 1, _integer),
    "todouble": (1, 1, _number),
    "toreal": (1, 1, _number),
    "tobool": (1, 1, _truth),
    "todynamic": (1, 1, _parsed),
    "parse_json": (1, 1, _parsed),
    "strlen": (1, 1, lambda value: len(text_of(value))),
    "trim": (2, 2, lambda pattern, text: re.sub(f"^(?:{pattern})|(?:{pattern})$", "", text_of(text))),
    "strcat": (1, 64, lambda *values: "".join(map(text_of, values))),
    "split": (2, 3, _split),
    "substring": (2, 3, _substring),
    "array_length": (
        1,
        1,
        lambda value: len(value) if isinstance(value, Sequence) and not isinstance(value, str) else None,
    ),
    "bag_keys": (1, 1, lambda value: list(value) if isinstance(value, Mapping) else None),
    "coalesce": (2, 64, lambda *values: next((value for value in values if not empty(value)), None)),
    "iff": (3, 3, lambda condition, yes, no: yes if condition else no),
    "iif": (3, 3, lambda condition, yes, no: yes if condition else no),
    "case": (3, 65, _case),
}
