"""Puts the rules of a fault file (local/scenarios/faults) to a time and to the names of a scenario.

The files speak of an evening and of machines of their own; used by troubles.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from local.demo.scenario import SCENARIOS, Trouble
from local.judges.world import PRODUCT

EVENING = datetime.fromisoformat("2026-11-20T00:00:00+00:00")
Rule = dict[str, Any]


def adapted(trouble: Trouble, at: datetime, number: int) -> Iterator[Rule]:
    """The rules, over when the trouble is over; each id begins with the fault's number."""
    text = (SCENARIOS / "faults" / f"{trouble.fault}.json").read_text()
    for old, new in trouble.options.get("names", {}).items():
        text = text.replace(old, new)
    for position, rule in enumerate(json.loads(text)["rules"]):
        if "probability" in trouble.options:
            rule["probability"] = trouble.options["probability"]
        yield moved(rule, at - EVENING) | {
            "id": f"{trouble.fault}-{number}-{position}",
            "until": (at + trouble.lasts).isoformat(),
            "match": only_the_product(rule["match"]),
        }


def only_the_product(match: Mapping[str, str]) -> Mapping[str, str]:
    """The owners of the scenario go about their work undisturbed; events have no principal."""
    return match if "event" in match else {**match, "principal": PRODUCT}


def moved(rule: Rule, by: timedelta) -> Rule:
    """The rule with all its times moved."""
    after = dict(rule)
    if "from" in after:
        after["from"] = (datetime.fromisoformat(after["from"]) + by).isoformat()
    effect = dict(after["effect"])
    wait = effect.get("retry_after")
    if isinstance(wait, str):
        effect["retry_after"] = format_datetime(parsedate_to_datetime(wait) + by, usegmt=True)
    return after | {"effect": effect}
