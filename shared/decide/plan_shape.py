"""What the schema of the plans file refuses, in words: what stands there, and what is allowed.

Called by settings.py with the errors of the JSON schema; plan.py judges the values of what has the right shape.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

KINDS = {
    "string": "a text",
    "array": "a list",
    "object": "a table",
    "integer": "a whole number",
    "number": "a number",
}
LONGEST_SHOWN = 60


def told(errors: Iterable[Any]) -> list[str]:
    """Every problem once, with its place in the file; the errors are those of `jsonschema`."""
    found = []
    for error in sorted(errors, key=lambda error: str(error.json_path)):
        place = error.json_path.removeprefix("$").removeprefix(".") or "file"
        words = refusals(error.validator, error.instance, error.validator_value, error.schema)
        found += [f"{place}: {problem}" for problem in words or (error.message,)]
    return [*dict.fromkeys(found)]


def refusals(keyword: str, found: Any, wanted: Any, schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Every problem that one keyword of the schema has with a value; none for a keyword that no plan is judged by.

    `wanted` is what the schema says under the keyword, `schema` is all that it says of the value.
    """
    known = schema.get("properties", {})
    match keyword:
        case "required":
            missing = [name for name in wanted if name not in found]
            return tuple(f"it lacks {name}; allowed: with {name}{_such_as(known.get(name, {}))}" for name in missing)
        case "additionalProperties":
            strange = sorted(found.keys() - known.keys())
            return tuple(f"there is no field {shown(name)}; allowed: {', '.join(known)}" for name in strange)
        case "type":
            return (f"it is {shown(found)}; allowed: {KINDS[wanted]}{_such_as(schema)}",)
        case "enum":
            return (f"{shown(found)} is none of them; allowed: {', '.join(wanted)}",)
        case "minimum" | "maximum":
            return (f"{shown(found)} is out of range; allowed: {_range(schema)}",)
        case "minItems" | "minProperties":
            return (f"it is empty; allowed: at least {wanted}{_such_as(schema)}",)
        case "maxItems":
            return (f"it has {len(found)}; allowed: at most {wanted}",)
        case "uniqueItems":
            return ("a value comes twice; allowed: each once",)
        case _:
            return ()


def shown(value: Any) -> str:
    """A value of the file, cut when it is long."""
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return "a list"
        case dict():
            return "a table"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 4]} ..."


def _such_as(schema: Mapping[str, Any]) -> str:
    """The first example of a field, as a file has it; tables are too long for a line."""
    example = next(iter(schema.get("examples", ())), None)
    return "" if example is None or isinstance(example, dict) else f", such as {json.dumps(example)}"


def _range(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    return f"{least} to {most}" if most is not None else f"at least {least}"
