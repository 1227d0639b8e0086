"""Queue triggers and outputs over a real Azurite."""

import time
from typing import Any

from tests.host.harness import HostProcess, Store


def test_a_message_is_run_once_with_its_metadata_and_then_gone(host: HostProcess, store: Store) -> None:
    store.send("work", "hello")
    line = store.seen(body="b'hello'")
    assert line["count"] == 1
    assert len(line["id"]) == 36
    inserted, expires, visible = line["times"]
    assert inserted < visible < expires
    time.sleep(0.1)
    assert store.count("work") == 0


def test_a_body_that_is_not_text_arrives_as_bytes(host: HostProcess, store: Store) -> None:
    store.queue("work", raw=True).send_message("/w==")
    assert store.seen(body="b'\\xff'")["count"] == 1


def test_a_failing_message_is_run_five_times_and_then_moved_to_the_poison_queue(
    host: HostProcess, store: Store
) -> None:
    before = host.logged("asked to fail")
    store.send("work", "fail often")
    assert store.seen(poison="fail often")
    assert host.logged("RuntimeError: asked to fail") - before in range(5, 6)
    assert store.count("work") == 0


def test_a_message_that_is_not_base64_goes_to_the_poison_queue_without_a_run(host: HostProcess, store: Store) -> None:
    store.queue("many", raw=True).send_message("plain text!")
    poison = store.queue("many-poison", raw=True)
    end = time.monotonic() + 60
    found: list[str] = []
    while not found and time.monotonic() < end:
        time.sleep(0.05)
        if any(queue.name == "shared-many-poison" for queue in store.service.list_queues()):
            found = [message.content for message in poison.receive_messages()]
    assert found == ["plain text!"]
    assert host.logged("message is not valid base64") >= 1


def test_a_poison_message_that_fails_stays_where_it_is_unseen(host: HostProcess, store: Store) -> None:
    store.send("work-poison", "fail badly")
    end = time.monotonic() + 60
    while not host.logged("RuntimeError: poison that fails") and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.2)
    assert host.logged("RuntimeError: poison that fails") == 1
    assert store.count("work-poison") == 1
    assert not list(store.service.list_queues(name_starts_with="shared-work-poison-poison"))


def test_no_more_messages_run_at_once_than_a_batch_holds(host: HostProcess, store: Store) -> None:
    store.send("work", *["sleep 0.1"] * 12)
    lines: list[dict[str, Any]] = []
    while len(lines) < 12:
        lines += store.lines_until(lambda line: line.get("parallel"))
    parallel = [line["parallel"] for line in lines if line.get("parallel")]
    assert max(parallel) == 4


def test_an_async_function_runs_and_its_result_is_a_message(host: HostProcess, store: Store) -> None:
    store.send("async", "0.01")
    assert store.seen(asynchronous="0.01")


def test_a_retry_policy_repeats_the_run_before_the_message_fails(host: HostProcess, store: Store) -> None:
    store.send("retried", "x")
    assert store.seen(retried=2)


def test_a_list_becomes_messages_and_json_is_written_back_indented(host: HostProcess, store: Store) -> None:
    for what, expected in {
        "list": ["a", '{"b":1}'],
        "json": ['{\n  "a": [\n    1\n  ]\n}'],
        "text": ["é"],
    }.items():
        store.send("many", what)
        found: list[str] = []
        end = time.monotonic() + 60
        while len(found) < len(expected) and time.monotonic() < end:
            found += store.taken("results")
            time.sleep(0.02)
        assert found == expected


def test_what_looks_like_json_and_is_not_fails_the_invocation(host: HostProcess, store: Store) -> None:
    store.send("many", "{nothing of the kind}")
    end = time.monotonic() + 60
    while not host.logged("looks like JSON but is not") and time.monotonic() < end:
        time.sleep(0.05)
    assert host.logged("looks like JSON but is not")
