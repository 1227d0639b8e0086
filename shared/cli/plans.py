"""Reads the plans files that people propose, and checks them whole as the app does when it starts.

Used by main.py for `tagback plan` and `tagback plans check`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shared.errors import BadInput
from shared.model.plan import Plans
from shared.settings import SHIPPED_PLANS, plans_of


def check(file: Path | None) -> dict[str, Any]:
    """The verdict on a file, or on the one that is shipped: every problem at once, each with its place."""
    chosen = file or SHIPPED_PLANS
    answer = {"ok": True, "file": str(file or SHIPPED_PLANS.name), "default": None, "plans": [], "problems": []}
    try:
        plans = plans_of(chosen)
    except BadInput as bad:
        return {**answer, "ok": False, "problems": [problem.removeprefix(f"{chosen}: ") for problem in bad.problems]}
    return {**answer, "default": plans.default, "plans": sorted(plans.by_name)}


def plans_in(file: Path) -> Plans:
    """The plans of a file; BadInput with every problem."""
    return plans_of(file)
