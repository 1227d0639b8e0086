"""The score table, the floors below which a session may not fall, and the known reasons for what still differs."""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tests.simulator.replay.comparison import Deviation
from tests.simulator.replay.forms import without_made_parts
from tests.simulator.replay.player import Outcome, Result

_HERE = Path(__file__).parent
FLOORS = _HERE / "floors.toml"
REASONS = _HERE / "differences.toml"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some steps differ; patterns are globs on session, route and the deviation's text."""

    session: str
    route: str
    deviation: str
    because: str

    def covers(self, session: str, outcome: Outcome, deviation: Deviation) -> bool:
        return (
            fnmatchcase(session, self.session)
            and fnmatchcase(outcome.route, self.route)
            and fnmatchcase(str(deviation), self.deviation)
        )


def read_floors(path: Path = FLOORS) -> dict[str, int]:
    """The least number of matched steps per session."""
    return dict(tomllib.loads(path.read_text(encoding="utf-8")).get("floors", {})) if path.exists() else {}


def read_reasons(path: Path = REASONS) -> list[Reason]:
    """The known reasons."""
    if not path.exists():
        return []
    rows = tomllib.loads(path.read_text(encoding="utf-8")).get("difference", [])
    return [Reason(r.get("session", "*"), r.get("route", "*"), r.get("deviation", "*"), r["because"]) for r in rows]


def raised(floors: dict[str, int], results: Iterable[Result]) -> dict[str, int]:
    """Floors after a run: they only rise."""
    found = dict(floors)
    for result in results:
        found[result.session] = max(found.get(result.session, 0), result.matched)
    return dict(sorted(found.items()))


def write_floors(floors: dict[str, int], path: Path = FLOORS) -> None:
    """Write the file that is committed."""
    lines = [f'"{session}" = {floor}' for session, floor in sorted(floors.items())]
    head = "# Matched steps per session. `python -m tests.simulator.replay --raise-floors` raises them."
    path.write_text("\n".join([head, "[floors]", *lines]) + "\n", encoding="utf-8")


def fallen(floors: dict[str, int], results: Iterable[Result]) -> list[str]:
    """The sessions below their floor, in words."""
    return [
        f"{result.session}: {result.matched} of {result.total}, floor {floors[result.session]}"
        for result in results
        if result.matched < floors.get(result.session, 0)
    ]


def table(results: Sequence[Result]) -> str:
    """One line per session and one for all."""
    rows = [(result.session, result.matched, result.total) for result in results]
    rows.append(("all", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    width = max(len(row[0]) for row in rows)
    return "\n".join(f"{name:<{width}}  {got:>4}/{total:<4} {got / max(total, 1):>6.1%}" for name, got, total in rows)


def unmatched(results: Iterable[Result], reasons: Sequence[Reason]) -> str:
    """What still differs, grouped by route, the most frequent first, with reasons where known."""
    steps: Counter[str] = Counter()
    details: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for result in results:
        for outcome in result.outcomes:
            steps[outcome.route] += bool(outcome.deviations)
            for deviation in outcome.deviations:
                details[outcome.route][_line(result.session, outcome, deviation, reasons)] += 1
    lines: list[str] = []
    for route, count in steps.most_common():
        if count:
            lines.append(f"{count:>4} steps  {route}")
            lines.extend(f"       {times:>4} x {line}" for line, times in details[route].most_common(12))
    return "\n".join(lines)


def _line(session: str, outcome: Outcome, deviation: Deviation, reasons: Sequence[Reason]) -> str:
    because = next((reason.because for reason in reasons if reason.covers(session, outcome, deviation)), None)
    return without_made_parts(str(deviation)) + (f"  [{because}]" if because else "")


def details(result: Result) -> str:
    """Every step of a session with its deviations."""
    lines = [f"  refused beforehand: {each}" for each in result.refused]
    for outcome in result.outcomes:
        exchange = outcome.step.exchange
        mark = "-" if outcome.deviations else "+"
        lines.append(f"  {mark} {exchange.number} {outcome.route} -> {exchange.status}")
        lines.extend(f"      {deviation}" for deviation in outcome.deviations)
    return "\n".join(lines)
