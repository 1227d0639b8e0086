"""Compares two answers: status, header names, style of LRO URLs, body keys, JSON types, enum values, ids. Pure.

Called by the player with the recorded answer already translated. Says everything that differs, not whether it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.simulator.replay.forms import (
    NIL,
    SCRUBBED,
    SIGNATURE,
    is_guid,
    is_made,
    is_path,
    outline,
    path_of,
    time_form,
)
from tests.simulator.replay.recordings import Recorder
from tests.simulator.replay.scope import FREE_TEXT, IGNORED_HEADERS, MEASURED


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Deviation:
    """One difference: where, of which kind, what was recorded and what came."""

    where: str
    kind: str
    recorded: str
    live: str

    def __str__(self) -> str:
        return f"{self.kind} at {self.where}: recorded {self.recorded}, got {self.live}"


def _as_is(name: str) -> str:
    return name


@dataclass(frozen=True, slots=True)
class Rules:
    """How one step is compared; `rule` outlines made-up names, `mine` says which listed ids the session knows of,
    `meant` which machines its requests name."""

    recorder: Recorder
    catalogue: bool = False
    rule: Callable[[str], str] = field(default=_as_is)
    mine: Callable[[str], bool] = field(default=lambda _: True)
    meant: Callable[[str], bool] = field(default=lambda _: True)
    poll: bool = False


def compare(recorded: Answer, live: Answer, rules: Rules) -> list[Deviation]:
    """Name every difference."""
    if recorded.status != live.status:
        code = live.body.get("error") if isinstance(live.body, dict) else None
        return [
            Deviation("status", "status", str(recorded.status), f"{live.status} {_short(code) if code else ''}".strip())
        ]
    return [*_headers(recorded.headers, live.headers, rules), *_values(recorded.body, live.body, "$", rules)]


def _headers(recorded: Mapping[str, str], live: Mapping[str, str], rules: Rules) -> Iterator[Deviation]:
    wanted = {name for name in recorded if not IGNORED_HEADERS.match(name)} - rules.recorder.strips
    given = {name for name in live if not IGNORED_HEADERS.match(name)} - rules.recorder.strips
    for name in sorted(wanted - given):
        yield Deviation(name, "header missing", _short(recorded[name]), "nothing")
    if rules.recorder.whole:
        for name in sorted(given - wanted):
            yield Deviation(name, "header added", "nothing", _short(live[name]))
    for name in sorted(wanted & given):
        advice = rules.poll and name == "retry-after" and recorded[name].isdigit() and live[name].isdigit()
        if not advice:
            yield from _header_value(name, recorded[name], live[name])


def _header_value(name: str, recorded: str, live: str) -> Iterator[Deviation]:
    if name in ("location", "azure-asyncoperation"):
        if _url_style(recorded) != _url_style(live):
            yield Deviation(name, "LRO style", " ".join(_url_style(recorded)), " ".join(_url_style(live)))
    elif name == "content-type":
        if recorded.partition(";")[0].strip().lower() != live.partition(";")[0].strip().lower():
            yield Deviation(name, "header value", recorded, live)
    elif name == "retry-after":
        if recorded != live:
            yield Deviation(name, "header value", recorded, live)
    elif name not in FREE_TEXT and recorded.lower() != live.lower():
        yield Deviation(name, "header value", recorded, live)


def _url_style(url: str) -> tuple[str, ...]:
    """Where an LRO URL lies and which parameters it has; signatures and made-up parts aside."""
    split = urlsplit(url)
    names = {name.lower() for name, _ in parse_qsl(split.query, keep_blank_values=True)}
    versions = [value for name, value in parse_qsl(split.query) if name.lower() == "api-version"]
    path = "/".join(outline(unquote(segment)) for segment in split.path.split("/"))
    return (path, *versions, *sorted(names - SIGNATURE))


def _values(recorded: Any, live: Any, where: str, rules: Rules) -> Iterator[Deviation]:
    key = where.rpartition(".")[2].partition("[")[0].lower()
    if _type(recorded) != _type(live):
        yield Deviation(where, "type", _type(recorded), _type(live))
    elif isinstance(recorded, dict):
        yield from _objects(recorded, live, where, rules)
    elif isinstance(recorded, list):
        yield from _lists(recorded, live, where, rules)
    elif not _free(key, recorded, rules) and not _alike(recorded, live, key, rules):
        yield Deviation(where, "value", _short(recorded), _short(live))


def _free(key: str, recorded: Any, rules: Rules) -> bool:
    """Tell whether only the type counts: text for people, measures, and a catalogue's numbers."""
    return key in FREE_TEXT or key in MEASURED or (rules.catalogue and _type(recorded) == "integer")


def _objects(recorded: dict[str, Any], live: dict[str, Any], where: str, rules: Rules) -> Iterator[Deviation]:
    for name in sorted(recorded.keys() - live.keys()):
        yield Deviation(f"{where}.{name}", "key missing", _short(recorded[name]), "nothing")
    for name in sorted(live.keys() - recorded.keys()):
        yield Deviation(f"{where}.{name}", "key added", "nothing", _short(live[name]))
    for name in (name for name in recorded if name in live):
        yield from _values(recorded[name], live[name], f"{where}.{name}", rules)


