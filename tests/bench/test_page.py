"""docs/performance.md and its drawings, as they are written from the rows of `make bench`."""

from __future__ import annotations

from xml.etree import ElementTree

from local.bench.days import MEASURED
from local.bench.drawing import Curve, Scale, drawing
from local.bench.page import bill, calls, page


def shown(figure: str, value: float, goal: float | None) -> dict[str, object]:
    more: dict[str, object] = {
        "bound": None,
        "unit": "USD",
        "setup": f"the sum of {figure}",
        "sense": "at most",
        "measured": "2026-11-21",
    }
    more["load"] = 1.5
    return {"figure": figure, "value": value, "goal": goal, **more}


def test_the_page_shows_every_row_and_says_what_is_missed() -> None:
    written = page([shown("fast", 1.0, 2.0), shown("slow", 3.0, 2.0), shown("told", 4.0, None)])
    assert "| `fast` | 1.0 | at most 2.0 |  | USD | 2026-11-21 | 1.5 |" in written
    assert "the sum of told" in written
    missed = written.partition("## Goals that are missed")[2]
    assert "`slow`: 3.0 USD, goal at most 2.0" in missed
    assert "fast" not in missed
    assert "told" not in missed


def test_the_page_sets_others_beside_us_once_they_were_measured() -> None:
    ours = shown("all_calls_per_disk_day_10k", 2.5, None)
    assert "Beside others" not in page([ours])
    written = page(
        [ours, shown("az_calls_per_machine", 23, None), shown("az_processor_seconds_per_machine", 8.3, None)]
    )
    assert "| a loop of `az` commands | 23.00 | 8.30 |" in written
    assert "| Cloud Custodian, the deletion alone | not measured | not measured |" in written
    assert "| Tagback, 10,000 machines, computed | 5.00 | not measured |" in written
    beside = page(
        [ours, shown("az_calls_per_machine", 23, None), shown("processor_seconds_per_machine_day", 0.2, None)]
    )
    assert "| Tagback, 10,000 machines, computed | 5.00 | 0.20 |" in beside, "a machine's seconds are not a disk's"


def test_the_bill_is_drawn_solid_as_far_as_it_was_measured() -> None:
    figures = (("100", 0.1, MEASURED), ("300", 0.2, MEASURED), ("1k", 0.4, ""), ("10k", 3.0, ""), ("100k", 31.0, ""))
    rows = [{**shown(f"monthly_bill_{name}", dollars, None), "setup": how} for name, dollars, how in figures]
    picture = ElementTree.fromstring(bill(rows))  # our own text
    words = [element.text for element in picture.iter() if element.text]
    assert {"$0.10", "$0.40", "$3.00", "$31", "100,000"} <= set(words)
    solid, dashed = (curve(picture, dashes) for dashes in (None, "6 4"))
    assert (len(solid), len(dashed)) == (2, 4)
    assert solid[-1] == dashed[0]
    heights = [height for _, height in [*solid, *dashed[1:]]]
    assert heights == sorted(heights, reverse=True)


def curve(picture: ElementTree.Element, dashes: str | None) -> list[tuple[float, float]]:
    """The places of the thick line that is drawn so."""
    lines = [one for one in picture.iter() if one.get("stroke-width") and one.get("stroke-dasharray") == dashes]
    places = [place.split(",") for place in lines[0].get("points", "").split()]
    return [(float(x), float(y)) for x, y in places]


def test_calls_are_drawn_beside_those_of_others() -> None:
    rows = [shown("az_calls_per_machine", 20.0, None), shown("all_calls_per_disk_day_10k", 2.0, None)]
    words = [element.text for element in ElementTree.fromstring(calls(rows)).iter() if element.text]
    assert {"a loop of `az` commands", "Tagback, 10,000 machines, computed", "40,000"} <= set(words)
    assert "Cloud Custodian, the deletion alone" not in words


def test_a_curve_of_which_nothing_was_measured_is_all_dashed() -> None:
    picture = ElementTree.fromstring(drawing(Scale("s", "", 0, 3), [Curve("c", {10: 1.0, 100: 10.0}, 0)]))
    assert len(curve(picture, "6 4")) == 2
    assert {one.get("fill") for one in picture.iter() if one.tag.endswith("circle")} == {"white"}
