"""Messages are keys in whatever wrapping they come; anything else is refused in words, never with a crash."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import messages
from shared.errors import BadInput
from shared.messages import VmKey, decoded, parse_event, parse_request, parse_shard, parse_vm
from shared.model.identity import Shard, VmUid, vm_id

VM = vm_id("/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/V")
SHARD = Shard("s", "westeurope")


@pytest.mark.parametrize("key", [VmKey(VM), VmKey(VM, VmUid("u"), SHARD)], ids=["an id", "a registered machine"])
def test_a_vm_key_is_read_back_as_it_was_written(key: VmKey) -> None:
    assert parse_vm(key.text()) == key


def test_shards_and_requests_are_read_back_as_they_were_written() -> None:
    assert parse_shard(messages.shard_text(SHARD)) == SHARD
    assert parse_request(messages.request_text("r1")) == "r1"


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_a_message_is_the_same_in_base64_and_plain(fields: dict[str, str]) -> None:
    text = json.dumps(fields)
    assert decoded(text.encode()) == decoded(base64.b64encode(text.encode())) == text


@given(st.binary(max_size=60))
def test_no_bytes_break_the_decoding(body: bytes) -> None:
    assert isinstance(decoded(body), str)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        '{"vm": 1}',
        '{"vm": "x"}',
        '{"vm": {}}',
        "[" * 100_000,
        '{"shard": "s"}',
        '{"a": "b"}',
    ],
    ids=lambda text: text[:12] or "empty",
)
def test_what_is_not_a_key_is_refused(text: str) -> None:
    for parse in (parse_vm, parse_shard, parse_request, parse_event):
        with pytest.raises(BadInput):
            parse(text)


def test_of_a_queued_event_only_the_data_is_read() -> None:
    assert parse_event(json.dumps({"id": "1", "data": {"resourceUri": "x"}})) == {"resourceUri": "x"}
