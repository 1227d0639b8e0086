"""A worker driven by JSON lines: loads app after app and runs functions of them. Started by `workers`.

`python worker_lines.py own|runtime`; the second kind is Microsoft's library, run by the Python it is installed for, so
this file needs nothing but azure-functions. One line in, one line out; what the apps print goes to stderr.
"""

import asyncio
import base64
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azure.functions.meta import Datum

from local.host.runtime_worker import RuntimeWorker
from local.host.values import Invocation, LoadError
from local.host.worker import OwnWorker, Worker


class Alone:
    """Nobody follows threads here."""

    def adopt_thread(self) -> None:
        return

    def on_this_thread(self, invocation: str, call: Callable[[], Any]) -> Any:
        return call()


def written(value: Any) -> Any:
    """A datum, or what is inside one, as JSON."""
    if isinstance(value, Datum) or type(value).__name__ == "Datum":
        return {"type": value.type, "value": written(value.value)}
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {str(key): written(item) for key, item in value.items()}
    if isinstance(value, list):
        return [written(item) for item in value]
    return value if isinstance(value, (str, int, float, type(None))) else type(value).__name__


def read(document: Any) -> Any:
    if isinstance(document, dict) and set(document) == {"type", "value"}:
        return Datum(read(document["value"]), document["type"])
    if isinstance(document, dict) and set(document) == {"base64"}:
        return base64.b64decode(document["base64"])
    if isinstance(document, dict):
        return {key: read(item) for key, item in document.items()}
    return document


class Lines:
    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._worker: Worker | None = None
        self._folders: list[tempfile.TemporaryDirectory[str]] = []
        self._loop = asyncio.new_event_loop()

    def load(self, source: str) -> dict[str, Any]:
        folder = tempfile.TemporaryDirectory()
        self._folders.append(folder)
        app = Path(folder.name)
        (app / "function_app.py").write_text(source)
        sys.modules.pop("function_app", None)
        importlib.invalidate_caches()
        try:
            self._worker = RuntimeWorker(app, Alone()) if self._kind == "runtime" else self._own(app)
        except LoadError as error:
            return {"ok": False, "error": str(error)}
        finally:
            sys.path[:] = [entry for entry in sys.path if entry != folder.name]
        functions = {
            f.name: {"id": f.id, "bindings": [dict(b.properties) for b in f.bindings], "retry": str(f.retry)}
            for f in self._worker.functions
        }
        return {"ok": True, "functions": functions}

    @staticmethod
    def _own(app: Path) -> OwnWorker:
        return OwnWorker(app, "function_app.py", Alone())

    def invoke(self, call: dict[str, Any]) -> dict[str, Any]:
        assert self._worker is not None
        function = next(f for f in self._worker.functions if f.name == call["function"])
        invocation = Invocation(
            "an-invocation",
            function.id,
            tuple((name, read(datum)) for name, datum in call["inputs"]),
            {name: read(datum) for name, datum in call["metadata"].items()},
            call.get("retries", 0),
            3,
        )
        outcome = self._loop.run_until_complete(self._worker.invoke(invocation))
        return {
            "ok": outcome.ok,
            "returned": written(outcome.returned),
            "outputs": [[name, written(datum)] for name, datum in outcome.outputs],
            "error": outcome.error,
        }


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    lines = Lines(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        answer = lines.load(request["load"]) if "load" in request else lines.invoke(request["invoke"])
        print(json.dumps(answer), file=answers, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
