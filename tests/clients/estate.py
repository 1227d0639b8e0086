"""What the clients find: one simulator over HTTPS, two subscriptions, a group with a machine for each group of
commands, and four principals with different rights.

Used by the fixtures of this package.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.process import Command, Leash, Part
from local.stack import ready
from tests.simulator.running import OTHER, REPOSITORY, SUBSCRIPTION, TENANT, Running

OWNER = "0a000000-0000-4000-8000-00000000000a"
READER = "0b000000-0000-4000-8000-00000000000b"
STRANGER = "0c000000-0000-4000-8000-00000000000c"
MANAGED = "tagback"  # what the simulator calls the identity of a function app
CROWDED = "crowded"
SCOPE = f"/subscriptions/{SUBSCRIPTION}"

RIGHTS = (
    (OWNER, "Owner", SCOPE),
    (OWNER, "Owner", f"/subscriptions/{OTHER}"),
    (READER, "Reader", SCOPE),
    (MANAGED, "Reader", SCOPE),
    (MANAGED, "Contributor", f"{SCOPE}/resourceGroups/managed"),
)


@dataclass(slots=True)
class Estate:
    """A simulator that runs."""

    url: str
    ca: Path
    control: Running

    def identity(self) -> dict[str, str]:
        """What the platform tells a function app about its managed identity."""
        return {"IDENTITY_ENDPOINT": f"{self.url}/msi/token", "IDENTITY_HEADER": "x"}

    def names(self) -> dict[str, str]:
        """Values that commands refer to."""
        return {
            "url": self.url,
            "subscription": SUBSCRIPTION,
            "other": OTHER,
            "tenant": TENANT,
            "owner": OWNER,
            "reader": READER,
            "stranger": STRANGER,
        }

    @contextmanager
    def broken_once(self, fault: Mapping[str, Any]) -> Iterator[None]:
        """Let something go wrong at the first call of the block that matches; a fault that meets none is a mistake."""
        rule = self.control.control("POST", "faults", {"count": 1, **fault})["id"]
        yield
        fired = {each["id"]: each["fired"] for each in self.control.control("GET", "faults")}
        self.control.control("DELETE", f"faults/{rule}")
        assert fired[rule] == 1, f"no call met {fault}"


def seed(groups: Iterable[str]) -> str:
    """Write the seed file: every group of resources has one machine with two disks and one group tag."""
    parts = [f'[[subscription]]\nid = "{each}"\n' for each in (SUBSCRIPTION, OTHER)]
    for name in groups:
        where = f'subscription = "{SUBSCRIPTION}"\n'
        parts.append(f'[[group]]\n{where}name = "{name}"\nlocation = "westeurope"\ntags = {{ team = "shop" }}\n')
        disks = (
            f'{{ name = "{name}-os", gib = 30, sku = "Premium_LRS", os = "Linux" }}',
            f'{{ name = "{name}-data", gib = 64, sku = "Premium_LRS", lun = 3, caching = "ReadOnly" }}',
        )
        parts.append(
            f'[[vm]]\n{where}group = "{name}"\nname = "{name}-vm"\nsize = "Standard_D2s_v5"\nzone = "1"\n'
            f'tags = {{ backup = "silver" }}\ndisks = [ {", ".join(disks)} ]\n'
        )
    for principal, role, scope in RIGHTS:
        parts.append(f'[[assignment]]\nprincipal = "{principal}"\nrole = "{role}"\nscope = "{scope}"\n')
    return "\n".join(parts)


def crowd(count: int) -> str:
    """Write the seeds of many loose disks, more than one page lists, in the other subscription."""
    head = f'[[disk]]\nsubscription = "{OTHER}"\ngroup = "{CROWDED}"\ngib = 4\n'
    return "".join(f'{head}name = "disk-{number:04}"\n' for number in range(count))


@contextmanager
def estate(directory: Path, held: Leash, seeds: str, *options: str) -> Iterator[Estate]:
    """Run a simulator on a free port until the block ends; it ends with this process, however that ends."""
    path = directory / "seed.toml"
    path.write_text(seeds, encoding="utf-8")
    words = [sys.executable, "-m", "local.simulator", "--tls-dir", str(directory / "tls"), "--seed", str(path)]
    part = Part(Command("simulator", [*words, *options], directory / "simulator.log", {}, REPOSITORY), held)
    try:
        url, ca = str(ready(part)["url"]), directory / "tls" / "ca.pem"
        with closing(Running(url, ca)) as control:
            yield Estate(url, ca, control)
    finally:
        part.stop()
