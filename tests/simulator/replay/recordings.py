"""Reads recorded sessions: vcr cassettes in YAML and JSON, test-proxy records, .NET session records.

Called by the player and by the tests; knows file formats and what each recorder removes, nothing of Azure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.simulator.replay.forms import GUID, decoded

REALDATA = Path(__file__).resolve().parents[3].parent / "shared" / "realdata"
MANAGEMENT_HOST = "https://management.azure.com"


_GROUP = re.compile(r"/resourcegroups/([^/?]+)", re.IGNORECASE)
_NAME = re.compile(r"/([^/?]*\d{6})(?=[/?])")
_NIL = "00000000-0000-0000-0000-000000000000"
_NUMBERED = re.compile(r"(.*?)\d{6}$")


@dataclass(frozen=True, slots=True)
class Recorder:
    """What a recorder leaves out of the headers; `whole` says that a header it does not show was not sent."""

    name: str
    strips: frozenset[str] = frozenset()
    whole: bool = True


CLI = Recorder("azure-cli", frozenset({"retry-after"}))
SDK = Recorder("azure-sdk")
CUSTODIAN = Recorder("cloud-custodian", whole=False)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer as recorded; `target` is path and query without the host."""

    number: int
    method: str
    host: str
    target: str
    request: Any
    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Session:
    """One recorded file."""

    name: str
    recorder: Recorder
    exchanges: tuple[Exchange, ...]

    @property
    def began(self) -> datetime | None:
        """When the first answer came; nothing where the recorder kept no dates."""
        dates = (exchange.headers.get("date") for exchange in self.exchanges)
        return next((parsedate_to_datetime(date) for date in dates if date), None)


@cache
def session_files(root: Path = REALDATA) -> dict[str, Path]:
    """Every recorded session by its name: the path below the sets, without the suffix."""
    recordings = root / "cli-recordings"
    found = {str(path.relative_to(recordings).with_suffix("")): path for path in recordings.rglob("*.yaml")}
    found |= {str(path.relative_to(recordings))[: -len(".json")]: path for path in recordings.rglob("*.json")}
    found |= {f"c7n/{path.name[: -len('.json')]}": path for path in (root / "c7n-cassettes").glob("*.json")}
    return dict(sorted(found.items()))


def read_session(name: str, path: Path) -> Session:
    """Read one file, whatever its format."""
    if path.suffix == ".yaml":
        with path.open(encoding="utf-8") as opened:
            document = yaml.load(opened, Loader=yaml.CSafeLoader)
        return Session(name, CLI, tuple(_cassette(_scrubbed(document["interactions"]))))
    document = json.loads(path.read_text(encoding="utf-8"))
    if "Entries" in document:
        return Session(name, SDK, tuple(_in_order(list(_records(document["Entries"])))))
    return Session(name, CUSTODIAN, tuple(_cassette(document["interactions"])))


def _scrubbed(interactions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Finish the CLI recorder's work: it replaces a group's random name by prefix and number, but not in capitals.

    What is left in small letters are the groups of other runs.
    """
    uris = [each["request"]["uri"] for each in interactions]
    groups = {found.group(1) for uri in uris for found in [_GROUP.search(uri)] if found}
    names = {found.group(1) for uri in uris for found in _NAME.finditer(uri)} - groups
    patterns = [
        (re.compile(rf"((?i:/resourcegroups/)){re.escape(found.group(1).upper())}[A-Z0-9]{{12,}}(?=[/\"])"), name)
        for name in groups
        for found in [_NUMBERED.match(name)]
        if found
    ]
    patterns += [
        (re.compile(rf"(/){re.escape(found.group(1).upper())}[A-Z0-9]{{6,}}(?=[/\"])"), name)
        for name in names
        for found in [_NUMBERED.match(name)]
        if found
    ]
    if all(_NIL in uri for uri in uris if "/subscriptions/" in uri):
        patterns.append((re.compile(rf'(?i)("subscriptionId": *"){GUID.pattern}(?=")'), _NIL))
        patterns.append((re.compile(r'("subscriptions": *\[)(?=")'), f'"{_NIL}", '))
    for each in interactions:
        for holder, key in ((each["request"], "body"), (each["response"]["body"], "string")):
            for pattern, name in patterns if isinstance(holder.get(key), str) else ():
                holder[key] = pattern.sub(rf"\g<1>{name}", holder[key])
    return interactions


def _cassette(interactions: list[dict[str, Any]]) -> Iterator[Exchange]:
    for number, each in enumerate(interactions):
        request, response = each["request"], each["response"]
        body = response["body"]
        yield _exchange(
            number,
            request["method"],
            request["uri"],
            request["body"],
            response["status"]["code"],
            response["headers"],
            body["data"] if "data" in body else body.get("string"),
        )


def _records(entries: list[dict[str, Any]]) -> Iterator[Exchange]:
    for number, each in enumerate(entries):
        yield _exchange(
            number,
            each["RequestMethod"],
            each["RequestUri"],
            each["RequestBody"],
            each["StatusCode"],
            each["ResponseHeaders"],
            _whole(each["ResponseBody"]),
        )


def _whole(body: Any) -> Any:
    """Join a body that the recorder kept as a list of its lines."""
    lines = isinstance(body, list) and len(body) > 1 and all(isinstance(line, str) for line in body)
    return decoded("".join(body)) if lines else body


def _in_order(exchanges: list[Exchange]) -> list[Exchange]:
    """Put exchanges in the order of time: .NET records keep equal requests together, each group in order."""
    dates = [exchange.headers.get("date", "") for exchange in exchanges]
    if not all(dates):
        return exchanges
    return sorted(exchanges, key=lambda exchange: parsedate_to_datetime(exchange.headers["date"]))


def _exchange(
    number: int, method: str, uri: str, request: Any, status: int, headers: Mapping[str, Any], body: Any
) -> Exchange:
    host, target = MANAGEMENT_HOST, uri
    if "://" in uri:
        scheme, rest = uri.split("://", 1)
        name, _, path = rest.partition("/")
        host, target = f"{scheme}://{name}", f"/{path}"
    first = {name.lower(): value[0] if isinstance(value, list) else str(value) for name, value in headers.items()}
    return Exchange(number, method, host, target, decoded(_unquoted(request)), status, first, decoded(body))


def _unquoted(request: Any) -> Any:
    """Return a body that a recorder wrote as the source text of bytes, quoted once or more."""
    quoted = isinstance(request, str) and request.startswith("b'") and "{" in request
    return request[request.index("{") : request.rindex("}") + 1] if quoted else request
