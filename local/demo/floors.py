"""How much must have happened for a demo of thirty days to prove anything: floors under the numbers of summary.json.

Pure; called by report.py. A shorter demo has no floors; its promises are judged all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

FROM_DAYS = 30
EACH_FAULT = 3
EACH_PROMISE = 30
FLOORS: Mapping[str, int] = {
    "machines": 40,
    "six_hourly_machines": 10,
    "points": 1800,
    "expired": 600,
    "retried": 50,
    "adopted": 5,
    "kills": 5,
    "kills_mid_put": 2,
    "recreated": 2,
}
# Every fault that a month must have met. F10 is the calendar itself; F13 to F15 and F24 take more than one host.
FAULTS = (*(f"F{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 16, 17, 18, 19, 20, 21, 22, 23)), "T1", "T6")


def missed(document: Mapping[str, Any]) -> Iterator[str]:
    """Every floor that was not reached, in words."""
    if document["virtual_days"] < FROM_DAYS:
        return
    for name, floor in FLOORS.items():
        if document[name] < floor:
            yield f"{name}: {document[name]}, at least {floor} expected"
    for fault in FAULTS:
        if document["faults"].get(fault, 0) < EACH_FAULT:
            yield f"fault {fault} met {document['faults'].get(fault, 0)} times, at least {EACH_FAULT} expected"
    for name, promise in document["promises"].items():
        if promise["checked"] < EACH_PROMISE:
            yield f"promise {name} checked {promise['checked']} times, at least {EACH_PROMISE} expected"
