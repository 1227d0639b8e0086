"""Keeps secrets and line breaks out of every log line of the process, whoever writes it. Installed by wiring.

It stands where records are made, before any handler sees them: libraries' lines and tracebacks pass it too. A line says
that something was taken out, never what.
"""

from __future__ import annotations

import logging
import re
import traceback
from types import TracebackType
from typing import Any, TypeAlias

Raised: TypeAlias = "tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]"

GONE = "[redacted]"
LONGEST = 32_768  # a line of Application Insights
# What opens something, in the forms in which it reaches a log: headers, links, connection strings, JSON, PEM.
SECRETS = (
    re.compile(r"(?i)\b(bearer|sharedkey|sharedkeylite|basic|negotiate)(\s+|%20)[A-Za-z0-9._~+/:=-]{6,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)?"),
    re.compile(
        r"(?i)(?<=[?&;])(sig|se|sv|skoid|code|token|access_token|id_token|refresh_token|client_secret)=[^&\s\"'<>;]+"
    ),
    re.compile(
        r"(?i)\b(accountkey|sharedaccesskey|sharedaccesssignature|sharedsecret|instrumentationkey|client_secret|"
        r"clientsecret|password|passwd|pwd|secret|api[-_]?key|access[-_]?token(?:string)?|refresh[-_]?token|id[-_]?token|"
        r"x-functions-key|aeg-sas-key|aeg-sas-token|authorization|identity_header|x-identity-header|cookie|set-cookie)"
        r"(\\*[\"']?\s{0,4}[:=]\s{0,4}\\*[\"']?)[^\s,;\"'}&<>\\]+"
    ),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?i)//[^/\s:@]+:[^/\s@]+@"),
    re.compile(r"(?i)\b[a-z0-9._%+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}\b"),
    re.compile(r"\b[A-Za-z0-9+/]{86}=="),
)
# Control characters, line separators, and marks that turn the direction of text.
BREAKS = re.compile("[\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]")

_inner = logging.getLogRecordFactory()


def install() -> None:
    """Make every record of this process pass here; once is enough, and again does no harm."""
    logging.setLogRecordFactory(_record)


def redacted(text: str) -> str:
    """A text without what opens something."""
    for secret in SECRETS:
        text = secret.sub(GONE, text)
    return text


def shown(text: str, most: int) -> str:
    """So much of a foreign text as is kept for people. Cut last: half a secret has no form by which to know it."""
    return redacted(text[:LONGEST])[:most]


def one_line(text: str) -> str:
    """A text in which nothing begins a new line or hides what stands there."""
    return BREAKS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def _record(*fields: Any, **more: Any) -> logging.LogRecord:
    record = _inner(*fields, **more)
    record.msg, record.args = one_line(redacted(_said(record)[:LONGEST])), None
    if record.exc_info and record.exc_info[0] is not None:
        record.exc_text = redacted(_traced(record.exc_info))[-LONGEST:]
        record.exc_info = None
    return record


def _said(record: logging.LogRecord) -> str:
    """The message; where its arguments do not fit it, the bare words: a log line never raises."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return str(record.msg)


def _traced(raised: Raised) -> str:
    return "".join(traceback.format_exception(*raised)).rstrip()
