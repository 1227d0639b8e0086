"""One subscription with machines, and the product over its real adapters as whoever a role says that it is."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from local.azurite.server import Azurite
from shared import wiring
from shared.model.identity import ResourceId, Shard
from shared.model.rules import Rules
from shared.ports import World
from shared.settings import Settings
from tests.contract.clouds import SimulatedClock
from tests.infra.roles import Assignment, seeded
from tests.simulator.running import Running, simulator

REGION = "westeurope"
OWNER = "devstoreaccount1"
PLANS = """
default = "quick"
[plans.quick]
keep_floor = "1h"
[plans.quick.snapshots]
at = ["02:00"]
zone = "UTC"
keep = "24h"
window = "30min"
"""


class SharedClock(SimulatedClock):
    """The simulator's clock for several threads."""

    def __init__(self, running: Running) -> None:
        super().__init__(running)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return super().now()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            super().sleep(seconds)


@dataclass(frozen=True, slots=True)
class Estate:
    """A subscription of machines in a simulator that enforces roles."""

    running: Running
    clock: SharedClock
    azurite: Azurite
    subscription: str
    folder: Path

    @property
    def shard(self) -> Shard:
        return Shard(self.subscription, REGION)

    def vm(self, name: str) -> ResourceId:
        group = f"/subscriptions/{self.subscription}/resourceGroups/web"
        return ResourceId.parse(f"{group}/providers/Microsoft.Compute/virtualMachines/{name}")

    def until(self, hour: int, minute: int) -> None:
        """Let time pass until a time of day."""
        now = self.clock.now()
        then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        self.clock.sleep((then - now).total_seconds() % timedelta(days=1).total_seconds())

    @contextmanager
    def acting(self, principal: str) -> Iterator[tuple[World, Rules]]:
        """The product as one principal."""
        plans = self.folder / "plans.toml"
        plans.write_text(PLANS, encoding="utf-8")
        environment = {
            "AzureWebJobsStorage": self.azurite.connection_string,
            "TAGBACK_SUBSCRIPTIONS": self.subscription,
            "TAGBACK_ARM_ENDPOINT": self.running.url,
            "TAGBACK_PLANS": str(plans),
            "TAGBACK_DELETE_WAIT": "1h",
            "TAGBACK_INHERIT_GROUP_TAGS": "on",
        }
        login = {
            "AZURE_CLIENT_ID": principal,
            "REQUESTS_CA_BUNDLE": str(self.running.ca),
            "IDENTITY_ENDPOINT": f"{self.running.url}/msi/token",
            "IDENTITY_HEADER": "x",
        }
        settings = Settings.read(environment)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**environment, **login}.items():
                patch.setenv(name, value)
            patch.setattr("shared.cloud.clock.SystemClock", lambda: self.clock)
            with wiring.opened(settings) as world:
                yield world, settings.rules()


@contextmanager
def estate(folder: Path, azurite: Azurite, assignments: tuple[Assignment, ...]) -> Iterator[Estate]:
    """A simulator with two machines and a recovery group, in which only the assignments give rights."""
    subscription = str(uuid.uuid4())
    place = f"/subscriptions/{subscription}"
    recovery = f"{place}/resourceGroups/tagback-{REGION}"
    scopes = {"subscription": place, "recovery": recovery, "targets": place}
    everything = f'[[assignment]]\nprincipal = "test"\nrole = "Owner"\nscope = "{place}"\n'
    seed = _machines(subscription) + seeded(assignments, scopes) + everything
    seed += seeded(assignments, {"recovery": f"{recovery}-rp07"})
    with simulator(folder, "--tls-dir", str(folder / "tls"), seed=seed) as running:
        made = Estate(running, SharedClock(running), azurite, subscription, folder)
        extension = {"location": REGION, "properties": {"publisher": "Microsoft.Azure.Extensions",
                     "type": "CustomScript", "typeHandlerVersion": "2.1"}}  # fmt: skip
        running.put_done(f"{made.vm('vm1')}/extensions/script", extension)
        yield made


def _machines(subscription: str) -> str:
    group = f'[[group]]\nsubscription = "{subscription}"\nlocation = "{REGION}"\n'
    machine = f'[[vm]]\nsubscription = "{subscription}"\ngroup = "web"\ntags = {{ backup = "quick" }}\n'
    disk = 'disks = [{{ name = "{0}-os", gib = 30, os = "Linux" }}]\n'
    return (
        f'[[subscription]]\nid = "{subscription}"\n'
        f'{group}name = "web"\ntags = {{ team = "shop" }}\n'
        f'{group}name = "tagback-{REGION}"\ntags = {{ tagback-owner = "{OWNER}" }}\n'
        f'{group}name = "tagback-{REGION}-rp07"\ntags = {{ tagback-owner = "{OWNER}" }}\n'
        + "".join(f'{machine}name = "{name}"\n' + disk.format(name) for name in ("vm1", "vm2"))
    )
