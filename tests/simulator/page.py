"""Writes the tables of docs/simulator.md from the code: `python -m tests.simulator.page`. What stands above is by hand.

tests/simulator/test_page.py writes them anew and compares, so that the page cannot drift.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from local.simulator import (
    backup_items,
    backup_policies,
    backup_runs,
    policy_rules,
    providers,
    restore_point_rules,
    snapshot_limits,
)
from local.simulator.backup_errors import ERRORS
from local.simulator.linked_checks import LINKED
from local.simulator.quotas import QUOTAS
from local.simulator.restore_point_rules import GAPS, MISFITS
from local.simulator.routing import Route, documented

PAGE = Path(__file__).resolve().parents[2] / "docs" / "simulator.md"
MARK = "<!-- Written by `python -m tests.simulator.page` from here on. -->\n"
SHORT = (
    ("/subscriptions/{subscription}/resourceGroups/{group}/providers/", "(group)/"),
    ("/subscriptions/{subscription}/resourceGroups/{group}", "(group)"),
    ("/subscriptions/{subscription}/providers/", "(subscription)/"),
    ("/subscriptions/{subscription}", "(subscription)"),
)
METHODS = ("GET", "PUT", "PATCH", "POST", "DELETE")


IN_VAULTS = (
    ("machines in a vault", backup_items.MOST_MACHINES),
    ("backups of a machine on demand, in a day", backup_items.MOST_ON_DEMAND),
    ("policies of a vault", backup_policies.MOST_POLICIES),
    ("policies of a vault added or changed, in a day", backup_policies.MOST_WRITES),
    ("least and most days of a policy's daily retention", f"{policy_rules.LEAST_DAYS}, {policy_rules.MOST_DAYS}"),
    ("seconds from a policy's time to the start of a backup, at most", int(backup_runs.LATEST_START)),
)


def page(above: str) -> str:
    """Return the whole page for what is written by hand."""
    return "\n".join([above + MARK, *_rules(), *_routes()]) + "\n"


def by_hand() -> str:
    """Return what stands above the mark."""
    return PAGE.read_text(encoding="utf-8").partition(MARK)[0]


def _table(*columns: str) -> list[str]:
    return ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", r"\|") for cell in cells) + " |"


def _rules() -> Iterator[str]:
    yield from ("## Rules", "", "An action on one thing that needs a right on another:", "")
    yield from _table("action", "of what", "needs", "evidence", "source")
    for check in LINKED:
        yield _row(f"`{check.action}`", f"`{check.linked_type}`", f"`{check.needs}`", check.evidence, check.source)
    yield from ("", "Limits, and what restore points cannot take or wait for:", "")
    yield from _table("rule", "value", "evidence", "source")
    limits = snapshot_limits
    for rule in (limits.MOST, limits.RATE, limits.PENDING, limits.COPIES, limits.COPIES_OF_DISK):
        yield _row(rule.name, rule.most, rule.evidence, rule.source)
    for quota in QUOTAS:
        size = "as set" if quota.size is None else quota.size
        yield _row(f"quota `{quota.name}`: {quota.said}", size, quota.evidence, quota.source)
    for misfit in MISFITS:
        yield _row(
            f"a point refuses a disk that {misfit.because}", ", ".join(misfit.modes), misfit.evidence, misfit.source
        )
    for gap in GAPS:
        yield _row(f"seconds between points, {gap.mode}", int(gap.seconds), gap.evidence, gap.source)
    yield _row("points of a machine", restore_point_rules.MOST, "documented", restore_point_rules.FACTS)
    for said, most in IN_VAULTS:
        yield _row(said, most, "documented", "azure-facts 5")
    yield from (
        "",
        "Why a backup fails: what `POST /_sim/vm` and fault rules (`lro` `fail` with a `code`) can name.",
        "",
    )
    yield from _table("code", "number", "evidence")
    for error in ERRORS.values():
        yield _row(f"`{error.name}`", error.number or "not known", error.evidence)
    yield ""


def _routes() -> Iterator[str]:
    yield from ("## Routes", "", "`(subscription)` and `(group)` stand for the beginning of the path.", "")
    routes = [route for route in providers.routes().all if route.method != "HEAD"]
    rows = sorted(_merged(routes), key=lambda row: (row[0].lower(), row[1]))
    yield from _table("path", "methods", "evidence", "source")
    for path, methods, evidence, source in rows:
        yield _row(f"`{path}`", methods, evidence, source)


def _merged(routes: Iterable[Route]) -> Iterator[tuple[str, str, str, str]]:
    """One row for the methods of a path that rest on the same evidence."""
    rows = sorted(documented(routes), key=lambda row: (row["path"], row["evidence"], row["source"]))
    for (path, evidence, source), found in groupby(rows, key=lambda row: (row["path"], row["evidence"], row["source"])):
        methods = sorted({row["method"] for row in found}, key=METHODS.index)
        yield _shortened(path), " ".join(methods), evidence, source


def _shortened(path: str) -> str:
    for long, short in SHORT:
        if path.startswith(long):
            return short + path[len(long) :]
    return path


if __name__ == "__main__":
    PAGE.write_text(page(by_hand()), encoding="utf-8")
