"""The simulator answers recorded sessions as Azure did, no worse than before and whatever things are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.simulator.replay.player import Result
from tests.simulator.replay.recordings import REALDATA
from tests.simulator.replay.report import SCORES
from tests.simulator.replay.runs import play_all, seed_file, sessions, start_of
from tests.simulator.replay.scores import FLOORS, fallen, read_floors, read_reasons, table, unmatched
from tests.simulator.replay.simulator import running_simulator

pytestmark = pytest.mark.skipif(not REALDATA.is_dir(), reason="the recorded sessions are not here")


@dataclass(frozen=True, slots=True)
class Runs:
    """Both runs of every session, against one simulator."""

    recorded: list[Result]
    renamed: list[Result]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    chosen = sessions()
    with running_simulator(seed_file(chosen, tmp_path_factory.mktemp("replay")), start_of(chosen)) as simulator:
        yield Runs(*play_all(chosen, simulator, False, True))


def test_no_session_falls_below_its_floor(runs: Runs, record_property: Callable[[str, object], None]) -> None:
    record_property(SCORES, table(runs.recorded))
    below = fallen(read_floors(), runs.recorded)
    assert not below, "\n".join([*below, unmatched(runs.recorded, read_reasons())])


def test_floors_name_every_session_and_nothing_else(runs: Runs) -> None:
    assert set(read_floors()) == {result.session for result in runs.recorded}
    assert FLOORS.read_text(encoding="utf-8").isascii()


def test_other_names_make_no_difference(runs: Runs) -> None:
    for first, second in zip(runs.recorded, runs.renamed, strict=True):
        matched = [not outcome.deviations for outcome in first.outcomes]
        again = [not outcome.deviations for outcome in second.outcomes]
        differing = [
            f"{first.session} step {one.step.exchange.number}: {(*one.deviations, *two.deviations)}"
            for one, two in zip(first.outcomes, second.outcomes, strict=True)
            if bool(one.deviations) != bool(two.deviations)
        ]
        assert matched == again, "\n".join(differing)


GOAL = 0.97


def test_the_whole_score_reaches_the_goal(runs: Runs) -> None:
    for results in (runs.recorded, runs.renamed):
        total = sum(result.total for result in results)
        assert sum(result.matched for result in results) / total >= GOAL, table(results)


def test_the_denominator_is_what_it_was(runs: Runs) -> None:
    """Nothing leaves the score: it may only grow, by recordings and by providers that join."""
    assert sum(result.total for result in runs.recorded) >= 3234


def test_every_difference_has_its_reason(runs: Runs) -> None:
    reasons = read_reasons()
    unexplained = [
        f"{result.session} {outcome.route}: {deviation}"
        for result in runs.recorded
        for outcome in result.outcomes
        for deviation in outcome.deviations
        if not any(reason.covers(result.session, outcome, deviation) for reason in reasons)
    ]
    assert not unexplained, "\n".join(unexplained)


def test_every_reason_for_a_difference_still_applies(runs: Runs) -> None:
    """A reason that covers nothing any more is deleted, so that the table says what is true."""
    differing = [(r.session, o, d) for r in runs.recorded for o in r.outcomes for d in o.deviations]
    unused = [reason for reason in read_reasons() if not any(reason.covers(*each) for each in differing)]
    assert not unused


def test_a_floor_catches_a_session_that_got_worse(runs: Runs, tmp_path: Path) -> None:
    best = next(result for result in runs.recorded if result.matched)
    assert fallen({best.session: best.matched + 1}, runs.recorded)
    assert not fallen({best.session: best.matched}, runs.recorded)
