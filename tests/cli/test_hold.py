"""`tagback hold`: asked once, on every part in Azure before the ledger says so, and never lost by the reaper."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from shared.decide.naming import stamp
from shared.decide.tag_values import FOREVER
from shared.errors import Blocked
from shared.flows.requesting import run as run_request
from shared.model.identity import Shard
from shared.model.machine import Machine
from shared.model.point import Point
from shared.model.request import Progress
from tests.cli.running import ASKER, answer, run
from tests.fleet import LAST_SLOT, NOW, SHARD
from tests.flows.deleting import HOUR, Estate, gains
from tests.world.twins.azure import Lock


@pytest.fixture
def estate() -> Estate:
    return Estate()


def usual(estate: Estate) -> tuple[Machine, Point, Point]:
    of = estate.machine()
    old, new = estate.taken(of, 7), estate.taken(of, 0)
    estate.put(of, old, new, *gains(of, LAST_SLOT))
    return of, old, new


def asked(estate: Estate, *words: str) -> str:
    document = answer(run(estate.fleet, "hold", "web-1", *words, "--output", "json"))
    run_request(estate.fleet.world, estate.rules, document["id"])
    return str(document["id"])


def audited(estate: Estate) -> list[dict[str, object]]:
    lines = [json.loads(text) for _, _, text in estate.stage.audit.lines]
    return [line for line in lines if line["event"] == "points.hold"]


def progress(estate: Estate, request: str) -> tuple[Progress, str]:
    found = estate.stage.requests.asked[request]
    return found.progress, found.because


def tags(estate: Estate, of: Point) -> list[str | None]:
    truths = [estate.truth(part) for part in of.parts]
    return [truth.tags.get("backup-hold") if truth else None for truth in truths]


def test_every_part_is_tagged_and_the_ledger_knows_the_date(estate: Estate) -> None:
    of, old, new = usual(estate)
    request = asked(estate, "--until", "Forever")
    assert tags(estate, old) == tags(estate, new) == ["forever", "forever"]
    assert {point.held_until for point in estate.points(of)} == {FOREVER}
    assert progress(estate, request) == (Progress.DONE, "2 points are held for ever")
    estate.pass_time(72 * HOUR)
    assert estate.there(old) == [True, True]


@pytest.mark.parametrize("slot", ["20261113T0200Z", "2026-11-13T02:00:00Z", "2026-11-13T03:00:00+01:00"])
def test_one_point_is_held_by_its_slot(estate: Estate, slot: str) -> None:
    of, old, new = usual(estate)
    asked(estate, "--until", "2026-12-24", "--slot", slot)
    assert tags(estate, old) == ["2026-12-24", "2026-12-24"]
    assert tags(estate, new) == [None, None]
    held = [point.held_until for point in estate.points(of)]
    assert held == [datetime(2026, 12, 25, tzinfo=UTC), None]


def test_a_day_that_is_over_ends_a_hold(estate: Estate) -> None:
    of, old, _ = usual(estate)
    asked(estate, "--until", "forever")
    asked(estate, "--until", "2026-11-01")
    assert all(point.held_until and point.held_until < NOW for point in estate.points(of))
    assert tags(estate, old) == ["2026-11-01", "2026-11-01"]


def test_a_hold_its_shortening_and_its_end_are_audited_with_who_asked(estate: Estate) -> None:
    of, old, _ = usual(estate)
    began = asked(estate, "--until", "forever")
    asked(estate, "--until", "2026-12-24", "--slot", stamp(old.slot))
    ended = asked(estate, "--until", "2026-11-01")
    first, second, last = audited(estate)
    slots = [stamp(point.slot) for point in estate.points(of)]
    assert first == {
        "at": "2026-11-20T12:00:00+00:00",
        "event": "points.hold",
        "vm": of.uid,
        "name": "web-1",
        "slots": slots,
        "until": "forever",
        "former": [],
        "by": ASKER,
        "request": began,
    }
    assert (second["slots"], second["until"], second["former"]) == ([stamp(old.slot)], "2026-12-24", ["99991231T0000Z"])
    assert (last["until"], last["request"]) == ("2026-11-01", ended)
    assert last["former"] == ["20261225T0000Z", "99991231T0000Z"]
    assert {shard for shard, _, text in estate.stage.audit.lines if "points.hold" in text} == {SHARD}


def test_a_hold_is_audited_before_a_part_is_tagged(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    _, old, new = usual(estate)
    seen: list[list[str | None]] = []
    append = estate.stage.audit.append

    def written(shard: Shard, at: datetime, lines: Sequence[str]) -> None:
        seen.append([*tags(estate, old), *tags(estate, new)])
        append(shard, at, lines)

    monkeypatch.setattr(estate.stage.audit, "append", written)
    asked(estate, "--until", "forever")
    assert seen == [[None] * 4]
    assert len(audited(estate)) == 1


def test_a_part_that_cannot_be_tagged_leaves_the_request_open_and_the_ledger_silent(estate: Estate) -> None:
    of, _, _ = usual(estate)
    estate.stage.azure.locks[SHARD] = Lock.CANNOT_WRITE
    document = answer(run(estate.fleet, "hold", "web-1", "--until", "forever", "--output", "json"))
    with pytest.raises(Blocked):
        run_request(estate.fleet.world, estate.rules, document["id"])
    assert {point.held_until for point in estate.points(of)} == {None}
    assert progress(estate, document["id"])[0] is Progress.ASKED
    estate.stage.azure.locks[SHARD] = Lock.NONE
    run_request(estate.fleet.world, estate.rules, document["id"])
    assert progress(estate, document["id"])[0] is Progress.DONE


def test_a_hold_that_is_put_on_a_marked_point_is_in_time(estate: Estate) -> None:
    of, old, _ = usual(estate)
    estate.pass_time(2 * HOUR)
    assert estate.points(of)[0].removal is not None
    asked(estate, "--until", "2026-11-23")
    estate.pass_time(3 * 24 * HOUR)
    assert estate.there(old) == [True, True]
    assert "held" in estate.why(of, old.slot)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--until", "tomorrow"), 2, "is not a hold; allowed: a date such as 2027-01-31, or forever"),
        (("--until", "forever", "--slot", "noon"), 2, "is not a slot"),
        (("--until", "forever", "--slot", "20261112T0200Z"), 3, "has no point of 20261112T0200Z"),
    ],
)
def test_what_cannot_be_held_is_refused_at_once(estate: Estate, words: tuple[str, ...], code: int, said: str) -> None:
    usual(estate)
    result = run(estate.fleet, "hold", "web-1", *words)
    assert result.exit_code == code
    assert said in result.stderr
    assert estate.stage.requests.asked == {}


def test_people_are_told_how_to_see_that_it_is_held(estate: Estate) -> None:
    usual(estate)
    result = run(estate.fleet, "hold", "web-1", "--until", "forever")
    assert result.exit_code == 0
    assert "once `tagback request" in result.stdout
