"""The planted bugs of `make mutants` still fit the code, and say who must notice them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.counts import Count
from tests.mutants.planting import ROOT, Mutant, fits, mutants

ALL = mutants()


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: mutant.name)
def test_a_planted_bug_fits_the_code_and_names_tests_that_are_there(mutant: Mutant) -> None:
    assert fits(mutant), f"{mutant.patch.name} does not apply: plant the same mistake in the code as it is now"
    for test in mutant.red:
        assert (ROOT / test.partition("::")[0]).exists(), test


def test_there_are_enough_of_them(counted: Callable[[Count, int], None]) -> None:
    assert len(ALL) >= 24
    counted(Count.MUTANTS, len(ALL))
