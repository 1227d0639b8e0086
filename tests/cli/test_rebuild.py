"""`tagback rebuild` asks, per shard in which Azure holds anything of ours, that the ledger be made anew."""

from __future__ import annotations

from shared.model.identity import Shard
from shared.model.request import Asked, Progress
from tests.cli.running import ASKER, answer, run
from tests.fleet import SHARD, SUBSCRIPTION, Fleet, empty_fleet


def recovered(*shards: Shard) -> Fleet:
    fleet = empty_fleet()
    fleet.stage.azure.groups.update(shards)
    return fleet


def test_every_shard_with_a_recovery_group_is_asked_for_and_nothing_else() -> None:
    other = Shard(SUBSCRIPTION, "northeurope")
    fleet = recovered(SHARD, other, Shard("somebody-elses", "westeurope"))
    asked = answer(run(fleet, "rebuild", "--output", "json"))
    assert [(one["subscription"], one["region"]) for one in asked] == [
        (SUBSCRIPTION, "northeurope"),
        (SUBSCRIPTION, "westeurope"),
    ]
    for one in asked:
        request = fleet.world.requests.find(one["id"])
        assert request is not None
        assert (request.asked, request.progress, request.by) == (Asked.REBUILD, Progress.ASKED, ASKER)
    assert len(fleet.stage.queues.messages) == 2


def test_a_request_for_a_rebuild_is_shown_as_one_of_the_ledger() -> None:
    fleet = recovered(SHARD)
    shown = run(fleet, "rebuild").stdout
    request_id = shown.split("request ")[1].split()[0]
    assert "rebuild of the ledger" in run(fleet, "request", request_id).stdout


def test_where_azure_holds_nothing_there_is_nothing_to_rebuild_from() -> None:
    result = run(empty_fleet(), "rebuild")
    assert (result.exit_code, "nothing to make the ledger from" in result.stdout) == (0, True)
