"""Token buckets as values: nobody who asks first ever takes the last tokens, and nothing goes out before its time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from shared.decide import pace
from shared.decide.pace import Bucket

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NONE = timedelta(0)

gaps = some.integers(0, 400_000).map(lambda thousandths: timedelta(milliseconds=thousandths))
buckets = some.builds(
    lambda capacity, window, share: pace.full(capacity, timedelta(seconds=window), share, START),
    some.integers(1, 2000),
    some.integers(1, 1800),
    some.sampled_from((0.0, 0.3, 0.9)),
)


def test_a_full_bucket_sends_all_but_its_share_at_once() -> None:
    bucket = pace.full(200, 20 * SECOND, 0.3, START)
    sent = 0
    while not pace.wait(bucket, START):
        bucket, sent = pace.spent(bucket, START), sent + 1
    assert sent == 140
    assert SECOND / 10 < pace.wait(bucket, START) < SECOND / 9


def test_what_gives_way_leaves_the_calls_of_half_a_second_to_requests() -> None:
    bucket = pace.full(200, 20 * SECOND, 0.3, START)
    sent = 0
    while not pace.wait(bucket, START, gives_way=True):
        bucket, sent = pace.spent(bucket, START), sent + 1
    assert sent == 135
    assert SECOND / 10 < pace.wait(bucket, START, gives_way=True) < SECOND / 9
    while not pace.wait(bucket, START):
        bucket, sent = pace.spent(bucket, START), sent + 1
    assert sent == 140
    assert 0.5 * SECOND < pace.wait(bucket, START, gives_way=True) < 0.7 * SECOND


def test_what_gives_way_leaves_no_more_than_a_tenth_of_a_bucket_that_fills_at_once() -> None:
    gate = pace.full(1000, SECOND, 0.3, START)
    assert pace.wait(replace(gate, level=401), START, gives_way=True) == NONE
    assert pace.wait(replace(gate, level=400), START, gives_way=True) > NONE


def test_of_a_slow_bucket_the_next_call_is_a_requests() -> None:
    slow = replace(pace.full(10, 100 * SECOND, 0.3, START), level=4)
    assert pace.wait(slow, START) == NONE
    assert 0.5 * SECOND < pace.wait(slow, START, gives_way=True) < 0.51 * SECOND


def test_the_first_calls_after_a_refusal_are_requests() -> None:
    refused = pace.refused(pace.full(200, 20 * SECOND, 0.3, START), 9 * SECOND, START)
    opened = START + 9 * SECOND
    assert pace.wait(refused, opened) == NONE
    assert 0.5 * SECOND < pace.wait(refused, opened, gives_way=True) < 0.51 * SECOND


def test_the_longest_run_goes_at_the_rate_at_which_the_bucket_fills() -> None:
    bucket, now = pace.full(200, 20 * SECOND, 0, START), START
    for _ in range(1200):
        now += pace.wait(bucket, now)
        bucket = pace.spent(bucket, now)
    assert 100 * SECOND <= now - START < 100.01 * SECOND


def test_even_the_smallest_bucket_sends_one_call_when_it_is_full() -> None:
    assert pace.wait(pace.full(1, 180 * SECOND, 0.9, START), START) == NONE
    assert pace.wait(pace.full(0, 180 * SECOND, 0.9, START), START) == NONE
    assert pace.wait(pace.full(1, 180 * SECOND, 0.9, START), START, gives_way=True) == NONE
    assert pace.wait(pace.full(10, 180 * SECOND, 0.9, START), START, gives_way=True) == NONE


def test_an_empty_bucket_is_waited_for_to_the_microsecond_and_a_margin() -> None:
    empty = pace.spent(pace.full(1, 3600 * SECOND, 0, START), START)
    assert pace.wait(empty, START) == 3600 * SECOND + timedelta(milliseconds=1)


def test_after_a_refusal_one_call_may_go_when_it_has_passed_and_no_earlier_time_is_credited() -> None:
    refused = pace.refused(pace.full(200, 20 * SECOND, 0.3, START), 9 * SECOND, START)
    assert (refused.level, refused.at, refused.closed_until) == (61, START + 9 * SECOND, START + 9 * SECOND)


def test_a_bucket_of_one_holds_one() -> None:
    assert pace.full(1, 180 * SECOND, 0, START) == Bucket(1, 180 * SECOND, 0, 1, START)


def test_what_is_a_little_more_than_believed_does_not_speed_up() -> None:
    slowed = replace(pace.full(200, 20 * SECOND, 0, START), level=50, slowed=0.5)
    assert [pace.heard(slowed, remaining, START).slowed for remaining in (45, 60, 61)] == [0.5, 0.5, 0.625]


def test_what_others_took_is_missing() -> None:
    bucket = pace.heard(pace.full(200, 20 * SECOND, 0, START), 0, START)
    wait = pace.wait(bucket, START)
    assert SECOND / 10 < wait < SECOND / 9
    assert pace.wait(bucket, START + wait) == NONE


def test_an_answer_that_left_earlier_gives_nothing_back() -> None:
    bucket = pace.full(200, 20 * SECOND, 0, START)
    for _ in range(10):
        bucket = pace.spent(bucket, START)
    assert pace.heard(bucket, 199, START).level == 190


def test_a_larger_value_than_any_before_is_the_capacity() -> None:
    bucket = pace.full(400, 180 * SECOND, 0.3, START)
    grown = pace.learned(bucket, 999, START)
    assert (grown.capacity, grown.level, grown.refill) == (999, 999, 999 / 180)
    assert pace.learned(bucket, 999, START + SECOND).at == START + SECOND
    assert pace.learned(pace.spent(bucket, START), 400, START).level == 399
    assert pace.learned(grown, 400, START) == replace(grown, level=400)


@given(buckets, gaps)
def test_one_call_goes_out_when_a_refusal_has_passed_and_the_next_as_the_bucket_fills(
    bucket: Bucket, after: timedelta
) -> None:
    refused = pace.refused(bucket, after, START)
    assert pace.wait(refused, START + after) == NONE
    assert pace.wait(pace.spent(refused, START + after), START + after) > NONE


@given(buckets, gaps)
def test_nothing_goes_out_before_a_refusal_has_passed(bucket: Bucket, after: timedelta) -> None:
    refused = pace.refused(bucket, after, START)
    assert pace.wait(refused, START) >= after
    sooner = pace.refused(refused, after / 2, START)
    assert sooner.closed_until == refused.closed_until


@given(buckets, some.lists(gaps, max_size=60))
def test_who_waits_as_told_never_takes_the_share_of_others(bucket: Bucket, pauses: list[timedelta]) -> None:
    now, there, counted_at = START, bucket.capacity, START
    for pause in pauses:
        now += pause
        now += pace.wait(bucket, now)
        assert pace.wait(bucket, now) == NONE
        there = min(bucket.capacity, there + (now - counted_at).total_seconds() * bucket.refill) - 1
        counted_at = now
        bucket = pace.spent(bucket, now)
        assert there >= bucket.kept_back - 1e-3


@given(buckets, some.lists(some.tuples(some.sampled_from("shlr"), gaps), max_size=30))
def test_whatever_is_heard_a_call_goes_out_in_the_end(bucket: Bucket, story: list[tuple[str, timedelta]]) -> None:
    now = START
    for event, gap in story:
        now += gap
        match event:
            case "s":
                bucket = pace.spent(bucket, now)
            case "h":
                bucket = pace.heard(bucket, gap.total_seconds(), now)
            case "l":
                bucket = pace.learned(bucket, gap.total_seconds(), now)
            case _:
                bucket = pace.refused(bucket, gap, now)
        assert 0 <= bucket.level <= bucket.capacity
    wait = pace.wait(bucket, now)
    assert wait <= 400 * SECOND + bucket.window * 32
    assert pace.wait(bucket, now + wait) == NONE


def test_refusals_slow_down_and_a_bucket_that_fills_faster_than_believed_speeds_up_again() -> None:
    bucket = pace.full(200, 20 * SECOND, 0, START)
    once = pace.refused(bucket, SECOND, START)
    assert once.refill == bucket.refill / 2
    together = pace.refused(once, SECOND, START + SECOND / 2)
    assert together.refill == once.refill
    later = pace.refused(once, SECOND, START + 2 * SECOND)
    assert later.refill == bucket.refill / 4
    for number in range(3, 40):
        later = pace.refused(later, SECOND, START + number * 2 * SECOND)
    assert later.refill == bucket.refill / 32
    now = START + 200 * SECOND
    level = later.level
    as_believed = pace.heard(later, level + 1, now)
    assert as_believed.refill == later.refill
    for _ in range(30):
        later = pace.heard(later, 200, now)
    assert later.refill == bucket.refill


@given(buckets, gaps)
def test_a_clock_that_goes_back_gives_no_tokens(bucket: Bucket, back: timedelta) -> None:
    spent = pace.spent(bucket, START)
    assert pace.spent(spent, START - back).level == max(spent.level - 1, 0)


@given(buckets, some.lists(some.tuples(some.sampled_from("shlr"), gaps), max_size=30))
def test_no_refusal_is_ever_forgotten_before_its_time(bucket: Bucket, story: list[tuple[str, timedelta]]) -> None:
    now, closed = START, START
    for event, gap in story:
        now += gap / 7
        match event:
            case "s":
                bucket = pace.spent(bucket, now)
            case "h":
                bucket = pace.heard(bucket, gap.total_seconds(), now)
            case "l":
                bucket = pace.learned(bucket, gap.total_seconds(), now)
            case _:
                bucket, closed = pace.refused(bucket, gap, now), max(closed, now + gap)
        assert now + pace.wait(bucket, now) >= closed


@given(buckets, some.lists(some.tuples(gaps, some.integers(0, 2000)), max_size=80))
def test_in_no_span_more_is_sent_than_the_bucket_holds_and_refills_less_the_share_of_others(
    bucket: Bucket, turns: list[tuple[timedelta, int]]
) -> None:
    now, sent = START, []
    room, rate = bucket.capacity - bucket.kept_back, bucket.refill
    for pause, remaining in turns:
        now += pause / 50
        if pace.wait(bucket, now) == NONE:
            bucket = pace.spent(bucket, now)
            sent.append(now)
        bucket = pace.heard(bucket, remaining, now)
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            assert last - first + 1 <= room + rate * (sent[last] - sent[first]).total_seconds() + 1e-3


def test_a_contested_bucket_is_left_alone_for_longer_with_each_refusal_in_a_row() -> None:
    bucket, now, pauses = pace.full(10**6, SECOND, 0.3, START), START, []
    for _ in range(8):
        bucket = pace.contested(bucket, 5 * SECOND, now)
        pauses.append((pace.wait(bucket, now)).total_seconds())
        now += pace.wait(bucket, now)
    assert pauses == [5, 15, 30, 60, 120, 240, 240, 240]


def test_what_azure_asks_for_is_never_cut_short_and_what_is_accepted_shortens_the_next_pause() -> None:
    bucket = pace.contested(pace.full(10**6, SECOND, 0.3, START), 5 * SECOND, START)
    assert pace.wait(pace.contested(bucket, 90 * SECOND, START + 5 * SECOND), START + 5 * SECOND) == 90 * SECOND
    again = pace.contested(bucket, 5 * SECOND, START + 5 * SECOND)
    assert pace.wait(pace.contested(again, SECOND, START + 20 * SECOND), START + 20 * SECOND) == 30 * SECOND
    milder = pace.accepted(again)
    assert pace.wait(pace.contested(milder, SECOND, START + 20 * SECOND), START + 20 * SECOND) == 15 * SECOND
    assert pace.accepted(pace.accepted(pace.accepted(again))).refusals == 0


def test_refusals_of_calls_in_flight_together_are_one_refusal() -> None:
    bucket = pace.contested(pace.full(10**6, SECOND, 0.3, START), 5 * SECOND, START)
    together = pace.contested(bucket, 5 * SECOND, START + SECOND)
    assert (together.refusals, together.closed_until) == (1, START + 6 * SECOND)
