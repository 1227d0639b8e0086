"""The recording of a demo shows what was printed, as it was printed, and leaves out what does not tell the story."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from local.demo.recording import COLUMNS, SVG, broken, chosen, colour, recording
from local.judges import PROMISES

LOG = """Tagback demo: 2 days from Wednesday 10 March 2027, seed 1
Wed 10 Mar 00:00  46 machines are created in eastus
Wed 10 Mar 00:00      shop-1: backup=silver (daily)
Thu 11 Mar 02:58  --- killed in the middle of a PUT ---
Thu 11 Mar 02:58      The next PUT will not live.
Thu 11 Mar 02:58  ---
Thu 11 Mar 03:00      kill -9. Azure carried it out all the same
Thu 11 Mar 03:00      10 calls of the neighbours
Thu 11 Mar 04:00  F6: every list is empty
Thu 11 Mar 23:59  drill of till-4 FAILED: its command did not write it
Thu 11 Mar 23:59  the day ends: 3 new recovery points

$ tagback status
shop-1  protected

Judged from outside: Azure's state
S1          at most one complete point per machine and slot   7  holds

What to open next
  make up

All is well.
""".splitlines()


def test_days_scenes_troubles_drills_and_the_verdict_are_chosen() -> None:
    lines = [*chosen(LOG)]
    assert [line for line in LOG if line and line not in lines] == [
        "Wed 10 Mar 00:00      shop-1: backup=silver (daily)",
        "Thu 11 Mar 03:00      10 calls of the neighbours",
        "$ tagback status",
        "shop-1  protected",
        "What to open next",
        "  make up",
    ]


def test_every_line_is_drawn_as_it_was_printed() -> None:
    lines = [*chosen(LOG)]
    drawing = ElementTree.fromstring(recording(lines))
    drawn = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert drawn == [line or None for line in lines]


def test_a_line_that_is_too_long_goes_on_below() -> None:
    assert broken("x" * COLUMNS) == ["x" * COLUMNS]
    words = "Thu 11 Mar 02:58      " + "word " * 40
    parts = broken(words)
    assert " ".join(parts).split() == words.split()
    assert max(map(len, parts)) <= COLUMNS


def test_what_went_wrong_has_a_colour_of_its_own() -> None:
    assert len({colour("S1 VIOLATED 3 times"), colour("S1 7  holds"), colour("Wed 10 Mar 00:00  F6: empty")}) == 3


def test_the_recording_in_the_documentation_ends_with_every_promise() -> None:
    assert Path(SVG).name in (SVG.parent.parent / "README.md").read_text()
    text = SVG.read_text()
    assert [name for name in PROMISES if f">{name} " not in text] == []
