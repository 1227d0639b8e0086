"""What queue messages say: keys, never facts. Every message is one line of JSON; `parse_*` raise BadInput."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import BadInput
from shared.model.identity import ResourceId, Shard, VmUid, vm_id

VMS = "vms"
SHARDS = "shards"
REAP = "reap"
REQUESTS = "requests"
EVENTS = "events"


@dataclass(frozen=True, slots=True)
class VmKey:
    """A VM to look at afresh. `uid` and `shard` name the registered machine that the question is about, when known."""

    id: ResourceId
    uid: VmUid | None = None
    shard: Shard | None = None

    def text(self) -> str:
        known = {"uid": self.uid, "shard": str(self.shard)} if self.uid and self.shard else {}
        return json.dumps({"vm": str(self.id), **known})


def parse_vm(text: str) -> VmKey:
    fields = _fields(text)
    try:
        shard = Shard.parse(fields["shard"]) if "shard" in fields else None
        uid = VmUid(fields["uid"].lower()) if "uid" in fields else None
        return VmKey(vm_id(fields["vm"]), uid, shard)
    except (KeyError, ValueError) as error:
        raise BadInput([f"not a message about a VM: {error}"]) from error


def shard_text(shard: Shard) -> str:
    return json.dumps({"shard": str(shard)})


def parse_shard(text: str) -> Shard:
    fields = _fields(text)
    try:
        return Shard.parse(fields["shard"])
    except (KeyError, ValueError) as error:
        raise BadInput([f"not a message about a shard: {error}"]) from error


def parse_event(text: str) -> Mapping[str, Any]:
    """The `data` of one Event Grid event, in either schema."""
    document = _document(text)
    event = document.get("data") if isinstance(document, dict) else None
    if not isinstance(event, dict):
        raise BadInput(["not an Event Grid event: it has no data"])
    return event


def decoded(body: bytes) -> str:
    """A message's text, whether its sender wrote it in base64 or plain: Event Grid has done both [azure-facts 1.7].

    Every message of ours is a JSON object, and base64 has no brace. What is neither comes back as it is, to be refused.
    """
    text = body.decode("utf-8", "replace")
    if text.lstrip().startswith("{"):
        return text
    try:
        return base64.b64decode(body, validate=True).decode("utf-8")
    except ValueError:
        return text


def request_text(request_id: str) -> str:
    return json.dumps({"request": request_id})


def parse_request(text: str) -> str:
    fields = _fields(text)
    if not fields.get("request"):
        raise BadInput(["not a message about a request: it names none"])
    return fields["request"]


def _fields(text: str) -> dict[str, str]:
    document = _document(text)
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
        raise BadInput(["a message that is not a flat JSON object of texts"])
    return document


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(["a message that is not JSON"]) from error
