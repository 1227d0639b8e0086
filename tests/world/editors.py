"""Those who edit the plans file while the product runs: other keeps, other engines, a plan that is missing for a while.

Called by life.py in a share of the seeds. A file that is deployed is read by whatever begins to work after that; what
is under way goes on by the one that it began with.
"""

from __future__ import annotations

import random
from datetime import timedelta

from tests.world.catalogue import DEFAULT
from tests.world.plan_file import PlanFile
from tests.world.stage import Stage
from tests.world.twins.azure import VmTruth

KEEPS = {
    "bronze": ("2d", "3d", "9d"),
    "silver": ("3d", "7d4w12m", "14d8w"),
    "gold": ("48h3d", "48h7d", "72h14d", "48h7d2w"),
    "vaulted": ("48h3d", "48h7d", "72h14d"),
    "whole": ("48h3d", "48h7d", "72h14d"),
    "entire": ("48h3d", "48h7d", "72h14d"),
    "twice": ("2d", "5d2w", "10d"),
}
AWAY = (1, 5, 30, 60)  # hours


class Editors:
    """Every act is about the plan that a machine asks for."""

    def __init__(self, stage: Stage, chance: random.Random, file: PlanFile) -> None:
        self._stage = stage
        self._random = chance
        self._file = file

    def edit_keep(self, vm: VmTruth) -> None:
        """Longer or shorter: what was stamped stays as it was."""
        plan = self._plan_of(vm)
        self._file.set_keep(plan, self._random.choice(KEEPS[plan]), self._stage.scheduler.now)

    def edit_engine(self, vm: VmTruth) -> None:
        """All disks at one instant, or each by itself again."""
        consistency = self._random.choice(("disk", "vm"))
        self._file.set_consistency(self._plan_of(vm), consistency, self._stage.scheduler.now)

    def remove_plan(self, vm: VmTruth) -> None:
        """By mistake; it comes back hours or days later."""
        plan, now = self._plan_of(vm), self._stage.scheduler.now
        if plan != DEFAULT:
            self._file.remove(plan, now)
            back = now + timedelta(hours=self._random.choice(AWAY))
            self._stage.scheduler.at(back, lambda: self._file.bring_back(plan, self._stage.scheduler.now))

    def _plan_of(self, vm: VmTruth) -> str:
        """What it asks for, or any where that is no plan of now."""
        wish = self._file.asked(vm.counted)
        return wish.plan if wish and wish.plan else self._random.choice(sorted(self._file.keeps))
