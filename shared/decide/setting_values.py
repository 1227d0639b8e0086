"""Judges the text of single settings: the value, or ValueError that says what is wrong and what is allowed.

Used by settings.py, which adds the setting's name and collects the problems. Pure.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from shared.decide import ncrontab
from shared.decide.durations import DURATION_FORM, parse_duration
from shared.decide.naming import MAX_TAG_NAME, MAX_TAG_VALUE, OURS
from shared.model.rules import Mode
from shared.model.vault import Redundancy

_SUBSCRIPTION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SUBSCRIPTION_FORM = "00000000-0000-0000-0000-000000000000"
_AUDIENCE = re.compile(r"api://[\w.:/-]{1,200}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_PREFIX = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_GROUP = re.compile(r"[\w()-][\w.()-]{0,58}(?<!\.)", re.ASCII)
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_VAULT = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,23}", re.ASCII)
_REGION = "{region}"
_NOT_IN_TAG_NAMES = "<>%&\\?/"  # [azure-facts 3.7]
LONGEST_SLICE = timedelta(minutes=4)  # a message stays hidden for minutes, a function lives for five
MOST_EXTRA_TAGS = 10
REDUNDANCIES = {"local": Redundancy.LOCAL, "zone": Redundancy.ZONE, "geo": Redundancy.GEO}


def subscriptions(text: str) -> Mapping[str, Mode]:
    found: dict[str, Mode] = {}
    problems = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, separator, mode = (part.strip().lower() for part in entry.partition("="))
        if not is_subscription(name):
            problems.append(f"{name!r} is no subscription id; allowed: {SUBSCRIPTION_FORM}")
        elif name in found:
            problems.append(f"{name} stands there twice")
        elif separator and mode not in list(Mode):
            problems.append(f"{mode!r} is no mode; allowed: {', '.join(Mode)}")
        else:
            found[name] = Mode(mode or Mode.ENFORCE)
    if not found and not problems:
        problems.append("names no subscription; allowed: ids separated by commas, each with =observe or =enforce")
    if problems:
        raise ValueError("; ".join(problems))
    return found


def is_subscription(text: str) -> bool:
    """Whether it is a subscription's id, in whatever letters."""
    return bool(_SUBSCRIPTION.fullmatch(text.lower()))


def tag_prefix(text: str) -> str:
    folded = text.lower()
    if not _PREFIX.fullmatch(folded) or folded.startswith(OURS):
        raise ValueError("allowed: a letter, then letters, digits, - _ . (at most 64), not beginning with tagback-")
    return folded


def group_pattern(text: str) -> str:
    plain = text.replace(_REGION, "x")
    if _REGION not in text or not _GROUP.fullmatch(plain):
        raise ValueError("allowed: a resource group's name of at most 60 characters with {region} in it")
    return text


def vault_pattern(text: str) -> str:
    """Room is left for a region's name and a number within the fifty characters of a vault's name."""
    if _REGION not in text or not _VAULT.fullmatch(text.replace(_REGION, "x")):
        raise ValueError("allowed: letters, digits and -, a letter first, at most 24 characters, with {region} in it")
    return text


def redundancy(text: str) -> Redundancy:
    found = REDUNDANCIES.get(text.lower())
    if found is None:
        raise ValueError(f"allowed: {', '.join(REDUNDANCIES)}")
    return found


