"""Checks a plans file whole: TOML, schema, and what a schema cannot say. Used by main.py for `tagback plans check`."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from shared.decide.plan import read_plans

SHIPPED = "plans.toml"


def check(file: Path | None) -> dict[str, Any]:
    """The verdict on a file, or on the one that is shipped: every problem at once, each with its place."""
    name = str(file or SHIPPED)
    try:
        document = tomllib.loads((file or files("shared") / SHIPPED).read_text(encoding="utf-8"))
    except OSError as error:
        return _refused(name, [f"it cannot be read: {error.strerror or error}"])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return _refused(name, [f"it is not TOML: {error}"])
    problems = schema_problems(document)
    if problems:
        return _refused(name, problems)
    plans, unusable = read_plans(document)
    if unusable:
        return _refused(name, list(unusable))
    return {"ok": True, "file": name, "default": plans.default, "plans": sorted(plans.by_name), "problems": []}


def schema_problems(document: dict[str, Any]) -> list[str]:
    """What the schema says against a document, in the order of the document's places."""
    schema = json.loads((files("shared") / "plans.schema.json").read_text(encoding="utf-8"))
    errors = sorted(Draft202012Validator(schema).iter_errors(document), key=lambda error: error.json_path)
    return [f"{error.json_path.removeprefix('$.')}: {error.message}" for error in errors]


def _refused(name: str, problems: list[str]) -> dict[str, Any]:
    return {"ok": False, "file": name, "default": None, "plans": [], "problems": problems}
