"""One simulator and one installation per module: restores of one test do not meet those of another."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from local.azurite.server import Azurite
from shared import wiring
from shared.model.identity import Shard
from shared.settings import Settings
from tests.contract.clouds import SimulatedClock
from tests.restore.estate import REGION, Estate
from tests.simulator.running import simulator


@pytest.fixture(scope="module")
def estate(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    directory: Path = tmp_path_factory.mktemp("estate")
    subscription = str(uuid.uuid4())  # of its own: the tables are shared, and this simulator's time is not
    seed = f'[[subscription]]\nid = "{subscription}"\n'
    with ExitStack() as open_parts, pytest.MonkeyPatch.context() as patch:
        running = open_parts.enter_context(simulator(directory, "--tls-dir", str(directory / "tls"), seed=seed))
        environment = {
            "AzureWebJobsStorage": azurite.connection_string,
            "TAGBACK_SUBSCRIPTIONS": subscription,
            "TAGBACK_RECOVERY_GROUP": f"tb{uuid.uuid4().hex[:8]}-{{region}}",
            "TAGBACK_ARM_ENDPOINT": running.url,
            "REQUESTS_CA_BUNDLE": str(running.ca),
            "IDENTITY_ENDPOINT": f"{running.url}/msi/token",
            "IDENTITY_HEADER": "x",
        }
        for name, value in environment.items():
            patch.setenv(name, value)
        settings, clock = Settings.read(environment), SimulatedClock(running)
        # The pace too: buckets that fill in real time while slices sleep in another are soon empty for good.
        patch.setattr("shared.cloud.clock.SystemClock", lambda: clock)
        world = open_parts.enter_context(wiring.opened(settings))
        found = Estate(world, settings.rules(), running, Shard(subscription, REGION))
        found.network()
        yield found
