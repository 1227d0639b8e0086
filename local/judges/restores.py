"""S13: a restored machine is complete or says what is not, and is not enrolled again.

Acts of `restore` in the script name the machine that was to come of them (`to`) and how many disks it must have.
"""

from __future__ import annotations

from local.judges.finding import Finding
from local.judges.world import World

NOTHING = "not checked: nobody restored anything in this script"


def restores_are_whole(world: World) -> Finding:
    """S13."""
    finding = Finding()
    acts = world.script.of("restore")
    for act in acts:
        made = [one for one in world.machines if one.id == str(act.said["to"]).lower() and one.born >= act.at]
        finding.expect(bool(made), "no machine came of the restore", str(act.said["to"]), act.until)
        for machine in made:
            whole = len(machine.disks) == int(act.said["disks"]) or bool(act.said.get("missing"))
            finding.expect(whole, f"has {len(machine.disks)} disks of {act.said['disks']}", machine.name, act.until)
            taken = [one for one in world.snapshots if one.key[0] == machine.uid]
            finding.expect(not taken, "was enrolled again", machine.name, act.until)
    if not acts:
        finding.note = NOTHING
    return finding
