"""Turns an Event Grid event into a question about one VM: only the id is used, everything else could be forged."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from shared.messages import VMS, VmKey
from shared.model.identity import ResourceId, vm_id
from shared.model.rules import Rules
from shared.ports import World

log = logging.getLogger("tagback")

OPERATIONS = frozenset(
    name.lower()
    for name in (
        "Microsoft.Compute/virtualMachines/write",
        "Microsoft.Compute/virtualMachines/delete",
        "Microsoft.Resources/tags/write",
    )
)
_TAGS_SUFFIX = "/providers/microsoft.resources/tags/default"


def receive(world: World, rules: Rules, event: Mapping[str, Any]) -> None:
    """Ask about the VM that an event's `data` names; events about anything else are let go."""
    asked = vm_of(event)
    if asked is None or asked.subscription not in rules.subscriptions:
        log.debug("event.ignored")
        return
    world.queue.send(VMS, VmKey(asked).text())


def vm_of(event: Mapping[str, Any]) -> ResourceId | None:
    """The VM that an event's `data` is about, whether it was written through the VM or through the tags API."""
    operation, uri = event.get("operationName"), event.get("resourceUri")
    if not isinstance(operation, str) or not isinstance(uri, str) or operation.lower() not in OPERATIONS:
        return None
    try:
        return vm_id(uri.lower().rstrip("/").removesuffix(_TAGS_SUFFIX))
    except ValueError:
        return None
