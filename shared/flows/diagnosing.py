"""Looks at what an installation needs of Azure and says what is missing. Asked by `tagback doctor`; changes nothing.

What cannot be looked at is a finding too: whoever asks may lack the right to see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from shared.decide import diagnosis as decide
from shared.decide.restore_points import GROUPS
from shared.errors import CloudError
from shared.model.identity import Shard
from shared.model.rights import Found, Need, Reach
from shared.model.rules import Rules
from shared.ports import Surroundings, World


@dataclass(frozen=True, slots=True)
class Examination:
    """Who is examined: the roles it should hold, by an object id, or empty for whoever asks."""

    needs: Sequence[Need]
    principal: str = ""

    @property
    def about_restore_points(self) -> Examination:
        """The same, of what is done in the groups of restore points."""
        return replace(self, needs=[need for need in self.needs if "/restorePointCollections/" in need.action])


def examine(world: World, rules: Rules, around: Surroundings, asked: Examination) -> list[Found]:
    """Every finding, the settings first, then subscription by subscription."""
    found = decide.settings(rules)
    for subscription in sorted(rules.subscriptions):
        found += _subscription(world, rules, around, asked, subscription)
    return found


def _subscription(
    world: World, rules: Rules, around: Surroundings, asked: Examination, subscription: str
) -> Iterator[Found]:
    scope = f"/subscriptions/{subscription}"
    if not world.inventory.enabled(subscription):
        yield Found(scope, "subscription", False, "cannot be read, or is not enabled: nothing in it is looked after")
        return
    yield from _tried(scope, "rights", lambda: _rights(around, asked, scope, Reach.SUBSCRIPTION, Reach.TARGETS))
    for name in decide.providers(rules):
        yield from _tried(scope, name, partial(_provider, around, scope, name))
    known = {shard for shard in world.ledger.shards() if shard.subscription == subscription}
    try:
        known |= {sighting.shard for page in world.inventory.fleet([subscription]) for sighting in page}
    except CloudError as error:
        yield _unseen(scope, "machines", error)
    for shard in sorted(known):
        yield from _region(world, rules, around, asked, shard)


def _region(world: World, rules: Rules, around: Surroundings, asked: Examination, shard: Shard) -> Iterator[Found]:
    yield from _group(rules, around, asked, shard, around.recovery_group(shard.region))
    if decide.takes_restore_points(rules, shard.subscription):
        for number in range(GROUPS):
            group = world.restore_points.place(shard, number, "any").group
            yield from _group(rules, around, asked.about_restore_points, shard, group)
    region = f"/subscriptions/{shard.subscription}/{shard.region}"
    yield from _tried(region, "quotas", lambda: decide.quotas(region, around.quotas(shard)))


def _group(rules: Rules, around: Surroundings, asked: Examination, shard: Shard, group: str) -> Iterator[Found]:
    place = f"/subscriptions/{shard.subscription}/resourceGroups/{group}"
    try:
        tagged = around.owner(place)
    except CloudError as error:
        yield _unseen(place, "recovery group", error)
        return
    yield decide.group(place, rules.owner, tagged)
    if tagged is not None:
        yield from _tried(place, "rights", lambda: _rights(around, asked, place, Reach.RECOVERY))


def _provider(around: Surroundings, scope: str, name: str) -> list[Found]:
    return [decide.provider(scope, name, around.provider(scope, name))]


def _rights(around: Surroundings, asked: Examination, scope: str, *reaches: Reach) -> list[Found]:
    needs = [need for need in asked.needs if need.scope in reaches]
    if not needs:
        return []
    held = around.granted(scope, asked.principal) if asked.principal else around.permissions(scope)
    return decide.rights(scope, needs, held)


def _tried(scope: str, subject: str, look: Callable[[], Iterable[Found]]) -> list[Found]:
    try:
        return list(look())
    except CloudError as error:
        return [_unseen(scope, subject, error)]


def _unseen(scope: str, subject: str, error: CloudError) -> Found:
    return Found(scope, subject, False, f"could not be looked at: {error}")
