"""Errors as problem documents (RFC 9457). Used by api.py: whatever goes wrong, the caller gets one of these."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

from shared.errors import (
    BadInput,
    CloudError,
    Forbidden,
    TagbackError,
    Throttled,
    TooMany,
    Unavailable,
    Unknown,
    Unproven,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong. `title` belongs to the status; `detail` to this occurrence."""

    status: HTTPStatus
    detail: str
    problems: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)

    def document(self, path: str) -> dict[str, object]:
        document: dict[str, object] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            "instance": path,
        }
        if self.problems:
            document["problems"] = list(self.problems)
        return document


def of_error(error: Exception) -> Problem:
    """The problem that an error is to the caller. Of an unexpected one only its kind is told: the log has the rest."""
    match error:
        case Unproven():
            return Problem(HTTPStatus.UNAUTHORIZED, str(error), headers={"WWW-Authenticate": "Bearer"})
        case Forbidden():
            return Problem(HTTPStatus.FORBIDDEN, str(error))
        case Unknown():
            return Problem(HTTPStatus.NOT_FOUND, str(error))
        case BadInput():
            return Problem(HTTPStatus.BAD_REQUEST, "the request cannot be answered as it is", error.problems)
        case TooMany():
            return Problem(HTTPStatus.TOO_MANY_REQUESTS, str(error), headers=_retry(error.after))
        case Throttled():
            return Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), headers=_retry(error.after))
        case Unavailable():
            return Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        case CloudError():
            return Problem(HTTPStatus.BAD_GATEWAY, str(error))
        case TagbackError():
            return Problem(HTTPStatus.CONFLICT, str(error) or "somebody else was faster: try again")
        case _:
            return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"an unexpected {type(error).__name__}; see the app's log")


def _retry(after: timedelta) -> dict[str, str]:
    """Whole seconds, and never too few."""
    return {"Retry-After": str(max(1, math.ceil(after.total_seconds())))}


def of_settings(error: BadInput) -> Problem:
    """The app itself is set up wrongly: nothing the caller can mend by asking differently."""
    detail = "this app's settings cannot be used"
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail, error.problems)
