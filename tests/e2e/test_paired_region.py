"""A machine comes back in the paired region: the wired product on the simulator, judged by what its disks hold."""

from __future__ import annotations

from shared.flows import request_kinds
from shared.model.identity import ResourceId
from shared.model.request import Progress
from tests.e2e import test_vault_restores
from tests.e2e.test_vault_restores import Spoilt, carried, contents, served, staging
from tests.e2e.vault_night import VaultNight

azure, night, spoilt = test_vault_restores.azure, test_vault_restores.night, test_vault_restores.spoilt
FAR = "northeurope"
HALF_A_DAY = 12 * 3600.0


def crossing(night: VaultNight, vault: ResourceId) -> None:
    """Somebody turns cross-region restore on; half a day later the points are there."""
    settings = {"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Enabled"}
    body = {"properties": {"redundancySettings": settings}}
    assert night.running.ask("PATCH", f"{vault}?api-version=2025-02-01", body).status < 300
    night.running.advance(HALF_A_DAY)


def subnet(night: VaultNight, group: str) -> str:
    place = f"{group}/providers/Microsoft.Network/virtualNetworks/far-net"
    subnets = [{"name": "a", "properties": {"addressPrefix": "10.1.0.0/24"}}]
    body = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "subnets": subnets}
    night.running.put_done(place, {"location": FAR, "properties": body})
    return f"{place}/subnets/a"


def test_a_machine_comes_back_in_the_paired_region_with_what_its_point_held(night: VaultNight, spoilt: Spoilt) -> None:
    [point] = night.points(spoilt.machine)
    assert point.vault is not None
    group = f"/subscriptions/{night.subscription}/resourceGroups/Far"
    night.running.ask("PUT", group, {"location": FAR})
    where = {"from_vault": "true", "region": "North Europe", "group": "Far", "staging": staging(night)}
    where |= {"slot": f"{point.slot:%Y%m%dT%H%MZ}"}
    refused = served(night, spoilt.machine, mode="disks", **where)
    assert "cross-region restore is off" in refused.because, refused.because
    assert refused.progress is Progress.REFUSED
    crossing(night, point.vault.vault)
    disks = served(night, spoilt.machine, mode="disks", **where)
    assert disks.progress is Progress.DONE, disks.because
    assert disks.restore is not None
    now = contents(night)
    assert {source.lun: now[source.made.lower()] for source in disks.restore.sources} == spoilt.captured
    for source in disks.restore.sources:
        body = night.running.ask("GET", source.made).body
        assert (body["location"], body["tags"]["tagback-restore"]) == (FAR, disks.id)
    made = served(night, spoilt.machine, mode="new", subnet=subnet(night, group), **where)
    assert made.progress is Progress.DONE, made.because
    place = f"{group}/providers/Microsoft.Compute/virtualMachines/{spoilt.machine.name}-restored"
    machine = night.running.ask("GET", place).body
    assert (machine["location"], machine["tags"]["backup"]) == (FAR, "off")
    asked = request_kinds.ask(night.world, night.rules, {"asked": "undo", "request": made.id}, "person")
    assert carried(night, asked).progress is Progress.DONE
    assert night.running.ask("GET", place).status == 404
    assert made.restore is not None
    assert not {one.made.lower() for one in made.restore.sources} & set(contents(night))
