"""Kills the functions host in the middle of a call to Azure: the call is held, the host dies, Azure goes on without it.

Used by troubles.py and scenes.py. It waits beside the stage, so that time goes on until the call comes; while it kills
and starts anew, nothing jumps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from local.clock.followers import HostClock
from local.demo.cast import Cast
from local.demo.evidence import Record
from local.judges.world import PRODUCT, SNAPSHOT

HELD = 2.0  # real seconds for which the call is held, so that the host can die in it
LOOK = 0.05
PATIENCE = timedelta(hours=3)


class Ambush(threading.Thread):
    """Waits for one call. `told` is called with what was struck while the host is dead."""

    def __init__(self, cast: Cast, options: Mapping[str, Any], told: Callable[[Record], None] | None = None) -> None:
        super().__init__(daemon=True)
        self._cast = cast
        self._told = told
        self._operation = str(options.get("operation", f"{SNAPSHOT}/write"))
        effect: dict[str, object] = {"delay_s": HELD}
        if options.get("lost"):
            effect["cut"] = "before"
        match = {"operation": self._operation, "principal": PRODUCT}
        self._until = cast.now() + PATIENCE
        rule = {"match": match, "count": 1, "effect": effect, "until": self._until.isoformat()}
        self._rule = str(cast.observer.order("faults", {"id": f"F16-{cast.now():%d%H%M%S}", **rule})["id"])

    def run(self) -> None:
        try:
            while self._cast.now() < min(self._until, self._cast.end):
                if self._struck():
                    self._kill()
                    return
                time.sleep(LOOK)
        except Exception as problem:
            self._cast.conductor.stage.fail("ambush", problem)

    def _struck(self) -> bool:
        return any(one["id"] == self._rule and one["fired"] for one in self._cast.observer.simulator("faults"))

    def _kill(self) -> None:
        cast = self._cast
        mid_put = self._operation.endswith("write")
        with cast.conductor.without(HostClock.name), cast.noted("kill", operation=self._operation, mid_put=mid_put):
            cast.stack.kill_host()
            time.sleep(HELD)  # until Azure has done its work
            struck = self._call()
            cast.screen.line(f"F16: the host is killed in the middle of a call: {said(struck)}", "yellow")
            if self._told is not None and struck is not None:
                self._told(struck)
            cast.stack.restart_host()

    def _call(self) -> Record | None:
        calls = self._cast.observer.simulator("calls?since=0")
        return next((call for call in reversed(calls) if call["fault"] == self._rule), None)


def said(call: Record | None) -> str:
    """A call as it is told."""
    if call is None:
        return "nobody saw it"
    what = str(call["path"]).partition("?")[0].rpartition("/providers/")[2]
    return f"{call['method']} {what}, answered {call['status']}"
