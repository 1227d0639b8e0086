"""Asking for restores: what a person wrote becomes an order, and is refused at once where it surely would be later.

Called by the command line and the API. The point is chosen again where the restore is carried out, by what is true
then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from shared.decide import orders
from shared.decide.paired_region import LAGS, placed
from shared.decide.recovery import Chosen, NothingFits
from shared.decide.tag_values import zone_named
from shared.errors import BadInput, Unknown
from shared.flows.asking import filed, new_request, request
from shared.flows.choosing import chosen_point
from shared.flows.lookup import how_named, named, predecessors
from shared.model.machine import Machine
from shared.model.point import Consistency
from shared.model.request import Asked, Request
from shared.model.restore import RestoreMode, RestoreOrder
from shared.ports import World

MODES = tuple(mode for mode in RestoreMode if mode is not RestoreMode.DRILL)
SLOT_FORM = "2026-11-20T02:00:00Z or 20261120T0200Z, as `tagback points` shows it"
TIME_FORM = "2026-11-20 14:30"


@dataclass(frozen=True, slots=True)
class Words:
    """What a person wrote, each empty where they wrote nothing."""

    mode: str = RestoreMode.REBUILD.value
    before: str = ""
    zone: str = ""
    slot: str = ""
    at_least: str = ""
    name: str = ""
    group: str = ""
    subnet: str = ""
    protect: bool = False
    from_vault: bool = False
    staging: str = ""
    to: str = ""
    disk: str = ""
    region: str = ""


FIELDS = tuple("as" if one.name == "name" else one.name for one in fields(Words))
"""What a program may say of a restore, all of it as texts."""

FLAGS = ("protect", "from_vault")
YES_NO = ("true", "false")


def said(given: Mapping[str, str]) -> Words:
    """The words of a program."""
    flags = {flag: given.get(flag, "false").strip().lower() for flag in FLAGS}
    if wrong := [
        f"{flag}: {value!r} is neither true nor false" for flag, value in flags.items() if value not in YES_NO
    ]:
        raise BadInput(wrong)
    named = {"name" if field == "as" else field: value for field, value in given.items() if field not in FLAGS}
    return Words(**named, protect=flags["protect"] == "true", from_vault=flags["from_vault"] == "true")


def order_of(words: Words) -> RestoreOrder:
    """The order, or BadInput with every problem of it."""
    problems: list[str] = []
    mode = RestoreMode.REBUILD
    try:
        mode = RestoreMode(words.mode.strip().lower())
    except ValueError:
        problems.append(f"{words.mode!r} is no mode; allowed: {', '.join(MODES)}")
    if mode is RestoreMode.DRILL:
        problems.append("a drill is asked for by `tagback drill`")
    before = _local(words, problems) if words.before else None
    slot = _slot(words.slot, problems) if words.slot else None
    order = replace(_plainly(words, mode), before=before, slot=slot, at_least=_promise(words, problems))
    both = ["a point is named by --before or by --slot, not by both"] if words.before and words.slot else []
    found = [*problems, *both, *orders.problems(order)]
    if found:
        raise BadInput(list(dict.fromkeys(found)))
    return order


def _plainly(words: Words, mode: RestoreMode) -> RestoreOrder:
    """What is taken as it was written."""
    return RestoreOrder(
        mode,
        group=words.group.strip(),
        name=words.name.strip(),
        subnet=words.subnet.strip().rstrip("/"),
        protect=words.protect,
        from_vault=words.from_vault,
        staging=words.staging.strip().rstrip("/"),
        reader=words.to.strip(),
        disk=words.disk.strip(),
        region=placed(words.region.strip()),
    )


def _local(words: Words, problems: list[str]) -> datetime | None:
    """A time by somebody's wall clock; of one that comes twice the first, which loses more and surely lies before."""
    zone = zone_named(words.zone or "UTC")
    if zone is None:
        problems.append(f"{words.zone!r} is no time zone; allowed: names such as Europe/Berlin")
    try:
        moment = datetime.fromisoformat(words.before.strip())
    except ValueError:
        problems.append(f"{words.before!r} is no time; allowed: {TIME_FORM}")
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone or "UTC"))
    return moment.astimezone(UTC)


