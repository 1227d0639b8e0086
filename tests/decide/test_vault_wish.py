"""Which operations are done by Azure Backup."""

from __future__ import annotations

from shared.decide.vault_wish import of_vaults
from shared.decide.vaulting import opened
from shared.model.operation import Kind
from shared.model.vault import VaultTask
from tests.fleet import NOW, machine


def test_azure_backup_does_all_that_is_no_capture_of_our_own() -> None:
    every = [opened(machine(1, "web-1"), kind, "wanted", VaultTask(), NOW) for kind in Kind]
    assert [one.kind for one in of_vaults(every)] == [one for one in Kind if one is not Kind.CAPTURE]
    assert {one.kind for one in every} - {one.kind for one in of_vaults(every)} == {Kind.CAPTURE}
