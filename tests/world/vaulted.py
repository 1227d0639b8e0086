"""Promises about Azure Backup, judged by the truth: what is recorded is there, and nothing is written outside.

Part of promises.py. In the end every machine whose plan wants it is in a vault that has points of it; none that asks
for nothing is backed up any more.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.model.identity import ResourceId
from shared.model.machine import Machine
from shared.model.point import Point
from shared.model.vault import ItemState
from tests.world.catalogue import ENFORCED, Asked
from tests.world.twins.azure import Azure, VmTruth
from tests.world.twins.vault_truth import ItemTruth, Vaults

TO_PROTECT = timedelta(hours=6)
PLANS = frozenset({"vaulted"})


@dataclass
class Vaulted:
    """What the witness sees of vaults."""

    azure: Azure
    require: Callable[[bool, str, str], None]
    vaults: Vaults | None = field(default=None)
    _announced: set[tuple[str, str]] = field(default_factory=set)
    _asked: dict[str, set[str]] = field(default_factory=dict)
    _agreed: set[str] = field(default_factory=set)

    def audited(self, line: str) -> None:
        """Deletions that the audit log announces, asks for, or agrees to: the last by another person than asked."""
        told = json.loads(line)
        match told.get("event"):
            case "vault.delete":
                self._announced.add((told["vm"], told["vault"]))
            case "deletions.asked":
                for point in told["points"]:
                    self._asked.setdefault(point, set()).add(told["by"])
            case "deletions.approved":
                agreed = [point for point in told["points"] if self._asked.get(point, set()) - {told["by"]}]
                self._agreed |= {point.partition(" ")[0] for point in agreed}
            case _:
                return

    def emptied(self, vault: ResourceId, vm: ResourceId) -> None:
        """A vault deletes all it has of a VM: announced, and agreed to by two people (S12, S3)."""
        here = [uid for uid, life in self.azure.lives.items() if any(one and one.id == vm for _, one in life)]
        announced = [uid for uid in here if (uid, str(vault)) in self._announced]
        said = bool(announced)
        self.require(said, "S12", f"{vault.name} deletes all of {vm.name}, and the audit log does not say so")
        agreed = any(uid in self._agreed for uid in announced)
        self.require(agreed, "S3", f"{vault.name} deletes all of {vm.name}, and two people did not agree")

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

    def ended(self, vm: VmTruth, wish: Asked | None, since: datetime, row: Machine) -> None:
        """What became of a machine, long enough after it asked (S8)."""
        assert self.vaults is not None
        if vm.id.subscription not in ENFORCED or since + TO_PROTECT > self.azure.now():
            return
        holder = self.vaults.holder(vm.id)
        item = holder.items[vm.id] if holder else None
        if wish is not None and wish.plan in PLANS:
            self._backed_up(vm, item, row)
        elif item is not None and not item.soft_deleted and wish is None:
            self.require(item.state is ItemState.STOPPED, "S8", f"{vm.uid} asks for nothing and is {item.state}")

    def _backed_up(self, vm: VmTruth, item: ItemTruth | None, row: Machine) -> None:
        stands = item is not None and item.state is ItemState.PROTECTED and not item.soft_deleted
        self.require(stands, "S8", f"{vm.uid} wants a vault and stands so: {item}; {row.protection}")
        newest = max((point.at for point in item.points.values()), default=None) if item else None
        known = row.protection.last_point if row.protection else None
        told = newest is not None and known is not None and newest - known < timedelta(hours=26)
        self.require(told, "S8", f"the newest point of {vm.uid} is of {newest}, the ledger says {known}")
