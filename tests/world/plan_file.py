"""The plans file of a world: what the product is told now, and for the judges every edition of it that ever stood.

The product reads the document; what an edition asks for is understood here by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.decide.plan import read_plans
from shared.model.rules import Rules
from tests.world.catalogue import DAY, DEFAULT, KEEPS, PLANS, UNKNOWN, Asked, Kept, asked, rules

AGES = {"h": DAY / 24, "d": DAY, "w": 7 * DAY}
FIRST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Edition:
    """What each plan of the file keeps, since an instant. A plan that it does not name does not exist."""

    since: datetime
    keeps: Mapping[str, Kept]


def kept(keep: str, floor: timedelta) -> Kept:
    """A plan's `keep` as people write it."""
    found = {unit: int(count) for count, unit in re.findall(r"(\d+)([hdwm])", keep)}
    return Kept({unit: AGES[unit] * count for unit, count in found.items() if unit in AGES}, found.get("m", 0), floor)


def tagged(keep: Kept, tags: Mapping[str, str]) -> Kept:
    """What a plan keeps of a machine with such tags: class by class the longer of both."""
    said = kept(tags.get("backup-keep", ""), keep.floor)
    ages = {unit: max(keep.ages.get(unit, DAY * 0), said.ages.get(unit, DAY * 0)) for unit in {*keep.ages, *said.ages}}
    return Kept(ages, max(keep.months, said.months), keep.floor)


def newest_held(tags: Mapping[str, str]) -> int:
    """How many of the newest points such tags keep whatever their age."""
    return max(map(int, re.findall(r"last=(\d+)", tags.get("backup-keep", ""))), default=0)


def is_unreadable_keep(tags: Mapping[str, str]) -> bool:
    """Whether a tag is to change the keep and says nothing of the kind."""
    return not re.fullmatch(r"((\d+[hdwm])+ ?)?(last=\d+)?", tags.get("backup-keep", ""))


class PlanFile:
    """The file as somebody edits it. `rules` are those of now: whatever begins to work reads them."""

    def __init__(self, given: Rules | None = None) -> None:
        self.rules = given or rules()
        self.editions = [Edition(FIRST, KEEPS)]
        self._document: dict[str, Any] = deepcopy(PLANS)
        self._away: dict[str, tuple[dict[str, Any], Kept]] = {}

    @property
    def keeps(self) -> Mapping[str, Kept]:
        return self.editions[-1].keeps

    def set_keep(self, plan: str, keep: str, now: datetime) -> None:
        """A plan keeps its new points for longer or shorter."""
        self._document["plans"][plan]["snapshots"]["keep"] = keep
        self._edited(now, {**self.keeps, plan: kept(keep, self.keeps[plan].floor)})

    def set_consistency(self, plan: str, consistency: str, now: datetime) -> None:
        """Another engine takes a plan's points; how long they are kept stays as it was."""
        self._document["plans"][plan]["snapshots"]["consistency"] = consistency
        self._edited(now, self.keeps)

    def set_drills(self, part: Mapping[str, Any] | None, now: datetime) -> None:
        """All plans have such drills, or none; of plans that are away when they are back."""
        away = [document for document, _ in self._away.values()]
        for document in (*self._document["plans"].values(), *away):
            document.pop("drill", None)
            document.update({"drill": dict(part)} if part else {})
        self._edited(now, self.keeps)

    def remove(self, plan: str, now: datetime) -> None:
        """There is no such plan any more. The default always stays."""
        assert plan != DEFAULT
        self._away[plan] = (self._document["plans"].pop(plan), self.keeps[plan])
        self._edited(now, {name: keep for name, keep in self.keeps.items() if name != plan})

    def bring_back(self, plan: str, now: datetime) -> None:
        """A removed plan is there again, as it was."""
        if plan in self._away:
            self._document["plans"][plan], keep = self._away.pop(plan)
            self._edited(now, {**self.keeps, plan: keep})

    def bring_all_back(self, now: datetime) -> None:
        for plan in sorted(self._away):
            self.bring_back(plan, now)

    def _edited(self, now: datetime, keeps: Mapping[str, Kept]) -> None:
        plans, problems = read_plans(self._document)
        assert not problems, problems
        self.rules = replace(self.rules, plans=plans)
        self.editions.append(Edition(now, keeps))

    def asked(self, tags: Mapping[str, str]) -> Asked | None:
        """What tags ask for by the file of now."""
        wish = asked(tags)
        return wish if wish is None or wish.plan in self.keeps else UNKNOWN

    def between(self, since: datetime, until: datetime) -> Sequence[Edition]:
        """The editions that stood at any time from one instant to another."""
        later = [one for one in self.editions if since < one.since <= until]
        return [*[one for one in self.editions if one.since <= since][-1:], *later]

    def was_missing(self, plan: str, since: datetime, until: datetime) -> bool:
        """Whether a plan was away at any time from one instant to another."""
        return any(plan not in one.keeps for one in self.between(since, until))

    def kept_between(self, plan: str, since: datetime, until: datetime) -> Sequence[Kept]:
        """Every keep of a plan that stood at any time from one instant to another: the last one where it was away."""
        found = [one.keeps[plan] for one in self.between(since, until) if plan in one.keeps]
        return found or [one.keeps[plan] for one in self.editions if one.since <= since and plan in one.keeps][-1:]

    def stands_since(self, plan: str) -> datetime:
        """Since when a plan is there without a break."""
        away = [
            after.since
            for before, after in zip(self.editions, self.editions[1:], strict=False)
            if plan not in before.keeps and plan in after.keeps
        ]
        return max(away, default=FIRST)
