"""Cloud Custodian lists, filters, tags and deletes, unpatched: it knows Azure's public names only and is led here."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
import yaml

from local.process import Leash
from tests.clients.estate import OWNER, Estate, estate, seed
from tests.clients.installed import CUSTODIAN
from tests.clients.shell import plain_environment
from tests.clients.tunnel import CLOUD, Tunnel, tunnel
from tests.simulator.running import SUBSCRIPTION, TENANT

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/kept"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
OLD = timedelta(days=40)
PATIENCE = 600.0

AGED: Mapping[str, Any] = {
    "type": "value",
    "key": "properties.timeCreated",
    "value_type": "age",
    "op": "gt",
    "value": 30,
}


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of policies found, by policy, and what it said."""

    exit: int
    log: str
    found: Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Custodian:
    """Somebody who runs policies."""

    home: Path
    environment: Mapping[str, str]
    runs: list[int] = field(default_factory=list)

    def run(self, *policies: Mapping[str, Any]) -> Ran:
        self.runs.append(len(policies))
        file, out = self.home / "policies.yml", self.home / f"out{len(self.runs)}"
        file.write_text(yaml.safe_dump({"policies": list(policies)}), encoding="utf-8")
        done = subprocess.run(
            [CUSTODIAN, "run", "-s", out, file],
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        found = {
            path.parent.name: sorted(each["name"] for each in json.loads(path.read_text(encoding="utf-8")))
            for path in out.glob("*/resources.json")
        }
        return Ran(done.returncode, done.stdout + done.stderr, found)


@pytest.fixture
def past(tmp_path: Path, held: Leash) -> Iterator[Estate]:
    """An Azure of forty days ago, which moves to today when told; its certificate holds Azure's public names."""
    certificates(tmp_path / "tls")
    began = (datetime.now(UTC) - OLD).isoformat()
    with estate(tmp_path, held, seed(["kept"]), "--clock", "jump", "--now", began) as running:
        yield running


@pytest.fixture
def names(past: Estate) -> Iterator[Tunnel]:
    port = urlsplit(past.url).port
    assert port is not None
    with tunnel(port) as led:
        yield led
    assert led.refused == [], "nothing but Azure was asked for"


@pytest.fixture
def owner(past: Estate, names: Tunnel, tmp_path: Path) -> Custodian:
    """Custodian with a service principal that may do everything."""
    secret = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": OWNER, "AZURE_CLIENT_SECRET": "any"}
    return Custodian(tmp_path, custodian_environment(past, names, tmp_path, secret))


def custodian_environment(past: Estate, names: Tunnel, home: Path, who: Mapping[str, str]) -> dict[str, str]:
    more = {"HTTPS_PROXY": names.url, "REQUESTS_CA_BUNDLE": str(past.ca), "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION}
    return plain_environment(home, **more, **who)


def certificates(folder: Path) -> None:
    """Write the files that a simulator would make for itself, with more names."""
    folder.mkdir()
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1", *CLOUD)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    (folder / "server.pem").write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    (folder / "server.key").write_bytes(issued.private_key_pem.bytes())


def take(past: Estate, name: str, **tags: str) -> None:
    """Take an incremental snapshot."""
    source = {"createOption": "Copy", "sourceResourceId": f"{COMPUTE}/disks/kept-os"}
    body = {"location": "westeurope", "tags": tags, "properties": {"incremental": True, "creationData": source}}
    done = past.control.ask("PUT", f"{COMPUTE}/snapshots/{name}", body, OWNER)
    assert done.status == 202, done
    past.control.advance(60)


def days_pass(past: Estate) -> None:
    past.control.control("POST", "clock", {"to": datetime.now(UTC).isoformat()})


def there(past: Estate) -> list[str]:
    """The snapshots that exist once everything accepted is done."""
    past.control.advance(60)
    return sorted(each["name"] for each in past.control.ask("GET", f"{COMPUTE}/snapshots", None, OWNER).body["value"])


def policy(name: str, resource: str, filters: Sequence[Any] = (), actions: Sequence[Any] = ()) -> dict[str, Any]:
    chosen: dict[str, Any] = {"name": name, "resource": f"azure.{resource}"}
    return chosen | ({"filters": list(filters)} if filters else {}) | ({"actions": list(actions)} if actions else {})


def test_it_lists_and_filters_by_tag_age_state_and_lock(past: Estate, owner: Custodian) -> None:
    take(past, "old", stage="test")
    days_pass(past)
    take(past, "new", stage="live")
    lock = f"{COMPUTE}/snapshots/new/providers/Microsoft.Authorization/locks/stay?api-version=2016-09-01"
    past.control.ask("PUT", lock, {"properties": {"level": "CanNotDelete"}}, OWNER)
    running = {"type": "instance-view", "key": "statuses[].code", "op": "in", "value_type": "swap"}

    done = owner.run(
        policy("all", "snapshot"),
        policy("tagged", "snapshot", [{"tag:stage": "test"}]),
        policy("untagged", "snapshot", [{"tag:stage": "absent"}]),
        policy("aged", "snapshot", [AGED]),
        policy("locked", "snapshot", [{"type": "resource-lock", "lock-type": "CanNotDelete"}]),
        policy("free", "disk", [{"properties.diskState": "Unattached"}]),
        policy("held", "disk", [{"type": "value", "key": "managedBy", "value": "not-null"}]),
        policy("running", "vm", [{**running, "value": "PowerState/running"}]),
        policy("stopped", "vm", [{**running, "value": "PowerState/stopped"}]),
        policy("group", "resourcegroup", [{"tag:team": "shop"}]),
        policy("any", "armresource", [{"type": "resource-type", "values": ["Microsoft.Compute/snapshots"]}]),
    )

    assert done.exit == 0, done.log
    assert done.found == {
        "all": ["new", "old"],
        "tagged": ["old"],
        "untagged": [],
        "aged": ["old"],
        "locked": ["new"],
        "free": [],
        "held": ["kept-data", "kept-os"],
        "running": ["kept-vm"],
        "stopped": [],
        "group": ["kept"],
        "any": ["new", "old"],
    }


def test_it_deletes_what_is_old_and_untagged_and_leaves_the_rest(past: Estate, owner: Custodian) -> None:
    for name in ("one", "two"):
        take(past, name)
    take(past, "hold", hold="yes")
    days_pass(past)
    take(past, "new")
    wanted = policy("expire", "snapshot", [AGED, {"tag:hold": "absent"}], ["delete"])

    assert owner.run(wanted).found == {"expire": ["one", "two"]}
    assert there(past) == ["hold", "new"]
    assert owner.run(wanted).found == {"expire": []}


def test_a_lock_keeps_a_snapshot_from_it_and_the_refusal_is_told(past: Estate, owner: Custodian) -> None:
    take(past, "locked")
    take(past, "loose")
    lock = f"{COMPUTE}/snapshots/locked/providers/Microsoft.Authorization/locks/stay?api-version=2016-09-01"
    past.control.ask("PUT", lock, {"properties": {"level": "CanNotDelete"}}, OWNER)

    done = owner.run(policy("expire", "snapshot", [], ["delete"]))

    assert "ScopeLocked" in done.log
    assert there(past) == ["locked"]


def test_it_marks_for_a_later_run_by_a_tag_beside_those_it_finds(past: Estate, owner: Custodian) -> None:
    take(past, "marked", stage="test")
    days_pass(past)
    mark = {"type": "mark-for-op", "op": "delete", "days": 1, "tag": "custodian_status"}
    found = {"type": "marked-for-op", "op": "delete", "skew": 1, "tag": "custodian_status"}

    marking = owner.run(policy("mark", "snapshot", [{"tag:stage": "test"}], [mark]))
    assert marking.exit == 0, marking.log
    tags = past.control.ask("GET", f"{COMPUTE}/snapshots/marked", None, OWNER).body["tags"]
    assert tags["stage"] == "test"
    assert "delete@" in tags["custodian_status"]

    assert owner.run(policy("act", "snapshot", [found], ["delete"])).found == {"act": ["marked"]}
    assert there(past) == []


def test_as_a_managed_identity_that_may_only_read_it_lists_and_deletes_nothing(
    past: Estate, names: Tunnel, tmp_path: Path
) -> None:
    take(past, "safe")
    who = {"AZURE_USE_MSI": "1", "AZURE_TENANT_ID": TENANT, **past.identity()}
    reader = Custodian(tmp_path, custodian_environment(past, names, tmp_path, who))

    done = reader.run(policy("expire", "snapshot", [], ["delete"]))

    assert done.found == {"expire": ["safe"]}
    assert "AuthorizationFailed" in done.log
    assert there(past) == ["safe"]
