"""The scenes that are told in full, at a pace to read: what a product for backups is judged by.

A scene is one function of the cast in SCENES, with the instant at which it begins. It does something to the stack,
waits in virtual time for what the product makes of it, and shows the product's own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.demo.ambush import Ambush
from local.demo.cast import Cast
from local.demo.evidence import Record
from local.judges.world import PRODUCT, SNAPSHOT

SHORT = timedelta(days=8)  # a demo shorter than this has the rebuild on its last day
LOOKING = timedelta(minutes=5)
MOST_LOOKS = 18
SWEEPS = timedelta(hours=2, minutes=20)
NIGHT = timedelta(days=1, hours=1, minutes=58)
NOON = timedelta(days=1, hours=12, minutes=30)


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene, when it begins, and what it is called."""

    title: str
    begins: Callable[[datetime, datetime], datetime]
    play: Callable[[Cast], None]


def killed_in_a_put(cast: Cast) -> None:
    """The host dies while Azure works on a snapshot: nobody heard the answer, and nothing is lost or doubled."""
    cast.screen.step("The next PUT of a snapshot will not live to hear its answer.")
    Ambush(cast, {}, lambda call: nobody_heard(cast, call)).start()


def nobody_heard(cast: Cast, call: Record) -> None:
    """While the host is dead."""
    snapshot = str(call["path"]).partition("?")[0]
    cast.screen.step(f"kill -9. Azure carried it out all the same: {snapshot.rpartition('/')[2]} exists.")
    cast.screen.step("The ledger knows only the intent. A new host starts, and looks before it acts.")
    cast.at(cast.now() + LOOKING, "adopted", lambda: told_adopted(cast, snapshot))


def told_adopted(cast: Cast, snapshot: str) -> None:
    """What the product made of it, in its own words."""
    name = snapshot.rpartition("/")[2]
    said = awaited(cast, lambda: last_line(cast, rf"part\.adopted .*{name}.*"))
    cast.screen.step(said or "nothing was adopted")
    puts = [call for call in calls_on(cast, snapshot) if call["method"] == "PUT"]
    cast.screen.step(f"The snapshot was asked for {len(puts)} time{'s' if len(puts) != 1 else ''}.")


def emptied_listing(cast: Cast) -> None:
    """Every list comes back empty: absence triggers nothing."""
    before = standing(cast)
    rule = {"match": {"operation": "*/read", "principal": PRODUCT}, "effect": {"list": "empty"}, "id": "F6-scene"}
    cast.screen.step(
        "From now on every list of Azure's is empty, as after a lost permission or a glitch of the backend."
    )
    at = cast.now()
    cast.observer.order("faults", rule | {"until": (at + SWEEPS).isoformat()})
    cast.script.note("trouble", at, at + SWEEPS, fault="F6", says="every list is empty")
    cast.sleep(SWEEPS)
    [fired] = [one["fired"] for one in cast.observer.simulator("faults") if one["id"] == "F6-scene"]
    after = standing(cast)
    cast.screen.step(f"{fired} empty answers later: {told(before)} before, {told(after)} now.")
    cast.screen.step("A list only raises questions. A GET answers them, and every machine is there.")


def rebuilt_from_azure(cast: Cast) -> None:
    """Every table is deleted; the state comes back from what Azure holds."""
    before = standing(cast)
    began = cast.now()
    cast.screen.step(f"The ledger knows {told(before)}. Somebody deletes every table of the storage account.")
    tables = cast.observer.delete_tables()
    cast.screen.step(f"{tables} tables are gone. $ tagback rebuild")
    answer = cast.tagback.run("rebuild")
    cast.screen.step(" ".join((answer.output + answer.errors).split())[:150])
    awaited(cast, lambda: "there" if standing(cast)["points"] >= before["points"] else None)
    cast.script.note("rebuild", began, cast.now())
    after = standing(cast)
    cast.screen.step(f"Read back from names and tags in Azure: {told(after)}; the oldest dates are kept as they were.")


def rebuild_time(start: datetime, end: datetime) -> datetime:
    """In the afternoon of the last day but three; of the last day where there are few."""
    back = 1 if end - start < SHORT else 4
    return end - timedelta(days=back) + timedelta(hours=15, minutes=20)


SCENES = (
    Scene(
        "killed in the middle of a PUT",
        lambda start, end: start + timedelta(days=1, hours=1, minutes=58),
        killed_in_a_put,
    ),
    Scene("an emptied listing", lambda start, end: start + timedelta(days=1, hours=12, minutes=30), emptied_listing),
    Scene("the tables are lost", lambda start, end: rebuild_time(start, end), rebuilt_from_azure),
)


def enter_scenes(cast: Cast) -> None:
    told = cast.scenario.scenes
    for scene in (one for one in SCENES if not told or one.title in told):
        cast.at(scene.begins(cast.scenario.start, cast.end), scene.title, lambda scene=scene: play(cast, scene))  # type: ignore[misc]


def play(cast: Cast, scene: Scene) -> None:
    cast.screen.line(f"--- {scene.title} ---", "bold cyan")
    scene.play(cast)
    cast.screen.line("---", "bold cyan")


def awaited(cast: Cast, look: Callable[[], str | None]) -> str | None:
    """What a look finds, looking again every few virtual minutes."""
    for _ in range(MOST_LOOKS):
        if found := look():
            return found
        cast.sleep(LOOKING)
    return look()


def last_line(cast: Cast, pattern: str) -> str | None:
    """The newest line of the host's log that fits."""
    log = cast.stack.wanted.run / "logs" / "host.log"
    found = re.findall(pattern, log.read_text(errors="replace"))
    return str(found[-1]).strip() if found else None


def calls_on(cast: Cast, resource: str) -> list[Record]:
    calls = cast.observer.simulator("calls?since=0")
    return [call for call in calls if str(call["path"]).partition("?")[0].lower() == resource.lower()]


def standing(cast: Cast) -> Mapping[str, int]:
    """What the ledger knows and Azure holds."""
    rows = [row for row in cast.observer.rows() if row["table"] == "ledger"]
    keys = [str(row["RowKey"]) for row in rows]
    resources = cast.observer.simulator("state")
    kept = sum(1 for one in resources if str(one.get("type", "")).lower() == SNAPSHOT and not one["gone"])
    points = sum(1 for row in rows if str(row["RowKey"]).startswith("p|") and row["complete"])
    return {"machines": sum(1 for key in keys if key.startswith("m|")), "points": points, "snapshots": kept}


def told(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in numbers.items())
