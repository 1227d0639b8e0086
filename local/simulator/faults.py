"""Fault rules: which calls and deliveries go wrong, and how.

Set through `/_sim/faults`, asked by the front and by events. A rule decides by itself, from its own count and seed, so
that the same calls meet the same faults.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from local.simulator.clock import iso, parse_time

EFFECTS: Mapping[str, frozenset[str] | type | tuple[type, ...]] = {
    "status": int,
    "code": str,
    "body": (str, dict, list),
    "retry_after": (int, float, str),
    "delay_s": (int, float),
    "skew_s": (int, float),
    "cut": frozenset({"before", "after"}),
    "lro": frozenset({"fail", "cancel", "hang", "lose"}),
    "list": frozenset({"empty", "short", "stale", "duplicate", "expire", "abroad"}),
    "answer": frozenset({"extra-fields", "null-tags", "upper-case-ids", "unknown-enum"}),
    "events": frozenset({"drop", "duplicate", "delay", "reorder"}),
}
ON_READS = frozenset({"status", "delay_s", "skew_s", "cut", "answer"})
ON_LISTS = ON_READS | {"list"}
ON_WRITES = ON_READS | {"lro"}
ON_EVENTS = frozenset({"events"})
MATCHES = ("operation", "resource", "principal", "source", "event")
FIELDS = {"id", "match", "count", "probability", "seed", "from", "until", "effect"}


class BadRule(Exception):
    """A fault rule that cannot be meant; lists every problem."""


@dataclass(slots=True)
class Fault:
    """One rule and how often it fired."""

    id: str
    match: dict[str, str]
    effect: dict[str, Any]
    count: int | None
    probability: float
    seed: int
    start: float | None
    until: float | None
    chance: random.Random
    fired: int = 0

    def shown(self) -> dict[str, Any]:
        """Return the rule as `GET /_sim/faults` answers it."""
        return {
            "id": self.id,
            "match": self.match,
            "count": self.count,
            "probability": self.probability,
            "seed": self.seed,
            "from": None if self.start is None else iso(self.start),
            "until": None if self.until is None else iso(self.until),
            "effect": self.effect,
            "fired": self.fired,
        }

    def fits(self, subject: Mapping[str, str], kinds: frozenset[str], now: float) -> bool:
        """Tell whether the rule is alive, speaks of this call or event, and has an effect that can show there."""
        if kinds.isdisjoint(self.effect) or ("events" in self.effect) != (kinds is ON_EVENTS):
            return False
        if self.count is not None and self.fired >= self.count:
            return False
        if (self.start is not None and now < self.start) or (self.until is not None and now >= self.until):
            return False
        for name, pattern in self.match.items():
            value = subject.get(name)
            if value is None or not fnmatchcase(value.lower(), pattern.lower()):
                return False
        return True


def parse_rule(document: Any, number: int) -> Fault:
    """Read a rule, or refuse it with every problem named."""
    problems = _problems(document)
    if problems:
        raise BadRule("; ".join(problems))
    times = {name: document.get(name) for name in ("from", "until")}
    return Fault(
        str(document.get("id", number)),
        dict(document.get("match", {})),
        dict(document["effect"]),
        document.get("count"),
        float(document.get("probability", 1)),
        int(document.get("seed", 0)),
        parse_time(times["from"]) if times["from"] else None,
        parse_time(times["until"]) if times["until"] else None,
        random.Random(int(document.get("seed", 0))),  # noqa: S311  a test double's dice, not a secret
    )


def _problems(document: Any) -> list[str]:
    if not isinstance(document, dict):
        return ["a rule is a JSON object"]
    found = [f"unknown field {name!r}" for name in document if name not in FIELDS]
    match, effect = document.get("match", {}), document.get("effect")
    if not isinstance(match, dict) or any(name not in MATCHES for name in match):
        found.append(f"match may hold {', '.join(MATCHES)}")
    elif any(not isinstance(value, str) for value in match.values()):
        found.append("every value of match is a string")
    if not isinstance(effect, dict) or not effect:
        return [*found, "effect is missing"]
    found.extend(f"effect {name!r} is wrong" for name, value in effect.items() if not _is_effect(name, value))
    for name in ("from", "until"):
        try:
            parse_time(document.get(name) or "2000-01-01T00:00:00Z")
        except (ValueError, AttributeError, TypeError):
            found.append(f"{name} is not an ISO time")
    if {"body", "retry_after"} & effect.keys() and "status" not in effect:
        found.append("body and retry_after belong to a status")
    if "code" in effect and not {"status", "lro"} & effect.keys():
        found.append("code belongs to a status or to how an operation ends")
    count, seed = document.get("count"), document.get("seed", 0)
    if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
        found.append("count is a whole number, at least 1")
    if not isinstance(seed, int):
        found.append("seed is a whole number")
    probability = document.get("probability", 1)
    if not isinstance(probability, int | float) or not 0 <= probability <= 1:
        found.append("probability lies between 0 and 1")
    return found


def _is_effect(name: str, value: Any) -> bool:
    allowed = EFFECTS.get(name)
    if allowed is None:
        return False
    if isinstance(allowed, frozenset):
        return isinstance(value, str) and value in allowed
    return isinstance(value, allowed) and not isinstance(value, bool)


class Faults:
    """The rules in the order they were set; the first that fits is the one that fires."""

    def __init__(self) -> None:
        self.rules: dict[str, Fault] = {}
        self._number = 0

    def add(self, document: Any) -> list[Fault]:
        """Add a rule, or all rules of a file (`{"rules": [...]}`), or none of them when one is wrong."""
        documents = document["rules"] if isinstance(document, dict) and "rules" in document else [document]
        if not isinstance(documents, list):
            raise BadRule("rules is a list")
        made = [parse_rule(each, self._number + 1 + at) for at, each in enumerate(documents)]
        self._number += len(made)
        self.rules.update({rule.id: rule for rule in made})
        return made

    def look_at_sources(self) -> bool:
        """Tell whether a rule asks what a resource is made from."""
        return any("source" in rule.match for rule in self.rules.values())

    def strike(self, subject: Mapping[str, str], kinds: frozenset[str], now: float) -> Fault | None:
        """Return the rule that fires for this call or event; `kinds` are the effects that can show there."""
        for rule in self.rules.values():
            if rule.fits(subject, kinds, now) and (rule.probability >= 1 or rule.chance.random() < rule.probability):
                rule.fired += 1
                return rule
        return None
