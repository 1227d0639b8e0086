"""The host moved through time together with its storage: jumps, virtual sleeps, hidden messages, renewals."""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from local.azurite.server import Azurite
from local.host.clock import Clock
from tests.host.harness import HostProcess, Store, live, move, request, running, settle


class Still(Clock):
    """Wakes whoever waits and moves nothing."""

    def _shift(self, ahead: timedelta) -> None:
        """Leave this process its time."""


def wear_out(store: Store, text: str) -> None:
    """Leave a message that was taken six times and never deleted."""
    store.send("work", text)
    clock = store.azurite.clock_url + "/clock"
    for _ in range(6):
        assert [message.content for message in store.queue("work").receive_messages(visibility_timeout=1)] == [text]
        later = datetime.fromisoformat(request(clock).json["now"]) + timedelta(seconds=2)
        request(clock, "POST", {"to": later.isoformat()})


@pytest.fixture(scope="module")
def moved_store(moved_azurite: Azurite) -> Iterator[Store]:
    store = Store(moved_azurite, "moved-")
    store.create("work", "async", "retried", "seen")
    wear_out(store, "worn")
    yield store
    store.close()


@pytest.fixture(scope="module")
def moved(moved_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    log = tmp_path_factory.mktemp("moved") / "host.log"
    settings = {
        "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:40",
        "PYTHON_THREADPOOL_THREAD_COUNT": "2",
    }
    with running(moved_store, log, **settings) as host:
        yield host


def test_a_host_is_not_idle_before_it_has_started_and_a_worn_out_message_is_not_run(
    moved: HostProcess, moved_store: Store
) -> None:
    settle(moved)
    lines = moved_store.taken("seen")
    assert any('"startup"' in text for text in lines)
    assert any('"poison": "worn"' in text for text in lines)
    assert not moved.logged("Executing 'Functions.on_work'")


def test_two_days_of_an_hourly_timer_pass_in_seconds(moved: HostProcess, moved_store: Store) -> None:
    settle(moved)
    moved_store.taken("seen")
    began, real = moved.now(), time.monotonic()
    jumps = live(moved_store.azurite, moved, timedelta(days=2))
    took = time.monotonic() - real
    fired = moved_store.taken("seen")
    hourly = [text for text in fired if '"hourly"' in text]
    daily = [text for text in fired if '"startup"' in text]
    assert len(hourly) in (47, 48)
    assert len(daily) == 2
    assert jumps <= 52
    assert moved.now() - began >= timedelta(days=2)
    assert took < 120


def test_a_jump_over_many_occurrences_fires_once(moved: HostProcess, moved_store: Store) -> None:
    settle(moved)
    moved_store.taken("seen")
    move(moved_store.azurite, moved, moved.now() + timedelta(hours=5, minutes=1))
    settle(moved)
    assert sum('"hourly"' in text for text in moved_store.taken("seen")) == 1


def test_the_clock_never_goes_backward(moved: HostProcess) -> None:
    before = moved.now()
    answer = moved.call("/_host/clock", "POST", {"to": (before - timedelta(hours=1)).isoformat()})
    assert answer.status == 200
    assert moved.now() >= before


@pytest.mark.parametrize("body", [b"", b"{}", b'{"to": "soon"}', b"[]"])
def test_a_clock_request_that_makes_no_sense_is_refused(moved: HostProcess, body: bytes) -> None:
    before = moved.now()
    assert moved.call("/_host/clock", "POST", body).status == 400
    assert moved.now() - before < timedelta(seconds=5)


@pytest.mark.parametrize("how", ["sleep", "helpers"])
def test_a_sleep_is_idle_and_ends_with_the_jump(moved: HostProcess, moved_store: Store, how: str) -> None:
    moved_store.send("work", f"{how} 240")
    time.sleep(0.3)
    look = settle(moved)
    assert look["next"] is not None
    real = time.monotonic()
    live(moved_store.azurite, moved, timedelta(seconds=240))
    assert moved_store.seen(count=1)["body"] == f"b'{how} 240'"
    assert time.monotonic() - real < 120


def test_sleeping_for_longer_than_a_message_is_hidden_runs_it_once(moved: HostProcess, moved_store: Store) -> None:
    moved_store.send("work", "sleep 1500")
    time.sleep(0.3)
    live(moved_store.azurite, moved, timedelta(minutes=11))
    assert moved_store.queue("work").peek_messages() == [], "it was hidden for ten minutes and is hidden on"
    live(moved_store.azurite, moved, timedelta(minutes=15))
    settle(moved)
    lines = [text for text in moved_store.taken("seen") if "sleep 1500" in text]
    assert len(lines) == 1
    assert moved_store.count("work") == 0


@pytest.mark.parametrize("message", ["spin 2.0", "beside 30"])
def test_an_app_that_computes_is_not_idle(moved: HostProcess, moved_store: Store, message: str) -> None:
    settle(moved)
    moved_store.send("work", message)
    idle_at = _first_idle_after_start(moved)
    assert idle_at > 0.7
    live(moved_store.azurite, moved, timedelta(seconds=31))
    assert moved_store.seen(body=f"b'{message}'")


def test_an_async_function_is_not_idle_while_it_waits(moved: HostProcess, moved_store: Store) -> None:
    settle(moved)
    moved_store.send("async", "2.0")
    assert _first_idle_after_start(moved) > 0.7


def _first_idle_after_start(host: HostProcess) -> float:
    """Seconds from the first look that was not idle to the first that was."""
    while host.idle()["idle"]:
        time.sleep(0.005)
    began = time.monotonic()
    settle(host)
    return time.monotonic() - began


def test_a_function_that_takes_too_long_fails_and_gives_its_thread_back(moved: HostProcess, moved_store: Store) -> None:
    moved_store.send("work", "sleep 20000")
    time.sleep(0.3)
    live(moved_store.azurite, moved, timedelta(hours=3))
    settle(moved)
    assert moved.logged("Timeout value of 0:30:00 exceeded by function: on_work") == 5
    assert moved_store.seen(poison="sleep 20000")


def test_a_failed_message_is_hidden_and_comes_back_by_steps(moved: HostProcess, moved_store: Store) -> None:
    settle(moved)
    before = moved.logged("RuntimeError: asked to fail")
    moved_store.send("work", "fail hidden")
    assert moved.idle()["idle"] is False
    look = settle(moved)
    assert moved.logged("RuntimeError: asked to fail") - before == 1
    assert look["next"] is not None
    live(moved_store.azurite, moved, timedelta(seconds=61))
    assert moved.logged("RuntimeError: asked to fail") - before == 2
    live(moved_store.azurite, moved, timedelta(minutes=4))
    settle(moved)
    assert moved.logged("RuntimeError: asked to fail") - before == 5
    assert moved_store.queue("work-poison").get_queue_properties().approximate_message_count == 0


def test_idle_sees_a_message_that_no_listener_has_polled_for_yet(moved: HostProcess, moved_store: Store) -> None:
    settle(moved)
    time.sleep(0.6)
    moved_store.send("work", "straight")
    assert moved.idle()["idle"] is False
    assert moved_store.seen(body="b'straight'")


def test_the_delay_of_a_retry_is_virtual(moved: HostProcess, moved_store: Store) -> None:
    settle(moved)
    moved_store.send("retried", "x")
    assert moved.idle()["idle"] is False
    live(moved_store.azurite, moved, timedelta(seconds=3))
    assert moved_store.seen(retried=2)


def test_activity_rises_with_what_happens_and_not_with_looking(moved: HostProcess, moved_store: Store) -> None:
    before = settle(moved)["activity"]
    assert moved.idle()["activity"] == before
    moved.call("/api/open")
    assert moved.idle()["activity"] > before


def test_a_sleeper_wakes_promptly_while_requests_are_answered(moved: HostProcess, moved_store: Store) -> None:
    moved_store.send("work", "sleep 60")
    time.sleep(0.3)
    settle(moved)
    answers: list[int] = []
    asking = threading.Thread(target=lambda: answers.append(moved.call("/api/open").status))
    asking.start()
    move(moved_store.azurite, moved, moved.now() + timedelta(seconds=61))
    real = time.monotonic()
    assert moved_store.seen(body="b'sleep 60'")
    assert time.monotonic() - real < 20
    asking.join()
    assert answers == [200]


def test_a_host_whose_clock_is_left_alone_runs_at_real_time(host: HostProcess, azurite: Azurite) -> None:
    now = time.time()
    assert abs(host.now().timestamp() - now) < 5
    assert request(azurite.clock_url + "/clock").status == 200


@pytest.mark.parametrize("steps", range(5))
def test_who_waits_no_more_is_let_go_even_as_the_clock_moves(steps: int) -> None:
    async def let_go() -> bool:
        clock = Still()
        waiting = asyncio.ensure_future(clock.until(clock.now() + timedelta(hours=1)))
        await asyncio.sleep(0.01)
        clock.move_to(clock.now() + timedelta(minutes=10))
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting}, timeout=5)
        return waiting.cancelled()

    assert asyncio.run(let_go())
