"""Calls of functions, plain and odd, and whether they succeed in Azure's language worker."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation of a function of SOURCE."""

    name: str
    function: str
    inputs: tuple[tuple[str, Any], ...]
    succeeds: bool = True
    metadata: dict[str, Any] = field(default_factory=dict)
    retries: int = 0

    def document(self) -> dict[str, Any]:
        return {"function": self.function, "inputs": self.inputs, "metadata": self.metadata, "retries": self.retries}


def datum(value: Any, kind: str) -> dict[str, Any]:
    if isinstance(value, bytes):
        value = {"base64": base64.b64encode(value).decode()}
    return {"type": kind, "value": value}


def text(value: str) -> dict[str, Any]:
    return datum(value, "string")


def document(value: Any) -> dict[str, Any]:
    return datum(json.dumps(value), "json")


MESSAGE = {
    "Id": text("7"),
    "PopReceipt": text("r"),
    "DequeueCount": document(3),
    "InsertionTime": document("2026-11-20T02:00:00+00:00"),
    "ExpirationTime": document("2026-11-27T02:00:00.1234567+00:00"),
    "NextVisibleTime": document("2026-11-20T02:10:00Z"),
    "QueueTrigger": text("x"),
}
EVENT = {
    "id": "1",
    "topic": "/t",
    "subject": "/s",
    "eventType": "T",
    "eventTime": "2026-11-20T02:00:00.1234567Z",
    "data": {"a": [1, None]},
    "dataVersion": "1",
}
CLOUD_EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "T", "time": "2026-11-20T02:00:00Z", "data": 5}
STATUS = {"Last": "2026-11-20T02:00:00+00:00", "Next": "2026-11-20T03:00:00+00:00", "LastUpdated": "x"}


def request(body: bytes = b"", query: dict[str, str] | None = None, **other: str) -> dict[str, Any]:
    strings = {name: text(value) for name, value in (query or {}).items()}
    value = {
        "method": text(other.get("method", "POST")),
        "url": text("http://localhost/api/x?a=1"),
        "headers": {"content-type": text("application/json"), "x-a": text("1,2")},
        "query": strings,
        "params": {"id": text("5")},
        "body": datum(body, "bytes"),
    }
    return datum(value, "http")


def _messages() -> list[Call]:
    readers = ("queue_message", "queue_plain", "queue_str", "queue_async")
    bodies = {"text": text("hé"), "bytes": datum(b"\xff", "bytes"), "empty": text(""), "json text": text('{"a": 1}')}
    calls = [
        Call(f"{reader} reads {name}", reader, (("m", body),), True, MESSAGE)
        for reader in readers
        for name, body in bodies.items()
    ]
    broken = {**MESSAGE, "InsertionTime": document("yesterday")}
    return [
        *calls,
        Call("queue message without metadata", "queue_message", (("m", text("x")),)),
        Call("queue message of json", "queue_message", (("m", document({"a": 1})),), False, MESSAGE),
        Call("queue str of json", "queue_str", (("m", document({"a": 1})),), True, MESSAGE),
        Call("queue str of a number", "queue_str", (("m", datum(5, "int")),), False, MESSAGE),
        Call("queue message with a bad time", "queue_message", (("m", text("x")),), False, broken),
        Call("queue message without input", "queue_message", (), False, MESSAGE),
        Call("an input of an unknown name", "queue_message", (("n", text("x")),), False, MESSAGE),
        Call("context", "with_context", (("m", text("x")),), True, MESSAGE, 2),
    ]


def _others() -> list[Call]:
    return [
        Call("event", "event", (("e", document(EVENT)),), True, {"data": document(EVENT["data"])}),
        Call("event with few members", "event", (("e", document({"id": "1"})),)),
        Call("event with a bad time", "event", (("e", document({**EVENT, "eventTime": "soon"})),), False),
        Call("event that is cloud event", "event", (("e", document(CLOUD_EVENT)),)),
        Call("event as text", "event", (("e", text(json.dumps(EVENT))),), False),
        Call("event that is a list", "event", (("e", document([EVENT])),), False),
        Call("event that is not json", "event", (("e", datum("{", "json")),), False),
        Call("event into str", "event_str", (("e", document(EVENT)),)),
        Call("timer", "timer", (("t", document({"Schedule": {"AdjustForDST": True}, "ScheduleStatus": STATUS})),)),
        Call("timer past due", "timer", (("t", document({"ScheduleStatus": None, "IsPastDue": True})),)),
        Call("timer as text", "timer", (("t", text("{}")),), False),
        Call("http", "http_told", (("req", request(b'{"a": 1}', {"q": "1"})),)),
        Call("http without body", "http_told", (("req", request()),)),
        Call("http with a broken body", "http_told", (("req", request(b"\xff")),)),
        Call("http of text", "http_told", (("req", text("x")),), False),
    ]


STR_VALUES = {"object", "message", "tuple", "generator"}
ODD_PLAIN = {"int", "true", "float", "ints", "object", "bytearray"}
NAMES = ("none", "text", "empty", "bytes", "int", "true", "float", "dict", "list", "ints", "object", "message")
MORE_NAMES = (*NAMES, "messages", "tuple", "bytearray")


def _results() -> list[Call]:
    calls = []
    for name in MORE_NAMES:
        inputs = (("m", text(name)),)
        calls.append(Call(f"out of str set to {name}", "sets_str", inputs, name not in STR_VALUES))
        calls.append(Call(f"plain out set to {name}", "sets_plain", inputs, name not in ODD_PLAIN))
        calls.append(Call(f"out of list set to {name}", "sets_list", inputs, name not in ODD_PLAIN))
        calls.append(Call(f"no binding returns {name}", "returns", inputs, name == "none"))
        bound = name not in ODD_PLAIN | {"none"}
        calls.append(Call(f"bound returns {name}", "returns_bound", inputs, bound))
        calls.append(Call(f"bound async returns {name}", "returns_bound_async", inputs, bound))
    for how in ("plain", "created", "headers", "cookie", "empty", "text", "none", "dict", "bytes", "tuple"):
        fine = how not in ("none", "dict", "bytes", "tuple")
        inputs = (("req", request(query={"how": how})),)
        calls.append(Call(f"http returns {how}", "http_answers", inputs, fine))
        calls.append(Call(f"http sets {how}", "http_out", inputs, fine or how == "none"))
    return [
        *calls,
        Call("out of a generator", "sets_plain", (("m", text("generator")),)),
        Call("nothing set", "sets_nothing", (("m", text("x")),)),
        Call("set and failed", "sets_and_fails", (("m", text("x")),), False),
        Call("async without binding returns a value", "returns_async", (("m", text("text")),), False),
        Call("async returns nothing", "returns_async", (("m", text("none")),)),
        Call("KeyError", "fails", (("m", text("k")),), False),
        Call("LookupError", "fails", (("m", text("l")),), False),
        Call("async KeyError", "fails_async", (("m", text("x")),), False),
    ]


CALLS = [*_messages(), *_others(), *_results()]
