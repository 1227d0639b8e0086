"""The contracts of ports.Clock, Chance, Workers and Queue, as far as both sides show it to their caller."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from shared.errors import Denied
from shared.ports import Chance, Clock, Queue, Workers


def test_the_clock_is_utc_and_never_goes_back(clock: Clock) -> None:
    first = clock.now()
    assert first.utcoffset() == timedelta(0)
    assert clock.now() >= first


def test_tokens_differ_and_fit_a_table_key(chance: Chance) -> None:
    tokens = {chance.token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(token.isalnum() for token in tokens)


def test_answers_stand_in_the_order_of_the_calls_and_a_cloud_error_is_one(workers: Workers) -> None:
    denied = Denied("AuthorizationFailed", "no")

    def refuse() -> int:
        raise denied

    calls = [refuse if number == 3 else lambda number=number: number for number in range(20)]
    assert workers.run(calls) == [denied if number == 3 else number for number in range(20)]
    assert workers.run([]) == []


def test_another_error_is_raised_after_the_other_calls_ended(workers: Workers) -> None:
    ended: list[int] = []

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        workers.run([fail, *(lambda number=number: ended.append(number) for number in range(12))])
    assert sorted(ended) == list(range(12))


def test_messages_are_sent_at_once_or_delayed(queue: Queue) -> None:
    name = f"q{uuid.uuid4().hex}"
    queue.send(name, '{"vm": "x"}')
    queue.send(name, "later", timedelta(seconds=30))
