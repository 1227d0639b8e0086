"""The replay harness itself: an undisturbed echo scores everything, every planted deviation is caught."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from tests.simulator.replay.bystanders import changes_by_others
from tests.simulator.replay.comparison import Answer
from tests.simulator.replay.echo import Echo
from tests.simulator.replay.naming import client_names
from tests.simulator.replay.player import Request, Result, play, symbols_for
from tests.simulator.replay.recordings import REALDATA, SDK, Exchange, Session
from tests.simulator.replay.runs import sessions
from tests.simulator.replay.scope import MEASURED, in_scope
from tests.simulator.replay.steps import steps_of

pytestmark = pytest.mark.skipif(not REALDATA.is_dir(), reason="the recorded sessions are not here")

SNAPSHOT = "azure-cli-2025-02/vm/test_vm_snapshot_incremental"
DISKS = "azure-sdk-for-python-2022-05/azure-mgmt-compute/test_mgmt_compute_disks.pyTestMgmtComputetest_compute_disks"
POINTS = "azure-cli-2025-02/vm/test_restore_point"
LISTS = "azure-sdk-for-net-2019-02/Compute/Compute.Tests.DiskRPTests.DiskRPScenarioTests.Snapshot_List_EmptyDisk"
TAGS = "azure-cli-2025-02/resource/test_tag_get_resourcegroup"
GRAPH = "azure-cli-extensions-2024-09/resource-graph/test_query"
GRAPH_ERROR = "azure-cli-extensions-2024-09/resource-graph/test_query_error"
EVENTS = "azure-cli-2025-02/eventgrid/test_create_topic"
RESOURCES = "azure-cli-2025-02/resource/test_resource_scenario"

Change = Callable[[Answer], Answer]


def session(name: str) -> Session:
    [found] = [each for each in sessions() if each.name == name]
    return found


@dataclass(frozen=True, slots=True)
class Plant:
    """A deviation: in which session, on the n-th counted exchange of a method and path, what is changed."""

    session: str
    method: str
    path: str
    change: Change
    nth: int = 0

    def number(self) -> int:
        found = [
            step.exchange.number
            for step in steps_of(session(self.session))
            if step.compared and step.exchange.method == self.method and self.path in step.exchange.target
        ]
        return found[self.nth]


def header(name: str, value: str | None) -> Change:
    def change(answer: Answer) -> Answer:
        assert value is not None or name in answer.headers
        kept = {key: each for key, each in answer.headers.items() if key != name}
        return replace(answer, headers=kept if value is None else {**kept, name: value})

    return change


def header_text(name: str, old: str, new: str) -> Change:
    def change(answer: Answer) -> Answer:
        assert old in answer.headers[name]
        return replace(answer, headers={**answer.headers, name: answer.headers[name].replace(old, new)})

    return change


def status(code: int) -> Change:
    return lambda answer: replace(answer, status=code)


def body(act: Callable[[Any], Any]) -> Change:
    def change(answer: Answer) -> Answer:
        copied = deepcopy(answer.body)
        made = act(copied)
        made = copied if made is None else made
        assert made != answer.body or str(made) != str(answer.body)
        return replace(answer, body=made)

    return change


def put(path: str, value: Any) -> Change:
    """Set (or, with a function, change) what a dotted path leads to."""

    def act(found: Any) -> None:
        *inner, last = path.split(".")
        for name in inner:
            found = found[int(name)] if name.isdigit() else found[name]
        found[last] = value(found[last]) if callable(value) else value

    return body(act)


def drop(path: str) -> Change:
    def act(found: Any) -> None:
        *inner, last = path.split(".")
        for name in inner:
            found = found[int(name)] if name.isdigit() else found[name]
        del found[last]

    return body(act)


def rename(path: str, other: str) -> Change:
    def act(found: Any) -> None:
        *inner, last = path.split(".")
        for name in inner:
            found = found[name]
        found[other] = found.pop(last)

    return body(act)


PLANTS = {
    "header dropped: Azure-AsyncOperation": Plant(SNAPSHOT, "PUT", "/disks/", header("azure-asyncoperation", None)),
    "header dropped: Location": Plant(DISKS, "PUT", "/disks/", header("location", None)),
    "header dropped: Retry-After": Plant(DISKS, "PUT", "/disks/", header("retry-after", None)),
    "header dropped: x-ms-failure-cause": Plant(SNAPSHOT, "GET", "/snapshots/d1", header("x-ms-failure-cause", None)),
    "header added: Location beside a 201": Plant(
        POINTS, "PUT", "/restorePoints/", header("location", "https://127.0.0.1/subscriptions/s/operations/1")
    ),
    "header changed: Retry-After": Plant(DISKS, "PUT", "/disks/", header("retry-after", "5")),
    "header changed: content type": Plant(SNAPSHOT, "GET", "/disks/d1", header("content-type", "text/plain")),
    "LRO style: another collection": Plant(
        SNAPSHOT, "PUT", "/disks/", header_text("azure-asyncoperation", "DiskOperations", "operations")
    ),
    "LRO style: Location without monitor": Plant(DISKS, "PUT", "/disks/", header_text("location", "&monitor=true", "")),
    "LRO style: another api-version": Plant(
        DISKS, "PUT", "/disks/", header_text("azure-asyncoperation", "2021-08-01", "2022-08-01")
    ),
    "LRO style: below the resource": Plant(
        DISKS, "PUT", "/disks/", header_text("azure-asyncoperation", "/providers/", "/resourceGroups/rgname/providers/")
    ),
    "status: 200 for 202": Plant(SNAPSHOT, "PUT", "/snapshots/", status(200)),
    "status: 202 for 201": Plant(POINTS, "PUT", "/restorePointCollections/", status(202)),
    "status: 204 for 404": Plant(SNAPSHOT, "GET", "/snapshots/d1", status(204)),
    "status: 501": Plant(TAGS, "PUT", "/tags/default", status(501)),
    "error code": Plant(SNAPSHOT, "GET", "/snapshots/d1", put("error.code", "NotFound")),
    "error details": Plant(GRAPH_ERROR, "POST", "/resources", drop("error.details.1.token")),
    "error shape": Plant(SNAPSHOT, "GET", "/snapshots/d1", body(lambda found: found["error"])),
    "key dropped": Plant(SNAPSHOT, "GET", "/disks/d1", drop("properties.uniqueId")),
    "key dropped: type": Plant(SNAPSHOT, "GET", "/disks/d1", drop("type")),
    "key renamed": Plant(SNAPSHOT, "GET", "/disks/d1", rename("properties.timeCreated", "createdTime")),
    "key in another case": Plant(SNAPSHOT, "GET", "/disks/d1", rename("properties.diskSizeGB", "diskSizeGb")),
    "key added": Plant(SNAPSHOT, "GET", "/disks/d1", put("zones", [])),
    "key added as null": Plant(SNAPSHOT, "GET", "/disks/d1", put("managedBy", None)),
    "key too early: endTime while running": Plant(
        SNAPSHOT, "GET", "/DiskOperations/", put("endTime", "2026-01-01T00:00:00.1+00:00"), nth=1
    ),
    "type: text for a number": Plant(SNAPSHOT, "GET", "/disks/d1", put("properties.diskSizeGB", "10")),
    "type: float for an integer": Plant(SNAPSHOT, "GET", "/disks/d1", put("properties.diskSizeGB", 10.0)),
    "type: boolean for text": Plant(GRAPH, "POST", "/resources", put("resultTruncated", False)),
    "type: null for an object": Plant(SNAPSHOT, "GET", "/disks/d1", put("tags", None)),
    "type: array for an object": Plant(SNAPSHOT, "GET", "/disks/d1", put("sku", lambda sku: [sku])),
    "enum in another case": Plant(SNAPSHOT, "GET", "/disks/d1", put("properties.provisioningState", "succeeded")),
    "enum: another state": Plant(SNAPSHOT, "PUT", "/snapshots/", put("properties.provisioningState", "Creating")),
    "enum: a status too late": Plant(SNAPSHOT, "GET", "/DiskOperations/", put("status", "InProgress")),
    "number": Plant(SNAPSHOT, "GET", "/disks/d1", put("properties.diskSizeGB", 20)),
    "boolean": Plant(SNAPSHOT, "GET", "/snapshots/s1", put("properties.incremental", False)),
    "id of another resource": Plant(SNAPSHOT, "GET", "/disks/d1", put("id", lambda text: text.replace("d1", "d2"))),
    "id in another group": Plant(
        SNAPSHOT, "GET", "/disks/d1", put("id", lambda text: text.replace("000001", "000002"))
    ),
    "a guid that changes between two reads": Plant(
        SNAPSHOT, "GET", "/disks/d1", put("properties.uniqueId", "6dbd4cf7-5316-4e39-a6b5-7f7e7d2f9b7e")
    ),
    "a guid that is no guid": Plant(
        SNAPSHOT, "GET", "/DiskOperations/", put("properties.output.properties.uniqueId", "7")
    ),
    "time with another zone": Plant(
        SNAPSHOT, "GET", "/disks/d1", put("properties.timeCreated", lambda text: text.replace("+00:00", "Z"))
    ),
    "time that is no time": Plant(SNAPSHOT, "GET", "/disks/d1", put("properties.timeCreated", "now")),
    "tag lost": Plant(TAGS, "GET", "/tags/default", body(lambda found: found["properties"]["tags"].popitem() and None)),
    "list: element missing": Plant(LISTS, "GET", "/snapshots?", body(lambda found: found["value"].pop() and None)),
    "list: element added": Plant(
        LISTS,
        "GET",
        "/snapshots?",
        body(
            lambda found: found["value"].append({**found["value"][0], "name": "x", "id": found["value"][0]["id"] + "x"})
        ),
    ),
    "list: without its wrapper": Plant(LISTS, "GET", "/snapshots?", body(lambda found: found["value"])),
    "list: nextLink missing": Plant(RESOURCES, "GET", "/resources?", drop("nextLink")),
    "list: nextLink without a host": Plant(
        RESOURCES, "GET", "/resources?", put("nextLink", lambda text: "/" + text.split("/", 3)[3])
    ),
    "body missing": Plant(SNAPSHOT, "GET", "/disks/d1", lambda answer: replace(answer, body=None)),
    "body where none belongs": Plant(DISKS, "DELETE", "/disks/", lambda answer: replace(answer, body={})),
}


def played(name: str, plant: Plant | None = None, *, renamed: bool = False) -> Result:
    recorded = session(name)
    number = plant.number() if plant else -1

    def disturb(at: int, answer: Answer) -> Answer:
        return plant.change(answer) if plant and at == number else answer

    return play(recorded, symbols_for(recorded, renamed=renamed), Echo(recorded, renamed=renamed, disturb=disturb))


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS.keys())
def test_a_planted_deviation_is_caught_where_it_was_planted(plant: Plant) -> None:
    result = played(plant.session, plant)
    differing = {outcome.step.exchange.number for outcome in result.outcomes if outcome.deviations}
    assert plant.number() in differing
    assert len(differing) <= 3  # what depends on it, not everything


@pytest.mark.parametrize("renamed", [False, True], ids=["as recorded", "renamed"])
def test_an_undisturbed_echo_of_every_session_scores_everything(renamed: bool) -> None:
    results = [play(each, symbols_for(each, renamed=renamed), Echo(each, renamed=renamed)) for each in sessions()]
    assert len(results) > 100
    assert [(result.session, result.matched) for result in results] == [(each.session, each.total) for each in results]
    assert sum(result.total for result in results) > 1000


HARMLESS = {
    "rate limits are nobody's business": Plant(
        SNAPSHOT, "GET", "/disks/d1", header("x-ms-ratelimit-remaining-resource", None)
    ),
    "tracing is nobody's business": Plant(SNAPSHOT, "GET", "/disks/d1", header("x-ms-request-id", "1")),
    "the CLI's recorder removed Retry-After": Plant(SNAPSHOT, "PUT", "/disks/", header("retry-after", "2")),
    "ids are compared without case": Plant(SNAPSHOT, "GET", "/disks/d1", put("id", str.upper)),
    "another time of day": Plant(
        SNAPSHOT, "GET", "/disks/d1", put("properties.timeCreated", "2030-01-01T00:00:00.5+00:00")
    ),
    "another wording": Plant(SNAPSHOT, "GET", "/snapshots/d1", put("error.message", "Gone.")),
    "a longer signature": Plant(SNAPSHOT, "PUT", "/disks/", header_text("azure-asyncoperation", "&t=", "&h=abc&t=")),
}


@pytest.mark.parametrize("plant", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_is_not_the_protocol_is_not_compared(plant: Plant) -> None:
    result = played(plant.session, plant)
    assert result.matched == result.total


class Listener:
    """An echo that remembers what it was asked."""

    def __init__(self, recorded: Session) -> None:
        self._echo = Echo(recorded, renamed=True)
        self.requests: list[Request] = []

    def send(self, request: Request) -> Answer:
        self.requests.append(request)
        return self._echo.send(request)

    def advance(self) -> bool:
        return self._echo.advance()

    def wait(self, seconds: float) -> None:
        self._echo.wait(seconds)

    def begin(self, moment: datetime | None) -> None:
        self._echo.begin(moment)

    def ready(self) -> None:
        self._echo.ready()

    def plant(self, resources: list[dict[str, Any]]) -> None:
        self._echo.plant(resources)


@pytest.mark.parametrize("name", [SNAPSHOT, POINTS, LISTS, TAGS, EVENTS])
def test_a_renamed_session_sends_no_recorded_name_and_no_recorded_subscription(name: str) -> None:
    recorded = session(name)
    listener = Listener(recorded)
    play(recorded, symbols_for(recorded, renamed=True), listener)
    names = client_names(recorded)
    assert names
    for request in listener.requests:
        path = request.target.partition("?")[0].lower().split("/")
        assert not names & set(path), request.target
        assert "00000000-0000-0000-0000-000000000000" not in path
        texts = [text for text in _texts(request.body) if text.startswith("/subscriptions/")]
        assert not any(names & set(text.lower().split("/")) for text in texts)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


def _poll(number: int, state: str, percent: float) -> Exchange:
    path = (
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/Microsoft.Compute/snapshots/s"
    )
    shown = {"properties": {"provisioningState": state, "completionPercent": percent}}
    return Exchange(
        number, "GET", "https://management.azure.com", path + "?api-version=2023-10-02", None, 200, {}, shown
    )


def test_equal_polls_are_one_step_and_each_transition_is_its_own() -> None:
    polls = [
        _poll(0, "Updating", 0.0),
        _poll(1, "Updating", 40.0),
        _poll(2, "Succeeded", 100.0),
        _poll(3, "Updating", 0.0),
    ]
    found = steps_of(Session("s", SDK, tuple(polls)))
    assert [(step.exchange.number, step.repeats) for step in found] == [(0, 2), (2, 1), (3, 1)]
    assert "completionpercent" in MEASURED


GROUP_PATH = "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/g"


def _group(number: int, method: str, tags: dict[str, str], request: Any = None) -> Exchange:
    body = {"id": GROUP_PATH, "tags": tags}
    path = GROUP_PATH + "?api-version=2024-11-01"
    return Exchange(number, method, "https://management.azure.com", path, request, 200, {}, body)


def test_tags_that_others_put_on_a_group_are_laid_on_it_and_what_the_session_wrote_is_not() -> None:
    read = [_group(0, "GET", {}), _group(1, "GET", {"others": "x"}), _group(2, "GET", {"others": "x"})]
    assert set(changes_by_others(Session("s", SDK, tuple(read)))) == {1}
    wrote = [
        _group(0, "GET", {}),
        _group(1, "PATCH", {"own": "x"}, {"tags": {"own": "x"}}),
        _group(2, "GET", {"own": "x"}),
    ]
    assert changes_by_others(Session("s", SDK, tuple(wrote))) == {}


def test_every_counted_exchange_is_in_some_step() -> None:
    for each in sessions():
        counted = sum(1 for exchange in each.exchanges if in_scope(exchange))
        assert sum(step.repeats for step in steps_of(each) if step.compared) == counted, each.name
