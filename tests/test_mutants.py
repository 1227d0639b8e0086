"""The planted bugs of `make mutants` still fit the code, and say who must notice them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.counts import Count
from tests.mutants.planting import ROOT, Mutant, fits, mutants
from tests.world.every_scene import SCENES

ALL = mutants()
WORLD = "tests/test_world.py"
SCENE_NAMES = {scene.name.replace(" ", "-") for scene in SCENES}


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name)
def test_a_planted_bug_fits_the_code_and_names_tests_that_are_there(mutant: Mutant) -> None:
    assert fits(mutant), f"{mutant.patch.name} does not apply: plant the same mistake in the code as it is now"
    for test in mutant.red:
        file, _, name = test.partition("::")
        assert (ROOT / file).is_file(), test
        function, _, case = name.rstrip("]").partition("[")
        assert f"def {function}(" in (ROOT / file).read_text() or not name, test
        assert file != WORLD or case in SCENE_NAMES, test


def test_there_are_enough_of_them(counted: Callable[[Count, int], None]) -> None:
    assert len(ALL) >= 24
    counted(Count.MUTANTS, len(ALL))
