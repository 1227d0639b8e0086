"""People and programs at the app's door: those who may, and those whom nothing lets in. Used by troubles.py.

They have the tokens that the authority of the scenario signs for them, and send them to the app as anybody would.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import requests

from local.demo.cast import Cast
from local.demo.scenario import Trouble
from local.stack import AUDIENCE

SUBSCRIPTION = re.compile(r"/subscriptions/([0-9a-f-]{36})/")
ANOTHER_APP = "api://another-app"  # one in which everybody has a role of the same name
WISH = {"asked": "pause", "what": "captures", "because": "so that nothing is captured"}
READ, ASK = "status", "requests"


@dataclass(frozen=True, slots=True)
class Knock:
    """Who comes to which route, with which token and key; `may` says whether the door is theirs."""

    who: str
    route: str
    may: bool = False
    audience: str = AUDIENCE
    with_key: bool = True
    with_token: bool = True
    torn: bool = False

    @property
    def words(self) -> str:
        """The visit as it is told."""
        lacking = "" if self.with_key else ", without the key"
        wrong = ", with a token for another app" if self.audience != AUDIENCE else ", with a token that was changed"
        return f"{self.who}{lacking}{wrong if self.torn or self.audience != AUDIENCE else ''} at /api/{self.route}"


KNOCKS = (
    Knock("somebody", ASK, with_key=False, with_token=False),
    Knock("somebody with the key alone", ASK, with_token=False),
    Knock("somebody with the key alone", READ, with_token=False),
    Knock("a stranger of the same tenant", READ),
    Knock("viewer", READ, with_key=False),
    Knock("viewer", READ, torn=True),
    Knock("viewer", READ, audience=ANOTHER_APP),
    Knock("viewer", ASK, audience=ANOTHER_APP),
    Knock("viewer", ASK),
    Knock("viewer", READ, may=True),
    Knock("viewer of one subscription", READ, may=True),
)


def knock(cast: Cast, _: Trouble) -> None:
    """Everybody comes once; what the app answered is written down, and which subscriptions it showed."""
    for one in KNOCKS:
        at, answer = cast.now(), answered(cast, one)
        shown = sorted(set(SUBSCRIPTION.findall(answer.text.lower())))
        said = {"who": one.who, "route": one.route, "may": one.may, "status": answer.status_code, "shown": shown}
        within = (
            cast.scenario.subscriptions[:1] if one.who.endswith("one subscription") else cast.scenario.subscriptions
        )
        cast.script.note("knock", at, cast.now(), within=list(within), **said)
        cast.screen.line(f"    {one.words}: {answer.status_code}")


def answered(cast: Cast, one: Knock) -> requests.Response:
    url, headers = f"{cast.stack.host_url}/api/{one.route}", dict[str, str]()
    if one.with_key:
        headers["x-functions-key"] = cast.stack.keys["default"]
    if one.with_token:
        signed = token(cast, one.who.replace(" ", "-"), one.audience)
        headers["Authorization"] = f"Bearer {signed[:-8] + 'AAAAAAAA' if one.torn else signed}"
    if one.route == ASK:
        return requests.post(url, json=WISH, headers=headers, timeout=30)
    return requests.get(url, headers=headers, timeout=30)


def token(cast: Cast, who: str, audience: str) -> str:
    """A token of the authority for one principal and one app."""
    settings: Mapping[str, str] = cast.stack.settings
    asked = {"resource": audience, "api-version": "2019-08-01", "client_id": who}
    answer = requests.get(
        settings["IDENTITY_ENDPOINT"],
        params=asked,
        headers={"X-IDENTITY-HEADER": settings["IDENTITY_HEADER"]},
        verify=str(cast.stack.bundle),
        timeout=30,
    )
    answer.raise_for_status()
    return str(answer.json()["access_token"])
