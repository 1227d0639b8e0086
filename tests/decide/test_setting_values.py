"""Values of settings that tests of the whole settings seldom meet. The settings themselves: tests/test_settings.py."""

from __future__ import annotations

import pytest

from shared.decide.setting_values import account_name


@pytest.mark.parametrize(
    "text", ["UseDevelopmentStorage=true", "UseDevelopmentStorage=true;", " usedevelopmentstorage = TRUE ; "]
)
def test_the_emulator_is_an_account_of_its_own(text: str) -> None:
    assert account_name(text) == "devstoreaccount1"
