"""`tagback script`: what connects to a mounted point reaches its asker alone, and no table, log or other answer."""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shared.cli.main import commands
from shared.cli.session import Session
from shared.cloud.vault_mounts import script_of
from shared.errors import Missing
from shared.flows.requesting import run as run_request
from shared.model.mount import Script, VaultMount
from tests.cli import test_restore_from_vault
from tests.cli.running import ASKER, answer, run
from tests.fleet import Fleet

fleet = test_restore_from_vault.fleet
PASSWORD = "0123456789abcde"
LINUX = {
    "scriptContent": base64.b64encode(f'TargetPassword="{PASSWORD}"\n'.encode()).decode(),
    "scriptExtension": ".py",
    "osType": "Linux",
    "scriptNameSuffix": f"_7_{'f' * 32}{PASSWORD}00",
}
WINDOWS = {**LINUX, "osType": "Windows", "scriptExtension": ".exe", "url": "https://download.example/a.exe"}
NAME = f"_7_{'f' * 32}00"


@dataclass
class Scripts:
    """ports.MountScripts of one vault."""

    fleet: Fleet
    found: Script

    def script(self, mount: VaultMount, operation: str) -> Script:
        if self.fleet.stage.vaults.mounted.get(mount) != operation:
            raise Missing("BMSUserErrorObjectNotFound", "there is no such mount", 404)
        return self.found


def mounted(fleet: Fleet) -> str:
    """A request that has a point mounted."""
    asked = answer(run(fleet, "restore", "web-1", "--mode", "files", "--from-vault", "--no-wait", "--output", "json"))
    for _ in range(3):
        run_request(*fleet.open(), asked["id"])
        fleet.stage.scheduler.run(fleet.stage.scheduler.now + timedelta(minutes=2))
    return str(asked["id"])


def fetched(fleet: Fleet, request: str, *words: str, of: dict[str, str] = LINUX) -> Result:
    scripts = Scripts(fleet, script_of({"clientScripts": [of]}))
    session = Session(fleet.open, lambda: ASKER, scripts=lambda: scripts)
    return CliRunner().invoke(commands, ["script", request, *words], obj=session)


def test_the_script_is_a_file_of_ones_own_and_the_password_is_shown(
    fleet: Fleet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.NOTSET)
    request = mounted(fleet)
    page = run(fleet, "request", request).stdout
    assert f"tagback script {request} --into FOLDER" in page
    assert f"tagback restore undo {request}" in page
    result = fetched(fleet, request, "--into", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert result.stdout.count(PASSWORD) == 1
    [file] = tmp_path.iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == (f"{NAME}.py", 0o600)
    assert PASSWORD not in file.read_text() + result.stderr + caplog.text
    kept = (fleet.stage.requests.asked, fleet.stage.audit.lines, fleet.stage.queues.messages)
    assert PASSWORD not in repr(kept) + run(fleet, "request", request, "--output", "json").stdout


def test_it_can_be_fetched_again_but_never_over_something(fleet: Fleet, tmp_path: Path) -> None:
    request = mounted(fleet)
    first = answer(fetched(fleet, request, "--into", str(tmp_path), "--output", "json"))
    assert (first["file"], first["password"]) == (str(tmp_path / f"{NAME}.py"), PASSWORD)
    (tmp_path / f"{NAME}.py").write_text("theirs")
    again = fetched(fleet, request, "--into", str(tmp_path))
    assert (again.exit_code, "cannot be made: File exists" in again.stderr) == (2, True)
    assert (tmp_path / f"{NAME}.py").read_text() == "theirs"
    assert PASSWORD not in again.output


def test_for_windows_it_is_told_what_to_download_and_under_which_name(fleet: Fleet, tmp_path: Path) -> None:
    result = fetched(fleet, mounted(fleet), "--into", str(tmp_path), of=WINDOWS)
    assert "Download https://download.example/a.exe" in result.stdout
    assert f"as {NAME}.exe" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_what_has_no_mount_has_no_script(fleet: Fleet, tmp_path: Path) -> None:
    assert fetched(fleet, "nothing", "--into", str(tmp_path)).exit_code == 3
    disks = answer(run(fleet, "restore", "web-1", "--mode", "disks", "--no-wait", "--output", "json"))["id"]
    refused = fetched(fleet, disks, "--into", str(tmp_path))
    assert (refused.exit_code, "has mounted nothing" in refused.stderr) == (2, True)


def test_a_mount_that_azure_knows_no_more_is_an_answer_of_azures(fleet: Fleet, tmp_path: Path) -> None:
    request = mounted(fleet)
    fleet.stage.vaults.mounted.clear()
    result = fetched(fleet, request, "--into", str(tmp_path))
    assert (result.exit_code, "BMSUserErrorObjectNotFound" in result.stderr) == (5, True)
    assert list(tmp_path.iterdir()) == []
