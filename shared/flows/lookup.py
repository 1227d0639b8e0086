"""Which machine a person means: named by text on the command line or in the API, it is found, or it says why not.

Called with what the ledger holds. It never asks Azure: a VM that was never seen here is Unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from shared.errors import BadInput, Unknown
from shared.model.identity import vm_id
from shared.model.machine import Machine, Status
from shared.ports import World


def machines(world: World) -> tuple[Machine, ...]:
    """Every machine of the ledger, by name and then by id."""
    return in_order_of_name(held.row for shard in world.ledger.shards() for held in world.ledger.machines(shard))


def in_order_of_name(found: Iterable[Machine]) -> tuple[Machine, ...]:
    """Machines by name and then by id."""
    return tuple(sorted(found, key=lambda machine: (machine.name.lower(), machine.id, machine.uid)))


def named(candidates: Iterable[Machine], text: str) -> Machine:
    """The machine of this name, `group/name`, full id or vmId; BadInput lists the candidates when there are several."""
    matching = _matcher(text)
    return _the_one([machine for machine in candidates if matching(machine)], text)


def in_group(candidates: Iterable[Machine], group: str, name: str) -> Machine:
    """The machine of this name or vmId in this group, whatever the texts are; BadInput when subscriptions share it."""
    within, wanted = group.strip().lower(), name.strip().lower()
    there = (machine for machine in candidates if machine.id.group == within)
    return _the_one([machine for machine in there if wanted in (machine.id.name, machine.uid)], f"{group}/{name}")


def predecessors(known: Iterable[Machine], machine: Machine) -> list[Machine]:
    """The machines with points that had this one's id before it: only their vmIds name them now."""
    earlier = (one for one in known if one.id == machine.id and _rank(one) < _rank(machine))
    return [one for one in earlier if one.last_point]


def how_named(predecessor: Machine) -> str:
    """How the points of a machine are named whose name another one has now."""
    return f"the points of the machine that was {predecessor.name} before are named by its vmId: {predecessor.uid}"


def _the_one(matching: Sequence[Machine], text: str) -> Machine:
    found = _latest_of_each_place(matching)
    if not found:
        raise Unknown(f"no VM {text!r} has been seen here; `tagback status` lists every VM that has")
    if len(found) > 1:
        ids = [str(machine.id) for machine in found]
        raise BadInput([f"{len(found)} VMs are named {text!r}; give one of these ids instead:", *ids])
    return found[0]


def _matcher(text: str) -> Callable[[Machine], bool]:
    wanted = text.strip().lower()
    if wanted.lstrip("/").startswith("subscriptions/"):
        try:
            whole = vm_id(wanted)
        except ValueError as error:
            raise BadInput([str(error)]) from error
        return lambda machine: machine.id == whole
    group, separator, name = wanted.partition("/")
    if separator:
        if not (group and name) or "/" in name:
            raise BadInput([f"{text!r} names no VM: a VM is named by name, group/name, full id or vmId"])
        return lambda machine: (machine.id.group, machine.id.name) == (group, name)
    if not wanted:
        raise BadInput(["an empty text names no VM: a VM is named by name, group/name, full id or vmId"])
    return lambda machine: wanted in (machine.id.name, machine.uid)


def _latest_of_each_place(found: Sequence[Machine]) -> list[Machine]:
    """One machine per id: a VM made again under its old name stands for both; the earlier one answers to its vmId."""
    latest: dict[object, Machine] = {}
    for machine in found:
        known = latest.get(machine.id)
        if known is None or _rank(machine) > _rank(known):
            latest[machine.id] = machine
    return list(latest.values())


def _rank(machine: Machine) -> tuple[bool, str]:
    return (machine.status is not Status.GONE, machine.as_of.isoformat())
