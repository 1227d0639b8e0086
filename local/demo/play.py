"""Puts a scenario on the conductor's stage: owners, troubles, scenes told in full, and who watches. For the demo."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from local.demo.cast import Cast
from local.demo.foretold import foretold
from local.demo.owners import enter_owners
from local.demo.scenario import Scenario
from local.demo.scenes import enter_scenes
from local.demo.troubles import make
from local.demo.watch import Watch
from local.judges.plans import read_plans
from local.stack import ROOT

BEFORE_MIDNIGHT = timedelta(seconds=1)
PLANS = ROOT / "shared" / "plans.toml"


def enter(cast: Cast) -> None:
    """Enter every scene that begins before the end."""
    begin(cast)
    tell_the_sum(cast)
    tell_the_crowds(cast)
    enter_owners(cast)
    for trouble in cast.scenario.troubles:
        cast.at(cast.scenario.start + trouble.at, trouble.says, partial(make, cast, trouble))
    enter_scenes(cast)
    watch = Watch(cast)
    instant = cast.scenario.start + Watch.every
    while instant < cast.end:
        cast.at(instant, "watch", watch.look)
        instant += Watch.every
    day = cast.scenario.start + timedelta(days=1)
    while day <= cast.end:
        at = day - BEFORE_MIDNIGHT
        cast.at(at, "end of day", partial(watch.end_of_day, at.date()))
        day += timedelta(days=1)


def plans_of(scenario: Scenario) -> str:
    """The plans file of a scenario: what is shipped, and what it has beside that."""
    return f"{PLANS.read_text()}\n{scenario.plans}"


def begin(cast: Cast) -> None:
    """Open the script: what the judges must know beforehand."""
    settings: Mapping[str, str] = cast.stack.settings
    told = {name: value for name, value in settings.items() if name.startswith("TAGBACK_")}
    scenario = cast.scenario
    subscriptions = settings["TAGBACK_SUBSCRIPTIONS"].split(",")
    cast.script.note("begin", scenario.start, cast.end, subscriptions=subscriptions, settings=told)
    cast.script.note("plans", scenario.start, text=plans_of(scenario))
    if "drill]" in scenario.plans:
        cast.script.note("drills", scenario.start, cast.end)


def tell_the_sum(cast: Cast) -> None:
    """What the plans make of this fleet and these days."""
    sum_ = foretold(cast.scenario, read_plans(plans_of(cast.scenario)), cast.end)
    cast.screen.line(f"by tags and plans {sum_.points:,} points fall due, and the age of {sum_.ending:,} of them ends")


def tell_the_crowds(cast: Cast) -> None:
    """Who was there before the play and has no scene in it."""
    for crowd in cast.scenario.crowds:
        cast.screen.line(f"{crowd.count:,} machines that ask for nothing are there already, in {crowd.region}")
