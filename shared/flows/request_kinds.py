"""The kinds of requests by name, as programs ask for them: which fields each takes, and how it is asked for.

Called by the API. Each kind asks through the very function that the command line uses, so both refuse alike. A new kind
is a row of KINDS: its fields, and a function from (world, rules, fields, asker) to the filed request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from shared.errors import BadInput
from shared.flows import asking, cancelling, drilling, emptying, holding, lookup, ordering, pausing, retrying
from shared.model.identity import Shard
from shared.model.machine import Machine
from shared.model.request import Request
from shared.model.rules import Rules
from shared.ports import World

Fields: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. `ask` is given every needed field and those of `may` that were sent, all of them texts."""

    ask: Callable[[World, Rules, Fields, str], Request]
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


def ask(world: World, rules: Rules, document: Mapping[str, object], by: str) -> Request:
    """File what a document asks for; BadInput with every problem of its form, or what the kind itself refuses."""
    name = document.get("asked")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise BadInput([f"asked: {name!r} is no kind of request; allowed: {', '.join(KINDS)}"])
    given = {field: value for field, value in document.items() if field != "asked"}
    problems = [f"{field} is missing" for field in kind.needs if field not in given]
    allowed = (*kind.needs, *kind.may)
    problems += [
        f"{field!r} is no field of {name}; allowed: {', '.join(allowed)}" for field in given if field not in allowed
    ]
    problems += [f"{field} is not a text" for field, value in given.items() if not isinstance(value, str)]
    if problems:
        raise BadInput(problems)
    return kind.ask(world, rules, {field: str(value) for field, value in given.items()}, by)


def _backup(world: World, rules: Rules, fields: Fields, by: str) -> Request:
    machine = _machine(world, fields)
    asking.refuse_what_no_plan_takes(world, rules, machine)
    return asking.ask_backup(world, machine, by)


def _retry(world: World, _: Rules, fields: Fields, by: str) -> Request:
    machine, operation = retrying.failed_job(world, fields["job"])
    return retrying.ask_retry(world, machine, operation, by)


def _cancel(world: World, _: Rules, fields: Fields, by: str) -> Request:
    machine, operation = cancelling.running_job(world, fields["job"])
    return cancelling.ask_cancel(world, machine, operation, by)


def _hold(world: World, _: Rules, fields: Fields, by: str) -> Request:
    return holding.ask_hold(world, _machine(world, fields), fields["until"], fields.get("slot"), by)


def _delete_data(world: World, rules: Rules, fields: Fields, by: str) -> Request:
    return emptying.ask_delete(world, rules, _machine(world, fields), fields["because"], by)


def _rebuild(world: World, rules: Rules, fields: Fields, by: str) -> Request:
    shard = Shard(fields["subscription"].strip().lower(), fields["region"].strip().lower())
    known = asking.shards_with_points(world, rules)
    if shard not in known:
        raise BadInput([f"{shard}: nothing of ours is there; allowed: {', '.join(map(str, known)) or 'none'}"])
    return asking.ask_rebuild(world, shard, by)


def _pause(world: World, _: Rules, fields: Fields, by: str) -> Request:
    return pausing.ask_pause(world, fields["what"], fields["because"], by)


def _resume(world: World, _: Rules, fields: Fields, by: str) -> Request:
    return pausing.ask_resume(world, fields["what"], fields.get("because", ""), by)


def _restore(world: World, _: Rules, fields: Fields, by: str) -> Request:
    machine = _machine(world, fields)
    order = ordering.order_of(ordering.said({name: value for name, value in fields.items() if name != "vm"}))
    order = ordering.with_reader(lookup.machines(world), order)
    ordering.foreseen(world, machine, order)
    return ordering.ask_restore(world, machine, order, by)


def _undo(world: World, _: Rules, fields: Fields, by: str) -> Request:
    return ordering.ask_undo(world, fields["request"], by)


def _drill(world: World, rules: Rules, fields: Fields, by: str) -> Request:
    return drilling.ask_drill(world, rules, _machine(world, fields), by)


def _machine(world: World, fields: Fields) -> Machine:
    return lookup.named(lookup.machines(world), fields["vm"])


KINDS: Mapping[str, Kind] = {
    "backup": Kind(_backup, ("vm",)),
    "retry": Kind(_retry, ("job",)),
    "cancel": Kind(_cancel, ("job",)),
    "hold": Kind(_hold, ("vm", "until"), ("slot",)),
    "delete-data": Kind(_delete_data, ("vm", "because")),
    "rebuild": Kind(_rebuild, ("subscription", "region")),
    "pause": Kind(_pause, ("what", "because")),
    "resume": Kind(_resume, ("what",), ("because",)),
    "restore": Kind(_restore, ("vm",), ordering.FIELDS),
    "undo": Kind(_undo, ("request",)),
    "drill": Kind(_drill, ("vm",)),
}
