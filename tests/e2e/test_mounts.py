"""Files from Azure Backup: a point is mounted by the wired product, its script fetched by its asker, and nobody else.

The password is looked for in everything that the product keeps and says: no row, blob, message, line or answer has it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient
from click.testing import CliRunner

from local.azurite.server import Azurite
from shared.cli.main import commands
from shared.cli.session import Session
from shared.flows import asking, request_kinds, show, show_restore
from shared.flows.expiring import expire
from shared.model.request import Progress
from tests.e2e import test_vaults
from tests.e2e.test_vault_restores import carried, served
from tests.e2e.vault_night import VaultNight

azure, night = test_vaults.azure, test_vaults.night


def kept(storage: str) -> Iterator[str]:
    """Everything that the storage account holds."""
    tables = TableServiceClient.from_connection_string(storage)
    for table in tables.list_tables():
        yield from (repr(dict(row)) for row in tables.get_table_client(table.name).list_entities())
    blobs = BlobServiceClient.from_connection_string(storage)
    for container in blobs.list_containers():
        held = blobs.get_container_client(container.name)
        for blob in held.list_blobs():
            yield blob.name + held.download_blob(blob.name).readall().decode("latin-1")
    queues = QueueServiceClient.from_connection_string(storage)
    for queue in queues.list_queues():
        yield from (message.content for message in queues.get_queue_client(queue.name).peek_messages(max_messages=32))


def test_a_point_is_mounted_its_script_is_its_askers_alone_and_it_is_unmounted_when_its_time_is_over(
    night: VaultNight,
    azurite: Azurite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    machine = test_vaults.backed_up(night)
    done = served(night, machine, mode="files", from_vault="true")
    assert (done.progress, done.because.rpartition(" as of ")[0]) == (Progress.DONE, f"{machine.name} can be read")
    told = show.request(done, asking.answering(night.world, done)) | show_restore.beside(done)
    mount = show_restore.restore(done)["mount"]
    item = f"iaasvmcontainerv2;{machine.group};{machine.name}"
    point = f"{mount['vault']}/backupFabrics/Azure/protectionContainers/iaasvmcontainer;{item}/protectedItems/vm;{item}"
    point = f"{point}/recoveryPoints/{mount['point']}"
    assert night.running.ask("GET", point).body["properties"]["isInstantIlrSessionActive"] is True

    for name, value in {
        "AzureWebJobsStorage": azurite.connection_string,
        "TAGBACK_SUBSCRIPTIONS": night.subscription,
        "TAGBACK_ARM_ENDPOINT": night.running.url,
    }.items():
        monkeypatch.setenv(name, value)
    session = Session(lambda: (night.world, night.rules), lambda: "person")
    into = tmp_path / "script"
    into.mkdir()
    words = ["script", done.id, "--into", str(into), "--output", "json"]
    result = CliRunner().invoke(commands, words, obj=session)
    assert result.exit_code == 0, result.output
    password = json.loads(result.stdout)["password"]
    assert len(password) == 15
    [file] = into.iterdir()
    assert file.read_text().startswith("#!")

    again = served(night, machine, mode="files", from_vault="true")
    assert (again.progress, "somebody reads files of this point already" in again.because) == (Progress.REFUSED, True)
    night.running.advance(timedelta(hours=12).total_seconds())
    expire(night.world, night.rules)
    tidied = night.world.requests.find(f"tidy-{done.id}")
    assert tidied is not None
    assert carried(night, tidied).progress is Progress.DONE
    assert night.running.ask("GET", point).body["properties"]["isInstantIlrSessionActive"] is False
    late = CliRunner().invoke(commands, words, obj=session)
    assert (late.exit_code, "is unmounted" in late.stderr) == (2, True)

    said = json.dumps(told) + caplog.text + file.read_text() + late.output
    everything = [*kept(azurite.connection_string), said]
    assert any(done.id in one for one in everything)
    assert [one[:200] for one in everything if password in one] == []


def test_who_asked_over_http_gives_it_back_sooner(night: VaultNight) -> None:
    machine = test_vaults.backed_up(night)
    done = served(night, machine, mode="files", from_vault="true")
    asked = request_kinds.ask(night.world, night.rules, {"asked": "undo", "request": done.id}, "person")
    assert carried(night, asked).progress is Progress.DONE
    again = served(night, machine, mode="files", from_vault="true")
    assert again.progress is Progress.DONE
