"""What an SDK exception means: the class of `shared/errors.py`, with Azure's code and message. Pure; for `call.py`.

They are stored and shown, and may repeat what Azure was sent: secrets are taken out of them here.

A code decides where it is known, else the status. A 5xx, a timeout or a cut connection says nothing of what happened:
`OutcomeUnknown`, which `call.py` turns into `Unavailable` for reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ServiceRequestError

from shared.cloud.redaction import shown
from shared.errors import (
    Blocked,
    CloudError,
    Conflict,
    Denied,
    Missing,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unavailable,
)

NO_RETRY_AFTER = timedelta(seconds=10)
LONGEST = timedelta(hours=24)
MESSAGE_LENGTH = 1000

# Codes, lower case [azure-facts 3.9; realdata 3.8]. Unlisted ones follow their status.
BY_CODE: Mapping[str, type[CloudError]] = {
    "scopelocked": Blocked,
    "quotaexceeded": Blocked,
    "resourcequotaexceeded": Blocked,
    "skunotavailable": Blocked,
    "allocationfailed": Blocked,
    "zonalallocationfailed": Blocked,
    "missingsubscriptionregistration": Blocked,
    "readonlydisabledsubscription": Blocked,
    "authorizationfailed": Denied,
    "linkedauthorizationfailed": Denied,
    "requestdisallowedbypolicy": Denied,
    "resourcenotfound": Missing,
    "resourcegroupnotfound": Missing,
    "parentresourcenotfound": Missing,
    "notfound": Missing,
    "conflict": Conflict,
    "anotheroperationinprogress": Conflict,
    "retryableerrorduetoanotheroperation": Conflict,
    "resourcegroupbeingdeleted": Conflict,
    "preconditionfailed": Conflict,
}
BY_STATUS: Mapping[int, type[CloudError]] = {401: Denied, 403: Denied, 404: Missing, 409: Conflict, 412: Conflict}
# OperationNotAllowed is a quota or a platform limit, unless its text speaks of something that passes.
PASSING = ("in progress", "being updated", "being created", "being deleted", "another operation")


def refusal(error: AzureError, now: datetime) -> CloudError:
    """The error to raise for an SDK's exception; a Retry-After date counts from `now` where no Date header came."""
    status = getattr(error, "status_code", None)
    code, message = said(error)
    if isinstance(error, ClientAuthenticationError) and (status is None or status >= 500 or status == 429):
        return Unavailable(code, message)  # no token: nothing was sent to the service itself
    if not isinstance(error, HttpResponseError):
        return Unavailable(code, message) if _never_sent(error) else OutcomeUnknown(code, message)
    if status == 429:
        after = retry_after(getattr(error.response, "headers", {}), now)
        return Throttled(code, message, NO_RETRY_AFTER if after is None else after)
    if status is None or status < 300 or status == 408 or status >= 500:
        return OutcomeUnknown(code, message, status or 0)
    return _class_of(code, message, status)(code, message, status)


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """What Retry-After says, in seconds or as a date; None when it is missing or makes no sense."""
    folded = {name.lower(): value for name, value in headers.items()}
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        if folded.get(name, "").isdigit():
            return min(timedelta(milliseconds=int(folded[name][:12])), LONGEST)
    text = folded.get("retry-after", "").strip()
    if text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST)
    until = date_of(text)
    if until is None:
        return None
    return min(max(until - (date_of(folded.get("date", "")) or now), timedelta(0)), LONGEST)


def date_of(text: str) -> datetime | None:
    """An HTTP date; None for anything else."""
    try:
        parsed = parsedate_to_datetime(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _class_of(code: str, message: str, status: int) -> type[CloudError]:
    if code.lower() == "operationnotallowed":
        return Conflict if any(word in message.lower() for word in PASSING) else Blocked
    return BY_CODE.get(code.lower()) or BY_STATUS.get(status, Refused)


def said(error: AzureError) -> tuple[str, str]:
    """Azure's code and message, fit to be shown; the exception's name where no answer came."""
    if not isinstance(error, HttpResponseError) or error.response is None:
        return type(error).__name__, shown(str(error), MESSAGE_LENGTH)
    own = getattr(error, "error_code", None)  # storage SDKs
    found = _odata(error.response)
    code = str(getattr(own, "value", own) or found.get("code") or f"HTTP {error.status_code}")
    message = str(found.get("message") or error.message)
    return shown(code, MESSAGE_LENGTH), shown(message, MESSAGE_LENGTH)


def _odata(response: Any) -> Mapping[str, Any]:
    try:
        document = json.loads(response.text())
    except Exception:  # a body that cannot be read explains nothing, whatever is wrong with it
        return {}
    inner = document.get("error", document.get("odata.error", document)) if isinstance(document, dict) else {}
    if not isinstance(inner, dict):
        return {}
    message = inner.get("message", inner.get("Message"))
    text = message.get("value", message.get("Value", "")) if isinstance(message, dict) else message
    return {"code": inner.get("code", inner.get("ErrorCode")), "message": text}


def _never_sent(error: AzureError) -> bool:
    """Whether the request surely never left: ServiceRequestError alone also covers TLS errors in mid-sentence."""
    if not isinstance(error, ServiceRequestError):
        return False
    if error.inner_exception is None:
        return True  # refused by the pipeline itself, before the transport
    names = {type(cause).__name__ for cause in _causes(error.inner_exception)}
    return bool(
        names & {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "SSLCertVerificationError"}
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and everything it wraps; urllib3 keeps its cause in `reason`, requests in `args`."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop()
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            waiting += [getattr(found, "reason", None), found.__cause__, found.__context__, *found.args]
