"""The `$filter` of backup lists: `name eq 'value' and ...`, also for the ends of a range (recorded). Pure."""

import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.simulator.answers import ArmError, Document
from local.simulator.clock import EPOCH, parse_time

if TYPE_CHECKING:
    from local.simulator.call import Call

TERM = re.compile(r"^\s*([A-Za-z]\w*)\s+eq\s+(?:'([^']*)'|([^\s']+))\s*$", re.IGNORECASE)
Terms = dict[str, str]


def terms_of(call: "Call") -> Terms:
    """Read a filter; names in lower case."""
    text = call.query.get("$filter", "").strip()
    found = {}
    for part in re.split(r"\s+and\s+", text, flags=re.IGNORECASE) if text else []:
        match = TERM.match(part)
        if match is None:
            raise ArmError(400, "BMSUserErrorInvalidFilter", f"The filter '{text}' is not in proper format.")
        found[match.group(1).lower()] = match.group(2) if match.group(2) is not None else match.group(3)
    return found


def fits(properties: Document, terms: Terms, ignored: Collection[str] = ()) -> bool:
    """Tell whether properties have the values asked for; what they do not have at all does not decide."""
    known = {name.lower(): value for name, value in properties.items()}
    passed = {name.lower() for name in ignored}
    return all(_equal(known[name], value) for name, value in terms.items() if name in known and name not in passed)


def _equal(held: Any, asked: str) -> bool:
    return str(held).lower() == asked.lower()


def moment_of(text: str) -> float:
    """Read a time as clients of backup write it: `2026-05-01 12:00:00 AM`, or ISO."""
    try:
        found = datetime.strptime(text.strip(), "%Y-%m-%d %I:%M:%S %p").replace(tzinfo=UTC)
    except ValueError:
        try:
            return parse_time(text)
        except ValueError as error:
            raise ArmError(400, "BMSUserErrorInvalidFilter", f"'{text}' is not a time.") from error
    return (found - EPOCH).total_seconds()