def _slot(text: str, problems: list[str]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        problems.append(f"{text!r} is not a slot; allowed: {SLOT_FORM}")
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _promise(words: Words, problems: list[str]) -> Consistency | None:
    wanted = words.at_least.strip().lower()
    if wanted and wanted not in set(Consistency):
        problems.append(f"{words.at_least!r} is no promise of a point; allowed: {', '.join(Consistency)}")
        return None
    return Consistency(wanted) if wanted else None


@dataclass(frozen=True, slots=True)
class Several:
    """Machines by what they have in common, each empty where nothing was said."""

    in_group: str = ""
    together: str = ""
    plan: str = ""

    def includes(self, machine: Machine) -> bool:
        """Whether a machine is meant: by its resource group, its `backup-group`, or its plan."""
        return (
            (self.in_group != "" and machine.id.group == self.in_group.strip().lower())
            or (self.together != "" and _recovery_group(machine) == self.together.strip().lower())
            or (self.plan != "" and machine.plan == self.plan.strip().lower())
        )


def _recovery_group(machine: Machine) -> str:
    return next((value.strip().lower() for name, value in machine.tags.items() if name.endswith("-group")), "")


def meant(known: Sequence[Machine], texts: Sequence[str], several: Several) -> list[Machine]:
    """The machines to be restored, the most urgent first: those named, as they are named, then the others by name."""
    chosen = [named(known, text) for text in texts]
    chosen += [machine for machine in known if several.includes(machine)]
    if not chosen:
        raise Unknown("no VM that was seen here is meant by that")
    return list({machine.uid: machine for machine in chosen}.values())


def with_reader(known: Sequence[Machine], order: RestoreOrder) -> RestoreOrder:
    """The order with the id of the machine that reads, which a person may have named shorter."""
    return replace(order, reader=str(named(known, order.reader).id)) if order.reader else order


def all_foreseen(world: World, machines: Sequence[Machine], order: RestoreOrder) -> list[Chosen]:
    """As `foreseen` for each of them; BadInput with the reasons of all that have no point."""
    found: list[Chosen] = []
    problems: list[str] = []
    for machine in machines:
        try:
            found.append(foreseen(world, machine, order))
        except BadInput as error:
            problems += error.problems
    if order.name and len(machines) > 1:
        problems.append(f"--as names one machine, and {len(machines)} are meant")
    if problems:
        raise BadInput(problems)
    return found


def foreseen(world: World, machine: Machine, order: RestoreOrder) -> Chosen:
    """The point that a restore would use now; BadInput with the reason when there is none."""
    points = [held.row for held in world.ledger.points(machine.shard, machine.uid)]
    chosen = chosen_point(points, order, world.clock.now())
    if isinstance(chosen, NothingFits):
        passed = [f"{point.slot:%Y-%m-%d %H:%M}Z: {because}" for point, because in chosen.passed_over]
        earlier = predecessors((held.row for held in world.ledger.machines(machine.shard)), machine)
        names = map(how_named, earlier)
        raise BadInput([f"{machine.name} cannot be restored: {chosen.because}", *passed, *names])
    return chosen


def lagging(order: RestoreOrder) -> str:
    """What to know of a point that is to come back in a paired region, which may not have it yet; else nothing."""
    return f"{order.region} may have an older one only, and that is used then: {LAGS}." if order.region else ""


def ask_restore(world: World, machine: Machine, order: RestoreOrder, by: str) -> Request:
    """Ask for one machine."""
    asked = new_request(world, Asked.RESTORE, machine.shard, machine.uid, by)
    return filed(world, replace(asked, order=order))


def ask_undo(world: World, request_id: str, by: str) -> Request:
    """Ask that what a restore made or changed be as it was before."""
    done = request(world, request_id)
    if done.asked not in (Asked.RESTORE, Asked.DRILL):
        raise BadInput([f"request {request_id} is no restore, but {done.asked.value}"])
    if done.restore is None:
        raise Unknown(f"restore {request_id} made nothing: {done.because or 'it has not begun'}")
    asked = new_request(world, Asked.UNDO, done.shard, done.uid, by)
    return filed(world, replace(asked, operation=done.id, order=done.order))
