"""`tagback backup`: a request row, and then the message that names it."""

from __future__ import annotations

from shared.model.request import Asked, Progress
from tests.cli.running import ASKER, answer, run
from tests.fleet import NOW, SHARD, uid_of, usual_fleet


def test_what_was_asked_is_recorded_and_sent() -> None:
    fleet = usual_fleet()
    result = run(fleet, "backup", "web-1", "--output", "json")
    document = answer(result)
    request = fleet.world.requests.find(document["id"])
    assert request is not None
    assert (request.asked, request.shard, request.uid, request.progress) == (
        Asked.BACKUP,
        SHARD,
        uid_of(1),
        Progress.ASKED,
    )
    assert (request.by, request.at) == (ASKER, NOW)
    (message,) = fleet.stage.queues.messages.values()
    assert (message.queue, message.text) == ("requests", f'{{"request": "{document["id"]}"}}')
    assert (list(document), result.exit_code) == (["id"], 0)


def test_a_person_is_told_how_to_watch_it() -> None:
    result = run(usual_fleet(), "backup", "web/web-1")
    assert result.stdout.startswith("Asked for a recovery point of web-1: request ")
    assert "`tagback points web-1`" in result.stdout


def test_nothing_is_asked_for_a_machine_that_was_never_seen() -> None:
    fleet = usual_fleet()
    assert run(fleet, "backup", "nobody").exit_code == 3
    assert not fleet.stage.requests.asked
    assert not fleet.stage.queues.messages
