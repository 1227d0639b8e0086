"""The host as a process: what stops it from starting, how it ends, what is left when it is killed."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from local.azurite.server import Azurite
from tests.host.harness import ROOT, HostProcess, Store, command, move, request, running, settle

QUEUE_APP = """
import azure.functions as func
app = func.FunctionApp()
@app.queue_trigger(arg_name="message", queue_name="work", connection="AzureWebJobsStorage")
def work(message: str) -> None:
    pass
"""
HTTP_APP = """
import os, time
import azure.functions as func
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
@app.route(route="sleep")
def sleep(req: func.HttpRequest) -> str:
    time.sleep(60)
    return "slept"
@app.route(route="{*where}")
def told(req: func.HttpRequest) -> str:
    return " ".join([os.environ["SETTING"], os.environ["WEBSITE_HOSTNAME"], os.getcwd()])
"""


def refused(*options: str, **environment: str) -> tuple[int, str]:
    """Exit code and stderr of a host that cannot start."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AzureWebJobs")}
    ended = subprocess.run(
        command("--port", "0", *options),
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**clean, "PYTHONPATH": str(ROOT), **environment},
        check=False,
    )
    assert ended.stdout == ""
    return ended.returncode, ended.stderr


def made(folder: Path, source: str, host: str = '{"version": "2.0"}') -> str:
    (folder / "function_app.py").write_text(source)
    (folder / "host.json").write_text(host)
    return str(folder)


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, told = refused("--app", made(tmp_path, HTTP_APP), "--port", str(port))
    assert (code, told) == (1, f"local.host: cannot listen on port {port}: Address already in use\n")


def test_a_missing_app_directory_is_one_line(tmp_path: Path) -> None:
    code, told = refused("--app", str(tmp_path / "nowhere"))
    assert (code, told) == (2, f"local.host: no app directory {tmp_path / 'nowhere'}\n")


def test_a_directory_without_an_app_is_one_line(tmp_path: Path) -> None:
    code, told = refused("--app", str(tmp_path))
    assert (code, told) == (1, f"local.host: no function_app.py in {tmp_path}\n")


def test_storage_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/a"
        connection = f"AccountName=a;AccountKey=YQ==;BlobEndpoint={nobody};QueueEndpoint={nobody}"
        code, told = refused("--app", made(tmp_path, QUEUE_APP), AzureWebJobsStorage=connection)
    assert code == 1
    assert told.splitlines()[-1].startswith("local.host: AzureWebJobsStorage: storage does not answer: ")
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (QUEUE_APP.replace("message: str", "message: int"), "cannot load the work function"),
        (QUEUE_APP.replace("queue_trigger", "blob_trigger").replace("queue_name", "path"), "'blobTrigger'"),
    ],
    ids=["bad annotation", "binding of another kind"],
)
def test_an_app_that_cannot_be_loaded_is_one_line(tmp_path: Path, source: str, why: str) -> None:
    code, told = refused("--app", made(tmp_path, source))
    assert code == 1
    assert why in told.splitlines()[-1]
    assert "Traceback" not in told


def serve(folder: Path, settings: Mapping[str, str], *options: str) -> HostProcess:
    return HostProcess(folder, folder / "log", {"AzureWebJobsStorage": "", **settings}, *options)


def asleep(host: HostProcess) -> socket.socket:
    """A connection on which a function sleeps for a minute."""
    waiting = socket.create_connection(("127.0.0.1", int(host.ready["url"].rpartition(":")[2])))
    before = host.logged("Executing 'Functions.sleep'")
    waiting.sendall(b"GET /api/sleep HTTP/1.1\r\nHost: x\r\n\r\n")
    end = time.monotonic() + 60
    while host.logged("Executing 'Functions.sleep'") == before and time.monotonic() < end:
        time.sleep(0.01)
    return waiting


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_an_app_of_http_functions_alone_needs_no_storage_and_ends_within_a_second(
    tmp_path: Path, how: signal.Signals
) -> None:
    made(tmp_path, HTTP_APP)
    settings = tmp_path / "my.settings.json"
    settings.write_text('{"IsEncrypted": false, "Values": {"SETTING": "from-file", "LocalHostKeys__master": "mine"}}')
    host = serve(tmp_path, {}, "--settings", str(settings))
    port = host.ready["url"].rpartition(":")[2]
    assert host.call("/api/x").text == f"from-file localhost:{port} {tmp_path}"
    assert host.keys["master"] == "mine"
    assert host.admin("/admin/host/status").status == 200
    with asleep(host):
        code, took = host.end(how)
    assert code == 0
    assert took < 1
    with socket.socket() as again:
        assert again.connect_ex(("127.0.0.1", int(port))) != 0


def test_what_a_killed_host_did_is_done_again_when_its_message_comes_back_and_keys_stay(
    moved_azurite: Azurite, tmp_path: Path
) -> None:
    store = Store(moved_azurite, "killed-")
    store.create("work", "seen")
    store.send("work", "sleep 60")
    with running(store, tmp_path / "log") as host:
        wait_for_runs(host, 1)
        host.end(signal.SIGKILL)
        keys = host.keys
    with running(store, tmp_path / "log") as host:
        assert host.keys == keys
        assert settle(host)["next"] is not None
        stored = datetime.fromisoformat(request(moved_azurite.clock_url + "/clock").json["now"])
        move(moved_azurite, host, max(host.now(), stored) + timedelta(minutes=10, seconds=1))
        host.idle()
        wait_for_runs(host, 2)
        settle(host)
        move(moved_azurite, host, host.now() + timedelta(seconds=61))
        assert store.seen(body="b'sleep 60'")["count"] == 2
    store.close()


def wait_for_runs(host: HostProcess, count: int) -> None:
    end = time.monotonic() + 60
    while host.logged("Executing 'Functions.on_work'") < count:
        assert time.monotonic() < end, "on_work was not run"
        time.sleep(0.01)


def wait_until_idle(host: HostProcess, why: str) -> None:
    end = time.monotonic() + 60
    while not host.idle()["idle"]:
        assert time.monotonic() < end, why
        time.sleep(0.05)


def test_microsofts_library_can_be_the_worker(azurite: Azurite, tmp_path: Path) -> None:
    store = Store(azurite, "theirs-")
    store.create("work", "seen", "async")
    with running(store, tmp_path / "log", "--worker", "runtime") as host:
        assert host.ready["functions"][0] == "on_event"
        assert host.call("/api/any/where?q=1", "PUT", b"!").text == "PUT q=1!"
        store.send("work", "hello", "sleep 200")
        assert store.seen(body="b'hello'")["count"] == 1
        wait_until_idle(host, "its virtual sleep is known although the library runs it")
        store.send("async", "0.01")
        assert store.seen(asynchronous="0.01")
    store.close()
