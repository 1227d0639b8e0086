"""Retention calendars as text that a backup administrator can check with a wall calendar at hand.

A story says which slots came, which of them were missed, and what the plan kept; the product's own decisions give each
point its date, in the order in which the points were taken. The text shows what stands at the end of the story.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.decide.deletion_dates import Going, Owner, Staying, standings
from shared.decide.durations import parse_keep
from shared.decide.retention import Neighbour, kept
from shared.decide.schedule import slots
from shared.model.plan import Keep, Schedule
from shared.model.point import Origin, Point
from tests.decide.points import point_of

LETTERS = {"daily": "d", "weekly": "w", "monthly": "m", "yearly": "y", "": "."}
LEGEND = "d w m y: kept as daily, weekly, monthly, yearly   . kept, earned no class   - gone   x missed   + and longer"


@dataclass(frozen=True)
class Story:
    """A plan's life between two instants. `changes` gives the keep from an instant on."""

    title: str
    schedule: Schedule
    keep: str
    first: datetime
    last: datetime
    missed: frozenset[datetime] = frozenset()
    changes: Mapping[datetime, str] = field(default_factory=dict)

    def keep_at(self, moment: datetime) -> Keep:
        text = self.keep
        for since, other in sorted(self.changes.items()):
            text = other if since <= moment else text
        parsed = parse_keep(text)
        assert parsed is not None
        return parsed

    @property
    def slots(self) -> list[datetime]:
        return list(slots(self.schedule, self.first - timedelta(minutes=1), self.last))


def lived(story: Story) -> list[Point]:
    """Every point that was taken, each with the date that it was given when it completed."""
    taken: list[Point] = []
    for slot in story.slots:
        if slot not in story.missed:
            known = [Neighbour(point.slot, point.keep_until) for point in taken if point.keep_until > slot]
            answer = kept(slot, Origin.SLOT, story.keep_at(slot), known, story.schedule.zone)
            taken.append(point_of(slot, until=answer.until, earned=answer.earned, because=answer.because))
    return taken


def text_of(story: Story) -> str:
    """The calendar, then the list of what stands and why."""
    zone = ZoneInfo(story.schedule.zone)
    points = lived(story)
    owner = Owner(living=True, keep=story.keep_at(story.last))
    verdicts = {one.point.slot: one for one in standings(points, owner, timedelta(days=90))}
    standing = [p for p in points if not (isinstance(v := verdicts[p.slot], Going) and v.at <= story.last)]
    lines = [story.title, "=" * len(story.title), f"plan: {story.schedule}, keep {story.keep}"]
    lines += [f"from {_at(since, zone)} on: keep {text}" for since, text in sorted(story.changes.items())]
    lines += [f"as of {_at(story.last, zone)}: {len(standing)} of {len(points)} points stand", "", LEGEND, ""]
    lines += _months(story, points, standing, zone)
    lines += ["point                  class    kept until             why", "-" * 100]
    for point in standing:
        verdict = verdicts[point.slot]
        beyond = isinstance(verdict, Staying)
        until = _at(point.keep_until, zone) + (" +" if beyond else "")
        why = f"{point.because}; + {verdict.because}" if beyond else verdict.because
        lines.append(f"{_at(point.slot, zone):22} {point.earned or '-':8} {until:22} {why}")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _months(story: Story, points: Iterable[Point], standing: Iterable[Point], zone: ZoneInfo) -> Iterator[str]:
    """A sheet per month in which something stands or was missed: one letter per slot of each day."""
    stand = {point.slot for point in standing}
    signs: dict[date, str] = {}
    by_slot = {point.slot: point for point in points}
    for slot in story.slots:
        point = by_slot.get(slot)
        sign = "x" if point is None else LETTERS[point.earned] if slot in stand else "-"
        day = slot.astimezone(zone).date()
        signs[day] = signs.get(day, "") + sign
    shown = sorted({(day.year, day.month) for day, sign in signs.items() if set(sign) - {"-"}})
    width = max(map(len, signs.values()))
    for year, month in shown:
        yield f"{calendar.month_name[month]} {year}"
        yield " ".join(name.ljust(width + 3) for name in ("week", *calendar.day_abbr))
        for week in calendar.Calendar().monthdatescalendar(year, month):
            cells = [_cell(day, month, signs).ljust(width + 3) for day in week]
            yield " ".join([f"W{week[0].isocalendar().week:02}".ljust(width + 3), *cells])
        yield ""


def _cell(day: date, month: int, signs: Mapping[date, str]) -> str:
    return f"{day.day:2} {signs.get(day, '')}" if day.month == month else ""


def _at(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M}" if moment.year < 9999 else "for ever"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
