"""The dashboard: the API's own answers as pages for people. It reads, decides nothing and changes nothing.

Served by api.py beside the JSON routes. A page is a template and the documents it shows; every value in it is foreign
text and is escaped. It needs no script, and nothing from anywhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote, urlencode

from shared.flows import explaining, lookup, reporting, show
from shared.flows.standing import standing
from shared.model.machine import Machine
from shared.model.rules import Rules
from shared.ports import World

if TYPE_CHECKING:
    from jinja2 import Environment

Values: TypeAlias = Mapping[str, object]
View: TypeAlias = Callable[[World, Rules, Mapping[str, str]], Values]

HERE = Path(__file__).parent
STYLE = "/api/pages/style.css"
SECURITY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
WORST_FIRST = ("unprotected", "degraded", "pending", "protected", "excluded", "gone")
TROUBLED = ("failed", "gave-up", "needs-person")


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it goes out."""

    text: str
    media: str


def overview(world: World, rules: Rules, _: Mapping[str, str]) -> Values:
    """Every VM, the troubled ones first, and what needs a person."""
    now = standing(world, rules)
    answer = show.status(now)
    troubled = [job for job in show.jobs(world, now) if job["state"] in TROUBLED]
    return {"status": answer, "jobs": troubled, "order": WORST_FIRST, "doubled": doubled(now.machines)}


def vm(world: World, rules: Rules, names: Mapping[str, str]) -> Values:
    """One VM: why it stands as it does, and its recovery points, newest first."""
    known = lookup.machines(world)
    machine = lookup.in_group(known, names["group"], names["vm"])
    points = list(reversed(show.points(world, machine)))
    earlier = [one.uid for one in lookup.predecessors(known, machine)]
    return {"vm": explaining.explain(world, rules, machine), "uid": machine.uid, "points": points, "earlier": earlier}


def jobs(world: World, rules: Rules, _: Mapping[str, str]) -> Values:
    """What is being done and was done within a day."""
    return {"jobs": show.jobs(world, standing(world, rules))}


def report(world: World, rules: Rules, _: Mapping[str, str]) -> Values:
    """Whether every VM keeps what its plan promises."""
    now = standing(world, rules)
    return {"report": reporting.report(world, rules, now), "doubled": doubled(now.machines)}


def doubled(machines: Iterable[Machine]) -> set[str]:
    """The ids that machines had after each other: only its vmId tells which one is meant."""
    often = Counter(str(machine.id) for machine in machines)
    return {name for name, count in often.items() if count > 1}


PAGES: Mapping[str, tuple[str, View]] = {
    "/api/": ("overview.html", overview),
    "/api/pages/vm/<group>/<vm>": ("vm.html", vm),
    "/api/pages/jobs": ("jobs.html", jobs),
    "/api/pages/report": ("report.html", report),
}


def page(route: str, world: World, rules: Rules, names: Mapping[str, str], key: str) -> Page:
    """The page of a route. `key` is the function key that the reader came with: links carry it on."""
    template, view = PAGES[route]
    values = {**view(world, rules, names), "link": Links(key), "here": route}
    return Page(_templates().get_template(template).render(values), "text/html; charset=utf-8")


def style() -> Page:
    """The style sheet."""
    return Page((HERE / "static" / "style.css").read_text(), "text/css; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses within the dashboard, each with the reader's key where they have one."""

    key: str

    def __call__(self, path: str) -> str:
        return f"{path}?{urlencode({'code': self.key})}" if self.key else path

    def vm(self, resource_id: str, uid: str = "") -> str:
        """The page of a VM by its id, or by its vmId in its group: what is gone may have lent its name to another."""
        parts = resource_id.strip("/").split("/")
        return self(f"/api/pages/vm/{quote(parts[3], safe='')}/{quote(uid or parts[-1], safe='')}")


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(HERE / "templates")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["minute"] = _minute
    made.globals["style"] = STYLE
    return made


def _minute(instant: str | None) -> str:
    """`2026-11-20 02:00Z`; a dash for nothing."""
    return f"{instant[:10]} {instant[11:16]}Z" if instant else "–"
