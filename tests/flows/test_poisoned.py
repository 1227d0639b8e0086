"""What could not be served is kept for people, and whoever asked for it is answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.cloud.poisoned import LONGEST
from shared.flows.poisoned import GIVEN_UP, record
from shared.messages import REQUESTS, VMS, request_text
from shared.model.request import Asked, Progress, Request
from tests.fleet import NOW, SHARD, Fleet, empty_fleet, uid_of

ASKED = Request("r1", Asked.BACKUP, SHARD, uid_of(1), "me", NOW, Progress.ASKED)


@pytest.fixture
def fleet() -> Fleet:
    return empty_fleet()


def test_a_message_is_kept_as_far_as_people_need_it(fleet: Fleet) -> None:
    record(*fleet.open(), VMS, "x" * 5000)
    [kept] = fleet.world.poisoned.kept()
    assert (kept.queue, len(kept.text), kept.at) == (VMS, LONGEST, NOW)


def test_the_request_of_a_poisoned_message_is_refused_and_says_what_to_do(fleet: Fleet) -> None:
    fleet.world.requests.add(ASKED)
    record(*fleet.open(), REQUESTS, request_text("r1"))
    record(*fleet.open(), REQUESTS, request_text("r1"))
    assert fleet.world.requests.find("r1") == replace(ASKED, progress=Progress.REFUSED, because=GIVEN_UP, revision=1)


def test_a_request_that_was_answered_stays_as_it_was_answered(fleet: Fleet) -> None:
    taken = replace(ASKED, progress=Progress.TAKEN, operation="o", because="it is being captured")
    fleet.world.requests.add(taken)
    record(*fleet.open(), REQUESTS, request_text("r1"))
    assert fleet.world.requests.find("r1") == taken


@pytest.mark.parametrize("text", ["", "{", '{"request": ""}', '{"request": "a/b"}', request_text("never")])
def test_a_message_that_names_no_request_is_only_kept(fleet: Fleet, text: str) -> None:
    record(*fleet.open(), REQUESTS, text)
    assert [message.text for message in fleet.world.poisoned.kept()] == [text]
