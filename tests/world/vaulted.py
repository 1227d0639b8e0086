"""Promises about Azure Backup, judged by the truth: what is recorded is there, and nothing is written outside.

Part of promises.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.model.identity import ResourceId
from shared.model.point import Point
from tests.world.catalogue import ENFORCED
from tests.world.twins.azure import Azure


@dataclass
class Vaulted:
    """What the witness sees of vaults."""

    azure: Azure
    require: Callable[[bool, str, str], None]

    def written(self, vault: ResourceId, about: str) -> None:
        self.require(vault.subscription in ENFORCED, "S10", f"a vault outside is written: {vault.name} {about}")

    def point_written(self, row: Point) -> None:
        """A point of a vault is one that the vault made; nothing of it is ours, to delete or otherwise (S6, S3)."""
        assert row.vault is not None
        made = (row.vault.vault, row.vault.name) in self.azure.vault_points
        self.require(
            made, "S6", f"{row.uid} {row.slot} is called a point of {row.vault.vault.name}, which never made it"
        )
        ours = row.parts or row.removal
        self.require(not ours, "S3", f"the point of a vault {row.uid} {row.slot} has {ours}")
