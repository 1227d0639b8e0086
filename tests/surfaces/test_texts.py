"""Twenty thousand hostile texts change the structure of nothing: queries, filters, keys, log lines.

A text is either refused or stays one text where it is put. HTML and CSV have tests of their own beside the dashboard.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from local.simulator.kql_tokens import tokens_of
from shared.cloud import redaction
from shared.cloud.graph import literal
from shared.cloud.rows import FORBIDDEN_IN_KEYS, key
from shared.decide.naming import part_name, stamp
from shared.errors import BadInput, Refused
from shared.messages import VmKey, parse_event, parse_vm
from shared.model.identity import DiskUid, ResourceId, VmUid
from tests.surfaces.hostile import texts

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
