"""Runs `tagback` over a fleet: what it printed, what it said on the side, how it ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from click.testing import CliRunner, Result

from shared.cli.main import commands
from shared.cli.session import Session
from shared.model.rules import Rules
from shared.ports import World
from tests.fleet import Fleet

ASKER = "oid-of-the-asker"


def run(fleet: Fleet, *words: str) -> Result:
    return run_with(fleet.open, *words)


def run_with(open_world: Callable[[], tuple[World, Rules]], *words: str) -> Result:
    result = CliRunner().invoke(commands, list(words), obj=Session(open_world, lambda: ASKER))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def answer(result: Result) -> Any:
    """The one document on standard output."""
    return json.loads(result.stdout)
