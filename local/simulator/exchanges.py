"""Keeps every ARM request and its answer in files, for whoever checks them against Microsoft's specifications.

Off unless asked for (`--exchanges DIR`, or the environment variable for simulators that others start). Written by the
front; exchanges that differ in nothing are kept once. It never changes an answer.
"""

import hashlib
import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from local.simulator.answers import encode

if TYPE_CHECKING:
    from local.simulator.front import Answered

VARIABLE = "SIMULATOR_EXCHANGES"
VERSION = re.compile(r"api-version=([^&]*)", re.IGNORECASE)
_numbers = itertools.count()


class Exchanges:
    """One file of exchanges, a JSON document per line."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._file = (directory / f"{os.getpid()}-{next(_numbers)}.jsonl").open("ab")
        self._seen: set[bytes] = set()

    def keep(self, method: str, target: str, sent: bytes, answered: "Answered") -> None:
        """Write down one exchange."""
        reply, path = answered.reply, target.partition("?")[0]
        version = VERSION.search(target)
        known = [method, answered.template or path, version[0] if version else "", str(reply.status), *answered.effects]
        digest = hashlib.blake2b("\0".join(known).encode() + sent + b"\0" + reply.body, digest_size=16).digest()
        if digest in self._seen:
            return
        self._seen.add(digest)
        found = {
            "method": method,
            "target": target,
            "template": answered.template,
            "status": reply.status,
            "effects": answered.effects,
            "sent": sent.decode("utf-8", "replace"),
            "answered": reply.body.decode("utf-8", "replace"),
        }
        self._file.write(encode(found) + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def asked_for(directory: Path | None) -> Exchanges | None:
    """Return what keeps exchanges where an option or the environment asks for it."""
    wanted = directory or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    return Exchanges(wanted) if wanted else None
