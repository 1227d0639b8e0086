"""Every scene that is harmed at each port call: SCENES, for the exhaustive driver and the matrix."""

from __future__ import annotations

from tests.world.asked_scenes import ASKED
from tests.world.removal_scenes import REMOVALS
from tests.world.scenes import CAPTURES

SCENES = (*CAPTURES, *REMOVALS, *ASKED)
