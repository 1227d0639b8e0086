"""What a machine's tags ask for, judged whole: every problem at once, and always towards protection.

Names and values are compared without case; the fold happens here, never in a query. Only `off`, or taking the tag away,
ends protection: a mistake in a modifier leaves the plan's own value, a mistake in a plan's name is a `Misnamed`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from shared.decide import cron
from shared.decide.durations import KEEP_FORM, lengthened, parse_keep
from shared.decide.limits import too_many
from shared.decide.schedule import wall_times
from shared.decide.tag_values import (
    GROUP_FORM,
    HOLD_FORM,
    OFF,
    START_FORM,
    parse_group,
    parse_hold,
    parse_start,
    relevant,
)
from shared.model.machine import GroupSeen
from shared.model.plan import Plan
from shared.model.rules import Rules

ON = "on"
NEARLY = 0.7  # how alike a name must be to a modifier's to be taken for a misspelling of it


@dataclass(frozen=True, slots=True)
class Asked:
    """The opt-in tags that count for a machine. `inherited` names those that its resource group gives it.

    `not_inherited` says why the group's own opt-in is none for this machine; `unseen` that the group could not be seen.
    """

    tags: Mapping[str, str]
    inherited: frozenset[str] = frozenset()
    not_inherited: str = ""
    unseen: bool = False

    def named(self, tag: str) -> str:
        """A tag as people are told of it."""
        return f"the tag {tag} of its resource group" if tag in self.inherited else f"its tag {tag}"


@dataclass(frozen=True, slots=True)
class OptedIn:
    """The plan as this machine wants it: its start time and keep already adapted. `problems` kept it from more.

    `group` names the machines that it is to be recovered with; empty when it stands alone.
    """

    plan: Plan
    because: str
    problems: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class OptedOut:
    """Nothing is asked for."""

    because: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Misnamed:
    """Protection is asked for, by a plan that does not exist or is not allowed here: the first of the problems."""

    because: str
    problems: tuple[str, ...]


Wish: TypeAlias = OptedIn | OptedOut | Misnamed


def seen_group(group: GroupSeen | None, prefix: str) -> GroupSeen | None:
    """A resource group with its opt-in tags only."""
    tags = relevant(group.tags, prefix) if group else {}
    return group if group is None or tags == group.tags else replace(group, tags=tags)


def asked(own: Mapping[str, str], group: GroupSeen | None, scale_set: bool, rules: Rules) -> Asked:
    """The tags that count: a machine's own, and where that is wished its group's for those that it lacks.

    Machines that something else made and will unmake are opted in by a tag of their own only.
    """
    tags = relevant(own, rules.prefix)
    if not rules.inherit_group_tags:
        return Asked(tags)
    if group is None:
        return Asked(tags, unseen=True)
    given = {name: value for name, value in relevant(group.tags, rules.prefix).items() if name not in tags}
    why = "it is an instance of a scale set" if scale_set else ""
    if group.managed_by:
        why = f"its resource group is managed by {group.managed_by}"
    if not why or given.pop(rules.prefix, None) is None:
        return Asked({**given, **tags}, frozenset(given))
    return Asked({**given, **tags}, frozenset(given), why)


def judge(asks: Asked, rules: Rules, subscription: str) -> Wish:
    """The wish that tags express."""
    prefix, plans = rules.prefix, rules.plans
    modifiers = Modifiers(asks, prefix)
    if prefix not in asks.tags:
        return OptedOut(_nothing_asked(asks, prefix), tuple(modifiers.problems()))
    given, tag = asks.tags[prefix], asks.named(prefix)
    value = given.lower()
    if value == OFF:
        return OptedOut(f"{tag} is off", tuple(modifiers.problems()))
    name = plans.default if value == ON else value
    allowed = plans.allowed_in(subscription)
    if name not in plans.by_name:
        known = (*sorted(allowed & set(plans.by_name)), ON, OFF)
        wrong = f"{tag} = {given!r} names no plan; allowed: {', '.join(known)}"
        return Misnamed(wrong, (wrong, *modifiers.problems()))
    if name not in allowed:
        wrong = f"plan {name} is not allowed in this subscription; allowed: {', '.join(sorted(allowed)) or 'none'}"
        return Misnamed(wrong, (wrong, *modifiers.problems()))
    return modifiers.applied(plans.by_name[name], f"{tag} asks for plan {name}")


def _nothing_asked(asks: Asked, prefix: str) -> str:
    because = f"it has no tag '{prefix}'"
    if asks.not_inherited:
        because += f" of its own, and inherits none because {asks.not_inherited}"
    if asks.unseen:
        because += ", and its resource group could not be seen"
    if asks.tags:
        because += f"; {', '.join(sorted(asks.tags))} alone asks for nothing"
    return because


@dataclass(frozen=True, slots=True)
class Modifiers:
    """The tags beside the opt-in tag."""

    asks: Asked
    prefix: str

    def applied(self, plan: Plan, because: str) -> OptedIn:
        """The plan with the machine's modifiers; a bad one is a problem and leaves the plan's own value."""
        if self.asks.tags.keys() <= {self.prefix}:
            return OptedIn(plan, because)
        problems = []
        for name, apply in _APPLIED.items():
            text = self.asks.tags.get(f"{self.prefix}-{name}")
            answer = plan if text is None else apply(plan, text)
            if isinstance(answer, Plan):
                plan = answer
            else:
                problems.append(self._problem(name, answer))
        group = parse_group(self.asks.tags.get(f"{self.prefix}-group", "")) or ""
        return OptedIn(plan, because, (*problems, *self.problems(without=frozenset(_APPLIED))), group)

    def problems(self, without: frozenset[str] = frozenset()) -> Iterator[str]:
        """What is wrong with any value or name by itself, whatever the plan."""
        for name, (parse, form) in _FORMS.items():
            text = self.asks.tags.get(f"{self.prefix}-{name}")
            if name not in without and text is not None and parse(text) is None:
                yield self._problem(name, _not_a(name, form))
        for tag in self.asks.tags:
            meant = "" if tag == self.prefix else _meant(tag.removeprefix(f"{self.prefix}-"))
            if meant:
                yield f"{self.asks.named(tag)} means nothing; did you mean {self.prefix}-{meant}?"

    def _problem(self, name: str, wrong: str) -> str:
        tag = f"{self.prefix}-{name}"
        return f"{self.asks.named(tag)} = {self.asks.tags[tag]!r} {wrong}"


@lru_cache(1000)
def _meant(name: str) -> str:
    """The modifier that a name is close to; empty for a modifier itself and for what is like none."""
    return "" if name in _FORMS else next(iter(difflib.get_close_matches(name, _FORMS, 1, NEARLY)), "")


def _not_a(name: str, form: str) -> str:
    what = {"at": "start time", "keep": "keep", "hold": "hold", "group": "name of a group"}[name]
    held = " and holds for ever" if name == "hold" else ""
    return f"is not a {what}{held}; allowed: {form}"


def _only_by_policy(plan: Plan) -> str:
    return f"does not reach Azure Backup, by which alone plan {plan.name} protects: a policy is for many machines"


def _started(plan: Plan, text: str) -> Plan | str:
    start = parse_start(text)
    if start is None:
        return _not_a("at", START_FORM)
    if not plan.takes_snapshots:
        return _only_by_policy(plan)
    schedule = plan.schedule
    if schedule.every is not None or len(wall_times(schedule)) != 1:
        return f"moves plans with one start time a day; plan {plan.name} runs {schedule}"
    wall, zone = start
    moved = replace(schedule, zone=zone or schedule.zone)
    if schedule.cron:
        return replace(plan, schedule=replace(moved, cron=cron.moved(schedule.cron, wall)))
    return replace(plan, schedule=replace(moved, at=(wall,)))


def _kept_longer(plan: Plan, text: str) -> Plan | str:
    keep = parse_keep(text)
    if keep is None:
        return _not_a("keep", KEEP_FORM)
    if not plan.takes_snapshots:
        return _only_by_policy(plan)
    longer = lengthened(plan.keep, keep)
    return too_many(plan, longer) or replace(plan, keep=longer)


# One line per modifier: what reads its value, and the form that people are told.
_FORMS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "at": (parse_start, START_FORM),
    "keep": (parse_keep, KEEP_FORM),
    "hold": (parse_hold, HOLD_FORM),
    "group": (parse_group, GROUP_FORM),
}
# Those that change a plan; each answers with the changed plan, or with what is wrong.
_APPLIED: Mapping[str, Callable[[Plan, str], Plan | str]] = {"at": _started, "keep": _kept_longer}
