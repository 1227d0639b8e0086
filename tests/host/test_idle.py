"""What a conductor may save the host: queues that cannot have changed, and being asked again while it is busy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from local.azurite.server import Azurite
from local.clock.followers import AzuriteClock, HostClock, Queue
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


def polls(store: Store) -> int:
    """How often anybody asked a queue for messages."""
    asked = (request for request in store.azurite.requests() if request["service"] == "queue")
    return sum(1 for request in asked if request["method"] == "GET" and "/messages" in str(request["path"]))


def until(queue: Queue, clock: AzuriteClock) -> float:
    """Seconds until a hidden message of a queue may be taken."""
    assert queue.next is not None
    return (queue.next - clock.now()).total_seconds()


def test_storage_says_what_its_queues_hold_without_being_asked_for_it(idle_store: Store) -> None:
    clock = AzuriteClock(idle_store.azurite.clock_url)
    before, queue = clock.look().activity, idle_store.queue("retried")
    idle_store.count("retried")
    assert clock.look().activity == before, "a look is no activity"
    queue.send_message("now")
    queue.send_message("in ten minutes", visibility_timeout=600)
    queue.send_message("in five minutes", visibility_timeout=300)
    assert clock.look().activity > before
    held = clock.queues()["idle-retried"]
    assert (held.visible, round(until(held, clock), -1)) == (1, 300)
    clock.move(clock.now() + timedelta(seconds=301))
    clock.look()
    held = clock.queues()["idle-retried"]
    assert (held.visible, round(until(held, clock), -1)) == (2, 300)
    queue.clear_messages()
    clock.look()
    assert "idle-retried" not in clock.queues()
    clock.close()


def test_a_host_that_is_told_asks_no_queue(resting: HostProcess, idle_store: Store) -> None:
    settle(resting)
    resting.call("/_host/idle?visible=")
    before, polled = questions(idle_store), polls(idle_store)
    for _ in range(20):
        assert resting.call("/_host/idle?visible=").json["idle"] is True
        time.sleep(0.02)
    assert questions(idle_store) - before < 20, "now and then a listener looks whether its queue is there by now"
    assert polls(idle_store) - polled < 20
    before = questions(idle_store)
    assert resting.call("/_host/idle").json["idle"] is True
    assert questions(idle_store) - before >= 4, "without the asker's word every queue is asked"


def test_a_queue_that_is_said_to_hold_something_is_polled(resting: HostProcess, idle_store: Store) -> None:
    settle(resting)
    resting.call("/_host/idle?visible=")
    idle_store.send("work", "straight")
    assert resting.call("/_host/idle?visible=idle-work").json["idle"] is False
    settle(resting)
    assert idle_store.seen(body="b'straight'")


def test_what_is_said_to_be_there_and_cannot_be_had_is_tried_again(resting: HostProcess, idle_store: Store) -> None:
    settle(resting)
    look = resting.call("/_host/idle?visible=idle-work").json
    assert look["idle"] is True
    assert look["next"] is not None, "it may be had at any time"


def test_a_listener_that_is_told_no_more_looks_for_itself(resting: HostProcess, idle_store: Store) -> None:
    settle(resting)
    resting.call("/_host/idle?visible=")
    idle_store.send("work", "forgotten")
    for _ in range(200):
        if idle_store.seen(body="b'forgotten'"):
            return
        time.sleep(0.1)
    raise AssertionError("nobody took the message")


def test_without_the_askers_word_a_hidden_message_keeps_its_queue_in_question(
    resting: HostProcess, idle_store: Store
) -> None:
    settle(resting)
    idle_store.queue("work").send_message("later", visibility_timeout=600)
    for _ in range(2):
        look = resting.call("/_host/idle").json
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
    appears = resting.now() + timedelta(minutes=4)
    follower = HostClock(resting.ready["url"], lambda: {"idle-work": Queue(0, appears), "idle-async": Queue(0, None)})
    assert follower.look().idle
    before = questions(idle_store)
    look = follower.look()
    assert look.idle
    assert look.next is not None
    assert look.next <= appears
    assert questions(idle_store) - before < 4
    follower.close()
