"""What a conductor may save the host: queues that cannot have changed, and being asked again while it is busy."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from local.azurite.server import Azurite
from local.clock.followers import AzuriteClock, HostClock
from tests.host.harness import HostProcess, Store, running, settle


@pytest.fixture(scope="module")
def idle_store(moved_azurite: Azurite) -> Iterator[Store]:
    store = Store(moved_azurite, "idle-")
    store.create("work", "async", "retried", "seen")
    yield store
    store.close()


@pytest.fixture(scope="module")
def resting(idle_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    with running(idle_store, tmp_path_factory.mktemp("idle") / "host.log") as host:
        settle(host)
        yield host


def questions(store: Store) -> int:
    """How often anybody asked a queue what it holds."""
    asked = (request for request in store.azurite.requests() if request["service"] == "queue")
    return sum(1 for request in asked if request["method"] == "GET" and "comp=metadata" in str(request["path"]))


def test_writes_to_queues_are_counted_by_name_and_looks_are_not(idle_store: Store) -> None:
    clock = AzuriteClock(idle_store.azurite.clock_url)
    before = clock.look().activity
    idle_store.count("retried")
    assert clock.look().activity == before
    counted = clock.queues().get("idle-retried", 0)
    idle_store.send("retried", "x")
    assert clock.look().activity > before
    assert clock.queues()["idle-retried"] > counted
    clock.close()


def test_queues_that_were_empty_and_not_written_to_are_not_asked_again(resting: HostProcess, idle_store: Store) -> None:
    settle(resting)
    resting.call("/_host/idle?written=idle-work:7")
    before = questions(idle_store)
    assert resting.call("/_host/idle?written=idle-work:7").json["idle"] is True
    assert questions(idle_store) - before <= 1, "a listener's own poll at the most"
    assert resting.call("/_host/idle").json["idle"] is True
    assert questions(idle_store) - before >= 4, "without the asker's word every queue is asked"


def test_a_queue_that_was_written_to_is_asked_again(resting: HostProcess, idle_store: Store) -> None:
    settle(resting)
    resting.call("/_host/idle?written=idle-work:20")
    idle_store.send("work", "straight")
    assert resting.call("/_host/idle?written=idle-work:21").json["idle"] is False
    assert idle_store.seen(body="b'straight'")


def test_a_hidden_message_keeps_its_queue_in_question(resting: HostProcess, idle_store: Store) -> None:
    settle(resting)
    idle_store.queue("work").send_message("later", visibility_timeout=600)
    for _ in range(2):
        look = resting.call("/_host/idle?written=idle-work:30").json
        assert look["idle"] is True
        assert look["next"] is not None, "it may come at any time"
    idle_store.queue("work").clear_messages()


def test_a_busy_host_holds_its_answer_until_it_is_idle(resting: HostProcess, idle_store: Store) -> None:
    settle(resting)
    idle_store.send("work", "spin 0.6")
    while resting.idle()["idle"]:
        time.sleep(0.005)
    began = time.monotonic()
    looks = 0
    while not resting.call("/_host/idle?wait=0.9").json["idle"]:
        looks += 1
    assert time.monotonic() - began >= 0.2
    assert looks <= 3


def test_the_follower_hands_on_what_storage_said(resting: HostProcess, idle_store: Store) -> None:
    settle(resting)
    follower = HostClock(resting.ready["url"], lambda: {"idle-work": 99})
    assert follower.look().idle
    before = questions(idle_store)
    assert follower.look().idle
    assert questions(idle_store) - before <= 1
    follower.close()
