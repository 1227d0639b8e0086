"""What people and the world did, as the scenario wrote it down while it was performed: `script.jsonl`.

Each line is an object with `do` and `at`, mostly `until` (when it was through). Lines that concern a machine name it by
`machine`; one with `tags` gives all its tags from then on. `begin` opens the file with the end, the subscriptions and
the settings; `plans` holds the text of a plans file; `trouble` is a fault that is on; `expect` the status told at the
end. Any other word is an act of somebody. Read only; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from local.judges.evidence import Record, instant, lines, maybe_instant
from local.judges.plans import Plans, length, read_plans

DISTURBING = frozenset({"trouble", "kill", "pause", "rebuild", "outage", "silence"})
QUARTER = "0 */15 * * * *"


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the script."""

    do: str
    at: datetime
    until: datetime
    machine: str
    said: Record

    @property
    def tags(self) -> Mapping[str, str] | None:
        found = self.said.get("tags")
        return found if isinstance(found, Mapping) else None


class Script:
    """A scenario as it was performed."""

    def __init__(self, said: tuple[Record, ...]) -> None:
        if not said or said[0]["do"] != "begin":
            raise ValueError("script.jsonl does not open with a line of `begin`")
        self.start, self.end = instant(said[0]["at"]), instant(said[0]["until"])
        self.settings: Mapping[str, str] = said[0].get("settings", {})
        named = dict(str(one).lower().partition("=")[::2] for one in said[0]["subscriptions"])
        self.subscriptions = frozenset(named)
        self.enforced = frozenset(one for one, mode in named.items() if mode in ("", "enforce"))
        self.acts = tuple(sorted(map(_act, said[1:]), key=lambda act: act.at))
        self.plans = [(act.at, read_plans(str(act.said["text"]))) for act in self.of("plans")]
        if not self.plans:
            raise ValueError("script.jsonl has no line of `plans`")

    def of(self, *words: str) -> list[Act]:
        return [act for act in self.acts if act.do in words]

    def plans_at(self, at: datetime) -> Plans:
        """The plans in force; before the first line, those of the first."""
        return next((plans for since, plans in reversed(self.plans) if since <= at), self.plans[0][1])

    def setting(self, name: str, default: str) -> timedelta:
        return length(self.settings.get(name, default))

    @cached_property
    def disturbances(self) -> list[Act]:
        return self.of(*DISTURBING)

    def disturbed(self, since: datetime, until: datetime) -> list[Act]:
        """What was in the way at some time between two instants."""
        return [act for act in self.disturbances if act.at <= until and act.until >= since]

    @cached_property
    def sweep(self) -> timedelta:
        """The time between two sweeps, of the forms that scenarios use: every so many minutes, or once an hour."""
        minute = self.settings.get("TAGBACK_SWEEP", QUARTER).split()[1]
        return timedelta(minutes=int(minute.removeprefix("*/"))) if minute.startswith("*/") else timedelta(hours=1)


def _act(line: Record) -> Act:
    at = instant(line["at"])
    return Act(str(line["do"]), at, maybe_instant(line.get("until")) or at, str(line.get("machine", "")).lower(), line)


def read_script(path: Path) -> Script:
    return Script(tuple(lines(path)))


def moves(acts: Iterator[Act] | list[Act]) -> dict[str, Act]:
    """The moves by where they led."""
    return {str(act.said["to"]).lower(): act for act in acts if act.do == "move"}
