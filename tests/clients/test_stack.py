"""The stack of `make up` as a stranger uses it: the settings it leaves are sourced, then az and an SDK program run."""

from __future__ import annotations

import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import pytest

from local.process import Command, Leash, Part
from tests.clients.installed import AZ
from tests.clients.shell import plain_environment
from tests.simulator.running import REPOSITORY

RUNNING = "The stack is running"
FLEET = REPOSITORY / "local" / "scenarios" / "up.toml"  # machines of its first subscription are what is listed
PATIENCE = 900.0

# What contract and README promise: the settings, an address, and nothing of ours imported.
PROGRAM = """
import os
from azure.identity import DefaultAzureCredential
from azure.mgmt.compute import ComputeManagementClient
subscription = os.environ["TAGBACK_SUBSCRIPTIONS"].split(",")[0]
with DefaultAzureCredential() as credential:
    with ComputeManagementClient(credential, subscription, base_url=os.environ["TAGBACK_ARM_ENDPOINT"]) as compute:
        print(sorted(machine.name for machine in compute.virtual_machines.list_all()))
"""

AZ_SCRIPT = f"""
az() {{ {quote(str(AZ))} "$@"; }}
az cloud register -n local --endpoint-resource-manager "$TAGBACK_ARM_ENDPOINT" \
    --endpoint-active-directory "$TAGBACK_AUTHORITY" --endpoint-active-directory-resource-id "$TAGBACK_ARM_ENDPOINT/"
az cloud set -n local
az login --identity --query '[0].id' -o tsv
az tag update --resource-id "$(az vm show -g shop -n web-1 --query id -o tsv)" --operation Merge --tags seen=az -o none
az vm list --query 'sort([].name)' -o tsv
az vm show -g shop -n web-1 --query tags -o json
"""


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody at a shell who has sourced the settings."""

    settings: Path
    home: Path

    def types(self, script: str) -> str:
        environment = plain_environment(self.home, AZURE_CONFIG_DIR=str(self.home / "azure"))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"source {quote(str(self.settings))}\n{script}"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def stranger(tmp_path: Path, held: Leash) -> Iterator[Stranger]:
    run = tmp_path / "run"
    start = f"import sys; from pathlib import Path; from local.up import main; sys.exit(main(Path({str(run)!r})))"
    log = tmp_path / "up.log"
    part = Part(Command("up", [sys.executable, "-c", start], log, {}, REPOSITORY), held)
    try:
        await_fleet(part)
        yield Stranger(run / "env", tmp_path)
    finally:
        part.stop()


def await_fleet(part: Part) -> None:
    """Wait until the machines of the fleet are made, which takes its time as in Azure."""
    deadline = time.monotonic() + PATIENCE
    while RUNNING not in part.output():
        assert part.running(), part.output()
        assert time.monotonic() < deadline, part.output()
        time.sleep(0.1)


def test_with_its_settings_sourced_an_sdk_program_and_az_talk_to_the_running_stack(stranger: Stranger) -> None:
    fleet = tomllib.loads(FLEET.read_text(encoding="utf-8"))
    machines = sorted(each["name"] for each in fleet["machine"] if each["where"][1] == 0)
    program = stranger.home / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    assert stranger.types(f"{quote(sys.executable)} {quote(str(program))}").strip() == str(machines)

    said = stranger.types(AZ_SCRIPT).split()
    assert said[: 1 + len(machines)] == [fleet["subscriptions"][0], *machines]
    assert '"seen":' in said
    assert '"silver",' in said
