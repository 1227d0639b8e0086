"""ARM identifiers: how they are compared, split and written. Pure; used by every module that sees an id."""

from typing import NamedTuple


class Parsed(NamedTuple):
    """The parts of an ARM id that indexes need; absent parts are empty."""

    subscription: str
    group: str
    type: str
    name: str


def key_of(resource_id: str) -> str:
    """Return the form under which ids are equal: lower-case, no doubled or trailing slashes."""
    return "/" + "/".join(part for part in resource_id.lower().split("/") if part)


def parse(resource_id: str) -> Parsed:
    """Split an id; the type keeps its letter case and is that of the innermost resource."""
    parts = [part for part in resource_id.split("/") if part]
    lowered = [part.lower() for part in parts]
    subscription = parts[1] if lowered[:1] == ["subscriptions"] and len(parts) > 1 else ""
    group = parts[3] if len(parts) > 3 and lowered[2] == "resourcegroups" else ""
    if "providers" not in lowered:
        return Parsed(subscription, group, "", parts[-1] if parts else "")
    last = len(lowered) - 1 - lowered[::-1].index("providers")
    inner = parts[last + 1 :]
    return Parsed(subscription, group, "/".join([*inner[:1], *inner[1::2]]), inner[-1] if inner else "")


def scopes_of(key: str) -> tuple[str, ...]:
    """Return the scopes whose assignments, locks and subscriptions reach this id, from the tenant to the id itself."""
    parts = key.strip("/").split("/")
    found = ["/"]
    if parts[0] == "subscriptions" and len(parts) >= 2:
        found.append("/" + "/".join(parts[:2]))
        if len(parts) >= 4 and parts[2] == "resourcegroups":
            found.append("/" + "/".join(parts[:4]))
        for at, part in enumerate(parts):
            if part == "providers":
                found.extend("/" + "/".join(parts[:end]) for end in range(at + 4, len(parts) + 1, 2))
        if key not in found:
            found.append(key)
    return tuple(dict.fromkeys(found))


def is_within(key: str, scope: str) -> bool:
    """Tell whether the id is the scope or lies below it."""
    return scope == "/" or key == scope or key.startswith(scope + "/")
