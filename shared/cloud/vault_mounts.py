"""Points of vaults that are mounted for single files: triggers by the typed client, the script by a POST that reads.

Built by wiring. Neither script nor password ever comes into a log, an error or a trace: nobody but the caller of
`script` is given them, and the app's roles do not hold the action that it takes.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.cloud.arm import Arm, Hook
from shared.cloud.vault_items import names_of, path_of
from shared.cloud.vaults import BACKUP_VERSION, FABRIC, BackupClient, lane, stream
from shared.errors import Missing, Refused
from shared.model.draining import CallKind
from shared.model.mount import Script, VaultMount

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient

# The password is 15 digits of the script's name, after the first 32 of its last word: so `az backup restore files` cuts
# it out, and so the page of Get-AzRecoveryServicesBackupRPMountScript shows a name without it.
NAMED = re.compile(r"(?P<before>[\w.-]*_\w{32})(?P<password>\w{15})(?P<after>\w*)", re.ASCII)
EXTENSION = re.compile(r"\.\w{1,8}", re.ASCII)
PROGRAMS = "https://"
ASKED_FOR = "UserInput012345"
"""What az and PowerShell put into the script in the password's place: the person who runs it is asked for it."""


class AzureVaultMounts:
    """The mounting of points, and its end."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self._client = BackupClient(arm)

    def is_mounted(self, mount: VaultMount) -> bool:
        found = self._arm.get(lane(mount.vault, CallKind.READ), _path(mount), BACKUP_VERSION)
        return bool((found.get("properties") or {}).get("isInstantIlrSessionActive"))

    def mount(self, mount: VaultMount, *, again: bool) -> str:
        body = {
            "objectType": "IaasVMILRRegistrationRequest",
            "recoveryPointId": mount.point,
            "virtualMachineId": str(mount.vm),
            "renewExistingRegistration": again,
        }

        def send(client: RecoveryServicesBackupClient, hook: Hook) -> object:
            at = _names(mount)
            mounts = client.item_level_recovery_connections
            mounts.provision(*at, stream({"properties": body}), raw_response_hook=hook)
            return None

        return self._client.write(mount.vault, send)

    def unmount(self, mount: VaultMount) -> str:
        def send(client: RecoveryServicesBackupClient, hook: Hook) -> object:
            client.item_level_recovery_connections.revoke(*_names(mount), raw_response_hook=hook)
            return None

        return self._client.write(mount.vault, send)


class AzureMountScripts:
    """The scripts of mounted points [azure-facts 5.10: since 2026-08-01 no part of the operation's own answer]."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    def script(self, mount: VaultMount, operation: str) -> Script:
        path = f"{_path(mount)}/listInstantItemRecoveryOperationResult"
        body = {"provisionInstantItemRecoveryOperationId": operation}
        answer = self._arm.ask(lane(mount.vault, CallKind.READ), path, BACKUP_VERSION, body)
        return script_of(answer)


def script_of(answer: Mapping[str, Any]) -> Script:
    """The one script that is used, of those that a vault answers with: of Windows' two the program.

    Missing where it answers with none, Refused where it is not of the form that is known; neither repeats any of it.
    """
    scripts = answer.get("clientScripts") or ()
    if not scripts:
        raise Missing("NoScript", "the vault has no script for this mount", 404)
    one = next((each for each in scripts if each.get("url")), scripts[0])
    name = NAMED.fullmatch(str(one.get("scriptNameSuffix") or ""))
    extension, url = str(one.get("scriptExtension") or ""), str(one.get("url") or "")
    if name is None or not EXTENSION.fullmatch(extension) or (url and not url.startswith(PROGRAMS)):
        raise Refused("UnknownScript", "the vault names its script in a form that is not known here")
    file_name = f"{name['before']}{name['after']}{extension}"
    text = "" if url else _text(one).replace(name["password"], ASKED_FOR)
    return Script(str(one.get("osType") or ""), file_name, text, name["password"], url)


def _text(one: Mapping[str, Any]) -> str:
    try:
        return base64.b64decode(str(one.get("scriptContent") or ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Refused("UnknownScript", "the vault's script is not of the form that is known here") from None


def _names(mount: VaultMount) -> tuple[str, str, str, str, str, str]:
    container, item = names_of(mount.vm)
    return mount.vault.name, mount.vault.group, FABRIC, container, item, mount.point


def _path(mount: VaultMount) -> str:
    return f"{path_of(mount.vault, mount.vm)}/recoveryPoints/{mount.point}"
