"""The contract of ports.VaultMounts: a point is mounted once, and unmounted; and of the script that connects to it."""

from __future__ import annotations

import base64
import logging
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from shared.cloud.vault_mounts import ASKED_FOR, AzureMountScripts, AzureVaultMounts, script_of
from shared.errors import CloudError, Missing, Refused
from shared.model.mount import VaultMount
from shared.ports.mounts import VaultMounts
from tests.contract import test_vaults

estate = test_vaults.estate


@dataclass
class Mounts:
    """The port over one Azure, and a machine with a point in a vault."""

    port: VaultMounts
    estate: test_vaults.Estate
    mount: VaultMount

    def ended(self, operation: str) -> bool:
        """Whether an operation is under way, and has ended well a while later."""
        before = self.estate.items.tracked(self.mount.vault, operation)
        self.estate.wait(10)
        after = self.estate.items.tracked(self.mount.vault, operation)
        return (before.done, after.done, after.error) == (False, True, None)


@pytest.fixture
def mounts(implementation: str, estate: test_vaults.Estate, request: pytest.FixtureRequest) -> Mounts:
    vault = estate.vault()
    vm = estate.protected(vault)
    estate.jobs.back_up(vault, vm, estate.now() + timedelta(days=30))
    estate.wait(300)
    [point] = estate.jobs.points(vault, vm)
    mount = VaultMount(vault, vm, point.name)
    if implementation == "twin":
        return Mounts(request.getfixturevalue("cloud").stage.world.vault_mounts, estate, mount)
    arm, _ = request.getfixturevalue("manager")
    return Mounts(AzureVaultMounts(arm), estate, mount)


def test_a_point_is_mounted_and_unmounted(mounts: Mounts) -> None:
    assert not mounts.port.is_mounted(mounts.mount)
    assert mounts.ended(mounts.port.mount(mounts.mount, again=False))
    assert mounts.port.is_mounted(mounts.mount)
    assert mounts.ended(mounts.port.unmount(mounts.mount))
    assert not mounts.port.is_mounted(mounts.mount)


def test_a_point_is_mounted_once_unless_another_script_is_asked_for(mounts: Mounts) -> None:
    first = mounts.port.mount(mounts.mount, again=False)
    assert mounts.ended(first)
    with pytest.raises(CloudError) as refused:
        mounts.port.mount(mounts.mount, again=False)
    assert refused.value.code == "UserErrorUnableToOpenMount"
    again = mounts.port.mount(mounts.mount, again=True)
    assert mounts.ended(again)
    assert again != first
    assert mounts.port.is_mounted(mounts.mount)


def test_unmounting_states_an_end_and_is_repeatable(mounts: Mounts) -> None:
    assert mounts.ended(mounts.port.unmount(mounts.mount))
    mounts.port.mount(mounts.mount, again=False)
    mounts.estate.wait(10)
    for _ in range(2):
        mounts.port.unmount(mounts.mount)
    mounts.estate.wait(10)
    assert not mounts.port.is_mounted(mounts.mount)


def test_a_point_that_is_not_there_is_missing(mounts: Mounts) -> None:
    nowhere = replace(mounts.mount, point="123456789")
    with pytest.raises(Missing):
        mounts.port.is_mounted(nowhere)
    with pytest.raises(Missing):
        mounts.port.mount(nowhere, again=False)
    with pytest.raises(Missing):
        mounts.port.unmount(nowhere)


@pytest.mark.parametrize("implementation", ["adapter"], indirect=True)
def test_the_script_of_a_mount_is_given_to_whoever_names_its_operation_and_nobody_else(
    mounts: Mounts, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """What connects to a mount is no part of the world, so it has no twin."""
    caplog.set_level(logging.NOTSET)
    scripts = AzureMountScripts(request.getfixturevalue("manager")[0])
    operation = mounts.port.mount(mounts.mount, again=False)
    with pytest.raises(Missing):
        scripts.script(mounts.mount, operation)
    assert mounts.ended(operation)
    found = scripts.script(mounts.mount, operation)
    assert (found.system, found.url, found.name[-3:]) == ("Linux", "", ".py")
    assert len(found.password) == 15
    assert found.password not in found.name + found.text + repr(found) + caplog.text
    assert ASKED_FOR in found.text
    assert ASKED_FOR not in caplog.text
    with pytest.raises(Missing):
        scripts.script(mounts.mount, str(uuid.uuid4()))
    mounts.port.unmount(mounts.mount)
    mounts.estate.wait(10)
    with pytest.raises(Missing):
        scripts.script(mounts.mount, operation)


PASSWORD = "0123456789abcde"
NAME = f"_7_{'f' * 32}{PASSWORD}00aa11bb22cc33"
LINUX = {
    "scriptContent": base64.b64encode(f'TargetPassword="{PASSWORD}"'.encode()).decode(),
    "scriptExtension": ".py",
    "osType": "Linux",
    "scriptNameSuffix": NAME,
}
WINDOWS = {**LINUX, "osType": "Windows", "scriptExtension": ".exe", "scriptContent": "TkE=", "url": "https://a/b.exe"}


def test_of_windows_scripts_the_program_is_fetched_and_its_name_has_no_password() -> None:
    found = script_of({"clientScripts": [{**LINUX, "osType": "Windows", "scriptExtension": ".txt"}, WINDOWS]})
    assert (found.url, found.text, found.password) == ("https://a/b.exe", "", PASSWORD)
    assert found.name == f"_7_{'f' * 32}00aa11bb22cc33.exe"


@pytest.mark.parametrize(
    "wrong",
    [
        {"scriptNameSuffix": "/../" + NAME},
        {"scriptNameSuffix": "short_abc"},
        {"scriptNameSuffix": None},
        {"scriptExtension": "/../x"},
        {"scriptContent": "no base64 " + PASSWORD},
        {"url": "http://a/b.exe"},
    ],
    ids=str,
)
def test_a_script_of_another_form_is_refused_without_a_word_of_it(wrong: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        script_of({"clientScripts": [{**LINUX, **wrong}]})
    assert PASSWORD not in str(refused.value)
    assert refused.value.__cause__ is None


def test_no_script_is_missing() -> None:
    with pytest.raises(Missing):
        script_of({"clientScripts": []})
