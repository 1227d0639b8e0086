"""Everything that can go wrong, named by what happens next.

    TagbackError
    ├── BadInput            tell the person every problem; exit 2
    ├── Unknown             the machine or request named does not exist; exit 3
    ├── NewerRows           a newer Tagback wrote what is stored: leave it alone, hand back
    ├── Unproven            the caller has not proven who they are: 401
    ├── Forbidden           they have, and may not: 403; exit 4
    ├── TooMany             one caller asks the API too often: 429, wait `after`
    ├── LostRace            somebody else changed the rows first: read again, decide again
    └── CloudError          Azure's answer (code, message)
        ├── Throttled       wait `after`, then the same call again
        ├── Unavailable     surely not accepted: try again later
        ├── OutcomeUnknown  sent, and the answer was lost: look before acting again
        ├── Denied          a permission or a policy is missing: a person
        ├── Blocked         a lock, or a limit, stands in the way: a person, or time
        ├── Missing         what the call needs does not exist
        ├── Conflict        another operation is running on it: later
        └── Refused         the request itself is wrong: giving up

The class is what can be said of any answer; what really follows is decided by code, status and message
(`decide/failure.py`), for which they travel along.

Adapters translate into these once (`cloud/call.py`); nobody else sees an SDK's exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta


class TagbackError(Exception):
    """The root of the tree."""


class BadInput(TagbackError):
    """Settings, plans or arguments that cannot be used: every problem at once."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Unknown(TagbackError):
    """Nothing here has the name that was asked for."""


class NewerRows(TagbackError):
    """Stored rows are of a version that this build does not know. Nothing of them may be changed, nor guessed at."""


class Unproven(TagbackError):
    """The API was not shown a token that the authority issued for it: nobody is let in."""


class Forbidden(TagbackError):
    """Who asks is known, and may not have it: another person, or another role, is needed."""


class TooMany(TagbackError):
    """A caller of the API has asked more than one may; there is room for the next request after `after`."""

    def __init__(self, message: str, after: timedelta) -> None:
        super().__init__(message)
        self.after = after


class LostRace(TagbackError):
    """A conditional write failed: the rows changed since they were read."""


class CloudError(TagbackError):
    """Azure answered, or failed to. `code` is Azure's own where it gave one, `status` that of HTTP, 0 without any."""

    def __init__(self, code: str, message: str, status: int = 0) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message
        self.status = status


class Throttled(CloudError):
    """Too many requests. No call of this kind may be sent before `after` has passed (promise S9)."""

    def __init__(self, code: str, message: str, after: timedelta) -> None:
        super().__init__(code, message, 429)
        self.after = after


class Unavailable(CloudError):
    """The request was surely not accepted, or it was a read: trying again later does no harm."""


class OutcomeUnknown(CloudError):
    """A write was sent and its answer lost (timeout, cut connection, 5xx)."""


class Denied(CloudError):
    """403: a role assignment or a policy forbids it."""


class Blocked(CloudError):
    """A lock, a quota or a platform limit forbids it for now."""


class Missing(CloudError):
    """404: the resource, or the group it should go to, does not exist."""


class Conflict(CloudError):
    """409 or 412 because of something that passes."""


class Refused(CloudError):
    """400 and the like: the same request will be refused again."""
