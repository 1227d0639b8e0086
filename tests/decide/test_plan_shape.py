"""What the schema refuses is told in words, with what is allowed; every keyword of the schema has its words."""

from __future__ import annotations

import json
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import shared.settings
from shared.decide.plan_shape import LONGEST_SHOWN, refusals, shown, told
from shared.settings import JUDGED

SCHEMA = json.loads(Path(shared.settings.SCHEMA).read_text())
STRUCTURAL = {"properties", "items", "$ref", "propertyNames", "additionalProperties"}
SILENT = {"$schema", "$defs", "title", "description", "examples", "default"}


@pytest.mark.parametrize(
    ("keyword", "found", "wanted", "schema", "words"),
    [
        ("type", 7, "string", {"examples": ["7d", "48h"]}, 'it is 7; allowed: a text, such as "7d"'),
        ("type", "02:00", "array", {"examples": [["02:00"]]}, """it is '02:00'; allowed: a list, such as ["02:00"]"""),
        ("type", time(2), "string", {}, "it is 02:00:00; allowed: a text"),
        ("type", [1], "object", {"examples": [{"a": 1}]}, "it is a list; allowed: a table"),
        ("type", True, "integer", {"examples": [6]}, "it is true; allowed: a whole number, such as 6"),
        ("type", False, "number", {}, "it is false; allowed: a number"),
        ("type", {}, "string", {}, "it is a table; allowed: a text"),
        ("enum", "rare", ["disk", "vm"], {}, "'rare' is none of them; allowed: disk, vm"),
        ("minimum", 0, 1, {"minimum": 1, "maximum": 24}, "0 is out of range; allowed: 1 to 24"),
        ("maximum", 25, 24, {"minimum": 1, "maximum": 24}, "25 is out of range; allowed: 1 to 24"),
        ("minimum", -1, 0, {"minimum": 0}, "-1 is out of range; allowed: at least 0"),
        ("minItems", [], 1, {"examples": [["02:00"]]}, 'it is empty; allowed: at least 1, such as ["02:00"]'),
        ("minProperties", {}, 1, {}, "it is empty; allowed: at least 1"),
        ("maxItems", ["a", "b", "c"], 2, {}, "it has 3; allowed: at most 2"),
        ("uniqueItems", ["a", "a"], True, {}, "a value comes twice; allowed: each once"),
    ],
)
def test_a_refusal_says_what_stands_there_and_what_is_allowed(
    keyword: str, found: Any, wanted: Any, schema: dict[str, Any], words: str
) -> None:
    assert refusals(keyword, found, wanted, schema) == (words,)


def test_every_field_that_lacks_or_is_unknown_is_named() -> None:
    schema = {"properties": {"at": {}, "keep": {"examples": ["7d"]}}}
    assert refusals("required", {"zone": 1}, ["at", "keep"], schema) == (
        "it lacks at; allowed: with at",
        'it lacks keep; allowed: with keep, such as "7d"',
    )
    assert refusals("required", {"at": 1, "keep": 1}, ["at", "keep"], schema) == ()
    assert refusals("required", {}, ["other"], {}) == ("it lacks other; allowed: with other",)
    assert refusals("additionalProperties", {"kepp": 1, "at": 1, "a": 1}, False, schema) == (
        "there is no field 'a'; allowed: at, keep",
        "there is no field 'kepp'; allowed: at, keep",
    )


def test_each_problem_is_told_once_with_its_place_and_a_keyword_without_words_in_those_of_the_schema() -> None:
    schema = {
        "required": ["a", "b"],
        "properties": {"n": {"multipleOf": 2}, "l": {"items": {"type": "string"}}},
    }
    errors = Draft202012Validator(schema).iter_errors({"n": 3, "l": ["x", 7]})
    assert told(errors) == [
        "file: it lacks a; allowed: with a",
        "file: it lacks b; allowed: with b",
        "l[1]: it is 7; allowed: a text",
        "n: 3 is not a multiple of 2",
    ]


def test_a_long_value_is_cut() -> None:
    assert shown("x" * (LONGEST_SHOWN - 2)) == f"'{'x' * (LONGEST_SHOWN - 2)}'"
    assert shown("x" * 300) == f"'{'x' * (LONGEST_SHOWN - 5)} ..."
    assert len(shown("x" * 300)) == LONGEST_SHOWN


def test_a_keyword_without_words_says_nothing() -> None:
    assert refusals("multipleOf", 3, 2, {}) == ()


def keywords(node: Any) -> set[str]:
    """Every keyword by which a schema judges; the names of its fields are none."""
    if isinstance(node, list):
        return {word for child in node for word in keywords(child)}
    if not isinstance(node, dict):
        return set()
    named = [field for part in ("properties", "$defs") for field in node.get(part, {}).values()]
    others = [value for word, value in node.items() if word not in {"properties", "$defs", "examples", "default"}]
    return {*node, *(word for child in [*named, *others] for word in keywords(child))}


def test_every_keyword_of_the_schema_has_its_words_or_is_judged_otherwise() -> None:
    spoken = keywords(SCHEMA) - STRUCTURAL - SILENT - set(JUDGED)
    sizes = {"minimum", "maximum", "minItems", "maxItems", "minProperties"}
    assert spoken <= {"type", "enum", "required", "uniqueItems", *sizes}
    kinds = {error.validator for error in Draft202012Validator(SCHEMA).iter_errors({"default": 1, "colour": 1})}
    assert kinds == {"type", "required", "additionalProperties"}
