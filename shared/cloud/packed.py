"""VM models by the ten thousand: kept as JSON text and read only when somebody asks. Used by the inventory adapter.

A body as a dict takes many times the room of its text, and one drained shard can hold ten thousand machines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Body = Mapping[str, Any]
# What Resource Graph adds to properties, or what changes while the resource stays the same.
NOT_OF_THE_MODEL = frozenset({"resources", "extended", "instanceView", "diskState", "LastOwnershipUpdateTime"})
NOT_ANYWHERE = frozenset({"etag", "provisioningState"})
FIELDS = ("id", "name", "location", "tags", "zones", "identity", "plan", "extendedLocation", "sku", "kind")


class PackedModel(Mapping[str, object]):
    """A mapping of names to packed bodies, unpacked at each access."""

    def __init__(self, parts: Mapping[str, bytes | Sequence[bytes]]) -> None:
        self._parts = parts

    def __getitem__(self, name: str) -> object:
        part = self._parts[name]
        return json.loads(part) if isinstance(part, bytes) else [json.loads(each) for each in part]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)


def packed(body: Body) -> bytes:
    """The body as a rebuild needs it: the same by either lens, and while the resource stays the same."""
    kept = {name: body[name] for name in FIELDS if body.get(name)}
    properties = {name: value for name, value in (body.get("properties") or {}).items() if name not in NOT_OF_THE_MODEL}
    whole = {**kept, "type": str(body.get("type") or "").lower(), "properties": _lasting(properties)}
    return json.dumps(whole, separators=(",", ":")).encode()


def _lasting(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _lasting(inner) for name, inner in value.items() if name not in NOT_ANYWHERE}
    return [_lasting(inner) for inner in value] if isinstance(value, list) else value
