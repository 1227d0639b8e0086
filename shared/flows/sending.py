"""Sends the parts of captures whose intents are recorded, and records what came of each.

Called by the drainer. The audit log names every part before the first of them is sent.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from shared.decide import capture as decide
from shared.decide.capture import Capture
from shared.decide.naming import part_tags, stamp
from shared.decide.restore_points import order_of
from shared.errors import CloudError, Missing, OutcomeUnknown
from shared.flows.capturing import Errand
from shared.flows.casework import Case, saved_if_mine
from shared.flows.part_calls import Order, create_part
from shared.flows.setbacks import gravest, set_back
from shared.flows.slicing import Slice
from shared.model.draining import CallKind
from shared.model.identity import ResourceId
from shared.model.operation import Operation
from shared.model.point import Part, PartState, Point
from shared.model.restore_point import RestorePointOrder
from shared.model.snapshot import SnapshotOrder

log = logging.getLogger("tagback")

NO_GROUP = "ResourceGroupNotFound"

Answers = dict[ResourceId, ResourceId | CloudError | None]


def send(slice_: Slice, errands: Sequence[Errand]) -> list[Case]:
    """Send every planned part of the errands; their machines' rows as they are afterwards."""
    captures = [(errand, capture) for errand in errands for capture in _captures(errand)]
    slice_.audit([_line(errand, capture) for errand, capture in captures])
    orders = [order for errand, capture in captures for order in _orders(slice_, errand, capture)]
    answers = _answers(slice_, orders)
    return [_recorded(slice_, errand, answers) for errand in errands]


def _captures(errand: Errand) -> list[Capture]:
    return [capture for one in errand.operations if (capture := errand.case.capture(one))]


def _line(errand: Errand, capture: Capture) -> dict[str, object]:
    return {
        "event": "capture.intended",
        "vm": capture.point.uid,
        "name": errand.case.machine.row.name,
        "operation": capture.operation.id,
        "slot": stamp(capture.point.slot),
        "attempt": capture.point.attempt,
        "keep_until": stamp(capture.point.birth_keep_until),
        "parts": [part.id.name for part in capture.point.live_parts],
    }


def _orders(slice_: Slice, errand: Errand, capture: Capture) -> list[Order]:
    if errand.sighting is None:
        return []
    orders: list[Order] = []
    machine = errand.case.machine.row
    for part in capture.point.live_parts:
        if part.state is PartState.PLANNED and part.is_restore_point:
            orders.append(order_of(capture.point, part, machine, slice_.rules, errand.sighting.disks))
        elif part.state is PartState.PLANNED:
            tags = part_tags(capture.point, part, errand.sighting, slice_.rules)
            orders.append(SnapshotOrder(part.id, part.disk, slice_.shard, tags.tags))
    return orders


def _answers(slice_: Slice, orders: Sequence[Order]) -> Answers:
    """The answer to each order; None for those that the slice had no time for. What holds them is made once."""
    answers = _sent(slice_, orders)
    homeless = [order for order in orders if _lacks_group(order, answers[order.id])]
    if homeless and slice_.admitted(CallKind.WRITE):
        slice_.world.snapshots.prepare(slice_.shard)
        lost = _without_collection(slice_, [order for order in homeless if isinstance(order, RestorePointOrder)])
        answers |= _sent(slice_, [order for order in homeless if order.id not in lost]) | lost
    return answers


def _without_collection(slice_: Slice, orders: Sequence[RestorePointOrder]) -> Answers:
    """Make the collections of some machines; the answer for each that could not be made."""
    calls = [partial(slice_.world.restore_points.prepare, order) for order in orders]
    answers = zip(orders, slice_.each(CallKind.WRITE, calls), strict=True)
    return {order.id: answer for order, answer in answers if isinstance(answer, CloudError)}


def _sent(slice_: Slice, orders: Sequence[Order]) -> Answers:
    answers: Answers = {}
    for kind in (CallKind.RESTORE_POINT, CallKind.SNAPSHOT):
        of_kind = [order for order in orders if _kind(order) is kind]
        given = slice_.each(kind, [partial(create_part, slice_.world, order) for order in of_kind])
        answers |= {order.id: answer for order, answer in zip(of_kind, given, strict=True)}
    return answers


def _kind(order: Order) -> CallKind:
    return CallKind.RESTORE_POINT if isinstance(order, RestorePointOrder) else CallKind.SNAPSHOT


def _lacks_group(order: Order, answer: ResourceId | CloudError | None) -> bool:
    """Whether what holds it is not there; of a restore point any 404 may mean that its collection is not."""
    return isinstance(answer, Missing) and (answer.code == NO_GROUP or isinstance(order, RestorePointOrder))


def _recorded(slice_: Slice, errand: Errand, answers: Answers) -> Case:
    case = errand.case
    rows: list[Operation | Point] = []
    for capture in _captures(errand):
        rows += _after(slice_, case, capture, answers)
    if not rows:
        return case
    return saved_if_mine(slice_.world, slice_.rules, case, rows) or case


def _after(slice_: Slice, case: Case, capture: Capture, answers: Answers) -> list[Operation | Point]:
    """The rows of one capture after its parts were sent, or could not be."""
    now = slice_.now()
    point, errors, unsent = capture.point, [], False
    for part in point.live_parts:
        if part.id not in answers:
            continue
        answer = answers[part.id]
        point = point.with_part(_part_after(part, answer, now))
        if isinstance(answer, CloudError):
            errors.append(answer)
        unsent = unsent or answer is None
    capture = Capture(capture.operation, point)
    if errors:
        return set_back(case, capture, gravest(errors), now)
    if unsent:
        later = max(slice_.opens(kind) for kind in (CallKind.SNAPSHOT, CallKind.RESTORE_POINT))
        return [replace(capture.operation, attempts=capture.operation.attempts - 1, next_look=later), point]
    waiting = decide.waiting(capture, now)
    log.info("capture.started vm=%s slot=%s parts=%d", case.machine.row.name, stamp(point.slot), len(point.live_parts))
    return [waiting.operation, waiting.point]


def _part_after(part: Part, answer: ResourceId | CloudError | None, now: datetime) -> Part:
    if answer is None:
        return part
    if isinstance(answer, OutcomeUnknown):
        return replace(part, state=PartState.UNKNOWN, sent_at=now)
    if isinstance(answer, CloudError):
        return part
    return replace(part, state=PartState.STARTED, sent_at=now)
