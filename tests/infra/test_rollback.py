"""Going back: an older build meets rows of a newer one, leaves them alone, and the newer one goes on where it was."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from azure.data.tables import TableClient, UpdateMode

import function_app
from local.azurite.server import Azurite
from shared import wiring
from shared.cloud.rows import SCHEMA
from shared.flows.draining import drain
from shared.flows.expiring import expire
from shared.flows.reaping import reap
from shared.flows.registering import reconcile
from shared.flows.sweeping import sweep
from shared.messages import VmKey
from shared.model.point import PointState
from tests.infra.estate import Estate, estate
from tests.infra.roles import Assignment, grants


@pytest.fixture(scope="module")
def site(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    everything = Assignment("app", grants())
    with estate(tmp_path_factory.mktemp("rollback"), azurite, (everything,)) as made:
        yield made


def written_by(site: Estate, version: int) -> list[Mapping[str, Any]]:
    """Every row of the estate's shard, as the build of a version would have written it."""
    with TableClient.from_connection_string(site.azurite.connection_string, "ledger") as table:
        rows = [row for row in table.list_entities() if site.subscription in row["PartitionKey"]]
        for row in rows:
            table.update_entity({**row, "schema": version}, mode=UpdateMode.REPLACE)
        return [dict(row) for row in table.list_entities() if site.subscription in row["PartitionKey"]]


def rows_of(site: Estate) -> list[Mapping[str, Any]]:
    with TableClient.from_connection_string(site.azurite.connection_string, "ledger") as table:
        return [dict(row) for row in table.list_entities() if site.subscription in row["PartitionKey"]]


def test_rows_of_a_newer_build_are_left_alone_until_it_is_back(
    site: Estate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with site.acting("app") as (world, rules):
        monkeypatch.setattr(wiring, "from_environment", lambda: (world, rules))
        key = VmKey(site.vm("vm1"))
        reconcile(world, rules, key)
        site.until(2, 31)
        function_app.run(drain, site.shard)
        newer = written_by(site, SCHEMA + 1)
        assert newer
        site.clock.sleep(300)
        site.running.control("DELETE", "calls")
        with caplog.at_level(logging.WARNING, "tagback"):
            for flow, *about in ((drain, site.shard), (reap, site.shard), (expire,), (sweep,), (reconcile, key)):
                function_app.run(flow, *about)
        # All but the expiry: it asks for machines whose points want a look, and there is none.
        assert caplog.text.count("flow.handed_back") == 4
        assert rows_of(site) == newer
        calls = site.running.control("GET", "calls")
        assert [call for call in calls if call["method"] not in ("GET", "POST")] == []
        written_by(site, SCHEMA)
        function_app.run(drain, site.shard)
        [machine] = [held.row for held in world.ledger.machines(site.shard)]
        [point] = [held.row for held in world.ledger.points(site.shard, machine.uid)]
        assert point.state is PointState.COMPLETE
