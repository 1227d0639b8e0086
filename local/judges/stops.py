"""What a person has paused rests until that person lets go on: nothing of it is begun meanwhile.

Used by traffic.py. Acts of `pause` in the script say what (`captures`, `deletes` or `all`) and for how long; when
something was begun is read from the audit log. What was begun before is brought to its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from local.judges.evidence import Record, instant, path_of
from local.judges.finding import Finding
from local.judges.world import DELETIONS, PUTS, World

HEARD = timedelta(minutes=10)  # until a person's word has reached whoever is at work
BEGUN: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(PUTS, ("captures", "capture.intended")),
    **dict.fromkeys(DELETIONS, ("deletes", "point.deleting")),
}


def rests_while_paused(world: World, finding: Finding, call: Record) -> None:
    """Judge one call of the product's that was made within a pause of its kind."""
    what, event = BEGUN.get(str(call["operation"]).lower(), ("", ""))
    at, name = instant(call["t"]), path_of(call).rpartition("/")[2]
    for act in world.script.of("pause") if what else ():
        if act.said["what"] in (what, "all") and act.at + HEARD < at <= act.until:
            told = [instant(line["at"]) for line in world.audited[event].get(name, ())]
            before = any(moment <= act.at + HEARD for moment in told)
            finding.expect(before, f"{what} had been paused at {act.at:%H:%M}", name, at)
