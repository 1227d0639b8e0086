"""Runs az commands one after another in one process: what the `az` executable runs, without paying its start each time.

Started by tests.clients.shell with the Python of az's own environment. One JSON line in, one JSON line out. Whatever
a command writes to the process's stdout and stderr is caught at the file descriptors, so nothing of az is replaced.
"""

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from typing import Any, BinaryIO

import jmespath  # type: ignore[import-untyped]  # of az's environment, like the next
from azure.cli.core import get_default_cli  # type: ignore[import-untyped]


def invoked(words: Sequence[str]) -> int:
    """Run one command as `az` does and return its exit code."""
    try:
        code = get_default_cli().invoke(list(words))
    except SystemExit as ended:
        code = ended.code
    return code if isinstance(code, int) else int(code is not None)


def ran(words: Sequence[str], caught: Sequence[BinaryIO]) -> dict[str, Any]:
    for number, file in enumerate(caught, start=1):
        file.seek(0)
        file.truncate()
        os.dup2(file.fileno(), number)
    code = invoked(words)
    sys.stdout.flush()
    sys.stderr.flush()
    texts = []
    for file in caught:
        file.seek(0)
        texts.append(file.read().decode(errors="replace"))
    return {"exit": code, "stdout": texts[0], "stderr": texts[1]}


def found(document: Any, expressions: Sequence[str]) -> dict[str, Any]:
    return {each: jmespath.search(each, document) for each in expressions}


def main() -> None:
    """Answer until the other end closes."""
    asked = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        for line in asked:
            task = json.loads(line)
            answer = ran(task["run"], (out, err)) if "run" in task else found(task["document"], task["ask"])
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