def _lists(recorded: list[Any], live: list[Any], where: str, rules: Rules) -> Iterator[Deviation]:
    if rules.catalogue and where in ("$.value", "$"):
        yield from _catalogues(recorded, live, where)
        return
    if where in ("$.value", "$.data"):
        recorded, live = (
            [each for each in recorded if _known(each, rules)],
            [each for each in live if _known(each, rules)],
        )
    pairs, missing, added = _paired(recorded, live)
    for each in missing:
        yield Deviation(f"{where}[]", "element missing", _short(each), "nothing")
    for each in added:
        yield Deviation(f"{where}[]", "element added", "nothing", _short(each))
    for at, (first, second) in enumerate(pairs):
        yield from _values(first, second, f"{where}[{at}]", rules)


def _known(element: Any, rules: Rules) -> bool:
    """Tell whether an element is the session's: by its id, and by the machine that it is about."""
    if not isinstance(element, dict) or not isinstance(element.get("id"), str):
        return True
    about = (element.get("properties") or {}).get("virtualMachineId")
    return rules.mine(element["id"]) and (not isinstance(about, str) or rules.meant(about))


def _paired(recorded: list[Any], live: list[Any]) -> tuple[list[tuple[Any, Any]], list[Any], list[Any]]:
    """Pair by id or name where every element has one, by place otherwise."""
    exact, there = [_exact(each) for each in recorded], [_exact(each) for each in live]
    if None not in exact and len(set(exact)) == len(exact) and sorted(map(str, exact)) == sorted(map(str, there)):
        by_id = dict(zip(there, live, strict=True))
        return [(each, by_id[name]) for name, each in zip(exact, recorded, strict=True)], [], []
    names, others = [_name(each) for each in recorded], [_name(each) for each in live]
    if None in names or None in others or len(set(names)) < len(names) or len(set(others)) < len(others):
        shared = min(len(recorded), len(live))
        return list(zip(recorded, live, strict=False)), recorded[shared:], live[shared:]
    by_name = dict(zip(others, live, strict=True))
    pairs = [(each, by_name[name]) for name, each in zip(names, recorded, strict=True) if name in by_name]
    missing = [each for name, each in zip(names, recorded, strict=True) if name not in by_name]
    return pairs, missing, [each for name, each in by_name.items() if name not in names]


def _exact(element: Any) -> str | None:
    found = element.get("id") if isinstance(element, dict) else None
    return found.lower() if isinstance(found, str) else None


def _name(element: Any) -> str | None:
    if not isinstance(element, dict):
        return None
    found = element.get("id") or element.get("name")
    if isinstance(found, dict):
        found = found.get("value")
    return "/".join(map(outline, found.split("/"))) if isinstance(found, str) else None


def _catalogues(recorded: list[Any], live: list[Any], where: str) -> Iterator[Deviation]:
    """Each live element must look like some recorded one; how many there are says nothing."""
    if bool(recorded) != bool(live):
        yield Deviation(where, "element missing" if recorded else "element added", str(len(recorded)), str(len(live)))
    shapes = {_shape(each) for each in recorded}
    for each in live:
        if recorded and _shape(each) not in shapes:
            yield Deviation(f"{where}[]", "type", min(shapes, default=""), _shape(each))
            return


def _shape(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{name}:{_shape(each)}" for name, each in sorted(value.items())) + "}"
    if isinstance(value, list):
        return "[]"
    return _type(value)


def _type(value: Any) -> str:
    return {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "float"}.get(
        type(value), "null"
    )


def _alike(recorded: Any, live: Any, key: str, rules: Rules) -> bool:
    if recorded == live or not isinstance(recorded, str):
        return bool(recorded == live)
    if SCRUBBED.search(recorded):
        return SCRUBBED.sub("", recorded) == "" or is_path(live) is is_path(recorded)
    form = time_form(recorded)
    if form is not None:
        return form == time_form(live)
    if is_guid(recorded):
        return is_guid(live) and (NIL in (recorded, live) or recorded.lower() == live.lower())
    if key == "nextlink":
        return live.startswith("http") and path_of(recorded) == path_of(live)
    if is_path(recorded):
        return is_path(live) and _same_path(recorded, live, rules)
    return is_made(recorded) and rules.rule(recorded) == outline(live)


def _same_path(recorded: str, live: str, rules: Rules) -> bool:
    """Ids are compared without case, as ARM does; of URLs the host is whose answer it is."""
    first, second = urlsplit(recorded), urlsplit(live)
    parts = [unquote(each) for each in first.path.split("/")], [unquote(each) for each in second.path.split("/")]
    if len(parts[0]) != len(parts[1]) or bool(first.scheme) != bool(second.scheme):
        return False
    if {name for name, _ in parse_qsl(first.query)} - SIGNATURE != {
        name for name, _ in parse_qsl(second.query)
    } - SIGNATURE:
        return False
    return all(
        one.lower() == other.lower() or (is_made(one) and rules.rule(one) == outline(other))
        for one, other in zip(*parts, strict=True)
    )


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 120 else text[:117] + "..."
