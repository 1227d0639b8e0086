"""The dashboard: the API's documents as pages, with nothing foreign in them that a browser would run or load."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest

from shared.model.brake import Brake, Stops
from shared.model.machine import Status
from shared.web.dashboard import PAGES, STYLE
from tests.cli.running import answer, run
from tests.fleet import FORMER, NOW, Fleet, empty_fleet, machine, rebuilt_fleet, uid_of, usual_fleet
from tests.web.test_api import ask

FILLED = {"/api/": "/api/", **{route: re.sub(r"<group>/<vm>", "web/web-1", route) for route in PAGES}}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}"


class Elements(HTMLParser):
    """The elements of a page and where they point to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action")]


def page(fleet: Fleet, path: str) -> str:
    reply = ask(fleet, path)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    return reply.body.decode()


@pytest.mark.parametrize("path", FILLED.values())
def test_every_page_runs_nothing_and_loads_only_its_own_style(path: str) -> None:
    reply = ask(usual_fleet(), path)
    elements = Elements(reply.body.decode())
    assert set(elements.tags) & {"script", "iframe", "object", "form", "img"} == set()
    assert [address for address in elements.addresses if not address.startswith("/api/")] == []
    assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")
    assert (reply.headers["Cache-Control"], reply.headers["Referrer-Policy"]) == ("no-store", "no-referrer")


@pytest.mark.parametrize("path", FILLED.values())
def test_every_link_leads_somewhere(path: str) -> None:
    fleet = usual_fleet()
    addresses = set(Elements(page(fleet, path)).addresses)
    assert {address: ask(fleet, address).status for address in addresses} == dict.fromkeys(addresses, 200)


def test_the_overview_tells_what_status_tells() -> None:
    fleet = usual_fleet()
    text = unescape(page(fleet, "/api/"))
    told = answer(run(fleet, "status", "--output", "json"))
    assert [one["because"] for one in told["machines"] if one["because"] not in text] == []
    assert ("All is well" in text) == told["all_is_well"]


def test_a_problem_that_is_the_reason_stands_there_once() -> None:
    fleet = empty_fleet()
    fleet.put(replace(machine(1, "web-1", Status.DEGRADED), because="first", problems=("first", "second")))
    text = page(fleet, "/api/")
    assert (text.count("first"), text.count("second")) == (1, 1)


def test_a_vm_page_tells_every_reason_and_every_point() -> None:
    fleet = usual_fleet()
    text = unescape(page(fleet, "/api/pages/vm/web/web-1"))
    told = answer(run(fleet, "explain", "web-1", "--output", "json"))
    points = answer(run(fleet, "points", "web-1", "--output", "json"))
    assert [reason for reason in told["because"] if reason not in text] == []
    assert points
    assert [point["because"] for point in points if point["because"] not in text] == []


@pytest.mark.parametrize("path", ["/api/", "/api/pages/report"])
def test_a_machine_made_again_and_the_one_before_have_a_page_each(path: str) -> None:
    fleet = rebuilt_fleet()
    text = page(fleet, path)
    assert [uid for uid in (FORMER, uid_of(1)) if f"vmId {uid}" not in text] == []
    pages = {f"/api/pages/vm/web/{uid}" for uid in (FORMER, uid_of(1))}
    assert pages <= set(Elements(text).addresses)
    assert "vmId" not in page(usual_fleet(), path)
    assert f"/api/pages/vm/web/{FORMER}" in Elements(page(fleet, "/api/pages/vm/web/web-1")).addresses
    assert "web-1 is gone for a reason" in page(fleet, f"/api/pages/vm/web/{FORMER}")


def test_what_foreign_text_says_is_shown_and_never_markup() -> None:
    fleet = empty_fleet()
    hostile = replace(machine(1, "web-1", Status.DEGRADED), because=HOSTILE, problems=(HOSTILE,), plan=HOSTILE)
    fleet.put(replace(hostile, tags={"backup": HOSTILE}))
    for path in FILLED.values():
        elements = Elements(page(fleet, path))
        assert (set(elements.tags) & {"script", "img"}, elements.handlers) == (set(), [])
    assert HOSTILE in unescape(page(fleet, "/api/"))


def test_the_readers_key_goes_along_with_every_link_and_cannot_break_out_of_one() -> None:
    text = page(usual_fleet(), "/api/?code=k%26%22%3Ey")
    addresses = Elements(text).addresses
    assert addresses
    assert [address for address in addresses if not address.endswith("?code=k%26%22%3Ey")] == []


def test_the_style_needs_no_world_and_comes_from_nowhere_else() -> None:
    reply = ask(empty_fleet(), STYLE)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert "url(" not in reply.body.decode()


def test_what_is_paused_and_what_waits_for_people_is_seen_at_once() -> None:
    fleet = empty_fleet()
    fleet.put(replace(machine(1, "web-1"), frozen="2 deletions wait for approval"))
    paused = Brake(Stops.DELETES, "ann", NOW, "an audit")
    fleet.world.brakes.change(replace(fleet.world.brakes.now(), brakes=(paused,)))
    text = unescape(page(fleet, "/api/"))
    told = answer(run(fleet, "status", "--output", "json"))["brakes"]
    assert told
    assert [brake["said"] for brake in told if brake["said"] not in text] == []
    assert "2 deletions wait for approval" in text


def test_an_empty_installation_says_what_happens_next() -> None:
    assert "No VM was seen yet" in page(empty_fleet(), "/api/")
