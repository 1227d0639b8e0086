"""List pages of ARM: every element of a list, page by page. Used by the adapters that read providers' own lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from azure.core.rest import HttpRequest

from shared.cloud.arm import Arm
from shared.cloud.pace import Lane
from shared.errors import Unavailable


def listed(arm: Arm, lane: Lane, path: str, version: str, **query: str) -> Iterator[Mapping[str, Any]]:
    """Every element of a list. A page that is none raises: nothing may follow from half a list."""
    page = arm.get(lane, path, version, **query)
    while True:
        elements = page.get("value")
        if not isinstance(elements, list):
            raise Unavailable("NoValue", f"a list page of {path} has no elements")
        yield from elements
        following = str(page.get("nextLink") or "")
        if not following:
            return
        page = arm.send(lane, HttpRequest("GET", following))
