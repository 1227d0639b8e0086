"""The whole stack with a small app of its own: an owner's work in Azure reaches the app, in jumping time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.identity import ManagedIdentityCredential
from azure.mgmt.compute import ComputeManagementClient

from local.demo.evidence import Observer
from local.demo.fleet import Fleet
from local.demo.scenario import MachineStory, load
from local.process import PartFailed
from local.stack import Ports, Stack, Wanted, running

START = datetime(2031, 2, 3, tzinfo=UTC)
ROOT = Path(__file__).parents[2]

APP = """
import json, os
import azure.functions as func

app = func.FunctionApp()

@app.event_grid_trigger(arg_name="event")
def on_resource_event(event: func.EventGridEvent) -> None:
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(json.dumps([event.get_json()["operationName"], event.subject]) + "\\n")

@app.timer_trigger(schedule="0 0 * * * *", arg_name="timer")
def hourly(timer: func.TimerRequest) -> None:
    pass
"""


def write_app(folder: Path) -> Path:
    app = folder / "app"
    app.mkdir()
    (app / "function_app.py").write_text(APP)
    (app / "host.json").write_text('{"version": "2.0"}')
    return app


def machine() -> MachineStory:
    return next(machine for machine in load("spine", 1, datetime.now(UTC)).machines if machine.name == "data-1")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    notes = folder / "notes.jsonl"
    notes.write_text("")
    wanted = Wanted(
        [machine().subscription], START, run=folder / "run", app=write_app(folder), settings={"NOTES": str(notes)}
    )
    with running(wanted) as started:
        yield started


def test_an_owners_work_reaches_the_app_within_virtual_minutes(stack: Stack) -> None:
    conductor = stack.conductor()
    fleet = Fleet(stack.simulator_url, stack.bundle, conductor.stage.sleep)
    stack.subscribe_events()
    conductor.stage.at(START + timedelta(minutes=1), "create", lambda: fleet.create(machine()))
    conductor.stage.at(START + timedelta(minutes=30), "tag", lambda: fleet.tag(machine(), {"team": "x"}))
    conductor.stage.at(START + timedelta(minutes=60), "untag", lambda: fleet.replace_tags(machine(), {}))
    conductor.stage.at(START + timedelta(minutes=90), "delete", lambda: fleet.delete(machine()))
    began = time.monotonic()
    conductor.run(START + timedelta(hours=3))
    assert time.monotonic() - began < 60
    fleet.close()
    notes = [json.loads(line) for line in (stack.wanted.run.parent / "notes.jsonl").read_text().splitlines()]
    assert [operation for operation, subject in notes if subject.lower().startswith(machine().id.lower())] == [
        "Microsoft.Compute/virtualMachines/write",
        "Microsoft.Resources/tags/write",
        "Microsoft.Compute/virtualMachines/write",
        "Microsoft.Compute/virtualMachines/delete",
    ]


def test_what_happened_in_azure_can_be_read_from_outside(stack: Stack) -> None:
    observer = Observer(stack)
    evidence = observer.gather()
    observer.write(evidence)
    observer.close()
    born = [entry["born"] for entry in evidence.resources if str(entry["id"]).lower() == machine().id.lower()]
    assert len(born) == 1
    assert START < datetime.fromisoformat(born[0]) < START + timedelta(minutes=5)
    files = sorted(path.name for path in (stack.wanted.run / "evidence").iterdir())
    assert files == [
        "audit.txt",
        "calls.jsonl",
        "events.jsonl",
        "faults.json",
        "requests.jsonl",
        "rows.jsonl",
        "state.json",
    ]
    delivered = [json.loads(line) for line in (stack.wanted.run / "evidence" / "events.jsonl").read_text().splitlines()]
    assert len(delivered) >= 4


def test_an_azure_program_works_with_the_environment_file_alone(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = subprocess.run(
        ["bash", "-c", f"set -a; source {stack.wanted.run / 'env'}; env -0"], capture_output=True, text=True, check=True
    ).stdout
    shell = dict(line.split("=", 1) for line in lines.split("\0") if "=" in line)
    for name in ("TAGBACK_ARM_ENDPOINT", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, shell[name])
    arm = shell["TAGBACK_ARM_ENDPOINT"]
    with (
        ManagedIdentityCredential() as credential,
        ComputeManagementClient(
            credential, machine().subscription, arm, credential_scopes=["https://management.azure.com/.default"]
        ) as compute,
        pytest.raises(ResourceNotFoundError),
    ):
        compute.virtual_machines.get("crm", "data-1")


def test_the_addresses_are_where_others_look_for_them(stack: Stack) -> None:
    host, simulator, azurite = (
        json.loads((stack.wanted.run / f"{part}.json").read_text()) for part in ("host", "simulator", "azurite")
    )
    assert host["url"] == stack.host_url
    assert simulator["url"].startswith("https://")
    assert set(azurite) == {"pid", "blob", "queue", "table", "connection_string"}
    for part in (host, simulator, azurite):
        os.kill(part["pid"], 0)
    status = requests.get(
        f"{host['url']}/admin/host/status", headers={"x-functions-key": stack.keys["master"]}, timeout=9
    )
    assert status.status_code == 200


def test_a_host_killed_and_started_again_keeps_its_address_keys_and_time(stack: Stack) -> None:
    before = (stack.host_url, stack.keys)
    stack.kill_host()
    with pytest.raises(PartFailed, match="host ended by itself"):
        stack.check()
    stack.restart_host()
    assert (stack.host_url, stack.keys) == before
    now = requests.get(f"{stack.host_url}/_host/clock", timeout=9).json()["now"]
    assert abs(datetime.fromisoformat(now) - stack.conductor().now()) < timedelta(seconds=2)
    stack.conductor().run(stack.conductor().now() + timedelta(hours=2))


def test_a_port_in_use_is_one_clear_line_and_leaves_nothing(stack: Stack, tmp_path: Path) -> None:
    taken = int(stack.host_url.rpartition(":")[2])
    wanted = Wanted([machine().subscription], run=tmp_path / "run", app=write_app(tmp_path), ports=Ports(host=taken))
    with (
        pytest.raises(PartFailed, match=rf"^the functions host cannot use port {taken}: [^\n]+$"),
        running(wanted),
    ):
        pass
    assert not (tmp_path / "run" / "simulator.json").exists()


def test_a_broken_app_is_one_clear_line(tmp_path: Path) -> None:
    app = write_app(tmp_path)
    (app / "function_app.py").write_text("import azure.functions as func\nno_app = 1\n")
    with (
        pytest.raises(PartFailed, match=r"^host ended with code \d+ before it was ready: [^\n]+$"),
        running(Wanted([machine().subscription], run=tmp_path / "run", app=app)),
    ):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_every_part(tmp_path: Path, number: signal.Signals) -> None:
    program = (
        "import pathlib, signal, sys, time\n"
        "from local.stack import Wanted, running\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"  # as a script's background job is started
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        f"with running(Wanted([{machine().subscription!r}], run=folder / 'run', app=folder / 'app')) as stack:\n"
        "    print('up', flush=True)\n"
        "    time.sleep(600)\n"
    )
    write_app(tmp_path)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        files = (tmp_path / "run").glob("*.json")
        pids = [json.loads(path.read_text())["pid"] for path in files]
        owner.send_signal(number)
        owner.communicate(timeout=60)
    assert len(pids) == 3
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert not list((tmp_path / "run").glob("*.json"))


def test_what_is_to_outlive_its_terminal_goes_on_when_that_is_closed() -> None:
    program = (
        "import signal\n"
        "from local.stack import ending_on_signals\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"  # as nohup starts it
        "with ending_on_signals():\n"
        "    signal.raise_signal(signal.SIGHUP)\n"
        "    print('on')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "on\n")
