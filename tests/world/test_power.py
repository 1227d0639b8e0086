"""Whether the world can see at all: each planted bug must turn a scene or a seed red."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from shared.decide import capture, naming, protection, retention
from shared.flows import confirming, sending
from shared.flows.slicing import Slice
from shared.model.identity import Shard
from shared.model.plan import Age
from shared.model.point import PartState, Point
from shared.model.rules import Mode
from shared.ports import Lease
from tests.world.catalogue import WATCHED, rules
from tests.world.exhaustive import blows, play
from tests.world.flows import product_flows
from tests.world.promises import Violation
from tests.world.scenes import SCENES
from tests.world.seeded import Options, Run, run
from tests.world.twins.rows import Kept as KeptRow

BLOWS = 40
SEEDS = range(1, 9)

Change = Callable[[Run], None]


def nothing(world: Run) -> None:
    return


def violations(change: Change) -> Iterable[Violation]:
    """What goes wrong in the scenes, undisturbed and harmed, and then in a few seeds: lazily, cheapest first."""
    for scene in SCENES:
        yield from play(scene, None, change).violations
    for scene in SCENES:
        for blow in list(blows(scene))[:BLOWS]:
            yield from play(scene, blow, change).violations
    for seed in SEEDS:
        yield from run(seed, Options.of(seed), change).violations


def first_violation(change: Change = nothing) -> Violation | None:
    return next(iter(violations(change)), None)


@dataclass(frozen=True)
class Bug:
    """A planted bug, the promises of which at least one must be seen broken, and how it is planted."""

    name: str
    promises: str
    plant: Callable[[pytest.MonkeyPatch], Change]


def unlooked(patch: pytest.MonkeyPatch) -> Change:
    patch.setattr(capture, "needs_get", lambda part, now: False)
    return nothing


def blind_ledger(patch: pytest.MonkeyPatch) -> Change:
    def blind(etag: str | None, there: KeptRow | None) -> bool:
        return True

    def change(world: Run) -> None:
        world.stage.ledger.stands = blind  # type: ignore[method-assign]

    return change


def complete_with_a_part_missing(patch: pytest.MonkeyPatch) -> Change:
    def any_part(point: Point) -> bool:
        return any(part.state is PartState.READY for part in point.live_parts)

    patch.setattr(capture, "is_complete", any_part)
    return nothing


def started_is_ready(patch: pytest.MonkeyPatch) -> Change:
    patch.setattr(capture, "is_ready", lambda seen: True)
    return nothing


def forgotten_slot(patch: pytest.MonkeyPatch) -> Change:
    begins = capture.slot_that_begins
    patch.setattr(
        capture,
        "slot_that_begins",
        lambda machine, plan, now: None if now.hour in (12, 13, 14) else begins(machine, plan, now),
    )
    return nothing


def silent_supersession(patch: pytest.MonkeyPatch) -> Change:
    patch.setattr(capture, "superseded_range", lambda machine, due, now: None)
    return nothing


def gone_at_once(patch: pytest.MonkeyPatch) -> Change:
    patch.setattr(protection, "ABSENT_TWICE", timedelta(0))
    return nothing


def short_stamps(patch: pytest.MonkeyPatch) -> Change:
    age_end = retention.age_end
    patch.setattr(
        retention, "age_end", lambda slot, age, zone: slot + (age_end(slot, Age(age.count, age.unit), zone) - slot) / 2
    )
    return nothing


def no_class_is_earned(patch: pytest.MonkeyPatch) -> Change:
    patch.setattr(retention, "earned", lambda slot, complete, zone: frozenset())
    return nothing


def unaudited(patch: pytest.MonkeyPatch) -> Change:
    patch.setattr(Slice, "audit", lambda self, lines: None)
    return nothing


def observed_is_enforced(patch: pytest.MonkeyPatch) -> Change:
    told = rules()
    all_enforced = replace(told, subscriptions={**told.subscriptions, WATCHED: Mode.ENFORCE})

    def change(world: Run) -> None:
        world.host.flows = product_flows(all_enforced)

    return change


def deaf_to_retry_after(patch: pytest.MonkeyPatch) -> Change:
    def change(world: Run) -> None:
        throttle = world.stage.throttle
        throttle.wait = lambda bucket: timedelta(0)  # type: ignore[method-assign]

    return change


def endless_lease(patch: pytest.MonkeyPatch) -> Change:
    def change(world: Run) -> None:
        held: dict[Shard, str] = {}

        def take(shard: Shard, holder: str, now: datetime, until: datetime) -> Lease | None:
            first = held.setdefault(shard, holder) == holder
            return Lease(shard, holder, until, holder) if first else None

        def give_back(lease: Lease) -> None:
            held.pop(lease.shard, None)

        world.stage.leases.take = take  # type: ignore[method-assign]
        world.stage.leases.give_back = give_back  # type: ignore[method-assign]

    return change


def one_name_for_all_attempts(patch: pytest.MonkeyPatch) -> Change:
    name = naming.part_name
    patch.setattr(capture, "part_name", lambda uid, engine, slot, attempt, disk: name(uid, engine, slot, 1, disk))
    return nothing


def drawn_names(patch: pytest.MonkeyPatch) -> Change:
    """Names drawn anew at every send: what an unrecorded intent would lead to."""
    drawn = iter(range(10**6))
    orders = sending._orders

    def renamed(*given: object) -> list[object]:
        made = orders(*given)  # type: ignore[arg-type]
        return [replace(one, id=replace(one.id, name=f"tb-{next(drawn):032x}")) for one in made]

    patch.setattr(sending, "_orders", renamed)
    return nothing


def refused_counts_as_sent(patch: pytest.MonkeyPatch) -> Change:
    patch.setattr(sending, "_part_after", lambda part, answer, now: replace(part, state=PartState.STARTED, sent_at=now))
    return nothing


def lost_rows(patch: pytest.MonkeyPatch) -> Change:
    """What came of the sends is never recorded."""
    patch.setattr(sending, "_recorded", lambda slice_, errand, answers: errand.case)
    return nothing


def unconfirmed(patch: pytest.MonkeyPatch) -> Change:
    patch.setattr(confirming, "_bulk", lambda slice_, slots: {})
    patch.setattr(confirming, "_with_stragglers", lambda slice_, point: point)
    return nothing


BUGS = (
    Bug("a snapshot is put over an existing one unlooked", "S1", unlooked),
    Bug("names are drawn, not derived", "S1 S12", drawn_names),
    Bug("all attempts share one name", "S1 S6 S8", one_name_for_all_attempts),
    Bug("the ledger ignores ETags", "S11", blind_ledger),
    Bug("a point is complete with a part missing", "S6", complete_with_a_part_missing),
    Bug("accepted counts as ready", "S6", started_is_ready),
    Bug("a refused part counts as sent", "S1 S6 S8", refused_counts_as_sent),
    Bug("the result of a send is not recorded", "S2 S8", lost_rows),
    Bug("nothing is ever confirmed", "S2 S8", unconfirmed),
    Bug("slots at noon are forgotten", "S2 S8", forgotten_slot),
    Bug("missed slots are dropped silently", "S2", silent_supersession),
    Bug("one 404 means gone", "S7", gone_at_once),
    Bug("stamps are half as long", "S5", short_stamps),
    Bug("no class is ever earned", "S5", no_class_is_earned),
    Bug("births are not audited", "S12", unaudited),
    Bug("an observed subscription is acted upon", "S10", observed_is_enforced),
    Bug("Retry-After is not heard", "S9", deaf_to_retry_after),
    Bug("a lease never runs out", "S2 S8", endless_lease),
)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: re.sub(r"\W+", "-", bug.name))
def test_a_planted_bug_is_seen(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = first_violation(bug.plant(monkeypatch))
    assert seen is not None, f"nobody noticed that {bug.name}"
    assert seen.promise in bug.promises.split(), str(seen)


def test_without_a_planted_bug_the_same_scenes_are_green() -> None:
    assert not [violation for scene in SCENES for violation in play(scene, None).violations]
