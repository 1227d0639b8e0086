"""Whether the world can see at all: each planted bug must turn a scene or a seed red."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import pytest

from shared.decide import capture, naming, parts
from shared.flows import confirming, sending
from shared.model.point import PartState, Point
from tests.world.every_scene import SCENES
from tests.world.exhaustive import blows, play
from tests.world.options import Options
from tests.world.promises import Violation
from tests.world.seeded import Run, run
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
    patch.setattr(parts, "needs_get", lambda part, now: False)
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

    patch.setattr(parts, "is_complete", any_part)
    return nothing


def started_is_ready(patch: pytest.MonkeyPatch) -> Change:
    patch.setattr(parts, "is_ready", lambda seen: True)
    return nothing


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


def unconfirmed(patch: pytest.MonkeyPatch) -> Change:
    patch.setattr(confirming, "_bulk", lambda slice_, slots: {})
    patch.setattr(confirming, "_with_stragglers", lambda slice_, point: (point, None))
    return nothing


BUGS = (
    Bug("a snapshot is put over an existing one unlooked", "S1", unlooked),
    Bug("names are drawn, not derived", "S1 S12", drawn_names),
    Bug("all attempts share one name", "S1 S6 S8", one_name_for_all_attempts),
    Bug("the ledger ignores ETags", "S11", blind_ledger),
    Bug("a point is complete with a part missing", "S6", complete_with_a_part_missing),
    Bug("accepted counts as ready", "S6", started_is_ready),
    Bug("nothing is ever confirmed", "S2 S8", unconfirmed),
)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: re.sub(r"\W+", "-", bug.name))
def test_a_planted_bug_is_seen(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = first_violation(bug.plant(monkeypatch))
    assert seen is not None, f"nobody noticed that {bug.name}"
    assert seen.promise in bug.promises.split(), str(seen)


def test_without_a_planted_bug_the_same_scenes_are_green() -> None:
    assert not [violation for scene in SCENES for violation in play(scene, None).violations]
