"""Creates the Event Grid subscription of the local stack, by the ARM call a deployment makes. Used by local.stack.

The filter is the product's documented one. It waits for nothing: Azure validates the endpoint in its own time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests

from local.process import PartFailed

API_VERSION = "2025-02-15"
NAME = "tagback"
BEARER = {"Authorization": "Bearer local"}
EVENT_TYPES = ["Microsoft.Resources.ResourceWriteSuccess", "Microsoft.Resources.ResourceDeleteSuccess"]
OPERATIONS = [
    "Microsoft.Compute/virtualMachines/write",
    "Microsoft.Resources/tags/write",
    "Microsoft.Compute/virtualMachines/delete",
]


def subscribe(arm: str, bundle: Path, subscription: str, endpoint: str) -> None:
    """Ask for the events of one Azure subscription to be delivered to an endpoint."""
    scope = f"/subscriptions/{subscription}/providers/Microsoft.EventGrid/eventSubscriptions/{NAME}"
    body: dict[str, Any] = {
        "properties": {
            "destination": {"endpointType": "WebHook", "properties": {"endpointUrl": endpoint}},
            "eventDeliverySchema": "EventGridSchema",
            "filter": {
                "includedEventTypes": EVENT_TYPES,
                "advancedFilters": [{"operatorType": "StringIn", "key": "data.operationName", "values": OPERATIONS}],
            },
        }
    }
    answer = requests.put(
        f"{arm}{scope}?api-version={API_VERSION}", json=body, headers=BEARER, verify=str(bundle), timeout=30
    )
    if answer.status_code >= 300:
        raise PartFailed(f"the simulator refused the event subscription: {answer.status_code} {answer.text[:300]}")
