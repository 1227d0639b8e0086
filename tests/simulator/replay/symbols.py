"""What recorded names mean today: subscriptions, renamed resources, and the guids, names and URLs learned from answers.

Owned by the player, one per session. Requests are translated before they are sent, recorded answers before they are
compared; answers teach it what Azure (now the simulator) made up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote
from uuid import NAMESPACE_URL, uuid5

from tests.simulator.replay.forms import GUID, NIL, address_of, is_guid, is_made, is_path, outline, path_of

# a subscription and a name in one word (a gallery's unique name)
_JOINED = re.compile(rf"^({GUID.pattern})-([A-Za-z].*)$")
# a vault's name and what is kept of it, in one word: the id lacks a slash
_TAIL = "extendedInformation"
_QUOTED = re.compile(r"'([^']*)'")
_OPAQUE_KEYS = frozenset({"$skiptoken", "skiptoken"})
URL_HEADERS = ("azure-asyncoperation", "location")


class Symbols:
    """The table of one session; `salt` keeps subscriptions of sessions apart, `renamed` maps names clients chose."""

    def __init__(self, salt: str, renamed: Mapping[str, str]) -> None:
        self._salt = salt
        self._renamed = {old.lower(): new for old, new in renamed.items()}
        self._learned: dict[str, str] = {}
        self._urls: dict[tuple[str, ...], str] = {}
        self._outlines: dict[tuple[str, ...], str] = {}

    def subscription(self, recorded: str) -> str:
        """The subscription that stands for a recorded one."""
        return str(uuid5(NAMESPACE_URL, f"{self._salt}/{recorded.lower()}"))

    # -- recorded to live

    def target(self, recorded: str) -> str:
        """Where to send a request: the URL an answer gave for it, else the translated path and query."""
        exact = self._urls.get(address_of(recorded))
        if exact is None and path_of(recorded).rpartition("/")[2] in self._learned:
            return self._path(recorded)  # az asks the vault for what the answer said of the item
        return exact or self._outlines.get(_outlined(recorded)) or self._path(recorded)

    def body(self, recorded: Any, key: str = "") -> Any:
        """Translate a JSON value."""
        if isinstance(recorded, dict):
            return {name: self.body(value, name) for name, value in recorded.items()}
        if isinstance(recorded, list):
            return [self.body(value, key) for value in recorded]
        if not isinstance(recorded, str):
            return recorded
        if key == "query":
            return _QUOTED.sub(lambda found: f"'{self.text(found.group(1))}'", recorded)
        return self.text(recorded, key)

    def text(self, recorded: str, key: str = "") -> str:
        """Translate one string: a name as a whole, an id segment by segment."""
        if key.lower().endswith(("subscriptionid", "subscriptions")) and is_guid(recorded):
            return self.subscription(recorded)
        return self._path(recorded) if is_path(recorded) else self._word(recorded)

    def _path(self, recorded: str) -> str:
        path, mark, query = recorded.partition("?")
        segments = path.split("/")
        for at, segment in enumerate(segments):
            if at and segments[at - 1].lower() == "subscriptions" and is_guid(segment):
                segments[at] = self.subscription(segment)
            elif segment:
                segments[at] = self._segment(segment)
        return "/".join(segments) + mark + self._query(query)

    def _query(self, query: str) -> str:
        pairs = []
        for pair in query.split("&") if query else []:
            name, equals, value = pair.partition("=")
            plain = unquote(value.replace("+", " "))
            changed = _QUOTED.sub(lambda found: f"'{self.text(found.group(1))}'", plain)
            changed = self._learned.get(changed.lower(), changed)
            pairs.append(name + equals + (value if changed == plain else quote(changed, safe="")))
        return "&".join(pairs)

    def _segment(self, segment: str) -> str:
        plain = unquote(segment)
        if plain != segment and plain.startswith("/"):
            return quote(self._path(plain), safe="")
        changed = self._word(plain)
        return segment if changed == plain else quote(changed, safe=";" if ";" in segment else "")

    def _word(self, word: str) -> str:
        if ";" in word:  # a machine's name in a vault is made of others
            return ";".join(map(self._word, word.split(";")))
        if word.endswith(_TAIL) and word != _TAIL:
            return self._word(word.removesuffix(_TAIL)) + _TAIL
        lowered = word.lower()
        found = self._learned.get(lowered) or self._renamed.get(lowered)
        if found is None:
            joined = _JOINED.match(word)
            return word if joined is None else f"{self.subscription(joined.group(1))}-{self._word(joined.group(2))}"
        return found.upper() if word.isupper() and not is_guid(word) else found

    def made_name(self, recorded: str) -> str:
        """Translate the client's name at the head of a made-up one (`vm1_OsDisk_1_…` of a renamed vm1)."""
        lowered = recorded.lower()
        at = lowered.rfind("_")
        while at > 0:
            if lowered[:at] in self._renamed:
                return self._renamed[lowered[:at]] + recorded[at:]
            at = lowered.rfind("_", 0, at)
        return recorded

    def name_of_rule(self, recorded: str) -> str:
        """Outline a made-up name with the names inside it translated."""
        return outline(self.made_name(recorded))

    # -- learning

    def learn(self, recorded: Any, live: Any, key: str = "") -> None:
        """Pair what both answers show at the same place."""
        if isinstance(recorded, dict) and isinstance(live, dict):
            for name in (name for name in recorded if name in live):
                self.learn(recorded[name], live[name], name.lower())
        elif isinstance(recorded, list) and isinstance(live, list):
            for first, second in zip(recorded, self._aligned(recorded, live), strict=True):
                self.learn(first, second, key)
        elif isinstance(recorded, str) and isinstance(live, str):
            self._learn_text(recorded, live, key)

    def _aligned(self, recorded: list[Any], live: list[Any]) -> list[Any]:
        """Put the live elements in the order of the recorded ones, by id or name where they have one."""
        by_name = {_identity(each): each for each in live if _identity(each) is not None}
        found = []
        for at, each in enumerate(recorded):
            identity = _identity(each)
            wanted = None if identity is None else self.text(identity).lower()
            fallback = live[at] if at < len(live) and len(live) == len(recorded) else None
            found.append(by_name.get(wanted, fallback))
        return found

    def _learn_text(self, recorded: str, live: str, key: str) -> None:
        if key == "nextlink":
            self._urls[address_of(recorded)] = _relative(live)
        elif key in _OPAQUE_KEYS:
            self._learned[recorded.lower()] = live
        elif is_path(recorded) and is_path(live):
            first, second = recorded.partition("?")[0].split("/"), live.partition("?")[0].split("/")
            if len(first) == len(second):
                for at in range(1, len(first)):
                    if first[at - 1].lower() != "subscriptions":
                        self._learn_word(unquote(first[at]), unquote(second[at]))
        else:
            self._learn_word(recorded, live)

    def _learn_word(self, recorded: str, live: str) -> None:
        lowered = recorded.lower()
        if lowered in self._learned or lowered == NIL or lowered in self._renamed or not is_made(recorded):
            return
        if self.name_of_rule(recorded) == outline(live):
            self._learned[lowered] = live

    def learn_headers(self, recorded: Mapping[str, str], live: Mapping[str, str]) -> None:
        """Remember where the polls of an operation go now."""
        for name in URL_HEADERS:
            if name in recorded and name in live:
                self.learn_url(recorded[name], live[name])

    def learn_url(self, recorded: str, live: str) -> None:
        """Remember one URL, also without its made-up parts (recorders scrub some of them)."""
        self._urls[address_of(recorded)] = _relative(live)
        self._outlines[_outlined(recorded)] = _relative(live)
        self._learn_text(recorded, live, "")


def _identity(element: Any) -> str | None:
    if not isinstance(element, dict):
        return None
    found = element.get("id") or element.get("name")
    return found.lower() if isinstance(found, str) else None


def _relative(url: str) -> str:
    return "/" + url.split("://", 1)[1].partition("/")[2] if "://" in url else url


def _outlined(url: str) -> tuple[str, ...]:
    """The address with made-up parts blanked; only URLs that have such parts in their last segment count."""
    path, *query = address_of(url)
    last = path.rpartition("/")[2]
    if GUID.search(last) is None:
        return (path, "exactly", *query)
    return (outline(path), *query)
