"""The product's logic under every fault: the exhaustive driver, two hundred seeds, and the seeds that ever failed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.counts import Count
from tests.soak.digests import HASH_SEEDS, digest
from tests.world.every_scene import SCENES
from tests.world.exhaustive import Scene, blows, play
from tests.world.options import SOME_HAVE, Options
from tests.world.seeded import run

QUIET = logging.CRITICAL + 1  # pytest keeps every line of a log until its test ends, which costs time
SEEDS = (*range(100, 180), *range(200, 320))
TOGETHER = 10
ROOT = Path(__file__).parent.parent
ONCE_FAILED = sorted((ROOT / "tests" / "seeds").glob("*.txt"))


@pytest.fixture(autouse=True)
def unlogged() -> Iterator[None]:
    """A world that fails is lived through again by its seed, which says more than its log."""
    log = logging.getLogger("tagback")
    before = log.level
    log.setLevel(QUIET)
    yield
    log.setLevel(before)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name.replace(" ", "-"))
def test_a_flow_harmed_at_any_port_call_keeps_every_promise_and_converges(
    scene: Scene, counted: Callable[[Count, int], None]
) -> None:
    number = 0
    for blow in blows(scene):
        outcome = play(scene, blow)
        assert outcome.struck, f"{blow} of {scene.name!r} was never dealt"
        assert not outcome.violations, f"{blow} of {scene.name!r}: {outcome.violations[0]}"
        number += 1
    assert number >= 4
    counted(Count.BLOWS, number)


@pytest.mark.parametrize("first", SEEDS[::TOGETHER])
def test_ten_days_of_faults_break_no_promise_and_everything_converges(
    first: int, counted: Callable[[Count, int], None]
) -> None:
    for seed in range(first, first + TOGETHER):
        result = run(seed)
        assert not result.violations, f"python -m tests.world --seed {seed}: {result.violations[0]}"
    counted(Count.SEEDS, TOGETHER)


@pytest.mark.parametrize("path", ONCE_FAILED, ids=lambda path: path.stem)
def test_a_seed_that_once_failed_holds(path: Path, counted: Callable[[Count, int], None]) -> None:
    """`7.txt` is a seed with none of what only some worlds have but vaults; `7-edits-drills.txt` names what it has."""
    seed, *has = path.stem.split("-")
    drawn = Options.of(int(seed))
    result = run(int(seed), drawn.having([*has, *(["vaults"] if drawn.vaults else [])]))
    assert not result.violations, f"seed {path.stem} ({path.read_text().strip()}): {result.violations[0]}"
    counted(Count.ONCE_FAILED, 1)


def test_among_the_seeds_is_every_kind_of_world() -> None:
    drawn = [Options.of(seed) for seed in SEEDS]
    counts = {one: sum(getattr(options, one) for options in drawn) for one in SOME_HAVE}
    assert all(3 <= count <= len(SEEDS) // 4 for count in counts.values()), counts


def test_a_seed_gives_the_same_event_log_in_every_process_whatever_its_hash_seed(
    counted: Callable[[Count, int], None],
) -> None:
    assert {digest(3, hash_seed) for hash_seed in HASH_SEEDS} == {run(3).digest}
    counted(Count.DIGESTS, len(HASH_SEEDS))


def test_different_seeds_give_different_worlds() -> None:
    assert run(1).digest != run(2).digest
