"""What the simulator answers: replies, ARM errors and their recorded wording.

Used by every route; knows no transport.
"""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.simulator.lro import Operation

Document = dict[str, Any]


_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def encode(document: Any) -> bytes:
    """Write a document as compact JSON."""
    return _COMPACT.encode(document).encode()


@dataclass(slots=True)
class Reply:
    """A status, headers and an encoded body; `operation` is set where the work goes on."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    operation: "Operation | None" = None

    @classmethod
    def of(cls, document: Any, status: int = 200) -> "Reply":
        """Answer a document."""
        return cls(status, encode(document))


class ArmError(Exception):
    """A refusal in ARM's error form."""

    def __init__(self, status: int, code: str, message: str, **extra: Any) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers: dict[str, str] = extra.pop("headers", {})
        self.extra = extra

    def document(self) -> Document:
        """Return the error object."""
        return {"code": self.code, "message": self.message, **self.extra}

    def reply(self) -> Reply:
        """Return the refusal as an answer."""
        return Reply(self.status, encode({"error": self.document()}), dict(self.headers))


GATEWAY = {"x-ms-failure-cause": "gateway"}


def resource_not_found(type_and_name: str, group: str) -> ArmError:
    """Say that ARM knows no such resource (recorded wording)."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{type_and_name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        headers=dict(GATEWAY),
    )


def group_not_found(name: str) -> ArmError:
    """Say that the resource group does not exist (recorded wording)."""
    message = f"Resource group '{name}' could not be found."
    return ArmError(404, "ResourceGroupNotFound", message, headers=dict(GATEWAY))


def subscription_not_found(name: str) -> ArmError:
    """Say that the subscription does not exist (documented wording)."""
    message = f"The subscription '{name}' could not be found."
    return ArmError(404, "SubscriptionNotFound", message, headers=dict(GATEWAY))


def invalid(message: str, target: str = "") -> ArmError:
    """Refuse a body or parameter."""
    return ArmError(400, "InvalidParameter", message, **({"target": target} if target else {}))
