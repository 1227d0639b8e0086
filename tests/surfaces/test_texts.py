"""Twenty thousand hostile texts change the structure of nothing: queries, filters, keys, log lines.

A text is either refused or stays one text where it is put. HTML and CSV have tests of their own beside the dashboard.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import HTTPPolicy
from azure.data.tables import TableClient

from local.simulator.kql_tokens import tokens_of
from shared.cloud import redaction
from shared.cloud.arm import Arm
from shared.cloud.call import Calls
from shared.cloud.clock import SystemClock
from shared.cloud.graph import literal
from shared.cloud.identity import Identity, Login
from shared.cloud.pace import Lane
from shared.cloud.rows import FORBIDDEN_IN_KEYS, key
from shared.cloud.snapshots import Recovery
from shared.cloud.storage import Storage
from shared.cloud.surroundings import AzureSurroundings
from shared.cloud.table import Table
from shared.decide.naming import part_name, stamp
from shared.errors import BadInput, Refused
from shared.messages import VmKey, parse_event, parse_vm
from shared.model.account import StorageAccount
from shared.model.identity import DiskUid, ResourceId, VmUid
from shared.model.machine import Status
from tests.fleet import Fleet, empty_fleet, machine
from tests.surfaces.hostile import texts
from tests.web.test_dashboard import Elements, page

COUNT = 20_000
PLAIN = "resources | where name =~ {} | order by id asc"


def test_a_text_in_a_kusto_query_is_refused_or_is_one_string() -> None:
    shape = [token.kind for token in tokens_of(PLAIN.format("'x'"))]
    kept = 0
    for text in texts(COUNT):
        try:
            quoted = literal(text)
        except Refused:
            continue
        kept += 1
        found = list(tokens_of(PLAIN.format(quoted)))
        assert [token.kind for token in found] == shape, text
        assert found[5].value == text
    assert kept > COUNT // 100, "some of them are harmless, and pass"


TEXT_IN_ODATA = re.compile(r"'((?:[^']|'')*)'")


class Asked(Exception):
    """A request that would have gone out, stopped before it does."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.filter = parse_qs(urlsplit(url).query)["$filter"][0]


class Stop(HTTPPolicy[Any, Any]):
    """Lets nothing out."""

    def send(self, request: PipelineRequest[Any]) -> Any:
        raise Asked(request.http_request.url)


class NoStorage(Storage):
    """A storage account whose tables are asked, and never answer."""

    def __init__(self, client: TableClient) -> None:
        super().__init__(StorageAccount("example"), Identity(Login(managed=False)), Calls(SystemClock()))
        self._client = client

    def table(self, name: str) -> TableClient:
        return self._client


def test_a_text_in_a_condition_on_rows_is_one_string() -> None:
    """As the SDK sends it: what is between quotes is what was given, and the rest is what we wrote."""
    credential = AzureNamedKeyCredential("example", "a2V5")
    with TableClient("https://example.invalid", "ledger", credential=credential, per_call_policies=[Stop()]) as client:
        table, count = Table(NoStorage(client), "ledger"), 0
        for text in texts(COUNT):
            with pytest.raises(Asked) as stopped:
                next(table.between(text, f"m|{text}", "m}"))
            asked = stopped.value.filter
            assert TEXT_IN_ODATA.sub("?", asked) == "PartitionKey eq ? and RowKey ge ? and RowKey lt ?", text
            assert [one.replace("''", "'") for one in TEXT_IN_ODATA.findall(asked)] == [text, f"m|{text}", "m}"]
            count += 1
    assert count == COUNT


class NoArm(Arm):
    """Azure that nobody has a right in, and that remembers what it was asked."""

    def __init__(self) -> None:
        self.filters: list[str] = []

    def get(self, lane: Lane, path: str, version: str, **query: str) -> Mapping[str, Any]:
        self.filters.append(query["$filter"])
        return {"value": []}


