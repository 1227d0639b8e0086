"""The twin of ports.VaultMounts: a point is mounted a minute after it was asked for, and unmounted as late."""

from __future__ import annotations

from datetime import timedelta

from shared.errors import Conflict, Missing
from shared.model.mount import VaultMount
from tests.world.twins.vault_truth import VaultTruth
from tests.world.twins.vaults import Gate

MOUNTING = timedelta(minutes=1)


class VaultMountsTwin:
    """Points that vaults mount."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def is_mounted(self, mount: VaultMount) -> bool:
        with self._gate.read("vaults.is_mounted", mount.vault) as truth:
            _known(truth, mount)
            return mount in self._gate.vaults.mounted

    def mount(self, mount: VaultMount, *, again: bool) -> str:
        vaults = self._gate.vaults
        with self._gate.write("vaults.mount", mount.vault, mount.point) as truth:
            _known(truth, mount)
            if mount in vaults.mounted and not again:
                raise Conflict("UserErrorUnableToOpenMount", "a file restore of the point is open already", 409)
            operation = vaults.number()
            vaults.under_way.add(operation)
            vaults.at(vaults.azure.now() + MOUNTING, lambda: self._ended(operation, mount, True))
            return operation

    def unmount(self, mount: VaultMount) -> str:
        vaults = self._gate.vaults
        with self._gate.write("vaults.unmount", mount.vault, mount.point) as truth:
            _known(truth, mount)
            operation = vaults.number()
            vaults.under_way.add(operation)
            vaults.at(vaults.azure.now() + MOUNTING, lambda: self._ended(operation, mount, False))
            return operation

    def _ended(self, operation: str, mount: VaultMount, mounted: bool) -> None:
        vaults = self._gate.vaults
        vaults.under_way.discard(operation)
        if vaults.mount_fates:
            vaults.came_to_nothing[operation] = vaults.mount_fates.pop(0)
            return
        if mounted:
            vaults.mounted[mount] = operation
            vaults.ever_mounted.append((mount, operation))
        else:
            vaults.mounted.pop(mount, None)


def _known(truth: VaultTruth, mount: VaultMount) -> None:
    item = truth.items.get(mount.vm)
    if item is None or mount.point not in item.points:
        raise Missing("BMSUserErrorRecoveryPointNotFound", f"{mount.point} was not found", 404)
