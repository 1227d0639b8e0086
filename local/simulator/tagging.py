"""The rules of tags wherever they are written: how many, how long, which characters. Pure; used by every write."""

from collections.abc import Mapping
from typing import Any

from local.simulator.answers import ArmError

MOST = 50
LONGEST_NAME = 512
LONGEST_VALUE = 256
HIDDEN = "hidden-"  # the portal's own tags hold ids (recorded: hidden-related:/subscriptions/...)
FORBIDDEN = frozenset("<>%&\\?/")


def checked(tags: Any) -> dict[str, str]:
    """Return the tags as they are kept, or refuse them (limits documented; names differ in more than letter case)."""
    if tags is None:
        return {}
    if not isinstance(tags, Mapping):
        raise ArmError(400, "InvalidRequestContent", "The request content was invalid: tags must be an object.")
    if len(tags) > MOST:
        message = f"The number of tags '{len(tags)}' exceeds the maximum of '{MOST}' on the resource."
        raise ArmError(400, "InvalidTagsCount", message)
    if len({name.lower() for name in tags}) < len(tags):
        raise ArmError(400, "InvalidTagNames", "Tag names must be unique; they are compared without regard to case.")
    return {name: _value(name, value) for name, value in tags.items()}


def _value(name: str, value: Any) -> str:
    text = "" if value is None else str(value)
    free = name.lower().startswith(HIDDEN)
    if not name or len(name) > LONGEST_NAME or not (free or FORBIDDEN.isdisjoint(name)):
        raise ArmError(
            400,
            "InvalidTagNameCharacters",
            f"The tag name '{name}' is invalid: it has 1 to {LONGEST_NAME} characters, none of <>%&\\?/.",
        )
    if len(text) > LONGEST_VALUE:
        message = f"The value of tag '{name}' exceeds the maximum length of '{LONGEST_VALUE}' characters."
        raise ArmError(400, "InvalidTagValueLength", message)
    return text


def merge(base: Mapping[str, str], change: Mapping[str, str]) -> dict[str, str]:
    """Lay tags over others; a name that differs only in letter case is the same tag."""
    names = {name.lower(): name for name in base}
    result = dict(base)
    for name, value in change.items():
        result[names.get(name.lower(), name)] = value
    return result


def without(base: Mapping[str, str], removed: Mapping[str, str]) -> dict[str, str]:
    """Take tags away by name and value, as the Delete operation does (documented)."""
    gone = {name.lower(): value for name, value in removed.items()}
    return {
        name: value for name, value in base.items() if not (name.lower() in gone and gone[name.lower()] in ("", value))
    }
