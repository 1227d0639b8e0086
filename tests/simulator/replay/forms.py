"""What a value looks like: guids, times, ids, names that Azure made up. Called by everything here; pure."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

NIL = "00000000-0000-0000-0000-000000000000"
GUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
# how backup writes times and spans in the properties of jobs and items
US_TIME = re.compile(r"^\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d [AP]M$")
TIME = re.compile(r"(\d{4})-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:\.\d+)?(Z|[+-]\d\d:\d\d|)$")
# a guid, 32 hexadecimal digits, the long opaque token of an operation, the version of an image, a recovery point's
# number, or a vault's operation (`2047;guid` in base64)
_MADE = re.compile(
    rf"{GUID.pattern}|[0-9a-fA-F]{{32}}|eyJ[A-Za-z0-9_=-]{{20,}}|(?<![\d.])\d+\.(?:\d+\.\d{{5,}}|\d{{5,}}\.\d+)(?![\d.])|(?<!\d)0858\d{{16}}"
    r"|(?<![\w.;-])\d{10,16}(?![\w.;-])|(?<![\w+/])(?:M[TjzD]|N[DT])[A-Za-z0-9]{50,54}={0,2}"
)
# Azure names OS disks by either rule, for the same image and region on the same day
_OS_DISK = re.compile(r"_(?:osdisk_1|disk1)_\*")
# what recorders put in the place of secrets
SCRUBBED = re.compile(r"<HIDDEN>|\bREDACTED\b|\[placeholder\]")
SIGNATURE = frozenset({"t", "c", "s", "h", "p", "api-version"})


def decoded(text: Any) -> Any:
    """Read JSON where the text is JSON; nothing for an empty text; the text itself otherwise."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if not isinstance(text, str):
        return text
    text = text.lstrip("\ufeff")
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def is_guid(text: str) -> bool:
    """Tell whether the whole text is a guid."""
    return GUID.fullmatch(text) is not None


@lru_cache(maxsize=1 << 16)
def is_made(text: str) -> bool:
    """Tell whether a name contains something no client would have chosen."""
    return _MADE.search(text) is not None


@lru_cache(maxsize=1 << 16)
def outline(text: str) -> str:
    """Blank what was made up, so that two names made by one rule are equal."""
    return _OS_DISK.sub("_osdisk_*", _MADE.sub("*", text).lower())


def without_made_parts(text: str) -> str:
    """Blank what was made up and keep the case, for tables."""
    return _MADE.sub("*", text)


def is_path(text: str) -> bool:
    """Tell whether the text is an id or a URL, whose segments are looked at one by one."""
    return text.startswith(("/", "https://", "http://")) and "/" in text[1:]


def time_form(text: str) -> str | None:
    """Name the form of a time (its zone's spelling); sentinels stay as they are; None when it is no time."""
    found = TIME.match(text)
    if found is None:
        return "time US" if US_TIME.match(text) else None
    if found.group(1) in ("0001", "1601", "1753", "2001", "9999"):
        return text
    return "time " + ("Z" if found.group(2) == "Z" else "local" if found.group(2) == "" else "offset")


@lru_cache(maxsize=1 << 14)
def path_of(url: str) -> str:
    """Take the path of a URL or target, unquoted and in lower case, without doubled slashes."""
    return re.sub(r"/+", "/", unquote(urlsplit(url).path)).rstrip("/").lower()


@lru_cache(maxsize=1 << 14)
def address_of(url: str) -> tuple[str, ...]:
    """Make a URL comparable: path and query, without host, order and the parts of a signature."""
    query = sorted((name.lower(), value) for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True))
    return (path_of(url), *(f"{name}={value}" for name, value in query if name not in SIGNATURE))
