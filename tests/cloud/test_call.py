"""Calls that go wrong, over real answers of the simulator: what is tried again, what it becomes, what is never sent."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from shared.cloud.arm import Arm
from shared.cloud.call import BUDGET, TRIES
from shared.cloud.graph import Graph
from shared.cloud.identity import Identity, Login
from shared.cloud.inventory import AzureInventory
from shared.cloud.pace import HeardPace, Lane
from shared.cloud.snapshots import AzureSnapshots, Recovery
from shared.errors import (
    Blocked,
    CloudError,
    Conflict,
    Denied,
    Missing,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unavailable,
)
from shared.model.draining import CallKind
from shared.model.identity import ResourceId, Shard, vm_id
from shared.model.machine import Absent
from shared.model.snapshot import SnapshotOrder
from tests.contract.clouds import SimulatedClock
from tests.simulator.running import OTHER, Running

SHARD = Shard(OTHER, "westeurope")
BASE = f"/subscriptions/{OTHER}/resourceGroups/web/providers"
CREATE = "Microsoft.Compute/snapshots/write"
LOOK = "Microsoft.Compute/virtualMachines/read"
QUOTA = "Operation could not be completed as it results in exceeding approved quota."
BUSY = "Another operation is in progress on this disk."


@pytest.fixture(autouse=True)
def _no_faults_left(simulated: Running) -> Iterator[None]:
    yield
    simulated.control("DELETE", "faults")


@pytest.fixture
def machine() -> ResourceId:
    """A VM that is not there: a look at it answers 404, which is an answer."""
    return vm_id(f"{BASE}/Microsoft.Compute/virtualMachines/vm-{uuid.uuid4().hex}")


@pytest.fixture
def inventory(manager: tuple[Arm, HeardPace], simulator_clock: SimulatedClock) -> AzureInventory:
    arm, pace = manager
    return AzureInventory(arm, Graph(arm, simulator_clock, pace), simulator_clock, "backup")


@pytest.fixture
def snapshots(manager: tuple[Arm, HeardPace], simulator_clock: SimulatedClock) -> AzureSnapshots:
    arm, pace = manager
    return AzureSnapshots(arm, Graph(arm, simulator_clock, pace), Recovery("tagback-{region}", "tagback-test"))


@pytest.fixture
def order(snapshots: AzureSnapshots) -> SnapshotOrder:
    disk = ResourceId.parse(f"{BASE}/Microsoft.Compute/disks/gone")
    return SnapshotOrder(snapshots.place(SHARD, f"tb-{uuid.uuid4().hex}"), disk, SHARD, {})


def spoil(simulated: Running, operation: str, effect: Mapping[str, Any], count: int | None = None) -> None:
    rule = {"match": {"operation": operation}, "effect": effect}
    simulated.control("POST", "faults", rule if count is None else {**rule, "count": count})


def sent(simulated: Running, place: ResourceId) -> int:
    """How many calls about a resource came in."""
    return sum(str(place) in call["path"].lower() for call in simulated.control("GET", "calls"))


def error_body(code: str, message: str = "no") -> Mapping[str, Any]:
    return {"error": {"code": code, "message": message}}


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (403, "AuthorizationFailed", "no", Denied),
        (403, "LinkedAuthorizationFailed", "no", Denied),
        (403, "RequestDisallowedByPolicy", "no", Denied),
        (403, "QuotaExceeded", "no", Blocked),
        (401, "ExpiredAuthenticationToken", "no", Denied),
        (409, "ScopeLocked", "no", Blocked),
        (409, "OperationNotAllowed", QUOTA, Blocked),
        (409, "OperationNotAllowed", BUSY, Conflict),
        (409, "MissingSubscriptionRegistration", "no", Blocked),
        (409, "Conflict", "no", Conflict),
        (409, "SomethingNew", "no", Conflict),
        (412, "PreconditionFailed", "no", Conflict),
        (404, "ResourceNotFound", "no", Missing),
        (400, "InvalidParameter", "no", Refused),
        (302, "Found", "no", Refused),
    ],
)
def test_a_refused_write_is_named_by_what_happens_next_and_not_sent_again(
    simulated: Running,
    snapshots: AzureSnapshots,
    order: SnapshotOrder,
    status: int,
    code: str,
    message: str,
    expected: type[CloudError],
) -> None:
    spoil(simulated, CREATE, {"status": status, "body": error_body(code, message)})
    with pytest.raises(CloudError) as refused:
        snapshots.create(order)
    assert type(refused.value) is expected
    assert (refused.value.code, refused.value.message) == (code, message)
    assert refused.value.__cause__ is not None
    assert sent(simulated, order.id) == 1


@pytest.mark.parametrize(
    "effect",
    [
        *({"status": status, "code": "Broken"} for status in (408, 500, 502, 503, 504)),
        {"status": 503, "code": "Busy", "retry_after": 1},
        {"status": 502, "body": "<html>bad gateway</html>"},
        {"cut": "before"},
        {"cut": "after"},
    ],
    ids=str,
)
def test_a_write_whose_answer_is_lost_is_not_sent_again(
    simulated: Running, snapshots: AzureSnapshots, order: SnapshotOrder, effect: Mapping[str, Any]
) -> None:
    spoil(simulated, CREATE, effect)
    with pytest.raises(OutcomeUnknown):
        snapshots.create(order)
    assert sent(simulated, order.id) == 1


@pytest.mark.parametrize(
    ("effect", "seconds"),
    [
        ({"status": 429, "code": "TooManyRequests", "retry_after": 2}, 2),
        ({"status": 429, "code": "TooManyRequests", "retry_after": 300}, 300),
        ({"status": 429, "code": "TooManyRequests"}, 10),
    ],
    ids=["short", "long", "unsaid"],
)
def test_a_throttled_write_is_not_slept_through_and_none_is_sent_before_its_time(
    simulated: Running,
    snapshots: AzureSnapshots,
    order: SnapshotOrder,
    simulator_clock: SimulatedClock,
    effect: Mapping[str, Any],
    seconds: int,
) -> None:
    spoil(simulated, CREATE, effect, count=1)
    with pytest.raises(Throttled) as throttled:
        snapshots.create(order)
    assert throttled.value.after == timedelta(seconds=seconds)
    assert simulator_clock.slept == []
    for _ in range(2):
        with pytest.raises(Throttled):
            snapshots.create(order)
    assert sent(simulated, order.id) == 1
    simulated.advance(seconds)
    with pytest.raises(Missing):
        snapshots.create(order)
    assert sent(simulated, order.id) == 2


@pytest.mark.parametrize(
    "effect",
    [
        {"status": 500, "code": "InternalServerError"},
        {"status": 503, "code": "Busy", "retry_after": 3},
        {"status": 429, "code": "TooManyRequests", "retry_after": 3},
        {"status": 408, "code": "Timeout"},
        {"status": 200, "body": "not JSON"},
        {"cut": "before"},
        {"cut": "after"},
    ],
    ids=str,
)
def test_a_read_is_tried_again_after_what_passes(
    simulated: Running,
    inventory: AzureInventory,
    machine: ResourceId,
    simulator_clock: SimulatedClock,
    effect: Mapping[str, Any],
) -> None:
    spoil(simulated, LOOK, effect, count=1)
    assert isinstance(inventory.look(machine), Absent)
    assert sent(simulated, machine) == 2
    assert len(simulator_clock.slept) == 1
    assert simulator_clock.slept[0] >= effect.get("retry_after", 0)


def test_a_read_is_given_up_after_a_few_tries_within_its_budget(
    simulated: Running, inventory: AzureInventory, machine: ResourceId, simulator_clock: SimulatedClock
) -> None:
    spoil(simulated, LOOK, {"status": 500, "code": "InternalServerError"})
    with pytest.raises(Unavailable):
        inventory.look(machine)
    assert sent(simulated, machine) == TRIES
    assert sum(simulator_clock.slept) <= BUDGET.total_seconds()


@pytest.mark.parametrize("status", [429, 503])
def test_a_read_does_not_sleep_through_a_long_retry_after(
    simulated: Running,
    inventory: AzureInventory,
    machine: ResourceId,
    simulator_clock: SimulatedClock,
    status: int,
) -> None:
    spoil(simulated, LOOK, {"status": status, "code": "Busy", "retry_after": 600}, count=1)
    for _ in range(2):
        with pytest.raises(Throttled) as throttled:
            inventory.look(machine)
        assert timedelta(seconds=590) < throttled.value.after <= timedelta(seconds=600)
    assert (sent(simulated, machine), simulator_clock.slept) == (1, [])
    simulated.advance(600)
    assert isinstance(inventory.look(machine), Absent)


def test_a_404_that_is_not_about_the_resource_is_no_absence(
    simulated: Running, inventory: AzureInventory, snapshots: AzureSnapshots, machine: ResourceId, order: SnapshotOrder
) -> None:
    for operation in (LOOK, "Microsoft.Compute/snapshots/read"):
        spoil(simulated, operation, {"status": 404, "body": error_body("SubscriptionNotFound")})
    with pytest.raises(Missing):
        inventory.look(machine)
    with pytest.raises(Missing):
        snapshots.find(order.id)


def test_a_link_away_from_arm_is_not_followed(simulated: Running, manager: tuple[Arm, HeardPace]) -> None:
    arm, _ = manager
    page = {"value": [], "nextLink": "https://management.azure.com.example.org/next"}
    spoil(simulated, "Microsoft.Compute/snapshots/read", {"status": 200, "body": page})
    lane = Lane.of(SHARD, CallKind.READ)
    with pytest.raises(Refused) as refused:
        arm.read(lane, lambda hook: list(arm.compute(OTHER).snapshots.list(raw_response_hook=hook)))
    assert refused.value.code == "ForeignUrl"


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:{port}/x",
        "https://localhost:{port}@example.org/x",
        "https://user@localhost:{port}/x",
        "https://example.org/localhost:{port}",
        "https://localhost:1/x",
        "//localhost:{port}/x",
        "https://169.254.169.254/metadata",
        "https://[::1]:{port}/x",
        "https://localhost.:{port}/x",
    ],
)
def test_only_the_configured_origin_is_ever_asked(simulated: Running, manager: tuple[Arm, HeardPace], url: str) -> None:
    from azure.core.rest import HttpRequest

    arm, _ = manager
    foreign = url.format(port=simulated.url.rpartition(":")[2])
    request = HttpRequest("GET", foreign)
    lane = Lane.of(SHARD, CallKind.READ)
    with pytest.raises(Refused, match="ForeignUrl"):
        arm.send(lane, request)


def test_nobody_at_home_is_unavailable_to_reads_and_writes_alike(simulator_clock: SimulatedClock) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pace = HeardPace(simulator_clock, 0)
    with closing(Arm(f"https://localhost:{port}", _Person(), simulator_clock, pace)) as arm:
        lane = Lane.of(SHARD, CallKind.WRITE)
        with pytest.raises(Unavailable):
            arm.get(lane, "/x", "1")
        with pytest.raises(Unavailable):
            arm.put(lane, "/x", "1", {})
    assert len(simulator_clock.slept) == 2 * (TRIES - 1)


def test_without_a_token_nothing_was_sent(simulated: Running, simulator_clock: SimulatedClock) -> None:
    pace = HeardPace(simulator_clock, 0)
    with (
        closing(Identity(Login(managed=True))) as nobody,
        closing(Arm(simulated.url, nobody, simulator_clock, pace)) as arm,
    ):
        place = ResourceId.parse(f"{BASE}/Microsoft.Compute/snapshots/tb-{uuid.uuid4().hex}")
        with pytest.raises(Unavailable):
            arm.put(Lane.of(SHARD, CallKind.WRITE), str(place), "2026-03-02", {})
        assert sent(simulated, place) == 0


class _Person:
    """Somebody with a token."""

    def get_token(self, *scopes: str, **options: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken("e30.e30.x", 2**40)
