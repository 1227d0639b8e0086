"""What flows need of a vault to have single files read from its points, and what the command line needs beside them."""

from __future__ import annotations

from typing import Protocol

from shared.model.mount import Script, VaultMount


class VaultMounts(Protocol):
    """Points that vaults mount. What connects to one is nothing that a flow can ask for: see MountScripts."""

    def is_mounted(self, mount: VaultMount) -> bool:
        """Whether anybody has a point mounted. Missing when there is no such point any more."""

    def mount(self, mount: VaultMount, *, again: bool) -> str:
        """Ask that a point be mounted; the operation by which `tracked` knows it, and by which its script is fetched.

        Conflict or Refused where it is mounted, unless `again` asks for another script of the same mount.
        """

    def unmount(self, mount: VaultMount) -> str:
        """Ask that a point be mounted no more; the operation by which `tracked` knows it. Repeatable."""


class MountScripts(Protocol):
    """What connects to mounted points, by the rights of whoever runs this process: no part of the World."""

    def script(self, mount: VaultMount, operation: str) -> Script:
        """The script of a mount and its password. Missing when the operation mounted nothing that is mounted still."""
