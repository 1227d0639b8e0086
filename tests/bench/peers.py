"""What a loop of `az` commands and a policy of Cloud Custodian cost on the simulator; started by local/bench/peers.py.

`az COUNT` snapshots both disks of so many machines and deletes the snapshots again, as a loop in a shell does: an `az`
for each command. `c7n COUNT` has Custodian delete as many snapshots by their age; it has no action that takes any.
Prints the calls to ARM and the processor seconds of the client, sign-in left out.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from local.process import Leash, leash
from tests.clients.conftest import az_environment, sign_in
from tests.clients.estate import OWNER, Estate, estate, seed
from tests.clients.shell import Shell
from tests.clients.test_custodian import AGED, OLD, Custodian, certificates, custodian_environment, days_pass, policy
from tests.clients.tunnel import tunnel
from tests.simulator.running import SUBSCRIPTION, TENANT

DISKS = 2


def by_az(home: Path, held: Leash, machines: int) -> dict[str, float]:
    with estate(home, held, seed(f"group-{number}" for number in range(machines))) as azure:
        person = Shell(az_environment(azure, home, home / "azure"))
        for words in sign_in(azure):
            _typed(person, words)
        return _cost(azure, lambda: _loop(person, machines))


def _loop(person: Shell, machines: int) -> None:
    found = json.loads(_typed(person, ["vm", "list", "--query", "[?tags.backup!=null].storageProfile"]))
    assert len(found) == machines
    for storage in found:
        for disk in [storage["osDisk"], *storage["dataDisks"]]:
            source = str(disk["managedDisk"]["id"])
            where = ["-g", source.split("/")[4], "-n", f"snap-{disk['name']}"]
            _typed(person, ["snapshot", "create", *where, "--source", source, "--incremental", "true"])
    for snapshot in json.loads(_typed(person, ["snapshot", "list", "--query", "[].{g: resourceGroup, n: name}"])):
        _typed(person, ["snapshot", "delete", "-g", snapshot["g"], "-n", snapshot["n"]])


def _typed(person: Shell, words: Sequence[str]) -> str:
    done = person.run_executable(words)
    assert done.exit == 0, done
    return done.stdout


def by_custodian(home: Path, held: Leash, machines: int) -> dict[str, float]:
    certificates(home / "tls")
    began = (datetime.now(UTC) - OLD).isoformat()
    seeds = seed(f"group-{number}" for number in range(machines))
    with estate(home, held, seeds, "--clock", "jump", "--now", began) as azure:
        for number in range(machines):
            for part in ("os", "data"):
                _taken(azure, f"group-{number}", part)
        days_pass(azure)
        port = urlsplit(azure.url).port
        assert port is not None
        with tunnel(port) as names:
            secret = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": OWNER, "AZURE_CLIENT_SECRET": "any"}
            custodian = Custodian(home, custodian_environment(azure, names, home, secret))
            return _cost(azure, lambda: _purge(custodian, machines))


def _purge(custodian: Custodian, machines: int) -> None:
    ran = custodian.run(policy("old", "snapshot", [AGED], [{"type": "delete"}]))
    assert ran.exit == 0, ran.log
    assert len(ran.found["old"]) == machines * DISKS


def _taken(azure: Estate, group: str, part: str) -> None:
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute"
    source = {"createOption": "Copy", "sourceResourceId": f"{scope}/disks/{group}-{part}"}
    body = {"location": "westeurope", "properties": {"incremental": True, "creationData": source}}
    done = azure.control.ask("PUT", f"{scope}/snapshots/snap-{group}-{part}", body, OWNER)
    assert done.status == 202, done
    azure.control.advance(60)


def _cost(azure: Estate, act: Callable[[], None]) -> dict[str, float]:
    azure.control.control("DELETE", "calls")
    before = _processor_seconds()
    act()
    calls = [call for call in azure.control.control("GET", "calls") if call["principal"] == OWNER]
    changes = sum(call["method"] != "GET" for call in calls)
    return {"changes": changes, "reads": len(calls) - changes, "seconds": _processor_seconds() - before}


def _processor_seconds() -> float:
    """Of the client's processes that have ended; the simulator has not."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


PEERS = {"az": by_az, "c7n": by_custodian}


def main(words: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as home, leash() as held:
        print(json.dumps(PEERS[words[0]](Path(home), held, int(words[1]))))


if __name__ == "__main__":
    main(sys.argv[1:])
