"""A copy of the repository in which mutmut may write, with the settings that it reads from pyproject.toml.

Used by __main__.py. The copy holds what the chosen tests import, and a link to the facts that some of them read.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FACTS = ROOT.parent / "shared" / "docs"
TESTS = (
    "tests/decide",
    "tests/test_settings.py",
    "tests/flows/test_reaping.py",
    "tests/flows/test_freezing.py",
    "tests/flows/test_rebuilding.py",
    "tests/cli/test_explain.py",
    "tests/cli/test_points_and_jobs.py",
)
SLOW = (  # seconds each, which a mutant would cost every time it survives; the others are examples of milliseconds
    "tests/decide/test_schedule_zones.py",
    "tests/decide/test_steady_days.py",
    "tests/decide/test_retention_calendars.py::test_a_plan_keeps_what_its_calendar_shows[gold]",
)
COPIED = ("shared", "tests", "local", "docs", "function_app.py", "README.md", "CHANGELOG.md")
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "node_modules", ".run", "mutants", "e2e")
SETTINGS = """
[tool.mutmut]
source_paths = ["shared/decide"]
only_mutate = [{modules}]
also_copy = ["shared", "local", "docs", "function_app.py", "README.md", "CHANGELOG.md"]
use_git_change_detection = false
"""


def plant(modules: Sequence[str], place: Path) -> None:
    """Make an empty directory a copy in which only these modules of shared/decide are mutated."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=LEFT_BEHIND)
        elif source.exists():
            shutil.copy(source, place / name)
    if FACTS.exists():
        (place / "shared" / "docs").symlink_to(FACTS)  # seen from mutants/ the repository's neighbour `shared` is this
    settings = SETTINGS.format(modules=", ".join(f'"shared/decide/{module}.py"' for module in modules))
    (place / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + settings)


def modules() -> list[str]:
    """Every module of shared/decide, by name."""
    found = (ROOT / "shared" / "decide").glob("*.py")
    return sorted(path.stem for path in found if path.stem != "__init__")
