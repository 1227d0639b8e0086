"""Lets mutmut plant its mutants in the tree that is the working directory, without judging any of them.

Run by __main__.py in a process of its own: `python -m tests.mutation.planting`. It calls what `mutmut run` calls first;
mutmut is reached by name because it is installed only where mutants are judged.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

NOBODY = "mutant_generation"  # what mutmut calls the time before any mutant is switched on


def plant() -> None:
    os.environ["MUTANT_UNDER_TEST"] = NOBODY
    mutmut = importlib.import_module("mutmut.__main__")
    Path("mutants").mkdir(exist_ok=True)
    mutmut.copy_src_dir()
    mutmut.copy_also_copy_files()
    mutmut.create_mutants(1)


if __name__ == "__main__":
    plant()
