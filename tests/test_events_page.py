"""The page about events names every type, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from shared.decide.events import MOST_UNTOLD
from shared.model.event import Happening

PAGE = (Path(__file__).parent.parent / "docs" / "events.md").read_text()


def test_every_type_of_event_is_on_the_page_and_no_other() -> None:
    assert set(re.findall(r"`(Tagback\.\w+\.\w+)`", PAGE)) == {happening.value for happening in Happening}


def test_the_page_says_how_many_events_wait() -> None:
    assert f"newest {MOST_UNTOLD} events" in PAGE
