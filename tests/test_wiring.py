"""The object graph: built whole over real services, cheap to import, and closed again."""

from __future__ import annotations

import subprocess
import sys
import uuid

import pytest

from local.azurite.server import Azurite
from shared import ports, wiring
from shared.errors import BadInput, Denied
from shared.model.identity import Shard
from shared.model.snapshot import SnapshotSeen
from shared.settings import Settings
from tests.simulator.running import SUBSCRIPTION, Running

HEAVY = ("azure", "requests", "cryptography", "msal", "tenacity", "jsonschema", "jinja2")


@pytest.fixture
def environment(azurite: Azurite, simulated: Running, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    ours = {
        "AzureWebJobsStorage": azurite.connection_string,
        "TAGBACK_SUBSCRIPTIONS": SUBSCRIPTION,
        "TAGBACK_ARM_ENDPOINT": simulated.url,
        "REQUESTS_CA_BUNDLE": str(simulated.ca),
        "IDENTITY_ENDPOINT": f"{simulated.url}/msi/token",
        "IDENTITY_HEADER": "x",
    }
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    return ours


def test_importing_it_loads_no_sdk() -> None:
    script = f"import sys, shared.wiring; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_port_of_the_world_is_there_and_works(environment: dict[str, str]) -> None:
    with wiring.opened(Settings.read(environment)) as world:
        shard = Shard(SUBSCRIPTION, "westeurope")
        assert all(getattr(world, name) is not None for name in ports.World.__dataclass_fields__)
        assert world.inventory.enabled(SUBSCRIPTION)
        assert world.ledger.record(shard, "no-such-machine") is None  # type: ignore[arg-type] # any text will do
        assert world.snapshots.place(shard, "tb-1").group == "tagback-westeurope"
        assert list[SnapshotSeen](world.snapshots.taken(shard, [world.clock.now()])) == []
        name = f"q{uuid.uuid4().hex}"
        assert world.workers.run([lambda: world.queue.send(name, "x")]) == [None]


def test_reading_over_http_takes_a_role_where_it_was_told_to(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAGBACK_API_READ", "role")
    wiring._keyed.cache_clear()
    try:
        for headers, status in (({}, 401), ({"Authorization": "Bearer x"}, 403)):
            assert wiring.web("GET", "https://localhost/api/status", headers, b"").status == status
    finally:
        wiring._keyed.cache_clear()


def test_requests_of_one_process_are_counted_together() -> None:
    assert wiring._callers() is wiring._callers()


def test_the_caller_is_who_their_token_says(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert wiring.caller() == "tagback"
    monkeypatch.setenv("AZURE_CLIENT_ID", "person-1")
    assert wiring.caller() == "person-1"


def test_bad_settings_are_told_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AzureWebJobsStorage", "TAGBACK_SUBSCRIPTIONS"):
        monkeypatch.delenv(name, raising=False)
    for _ in range(2):
        with pytest.raises(BadInput):
            wiring.from_environment()


def test_without_a_readable_token_nobody_is_named() -> None:
    from shared.cloud.call import Calls
    from shared.cloud.clock import SystemClock
    from shared.cloud.identity import Identity, Login, object_id

    class Opaque(Identity):
        def get_token(self, *scopes: str, **options: object) -> object:  # type: ignore[override] # a token is enough
            from azure.core.credentials import AccessToken

            return AccessToken("opaque", 2**40)

    with pytest.raises(Denied):
        object_id(Opaque(Login(managed=False)), "https://management.azure.com", Calls(SystemClock()))


@pytest.mark.parametrize("authority", ["", "https://login.example.org"])
def test_without_a_managed_identity_it_is_whoever_logged_in(authority: str) -> None:
    from azure.identity import DefaultAzureCredential

    from shared.cloud.identity import Identity, Login

    identity = Identity(Login(managed=False, authority=authority))
    assert isinstance(identity.chosen(), DefaultAzureCredential)
    identity.close()
