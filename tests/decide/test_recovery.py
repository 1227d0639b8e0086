"""Which point a restore uses: only complete ones, the best for the wish, with the reason and what is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from shared.decide.recovery import NEWEST as THE_NEWEST
from shared.decide.recovery import Chosen, NothingFits, Wish, choose
from shared.decide.vaults import VAULT_TYPE
from shared.model.identity import ResourceId
from shared.model.point import Consistency, Engine, Point, PointState
from shared.model.vault import VaultPoint
from tests.decide.plans import NOW, at
from tests.decide.points import point_of

DAY = timedelta(days=1)
NEWEST = at("2027-03-10 02:00")


def points() -> list[Point]:
    """Four nights: application-consistent, crash, per-disk, and one that did not complete."""
    kinds = [Consistency.PER_DISK, Consistency.CRASH, Consistency.APPLICATION]
    made = [replace(point_of(NEWEST - DAY * (1 + age)), consistency=kind) for age, kind in enumerate(kinds)]
    return [replace(point_of(NEWEST, state=PointState.INCOMPLETE), because="given up"), *made]


def chosen(wish: Wish) -> Chosen:
    found = choose(points(), wish, NOW)
    assert isinstance(found, Chosen)
    return found


def test_the_newest_complete_point_loses_what_was_written_since() -> None:
    found = chosen(THE_NEWEST)
    assert (found.point.slot, found.lost) == (NEWEST - DAY, timedelta(hours=34))
    assert found.because == "the newest complete point (per-disk)"
    assert [(one.slot, why) for one, why in found.passed_over] == [(NEWEST, "it is incomplete: given up")]


def test_before_a_time_means_strictly_before_it_and_is_measured_to_it() -> None:
    found = chosen(Wish(NEWEST - DAY))
    assert (found.point.slot, found.lost) == (NEWEST - 2 * DAY, DAY)
    assert found.because == "the newest complete point from before 2027-03-09 02:00Z (crash)"
    assert [why for _, why in found.passed_over] == ["it is incomplete: given up", "it is not from before that time"]
    assert chosen(Wish(NEWEST - DAY + timedelta(minutes=1))).point.slot == NEWEST - DAY


@pytest.mark.parametrize(
    ("wanted", "nights", "because"),
    [
        (Consistency.APPLICATION, 3, "the newest complete point that is at least application (application)"),
        (Consistency.FILE_SYSTEM, 3, "the newest complete point that is at least file-system (application)"),
        (Consistency.MIXED, 2, "the newest complete point that is at least mixed (crash)"),
        (Consistency.CRASH, 2, "the newest complete point that is at least crash (crash)"),
        (Consistency.PER_DISK, 1, "the newest complete point that is at least per-disk (per-disk)"),
    ],
)
def test_at_least_so_consistent_passes_over_what_promises_less(wanted: Consistency, nights: int, because: str) -> None:
    found = chosen(Wish(at_least=wanted))
    assert (found.point.slot, found.because) == (NEWEST - nights * DAY, because)
    assert len(found.passed_over) == nights


def test_newer_points_that_promise_less_are_named_with_what_they_are() -> None:
    assert [why for _, why in chosen(Wish(at_least=Consistency.APPLICATION)).passed_over[1:]] == [
        "it is only per-disk",
        "it is only crash",
    ]


def test_both_wishes_hold_together() -> None:
    found = chosen(Wish(NEWEST - DAY, Consistency.FILE_SYSTEM))
    assert (found.point.slot, found.lost) == (NEWEST - 3 * DAY, 2 * DAY)
    assert found.because == (
        "the newest complete point from before 2027-03-09 02:00Z that is at least file-system (application)"
    )


@pytest.mark.parametrize(
    ("before", "because"),
    [
        (None, "it has no complete point that is at least application: the newest, of 2027-03-09 02:00Z, is per-disk"),
        (
            NEWEST - DAY,
            "it has no complete point from before 2027-03-09 02:00Z that is at least application: "
            "the newest, of 2027-03-08 02:00Z, is crash",
        ),
        (NEWEST - 9 * DAY, "every complete point is from 2027-03-01 02:00Z or later"),
    ],
)
def test_where_none_is_so_consistent_nothing_is_chosen_and_the_newest_is_named(
    before: datetime | None, because: str
) -> None:
    for given in (points()[:3], [*reversed(points()[:3])]):
        found = choose(given, Wish(before, Consistency.APPLICATION), NOW)
        assert isinstance(found, NothingFits)
        assert found.because == because
        told = [point for point, _ in found.passed_over if f"{point.slot:%Y-%m-%d %H:%M}Z, is" in because]
        assert (told, len(found.passed_over)) == ([], 2 if "the newest, of" in because else 3)


@pytest.mark.parametrize(
    ("given", "wish", "because"),
    [
        ([], THE_NEWEST, "it has no recovery point"),
        (points()[:1], THE_NEWEST, "none of its recovery points is complete"),
        (
            [*points()[:1], replace(points()[1], engine=Engine.VAULT)],
            THE_NEWEST,
            "every complete point is in a vault, from which only `tagback restore` brings anything back",
        ),
        (points(), Wish(NEWEST - 9 * DAY), "every complete point is from 2027-03-01 02:00Z or later"),
    ],
    ids=["none", "incomplete", "in a vault", "too late"],
)
def test_where_nothing_fits_it_says_why(given: list[Point], wish: Wish, because: str) -> None:
    found = choose(given, wish, NOW)
    assert isinstance(found, NothingFits)
    assert (found.because, len(found.passed_over)) == (because, len(given))
    late = [why for _, why in found.passed_over if why.startswith("it is not")]
    assert late == (["it is not from before that time"] * 3 if wish.before else [])


def test_the_order_in_which_points_are_given_says_nothing() -> None:
    for wish in (THE_NEWEST, Wish(NEWEST - DAY), Wish(at_least=Consistency.CRASH)):
        for seed in range(6):
            assert choose(Random(seed).sample(points(), 4), wish, NOW) == choose(points(), wish, NOW)


def test_a_point_of_this_very_instant_loses_nothing() -> None:
    found = choose([point_of(NOW + timedelta(seconds=1))], THE_NEWEST, NOW)
    assert isinstance(found, Chosen)
    assert found.lost == timedelta(0)


PLACE = ResourceId("s", "g", VAULT_TYPE, "v")
IN_VAULT = replace(
    point_of(NEWEST - 2 * DAY), engine=Engine.VAULT, parts=(), vault=VaultPoint(PLACE, "1", NEWEST, ("InstantRP",))
)
ARCHIVED = replace(IN_VAULT, vault=VaultPoint(PLACE, "1", NEWEST, ("ArchivedRP",)))


def test_a_point_of_a_vault_is_chosen_where_one_is_wanted_and_no_other() -> None:
    own = point_of(NEWEST)
    found = choose([IN_VAULT, own], THE_NEWEST, NOW, in_vault=True)
    assert isinstance(found, Chosen)
    assert (found.point, found.passed_over) == (IN_VAULT, ((own, "it is not in a vault"),))
    found = choose([IN_VAULT, point_of(NEWEST - 3 * DAY)], THE_NEWEST, NOW)
    assert isinstance(found, Chosen)
    assert found.passed_over == ((IN_VAULT, "it is in a vault, which restores it itself"),)


@pytest.mark.parametrize(
    ("given", "because"),
    [
        (point_of(NEWEST), "no complete point is in a vault"),
        (ARCHIVED, "every complete point in a vault is archived"),
    ],
    ids=["not in one", "archived"],
)
def test_where_no_point_of_a_vault_fits_it_says_so(given: Point, because: str) -> None:
    found = choose([given], THE_NEWEST, NOW, in_vault=True)
    assert isinstance(found, NothingFits)
    assert found.because == because


def test_a_point_that_is_also_outside_the_archive_can_be_used() -> None:
    assert IN_VAULT.vault is not None
    for tiers in ((), ("ArchivedRP", "HardenedRP")):
        point = replace(IN_VAULT, vault=replace(IN_VAULT.vault, tiers=tiers))
        assert isinstance(choose([point], THE_NEWEST, NOW, in_vault=True), Chosen)
    [(_, why)] = choose([ARCHIVED], THE_NEWEST, NOW, in_vault=True).passed_over
    assert why == "it is archived, and would have to be brought back from there by its vault first"


def test_of_all_promises_application_is_the_most_and_per_disk_the_least() -> None:
    for number, kind in enumerate(reversed(Consistency)):
        made = [replace(point_of(NEWEST), consistency=kind)]
        fits = [one for one in Consistency if isinstance(choose(made, Wish(at_least=one), NOW), Chosen)]
        assert len(fits) == number + 1
