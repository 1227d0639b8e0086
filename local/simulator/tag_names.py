"""The older list of tag names: predefined names and values of a subscription, with how often resources use them."""

from collections import Counter
from typing import TYPE_CHECKING

from local.simulator.answers import ArmError, Document, Reply
from local.simulator.ids import key_of
from local.simulator.routing import Evidence, Route, Versions
from local.simulator.store import Resource

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.world import World

KIND = "microsoft.resources/tagnames"
TYPE = "Microsoft.Resources/tagNames"


def _used(world: "World", scope: str) -> dict[str, Counter[str]]:
    """Count the tags of everything in a subscription; names are told apart without regard to case."""
    found: dict[str, Counter[str]] = {}
    for held in world.store.everything():
        if held.key == scope or held.key.startswith(scope + "/"):
            if b'"tags"' not in held.body:
                continue
            for name, value in (held.document().get("tags") or {}).items():
                found.setdefault(_known(found, name), Counter())[value] += 1
    return found


def _known(found: dict[str, Counter[str]], name: str) -> str:
    return next((each for each in found if each.lower() == name.lower()), name)


def _count(number: int) -> Document:
    return {"type": "Total", "value": number}


def _shown(root: str, name: str, values: Counter[str]) -> Document:
    at = f"{root}/tagNames/{name}"
    listed = [
        {"id": f"{at}/tagValues/{value}", "tagValue": value, "count": _count(times)} for value, times in values.items()
    ]
    return {"id": at, "tagName": name, "count": _count(values.total()), "values": listed}


def every(world: "World", call: "Call") -> Reply:
    """List predefined and used names with their values."""
    root = world.subscription(call["subscription"])
    found = _used(world, root.key)
    for held in world.store.all_of(root.key, KIND):
        notes = held.notes or {}
        counter = found.setdefault(_known(found, notes["name"]), Counter())
        for value in notes["values"]:
            counter.setdefault(value, 0)
    return Reply.of({"value": [_shown(root.id, name, values) for name, values in found.items()]})


def _predefined(world: "World", call: "Call") -> Resource | None:
    return world.store.get(key_of(f"/subscriptions/{call['subscription']}/tagNames/{call['tag']}"))


def put(world: "World", call: "Call") -> Reply:
    """Predefine a name (201), or find it there (200)."""
    root = world.subscription(call["subscription"])
    found, used = _predefined(world, call), _used(world, root.key)
    status = 200 if found else 201
    if found is None:
        notes = {"name": call["tag"], "values": []}
        world.store.create(f"{root.id}/tagNames/{call['tag']}", {"type": TYPE}, call.now, notes=notes)
    name = _known(used, call["tag"])
    return Reply.of(_shown(root.id, call["tag"], used.get(name, Counter())), status)


def put_value(world: "World", call: "Call") -> Reply:
    """Predefine a value of a name."""
    root, found = world.subscription(call["subscription"]), _predefined(world, call)
    if found is None:
        raise ArmError(404, "TagNameNotFound", f"The tag name '{call['tag']}' could not be found.")
    notes = found.notes or {}
    status = 200 if call["value"] in notes["values"] else 201
    if status == 201:
        found.notes = {**notes, "values": [*notes["values"], call["value"]]}
        world.store.touch(found, call.now)
    used = _used(world, root.key)
    times = used.get(_known(used, call["tag"]), Counter())[call["value"]]
    at = f"{found.id}/tagValues/{call['value']}"
    return Reply.of({"id": at, "tagValue": call["value"], "count": _count(times)}, status)


def delete(world: "World", call: "Call") -> Reply:
    """Forget a predefined name (200); one that is not there is 204."""
    world.subscription(call["subscription"])
    found = _predefined(world, call)
    if found is None:
        return Reply(204)
    if (found.notes or {}).get("values"):
        message = f"The tag '{call['tag']}' has values and cannot be deleted."
        raise ArmError(409, "TagHasValues", message)
    world.store.remove(found, call.now)
    return Reply(200)


def delete_value(world: "World", call: "Call") -> Reply:
    """Forget a predefined value (200); one that is not there is 204."""
    world.subscription(call["subscription"])
    found = _predefined(world, call)
    values = list((found.notes or {})["values"]) if found else []
    if found is None or call["value"] not in values:
        return Reply(204)
    found.notes = {**(found.notes or {}), "values": [value for value in values if value != call["value"]]}
    world.store.touch(found, call.now)
    return Reply(200)


_ALL = "/subscriptions/{subscription}/tagNames"
_ONE, _VALUE = _ALL + "/{tag}", _ALL + "/{tag}/tagValues/{value}"
_ACTION = "Microsoft.Resources/subscriptions/tagNames"
_CLI, _SINCE, _R = "azure-cli-2025-02/resource/test_tag_scenario", Versions("2014-04-01"), Evidence.RECORDED
ROUTES = (
    Route("GET", _ALL, f"{_ACTION}/read", every, _R, _CLI, _SINCE, lists=True),
    Route("PUT", _ONE, f"{_ACTION}/write", put, _R, _CLI, _SINCE),
    Route("DELETE", _ONE, f"{_ACTION}/delete", delete, _R, _CLI, _SINCE),
    Route("PUT", _VALUE, f"{_ACTION}/tagValues/write", put_value, _R, _CLI, _SINCE),
    Route("DELETE", _VALUE, f"{_ACTION}/tagValues/delete", delete_value, _R, _CLI, _SINCE),
)
