"""A timer's schedule as the Functions host will read it: each field by its own range and names."""

from __future__ import annotations

import pytest

from shared.decide.ncrontab import problems

EVERY = ["*"] * 6
FIELDS = [
    ("second", 0, 59),
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day", 1, 31),
    ("month", 1, 12),
    ("day-of-week", 0, 6),
]


def with_field(place: int, text: str) -> str:
    return " ".join([*EVERY[:place], text, *EVERY[place + 1 :]])


@pytest.mark.parametrize(("place", "field"), list(enumerate(FIELDS)), ids=[name for name, _, _ in FIELDS])
def test_a_field_takes_its_range_and_nothing_beyond(place: int, field: tuple[str, int, int]) -> None:
    name, low, high = field
    for text in (f"{low}", f"{high}", f"{low}-{high}", f"{low}/2", "*/5", f"{low},{high}"):
        assert problems(with_field(place, text)) == []
    for text in (f"{high + 1}", f"{low}-{high + 1}", f"{high}-{low}", "*/0", "*-5", "?", "L", ""):
        shown = [f"{text!r} is no {name} ({low}-{high})"] if text else ["it has 5 fields"]
        assert problems(with_field(place, text)) == shown


@pytest.mark.parametrize("text", ["jan", "January", "dec", "JUN-aug", "may,jul/2"])
def test_months_have_names_of_three_letters_or_more(text: str) -> None:
    assert problems(with_field(4, text)) == []
    assert len(problems(with_field(5, text))) == 1


@pytest.mark.parametrize("text", ["sun", "saturday", "MON-fri", "tue,wed,thu"])
def test_days_of_the_week_have_names_too(text: str) -> None:
    assert problems(with_field(5, text)) == []
    assert len(problems(with_field(4, text))) == 1


@pytest.mark.parametrize("text", ["ja", "sund", "xyz", "j"])
def test_a_name_is_the_beginning_of_one(text: str) -> None:
    assert (problems(with_field(5, text)) == []) is (text == "sund")


def test_every_wrong_field_is_told() -> None:
    assert len(problems("60 60 24 0 13 7")) == 6
    assert problems("0 */15 * * * *") == []
    assert problems("*/15 * * * *") == ["it has 5 fields"]