def extra_tags(text: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, separator, value = (part.strip() for part in entry.partition("="))
        bad_name = not name or len(name) > MAX_TAG_NAME or set(name) & set(_NOT_IN_TAG_NAMES)
        if not separator or bad_name or len(value) > MAX_TAG_VALUE or name.lower().startswith(OURS):
            raise ValueError(
                f"{entry!r} is no tag; allowed: name=value, separated by commas, not beginning with {OURS}"
            )
        if name.lower() in {known.lower() for known in found}:
            raise ValueError(f"{name!r} stands there twice; the case of a tag's name says nothing")
        found[name] = value
    if len(found) > MOST_EXTRA_TAGS:
        raise ValueError(f"{len(found)} tags; allowed: at most {MOST_EXTRA_TAGS}, the VM's own need room")
    return found


def address(text: str) -> str:
    """An https address without a path of its own: tokens are sent there."""
    try:
        split = urlsplit(text)
        fits = split.scheme == "https" and split.hostname and split.port != 0 and not split.netloc.endswith(":")
    except ValueError:
        fits = False
    if not fits or "@" in text or split.query or split.fragment:
        raise ValueError("allowed: an https address such as https://management.azure.com")
    return text.rstrip("/")


def optional_address(text: str) -> str:
    return address(text) if text else ""


def audiences(text: str) -> frozenset[str]:
    """What tokens for the API are meant for: the app registration's URI, its client id, or both."""
    found = frozenset(filter(None, (part.strip() for part in text.split(","))))
    if not all(_AUDIENCE.fullmatch(one) for one in found):
        raise ValueError("allowed: api://... or the id of the app registration, several separated by commas")
    return found


def tenant(text: str) -> str:
    """One tenant: with `common` or `organizations` whoever comes from anywhere would be let in."""
    folded = text.lower()
    if folded and not is_subscription(folded):
        raise ValueError(f"allowed: the id of your tenant, {SUBSCRIPTION_FORM}")
    return folded


def api_address(text: str) -> str:
    """An address of the HTTP API, or nothing; on this very machine plain http will do, for it leaves no wire."""
    if not text.startswith(("http://127.0.0.1:", "http://localhost:")):
        return optional_address(text)
    return address(text.replace("http:", "https:", 1)).replace("https:", "http:", 1)


def keyed(text: str) -> bool:
    """Whether the function key alone lets somebody read over HTTP, or it takes a token with a role."""
    if text.lower() not in ("key", "role"):
        raise ValueError("allowed: key or role")
    return text.lower() == "key"


def duration(text: str) -> timedelta:
    found = parse_duration(text)
    if not found:
        raise ValueError(f"allowed: {DURATION_FORM}, more than nothing")
    return found


def slice_of_draining(text: str) -> timedelta:
    """Seconds as a plain number, as the setting's name says, or a duration."""
    found = duration(f"{text}s" if text.isascii() and text.isdigit() else text)
    if not timedelta(seconds=10) <= found <= LONGEST_SLICE:
        raise ValueError("allowed: 10s to 240s")
    return found


def share(text: str) -> float:
    return _part(text, 0.9, "allowed: 0 to 0.9, the part of Azure's limits that is left to others")


def share_told(text: str) -> float:
    return _part(text, 1, "allowed: 0 to 1, the part of the traces that is told")


def _part(text: str, most: float, allowed: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= most:
        raise ValueError(allowed)
    return found


def telemetry(text: str, connection: str) -> tuple[str, str]:
    """Where telemetry goes: a file, or the connection string that leads to Azure Monitor; both empty for nowhere."""
    if text.lower() == "azure":
        if not connection:
            raise ValueError("APPLICATIONINSIGHTS_CONNECTION_STRING is not set, so Azure Monitor cannot be told")
        return "", connection
    if text and not text.endswith(".jsonl"):
        raise ValueError("allowed: azure, a file whose name ends with .jsonl, or nothing")
    return text, ""


def switch(text: str) -> bool:
    if text.lower() not in ("on", "off"):
        raise ValueError("allowed: on or off")
    return text.lower() == "on"


def schedule(text: str) -> str:
    problems = ncrontab.problems(text)
    if problems:
        raise ValueError(f"{', '.join(problems)}; allowed: {ncrontab.FORM}")
    return text


def account_name(connection: str) -> str:
    """The account that a connection string names. The text holds a key: it is never repeated in a message."""
    if connection.replace(" ", "").lower().rstrip(";") == "usedevelopmentstorage=true":
        return "devstoreaccount1"
    parts = (part.partition("=") for part in connection.split(";"))
    fields = {key.strip().lower(): value.strip() for key, _, value in parts}
    name = fields.get("accountname", "")
    problems = [] if name else ["it names no account; allowed: a connection string as the portal shows it"]
    if name and not _ACCOUNT.fullmatch(name.lower()):
        problems.append("its AccountName is none; allowed: 3 to 24 letters and digits")
    if name and "sharedaccesssignature" not in fields and not _is_key(fields.get("accountkey", "")):
        problems.append("its AccountKey is missing or no base64; allowed: a key as the portal shows it")
    for service in ("Blob", "Queue", "Table"):
        if not _is_web_address(fields.get(f"{service}Endpoint".lower(), "https://default")):
            problems.append(
                f"its {service}Endpoint is no address; allowed: https://name.{service.lower()}.core.windows.net"
            )
    if problems:
        raise ValueError("; ".join(problems))
    return name.lower()


def account(text: str) -> str:
    """The name of a storage account, or nothing."""
    folded = text.lower()
    if folded and not _ACCOUNT.fullmatch(folded):
        raise ValueError("allowed: 3 to 24 letters and digits")
    return folded


def _is_key(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


def _is_web_address(text: str) -> bool:
    """Whether it has the form; plain http too, because emulators on the same machine speak it."""
    try:
        split = urlsplit(text)
        return split.scheme in ("http", "https") and bool(split.hostname) and split.port != 0
    except ValueError:
        return False