def test_an_object_id_in_a_filter_on_assignments_is_refused_or_is_one_string() -> None:
    arm = NoArm()
    around = AzureSurroundings(arm, Recovery("tagback-{region}", "me"))
    for text in texts(COUNT):
        try:
            assert around.granted("/subscriptions/s", text) == []
        except Refused:
            continue
        assert arm.filters[-1] == f"assignedTo('{text}')"
        assert TEXT_IN_ODATA.sub("?", arm.filters[-1]) == "assignedTo(?)", text
    assert 0 < len(arm.filters) < COUNT


def bulky(said: Iterable[str]) -> Fleet:
    """A thousand machines that each have twenty of the texts for problems, and one of those in their id."""
    fleet, found = empty_fleet(), iter(said)
    for number in range(COUNT // 20):
        problems = tuple(next(found) for _ in range(20))
        row = machine(number + 1, f"vm-{number}", Status.DEGRADED)
        place = ResourceId(row.id.subscription, row.id.group, row.id.type, f"{problems[0]}{number}")
        fleet.put(replace(row, id=place, because=problems[1], plan=problems[2], problems=problems))
    return fleet


def test_a_text_on_a_page_changes_none_of_its_elements() -> None:
    harmless: dict[str, str] = {}  # one word for each text: what is the same twice is so on both pages
    words = (harmless.setdefault(text, f"x{len(harmless)}") for text in texts(COUNT))
    plain, shown = (Elements(page(bulky(said), "/api/")) for said in (words, texts(COUNT)))
    assert len(shown.tags) > COUNT
    assert (shown.tags, shown.handlers) == (plain.tags, [])
    assert [address for address in shown.addresses if not re.fullmatch(r"/api/[\w./%~-]*", address)] == []


def test_a_table_key_is_refused_or_is_what_it_was() -> None:
    kept = 0
    for text in texts(COUNT):
        try:
            made = key("m", text)
        except ValueError:
            continue
        kept += 1
        assert made == f"m|{text}"
        assert not FORBIDDEN_IN_KEYS & set(made)
    assert kept > COUNT // 100


def test_the_name_of_a_part_is_made_of_a_hash_whatever_it_is_made_from() -> None:
    slot = datetime(2026, 11, 20, 2, tzinfo=UTC)
    names = {part_name(VmUid(text), "disk", slot, 1, DiskUid(text)) for text in texts(COUNT)}
    assert all(re.fullmatch(r"tb-[0-9a-f]{32}", name) for name in names)
    assert len(names) == len(set(texts(COUNT)))
    assert stamp(slot) == "20261120T0200Z"


def test_a_resource_id_is_refused_or_names_one_resource() -> None:
    place = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/"
    for text in texts(COUNT):
        try:
            found = ResourceId.parse(place + text)
        except ValueError:
            continue
        assert len(str(found).split("/")) == len(place.split("/")), text


@pytest.mark.parametrize("parse", [parse_vm, parse_event], ids=["vm", "event"])
def test_a_message_that_is_not_ours_is_refused(parse: Callable[[str], object]) -> None:
    for text in texts(COUNT):
        with pytest.raises(BadInput):
            parse(text)


def test_what_a_message_says_comes_back_as_it_was() -> None:
    place = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/"
    for text in texts(2_000):
        try:
            asked = VmKey(ResourceId.parse(place + text))
        except ValueError:
            continue
        assert parse_vm(asked.text()).id == asked.id


class Lines(logging.Handler):
    """What a handler would write."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[list[str]]:
    before = logging.getLogRecordFactory()
    handler, logger = Lines(), logging.getLogger("tagback")
    redaction.install()
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    yield handler.lines
    logger.removeHandler(handler)
    logger.setLevel(level)
    logging.setLogRecordFactory(before)


def test_a_log_line_stays_one_line_that_begins_with_our_event(lines: list[str]) -> None:
    log = logging.getLogger("tagback")
    for text in texts(COUNT):
        log.info("vm.asked id=%s because=%r", text, text)
    assert len(lines) == COUNT
    forbidden = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
    assert [line for line in lines if forbidden.search(line) or not line.startswith("vm.asked id=")] == []
