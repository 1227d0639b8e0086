"""What Azure lets any plan ask for, checked when plans are loaded and when a tag lengthens one. Numbers: azure-facts.

A disk can have 500 incremental snapshots at a time, and seven may be made of it in five minutes [azure-facts 3.2]. An
hour is what Azure wants between two points of a VM that are taken as one [3.4]; what comes more often is no backup.
"""

from __future__ import annotations

from datetime import timedelta

from shared.decide.durations import days_of, duration_text
from shared.decide.schedule import rhythm
from shared.model.plan import Keep, Plan

MAX_POINTS = 450  # of 500; the rest is room for points that people ask for, and for deletions that wait
SHORTEST_GAP = timedelta(hours=1)
LONGEST_GAP = timedelta(days=366)
LONGEST_EVERY = timedelta(days=1)
LONGEST_FLOOR = timedelta(days=3650)
MOST_PER_DAY = 24
_DAY = timedelta(days=1)


def points_kept(plan: Plan, keep: Keep) -> int:
    """About how many points stand at once: all of the shortest age, and one per period of each longer class."""
    ages = sorted(keep.ages, key=days_of)
    days = max([plan.keep_floor / _DAY, *(days_of(shortest) for shortest in ages[:1])])
    all_of_them = round(days * rhythm(plan.schedule).per_day)
    return max(keep.last, all_of_them + sum(age.count for age in ages[1:]))


def too_many(plan: Plan, keep: Keep) -> str:
    """Why a plan cannot keep so many points; empty when it can, and for points that are not snapshots of ours."""
    if not plan.takes_snapshots:
        return ""
    kept = points_kept(plan, keep)
    allowed = f"allowed: at most {MAX_POINTS}, a disk has room for 500 snapshots"
    return f"keeps about {kept} points; {allowed}" if kept > MAX_POINTS else ""


def problems_of(plan: Plan) -> list[str]:
    """Everything that a plan asks for beyond the limits."""
    beat, window = rhythm(plan.schedule), plan.schedule.window
    problems = []
    if beat.most_per_day > plan.max_per_day:
        problems.append(f"{beat.most_per_day} points a day; allowed by max_per_day: {plan.max_per_day}")
    if beat.shortest < SHORTEST_GAP:
        found = duration_text(beat.shortest)
        problems.append(f"two points come {found} apart; allowed: at least {duration_text(SHORTEST_GAP)}")
    elif window > beat.shortest:
        allowed = f"allowed: at most {duration_text(beat.shortest)}"
        problems.append(f"the window is longer than the time between two points; {allowed}")
    if beat.longest > LONGEST_GAP:
        problems.append(f"points come {beat.longest.days} days apart; allowed: at least one in {LONGEST_GAP.days} days")
    if crowd := too_many(plan, plan.keep):
        problems.append(crowd)
    return problems
