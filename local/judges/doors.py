"""The app's door: who may not is let in nowhere, who may is, and sees no more than they may. Part of S10.

Used by traffic.py. Acts of `knock` in the script say who came to which route, whether the door was theirs, what the app
answered and which subscriptions (`shown`) its answer spoke of; those of `forged-event` whether they had the right key.
"""

from __future__ import annotations

from local.judges.finding import Finding
from local.judges.script import Act
from local.judges.world import World

REFUSED = (401, 403)


def doors_are_shut(world: World, finding: Finding) -> None:
    """Every visit."""
    for act in world.script.of("knock"):
        _visited(finding, act)
    for act in world.script.of("forged-event"):
        if not act.said.get("key", True):
            shut = int(act.said["status"]) in REFUSED
            finding.expect(shut, "an event was taken without the key", str(act.said["subject"]), act.at)


def _visited(finding: Finding, act: Act) -> None:
    said, where = act.said, f"{act.said['who']} at {act.said['route']}"
    status, more = int(said["status"]), sorted(set(said["shown"]) - set(said["within"]))
    if not said["may"]:
        finding.expect(status in REFUSED, f"let in who may not: {status}", where, act.at)
        return
    finding.expect(status == 200, f"kept out who may: {status}", where, act.at)
    finding.expect(bool(said["shown"]), "shown nothing", where, act.at)
    finding.expect(not more, f"shown what is not theirs: {', '.join(more)}", where, act.at)
