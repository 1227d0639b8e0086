"""The app's settings as the host reads them: `local.settings.json` poured into the environment, names resolved.

Called by `__main__` once before the app is imported. Never overrides a variable that is already set.
"""

import json
import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.host.values import FunctionInError, HostError


@dataclass(frozen=True, slots=True)
class AppSettings:
    """Looks settings up like .NET configuration: without case, `:` and `__` alike."""

    environment: Mapping[str, str]

    def get(self, name: str) -> str | None:
        direct = self.environment.get(name)
        if direct is not None:
            return direct
        wanted = name.replace(":", "__").lower()
        return next(
            (value for key, value in self.environment.items() if key.replace(":", "__").lower() == wanted), None
        )

    def is_true(self, name: str) -> bool:
        return (self.get(name) or "").strip().lower() in ("1", "true")

    def section(self, prefix: str) -> dict[tuple[str, ...], str]:
        """Every setting below a prefix, keyed by its lower-cased path."""
        start = prefix.lower() + "__"
        found = ((key.replace(":", "__").lower(), value) for key, value in self.environment.items())
        return {tuple(key[len(start) :].split("__")): value for key, value in found if key.startswith(start)}

    def resolve(self, text: str) -> str:
        """Replace every %NAME% by its setting."""
        if text.count("%") % 2:
            raise FunctionInError(f"'{text}' has an unbalanced %.")
        return re.sub("%([^%]*)%", lambda match: self._named(match.group(1)), text)

    def _named(self, name: str) -> str:
        value = self.get(name)
        if not value:
            raise FunctionInError(f"'%{name}%' does not resolve to a value.")
        return value

    def is_disabled(self, function: str) -> bool:
        return self.is_true(f"AzureWebJobs.{function}.Disabled") or self.is_true(f"AzureWebJobs_{function}_Disabled")


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise HostError(f"cannot read settings file {path}: {error.strerror}", 2) from error
    except ValueError as error:
        raise HostError(f"settings file {path} is not JSON: {error}", 2) from error
    if not isinstance(document, dict):
        raise HostError(f"settings file {path} must hold one JSON object", 2)
    return document


def pour(path: Path, environment: MutableMapping[str, str]) -> None:
    """Put the file's Values and ConnectionStrings into the environment where nothing is set yet."""
    document = _document(path)
    if document.get("IsEncrypted", True):  # Core Tools take a missing member for true
        raise HostError(f"settings file {path} is encrypted (set IsEncrypted to false)", 2)
    values: dict[str, Any] = dict(document.get("Values") or {})
    for name, value in (document.get("ConnectionStrings") or {}).items():
        text = value.get("ConnectionString", "") if isinstance(value, dict) else value
        values[f"ConnectionStrings__{name}"] = text
    for name, value in values.items():
        if not isinstance(value, str):
            raise HostError(f"settings file {path}: {name} must be a string", 2)
        if not environment.get(name):
            environment[name] = value


def prepare(app: Path, file: Path | None, port: int) -> AppSettings:
    """The environment an app finds itself in under `func start`."""
    default = app / "local.settings.json"
    if file is not None:
        pour(file, os.environ)
    elif default.is_file():
        pour(default, os.environ)
    os.environ["AZURE_FUNCTIONS_ENVIRONMENT"] = "Development"
    os.environ["AzureWebJobsScriptRoot"] = str(app)  # noqa: SIM112 - its name
    os.environ["WEBSITE_HOSTNAME"] = f"localhost:{port}"
    os.environ.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
    return AppSettings(os.environ)
