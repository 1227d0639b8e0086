"""Resource Graph: raw rows, page by page. Used by the inventory and snapshots adapters.

Rows lag behind the truth, can be missing or double. A result that is cut off without a way to the rest is an error and
never a short list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.cloud.arm import Arm
from shared.cloud.pace import GRAPH, HeardPace
from shared.errors import Refused, Unavailable
from shared.ports import Clock

PATH = "/providers/Microsoft.ResourceGraph/resources"
VERSION = "2021-03-01"
PAGE = 1000
SUBSCRIPTIONS = 100  # per query [azure-facts 4.3]

Row = Mapping[str, Any]


class Graph:
    """Queries, paced to what one caller may ask. `page` is the number of rows asked for at once."""

    def __init__(self, arm: Arm, clock: Clock, pace: HeardPace, page: int = PAGE) -> None:
        self._arm = arm
        self._clock = clock
        self._pace = pace
        self._page = page

    def pages(self, query: str, subscriptions: Sequence[str]) -> Iterator[Sequence[Row]]:
        """Every row of the query. It must be ordered by a unique column, or pages could overlap."""
        for start in range(0, len(subscriptions), SUBSCRIPTIONS):
            yield from self._pages(query, subscriptions[start : start + SUBSCRIPTIONS])

    def rows(self, query: str, subscriptions: Sequence[str]) -> Iterator[Row]:
        for page in self.pages(query, subscriptions):
            yield from page

    def _pages(self, query: str, subscriptions: Sequence[str]) -> Iterator[Sequence[Row]]:
        options: dict[str, Any] = {"$top": self._page, "resultFormat": "objectArray"}
        while True:
            while wait := self._pace.wait_for_graph():
                self._clock.sleep(wait.total_seconds())
            body = {"subscriptions": list(subscriptions), "query": query, "options": options}
            answer = self._arm.ask(GRAPH, PATH, VERSION, body)
            rows = answer.get("data")
            if not isinstance(rows, list):
                raise Unavailable("NoData", "Resource Graph answered without rows")
            yield rows
            token = answer.get("$skipToken")
            if not token:
                if str(answer.get("resultTruncated", "")).lower() == "true":
                    raise Unavailable(
                        "ResultTruncated", "Resource Graph cut the result off and gave no way to the rest"
                    )
                return
            options = {**options, "$skipToken": token}


def literal(text: str) -> str:
    """A text as a KQL string; Refused for characters that no name of ours contains."""
    if any(character in "'\"\\" or ord(character) < 32 for character in text):
        raise Refused("NotAName", f"not fit for a query: {text!r}")
    return f"'{text}'"
