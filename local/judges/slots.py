"""S2: every slot that was due has its answer: complete, skipped with a reason, superseded, or failed and told of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property

from local.judges.calendars import slots
from local.judges.evidence import Record, instant
from local.judges.finding import Finding
from local.judges.lives import Machine, Stretch
from local.judges.world import World

SEEN_LATE = timedelta(minutes=20)  # after a sweep: what Resource Graph lags behind, and the look itself
TO_COMPLETE = timedelta(minutes=40)
TO_ANSWER = timedelta(hours=26)  # by then what can come to an end has, or is before a person
STAMP = "%Y%m%dT%H%MZ"
TELLS = {"gave-up": "Tagback.Operation.GaveUp", "needs-person": "Tagback.Operation.NeedsPerson"}
ENDS = frozenset({"skipped", "superseded", *TELLS})


class Answers:
    """What the rows of all days and the published events say of each slot."""

    def __init__(self, world: World) -> None:
        self._world = world

    @cached_property
    def _operations(self) -> dict[str, dict[str, Record]]:
        """The last word on each operation, by machine."""
        found: defaultdict[str, dict[str, Record]] = defaultdict(dict)
        for dump in self._world.dumps:
            for row in dump.of("o"):
                found[str(row["uid"]).lower()][str(row["RowKey"])] = row
        return found

    @cached_property
    def _told(self) -> set[tuple[str, str, str]]:
        events = (one["event"] for one in self._world.evidence.events if one.get("kind") == "published")
        return {
            (str(event["eventType"]), str(event["data"].get("uid", "")).lower(), str(event["data"].get("slot", "")))
            for event in events
        }

    def of(self, uid: str, slot: datetime) -> Iterator[Record]:
        for row in self._operations.get(uid, {}).values():
            first = instant(row.get("slot_from") or row["slot"])
            if first <= slot <= instant(row["slot"]):
                yield row

    def told(self, row: Record) -> bool:
        """Whether an operation that people must know of was published."""
        kind, uid = TELLS[str(row["state"])], str(row["uid"]).lower()
        slot = instant(row["slot"])
        return any((kind, uid, text) in self._told for text in (f"{slot:{STAMP}}", slot.isoformat()))


def no_silence(world: World) -> Finding:
    """S2."""
    finding, answers = Finding(), Answers(world)
    for machine, slot in due(world):
        _judge(world, finding, answers, machine, slot)
    return finding


def _judge(world: World, finding: Finding, answers: Answers, machine: Machine, slot: datetime) -> None:
    stamp, where = f"{slot:{STAMP}}", machine.name
    whole = world.wholes.get((machine.uid, stamp))
    if whole is not None:
        meant = [world.audited["capture.intended"].get(name, []) for name in whole.parts]
        own = all(any((line["vm"], line["slot"]) == (machine.uid, stamp) for line in lines) for lines in meant)
        known = all(name in world.by_name for name in whole.parts)
        finding.expect(bool(meant) and own and known, "its point holds snapshots of something else", where, stamp)
        return
    said = [row for row in answers.of(machine.uid, slot) if row["state"] in ENDS]
    if not said and _forgotten(world, slot):
        return
    finding.expect(bool(said), "a due slot has no answer", where, stamp)
    for row in said:
        state = str(row["state"])
        finding.expect(bool(row.get("because")), f"{state} without a reason", where, stamp)
        finding.expect(_hindered(world, machine, slot), f"{state} though nothing was in the way", where, stamp)
        if state in TELLS:
            finding.expect(answers.told(row), f"{state} and nobody was told", where, stamp)


def _forgotten(world: World, slot: datetime) -> bool:
    """Whether the state was lost before the rows of that day were kept."""
    return any(slot <= act.until <= slot + timedelta(days=2) for act in world.script.of("rebuild"))


def _hindered(world: World, machine: Machine, slot: datetime) -> bool:
    """Whether something explains that a slot did not end in a point: the script, or an answer of Azure's."""
    since, until = slot - timedelta(hours=1), slot + TO_ANSWER
    if world.script.disturbed(since, until):
        return True
    return any(
        (call["fault"] or int(call["status"]) >= 400) and since <= instant(call["t"]) <= until
        for call in world.calls
        if machine.subscription in str(call["path"]).lower()
    )


def due(world: World) -> Iterator[tuple[Machine, datetime]]:
    """Every slot that must have an answer by the end."""
    for machine in world.machines:
        for stretch in machine.stretches:
            yield from ((machine, slot) for slot in due_in(world, stretch))


def due_in(world: World, stretch: Stretch) -> Iterator[datetime]:
    """The slots of one stretch that come after the machine could be noticed, and can be over before it ends."""
    if stretch.plan is None:
        return
    since = world.after_trouble(stretch.since, world.script.sweep + SEEN_LATE)
    for slot in slots(stretch.plan, since, stretch.until):
        over = world.after_trouble(slot, stretch.plan.window + world.script.sweep + TO_COMPLETE)
        if over <= stretch.until:
            yield slot
