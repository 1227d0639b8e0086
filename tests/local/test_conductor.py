"""The conductor: when it jumps, whom it moves first, and that nobody acts before the others are there."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.clock import conductor as conducting
from local.clock.conductor import Conductor, Stuck
from local.clock.followers import FollowerFailed
from local.clock.order import HORIZON, SHY, Jump, Look, Move, moves, next_jump
from local.clock.stage import SceneFailed

START = datetime(2031, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)
FOLLOWERS = ("azurite", "simulator", "host")


class Ticker:
    """A follower that does one thing at every due instant and notes at which instant the others stood then."""

    def __init__(self, name: str, every: timedelta | None = None) -> None:
        self.name = name
        self.every = every
        self.ahead = timedelta()
        self.due = None if every is None else START + every
        self.acted: list[datetime] = []
        self.witnesses: Iterable[Ticker] = ()
        self.lag = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def act(self) -> None:
        while self.due is not None and self.every is not None and self.due <= self.now():
            self.acted.append(self.due)
            self.lag = max([self.lag, *(self.due - other.now() for other in self.witnesses)])
            self.due += self.every

    def look(self) -> Look:
        self.act()
        return Look(idle=True, activity=len(self.acted), next=self.due)

    def move(self, to: datetime) -> None:
        self.ahead = max(self.ahead, to - datetime.now(UTC))
        self.act()

    def close(self) -> None:
        """Nothing is held open."""


def trio(simulator: timedelta | None, host: timedelta | None) -> list[Ticker]:
    followers = [Ticker("azurite"), Ticker("simulator", simulator), Ticker("host", host)]
    for follower in followers:
        follower.witnesses = [other for other in followers if other is not follower]
    return followers


def test_two_days_of_timers_pass_in_a_second_and_none_is_missed() -> None:
    followers = trio(timedelta(minutes=7), timedelta(minutes=15))
    conductor = Conductor(followers, START)
    began = time.monotonic()
    conductor.run(START + 2 * DAY)
    assert time.monotonic() - began < 10
    _, simulator, host = followers
    assert host.acted[:2] == [START + timedelta(minutes=15), START + timedelta(minutes=30)]
    assert len(host.acted) == 2 * 96
    assert len(simulator.acted) == 2 * 24 * 60 // 7
    assert conductor.now() >= START + 2 * DAY
    assert 300 < conductor.statistics.jumps < 700
    assert conductor.statistics.skipped > DAY


def test_nobody_acts_at_an_instant_before_the_others_stand_there() -> None:
    followers = trio(timedelta(minutes=5), timedelta(minutes=15))
    Conductor(followers, START).run(START + timedelta(hours=3))
    assert all(follower.lag <= SHY for follower in followers)


def test_a_clock_behind_the_others_is_noticed_by_this_kind_of_test() -> None:
    followers = trio(timedelta(minutes=5), None)
    late = followers[2]
    late.move = lambda to: None  # type: ignore[method-assign] # a follower that does not follow
    Conductor(followers, START).run(START + timedelta(hours=1))
    assert followers[1].lag > SHY


@pytest.mark.parametrize(
    ("due", "order"),
    [
        ({"host"}, ["azurite", "simulator", "host"]),
        ({"simulator"}, ["azurite", "host", "simulator"]),
        ({"simulator", "host"}, ["azurite", "simulator", "host"]),
        ({"stage"}, ["azurite", "simulator", "host"]),
        ({HORIZON}, ["azurite", "simulator", "host"]),
    ],
)
def test_the_one_that_has_something_due_is_moved_last(due: set[str], order: list[str]) -> None:
    assert [move.name for move in moves(Jump(START, frozenset(due)), FOLLOWERS)] == order


def test_of_two_that_are_due_the_first_is_put_just_before_the_instant() -> None:
    assert moves(Jump(START, frozenset({"simulator", "host"})), FOLLOWERS)[1:] == [
        Move("simulator", START - SHY),
        Move("host", START),
    ]


instants = st.none() | st.integers(-5, 100).map(lambda minutes: START + timedelta(minutes=minutes))


@given(st.dictionaries(st.sampled_from(FOLLOWERS), instants), st.integers(0, 50))
def test_a_jump_never_passes_over_anything_due(wanted: dict[str, datetime | None], horizon: int) -> None:
    end = START + timedelta(minutes=horizon)
    jump = next_jump({name: Look(idle=True, activity=0, next=at) for name, at in wanted.items()}, end)
    assert jump.to <= end
    assert all(at is None or at >= jump.to for at in wanted.values())
    assert jump.due == ({name for name, at in wanted.items() if at == jump.to} or {HORIZON})


def test_scenes_run_at_their_instants_and_sleep_in_virtual_time() -> None:
    conductor = Conductor(trio(None, timedelta(hours=1)), START)
    seen: list[tuple[str, timedelta]] = []

    def note(title: str) -> None:
        seen.append((title, conductor.now() - START))

    def long_scene() -> None:
        note("asleep")
        conductor.stage.sleep(7200)
        note("awake")

    conductor.stage.at(START + timedelta(hours=1), "long", long_scene)
    conductor.stage.at(START + timedelta(hours=2), "short", lambda: note("short"))
    began = time.monotonic()
    conductor.run(START + timedelta(hours=5))
    assert time.monotonic() - began < 2
    assert [(title, round(at.total_seconds() / 3600, 2)) for title, at in seen] == [
        ("asleep", 1.0),
        ("short", 2.0),
        ("awake", 3.0),
    ]


def test_a_bucket_of_ten_a_second_costs_jumps_and_not_seconds() -> None:
    conductor = Conductor(trio(None, None), START)

    def pace() -> None:
        for _ in range(300):
            conductor.stage.sleep(0.1)

    conductor.stage.at(START + timedelta(seconds=1), "pace", pace)
    began = time.monotonic()
    conductor.run(START + timedelta(seconds=120))
    assert time.monotonic() - began < 15
    assert conductor.statistics.jumps >= 300


def test_nothing_jumps_while_a_scene_runs() -> None:
    conductor = Conductor(trio(None, timedelta(seconds=30)), START)
    spans: list[timedelta] = []

    def working() -> None:
        before = conductor.now()
        time.sleep(0.2)
        spans.append(conductor.now() - before)

    conductor.stage.at(START + timedelta(minutes=1), "working", working)
    conductor.run(START + timedelta(minutes=3))
    assert timedelta(seconds=0.2) <= spans[0] < timedelta(seconds=2)


def test_a_failed_scene_ends_the_run_and_is_named() -> None:
    conductor = Conductor(trio(None, None), START)

    def broken() -> None:
        raise ValueError("no such machine")

    conductor.stage.at(START + timedelta(minutes=1), "delete vm1", broken)
    with pytest.raises(SceneFailed, match="scene 'delete vm1' failed: ValueError: no such machine"):
        conductor.run(START + DAY)


class Counted(Ticker):
    """Idle at every look, but with a counter that moves for a while: work done between two looks."""

    def __init__(self, name: str, unrest: int) -> None:
        super().__init__(name)
        self.unrest = unrest

    def look(self) -> Look:
        self.unrest = max(self.unrest - 1, 0)
        return Look(idle=True, activity=self.unrest, next=None)


def test_work_done_between_two_looks_delays_the_jump() -> None:
    host = Counted("host", 5)
    conductor = Conductor([host], START)
    conductor.run(START + timedelta(minutes=1))
    assert host.unrest == 0
    assert conductor.statistics.looks >= 6


class Busy(Ticker):
    """Never idle; with or without something to show for it."""

    def __init__(self, name: str, progress: int) -> None:
        super().__init__(name)
        self.progress = progress
        self.done = 0

    def look(self) -> Look:
        self.done += self.progress
        return Look(idle=False, activity=self.done, next=None)


@pytest.mark.parametrize(("progress", "said"), [(0, "no rest and nothing done for 0 s"), (1, "no rest for 1 s")])
def test_a_follower_that_never_rests_is_named(monkeypatch: pytest.MonkeyPatch, progress: int, said: str) -> None:
    monkeypatch.setattr(conducting, "STUCK_AFTER", 0.2)
    monkeypatch.setattr(conducting, "RESTLESS_AFTER", 0.6)
    with pytest.raises(Stuck, match=rf"^{said} at .*\['host'\]$"):
        Conductor([Busy("host", progress)], START).run(START + DAY)


def test_a_follower_may_be_gone_for_a_while_and_nothing_jumps_meanwhile() -> None:
    class Gone(Ticker):
        """Dead: it can be neither asked nor moved."""

        def look(self) -> Look:
            raise FollowerFailed("connection refused")

        def move(self, to: datetime) -> None:
            if self.ahead:
                raise FollowerFailed("connection refused")
            super().move(to)

    conductor = Conductor([Ticker("azurite"), Gone("host")], START)
    spans: list[timedelta] = []
    entered = threading.Event()

    def revive() -> None:
        with conductor.without("host"):
            entered.set()
            before = conductor.now()
            time.sleep(0.3)
            spans.append(conductor.now() - before)
            conductor.replace(Ticker("host", timedelta(hours=1)))

    reviver = threading.Thread(target=revive)
    reviver.start()
    entered.wait()
    conductor.run(START + timedelta(hours=2))
    reviver.join()
    assert spans[0] < timedelta(seconds=1)
    assert conductor.now() >= START + timedelta(hours=2)


def test_a_follower_that_is_gone_unexpectedly_ends_the_run() -> None:
    host = Ticker("host")
    conductor = Conductor([host], START)

    def refuse() -> Look:
        raise FollowerFailed("connection refused")

    host.look = refuse  # type: ignore[method-assign] # it dies
    with pytest.raises(FollowerFailed, match="refused"):
        conductor.run(START + DAY)


def test_time_goes_on_without_a_follower_that_is_away_and_it_comes_back_where_the_others_are() -> None:
    host = Ticker("host", timedelta(hours=1))
    conductor = Conductor([Ticker("azurite"), host], START)
    back = Ticker("host", timedelta(hours=1))

    def refuse(*_given: object) -> Look:
        raise FollowerFailed("connection refused")

    def silence() -> None:
        with conductor.away("host"):
            host.look = host.move = refuse  # type: ignore[method-assign, assignment] # it dies
            conductor.stage.sleep(5 * 3600)
            conductor.replace(back)

    conductor.stage.at(START + timedelta(hours=2, minutes=30), "silence", silence)
    began = time.monotonic()
    conductor.run(START + timedelta(hours=9))
    assert time.monotonic() - began < 5
    assert host.acted == [START + timedelta(hours=hour) for hour in (1, 2)]
    assert back.now() >= START + timedelta(hours=9)
    assert back.acted[-1] == START + timedelta(hours=9)


def test_what_fails_beside_the_stage_ends_the_run_and_is_named() -> None:
    conductor = Conductor([Ticker("host")], START)
    conductor.stage.fail("ambush", ValueError("no such rule"))
    with pytest.raises(SceneFailed, match="scene 'ambush' failed: ValueError: no such rule"):
        conductor.run(START + DAY)
