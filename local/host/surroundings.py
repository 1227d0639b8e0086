"""What a host is given by whoever starts it: the app's place, its settings, its socket.

Made by `__main__`, read by `host`. Starts nothing.
"""

import hashlib
import platform
import socket
from dataclasses import dataclass
from pathlib import Path

from local.host.settings import AppSettings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the host is given: the app's place, its settings, its socket."""

    app: Path
    settings: AppSettings
    listening: socket.socket

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    @property
    def host_id(self) -> str:
        given = self.settings.get("AzureFunctionsWebHost__hostid")
        machine = "".join(letter for letter in platform.node().lower() if letter.isalnum() or letter == "-").strip("-")
        digest = int.from_bytes(hashlib.sha256(str(self.app).encode()).digest()[:4], "big")
        return (given or f"{machine[:20]}-{digest}").lower()[:32]
