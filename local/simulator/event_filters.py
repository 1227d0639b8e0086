"""Whether an event subscription wants an event: types, subject and advanced filters as documented.

Pure; used by events.py.
"""

from collections.abc import Callable, Mapping
from typing import Any

from local.simulator.answers import Document


def wants(filter_document: Document, event: Document) -> bool:
    """Tell whether every part of the filter accepts the event."""
    types = filter_document.get("includedEventTypes")
    if types and event["eventType"].lower() not in {str(name).lower() for name in types}:
        return False
    subject, begin, end = (
        event["subject"],
        filter_document.get("subjectBeginsWith"),
        filter_document.get("subjectEndsWith"),
    )
    if not filter_document.get("isSubjectCaseSensitive"):
        subject, begin, end = subject.lower(), (begin or "").lower(), (end or "").lower()
    if not (subject.startswith(begin or "") and subject.endswith(end or "")):
        return False
    return all(_accepts(one, event) for one in filter_document.get("advancedFilters") or [])


def _accepts(one: Document, event: Document) -> bool:
    kind, value = str(one.get("operatorType", "")).lower(), _value(event, str(one.get("key", "")))
    values = one.get("values", [one.get("value")])
    if kind == "isnullorundefined":
        return value is None
    if kind == "isnotnull":
        return value is not None
    negative = NEGATIVE.get(kind)
    if negative is not None:
        # A missing key satisfies only the Not operators (documented).
        return value is None or not any(_compared(negative, value, wanted) for wanted in values)
    return value is not None and any(_compared(kind, value, wanted) for wanted in values)


def _value(event: Document, key: str) -> Any:
    found: Any = event
    for part in key.split("."):
        if not isinstance(found, Mapping):
            return None
        found = next((value for name, value in found.items() if name.lower() == part.lower()), None)
    return found


NEGATIVE = {
    "stringnotin": "stringin",
    "stringnotcontains": "stringcontains",
    "stringnotbeginswith": "stringbeginswith",
    "stringnotendswith": "stringendswith",
    "numbernotin": "numberin",
    "numbernotinrange": "numberinrange",
}
TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "stringin": lambda value, wanted: value == wanted,
    "stringcontains": lambda value, wanted: wanted in value,
    "stringbeginswith": lambda value, wanted: value.startswith(wanted),
    "stringendswith": lambda value, wanted: value.endswith(wanted),
}
NUMBER: Mapping[str, Callable[[float, float], bool]] = {
    "numberin": lambda value, wanted: value == wanted,
    "numberlessthan": lambda value, wanted: value < wanted,
    "numbergreaterthan": lambda value, wanted: value > wanted,
    "numberlessthanorequals": lambda value, wanted: value <= wanted,
    "numbergreaterthanorequals": lambda value, wanted: value >= wanted,
}


def _compared(kind: str, value: Any, wanted: Any) -> bool:
    if kind in TEXT:
        return TEXT[kind](str(value).lower(), str(wanted).lower())
    if kind == "boolequals":
        return bool(value) == bool(wanted)
    try:
        if kind == "numberinrange":
            return bool(float(wanted[0]) <= float(value) <= float(wanted[1]))
        return NUMBER[kind](float(value), float(wanted))
    except (KeyError, TypeError, ValueError):
        return False
