"""A person's brakes: what each name stops, what a brake says, and under which kind of event people hear of it."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest

from shared.decide import brakes
from shared.decide.brakes import Word, paused, resumed, standing, stopped, told, untold
from shared.model.brake import Brake, Braking, Stops
from shared.model.event import Event, Happening
from tests.fleet import NOW

HOUR = timedelta(hours=1)
ANNA = Word("anna", NOW, "an audit")
BEN = Word("ben", NOW + HOUR, "it is over")
FREEZE = Brake(Stops.UNPLANNED, "", NOW, "6 machines left", scope="s")


@pytest.mark.parametrize(
    ("named", "captures", "deletes"),
    [
        ("captures", "captures are paused by anna since 2026-11-20 12:00Z: an audit", ""),
        ("deletes", "", "deletions are paused by anna since 2026-11-20 12:00Z: an audit"),
        (
            "all",
            "captures are paused by anna since 2026-11-20 12:00Z: an audit",
            "deletions are paused by anna since 2026-11-20 12:00Z: an audit",
        ),
    ],
)
def test_a_name_stops_what_it_says_and_nothing_else(named: str, captures: str, deletes: str) -> None:
    braking = paused(Braking(), brakes.WHAT[named], ANNA)
    assert (stopped(braking, Stops.CAPTURES), stopped(braking, Stops.DELETES)) == (captures, deletes)
    assert stopped(braking, Stops.UNPLANNED) == ""


def test_the_mass_brake_says_its_subscription_and_is_no_persons_word() -> None:
    assert brakes.said(FREEZE) == (
        "unplanned deletions are frozen in subscription s since 2026-11-20 12:00Z: 6 machines left"
    )
    assert stopped(Braking((FREEZE,)), Stops.UNPLANNED) == ""


def test_the_first_word_counts_and_brakes_stand_in_the_order_they_were_put_on() -> None:
    braking = paused(paused(Braking((), "e"), [Stops.DELETES], BEN), [Stops.CAPTURES, Stops.DELETES], ANNA)
    assert [(brake.stops, brake.by) for brake in standing(braking)] == [
        (Stops.CAPTURES, "anna"),
        (Stops.DELETES, "ben"),
    ]
    assert braking.etag == "e"


def test_only_the_named_brakes_of_people_are_released_and_they_stay_until_people_were_told() -> None:
    both = told(Braking((*paused(Braking(), [Stops.CAPTURES, Stops.DELETES], ANNA).brakes, FREEZE)))
    braking = resumed(both, [Stops.CAPTURES, Stops.UNPLANNED], BEN)
    assert {brake.stops for brake in standing(braking)} == {Stops.DELETES, Stops.UNPLANNED}
    [released] = [brake for brake in braking.brakes if not brake.on]
    assert (released.stops, released.released_by, released.released_at) == (Stops.CAPTURES, "ben", BEN.at)
    assert released.told is False
    assert [event.type for event in untold(braking, "me")] == ["Tagback.Work.Resumed"]
    assert told(braking).brakes == tuple(brake for brake in both.brakes if brake.stops is not Stops.CAPTURES)


def of(by: str, over: bool, scope: str = "") -> Brake:
    stops = Stops.DELETES if by else Stops.UNPLANNED
    return Brake(stops, by, NOW, "because", scope, "ben" if over and by else "", NOW + HOUR if over else None)


@pytest.mark.parametrize(
    ("brake", "happening", "by", "subject"),
    [
        (of("anna", over=False), "Tagback.Work.Paused", "anna", "/tagback/me"),
        (of("anna", over=True), "Tagback.Work.Resumed", "ben", "/tagback/me"),
        (of("", over=False, scope="s"), "Tagback.Deletions.Frozen", "", "/subscriptions/s"),
        (of("", over=True, scope="s"), "Tagback.Deletions.Unfrozen", "", "/subscriptions/s"),
    ],
)
def test_people_hear_of_a_brake_under_the_kind_of_what_happened(
    brake: Brake, happening: str, by: str, subject: str
) -> None:
    [event] = untold(Braking((brake,)), "me")
    assert (event.type, event.details["by"], event.subject) == (Happening(happening), by, subject)
    assert event.at == (NOW + HOUR if brake.released_at else NOW)
    assert untold(Braking((brake,)), "me") == (event,)


def test_an_event_says_what_was_stopped_and_has_the_id_that_its_brake_gives_it() -> None:
    [event] = untold(Braking((FREEZE,)), "me")
    told_as = "Tagback.Deletions.Frozen|unplanned-deletes|/subscriptions/s|2026-11-20T12:00:00+00:00"
    details = {
        "stops": "unplanned-deletes",
        "subscription": "s",
        "by": "",
        "since": "2026-11-20T12:00:00+00:00",
        "because": "6 machines left",
    }
    name = sha256(told_as.encode()).hexdigest()[:32]
    assert event == Event(name, Happening.FROZEN, "/subscriptions/s", NOW, details)


def test_each_kind_of_event_of_one_brake_has_an_id_of_its_own() -> None:
    events = untold(Braking((of("anna", over=False), of("anna", over=True))), "me")
    assert len({event.id for event in events}) == 2
