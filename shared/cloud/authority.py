"""Checks bearer tokens: that the authority of our tenant has signed them, for this app. Built by wiring, for the API.

It believes nothing that a token says before its signature was checked, but for which key and which form to check it by;
keys come from the authority's own host alone. It never sends a token anywhere, and fails closed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import UserAgentPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest

from shared.cloud.arm import AGENT, SECONDS_TO_ANSWER, SECONDS_TO_CONNECT
from shared.cloud.call import Calls
from shared.cloud.guards import OwnHost
from shared.decide.bearer import Expected, Refused, judged
from shared.errors import Unavailable, Unproven
from shared.model.caller import Caller
from shared.ports import Clock

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

PUBLIC = "https://login.microsoftonline.com"
LARGEST_TOKEN = 16 * 1024
LARGEST_DOCUMENT = 512 * 1024
SMALLEST_KEY = 2048
ALGORITHM = "RS256"  # what Entra signs with; never what the token's own header would like
KEPT_FOR = timedelta(hours=12)
ASKED_AGAIN_AFTER = timedelta(minutes=5)  # unknown keys: a forger must not make us ask all day
FORMS: Mapping[object, str] = {"1.0": "", "2.0": "v2.0/"}
UNCHECKED: Any = dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss"), False)
UNREAD: Any = {**UNCHECKED, "verify_signature": False}


@dataclass(frozen=True, slots=True)
class App:
    """What tokens must be for: the app's audiences in a tenant of an authority."""

    authority: str
    tenant: str
    audiences: frozenset[str]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one form of tokens, with its issuer, as they were read at an instant."""

    issuer: str
    by_name: Mapping[str, RSAPublicKey]
    read_at: datetime


class Authority:
    """The authority of one tenant, as its discovery documents describe it."""

    def __init__(self, app: App, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._calls = Calls(clock)
        self._origin = (app.authority or PUBLIC).rstrip("/")
        self._transport = RequestsTransport(connection_timeout=SECONDS_TO_CONNECT, read_timeout=SECONDS_TO_ANSWER)
        policies = [UserAgentPolicy(base_user_agent=AGENT), OwnHost(self._origin)]
        self._client: PipelineClient[Any, Any] = PipelineClient(
            self._origin, policies=policies, transport=self._transport
        )
        self._known: dict[str, Keys] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        self._transport.close()

    def caller(self, token: str) -> Caller:
        """Who bears this token; Unproven with the reason where it does not say so beyond doubt."""
        form, name = _told(token)
        keys = self._keys(form, name)
        key = keys.by_name.get(name)
        if key is None:
            raise Unproven("the token is signed with a key that the authority does not have")
        try:
            claims = jwt.decode(token, key, algorithms=[ALGORITHM], options=UNCHECKED)
        except jwt.InvalidTokenError as error:
            raise Unproven(f"the token's signature is not right: {error}") from error
        expected = Expected(keys.issuer, self._app.audiences, self._app.tenant)
        verdict = judged(claims, expected, self._clock.now())
        if isinstance(verdict, Refused):
            raise Unproven(f"the token is refused: {verdict.because}")
        return verdict

    def _keys(self, form: str, name: str) -> Keys:
        """The keys by which tokens of a form are checked, read again when they are old or lack one that is named."""
        with self._lock:
            known, now = self._known.get(form), self._clock.now()
            age = now - known.read_at if known else KEPT_FOR
            if known and age < KEPT_FOR and (name in known.by_name or age < ASKED_AGAIN_AFTER):
                return known
            described = self._document(f"{self._origin}/{self._app.tenant}/{form}.well-known/openid-configuration")
            found = self._document(str(described.get("jwks_uri", ""))).get("keys")
            keys = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
            by_name = {str(one["kid"]): key for one in keys if one.get("kid") and (key := _public(one))}
            self._known[form] = Keys(str(described.get("issuer", "")), by_name, now)
            return self._known[form]

    def _document(self, url: str) -> Mapping[str, Any]:
        """A document of the authority's; leads nowhere else, and is of a decent size."""
        return self._calls.repeatable(lambda: self._read(url))

    def _read(self, url: str) -> Mapping[str, Any]:
        response = self._client.send_request(HttpRequest("GET", url), stream=True)
        with response:
            if response.status_code != 200:
                raise HttpResponseError(response=response)
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > LARGEST_DOCUMENT:
                    raise Unavailable("TooLarge", f"{url} is larger than any such document")
        return _object(bytes(body), url)


def _object(body: bytes, url: str) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unavailable("NotJson", f"{url} is not JSON") from error
    if not isinstance(document, dict):
        raise Unavailable("NotAnObject", f"{url} is not a JSON object")
    return document


def _told(token: str) -> tuple[str, str]:
    """The form and the key that an unchecked token claims; Unproven for what is no token that we could check."""
    if len(token) > LARGEST_TOKEN:
        raise Unproven("the token is larger than any that the authority issues")
    if not token.isascii():
        raise Unproven("the token has characters that no token has")
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options=UNREAD)
    except (jwt.InvalidTokenError, RecursionError) as error:
        raise Unproven(f"this is no token: {error}") from error
    if header.get("alg") != ALGORITHM or "crit" in header:
        raise Unproven(f"the token is not signed with {ALGORITHM}")
    form, name = FORMS.get(claims.get("ver") if isinstance(claims.get("ver"), str) else None), header.get("kid")
    if form is None or not isinstance(name, str):
        raise Unproven("the token does not say by which of the authority's keys to check it")
    return form, name


def _public(key: Mapping[str, Any]) -> RSAPublicKey | None:
    """A published key that may sign tokens; None for others."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    if key.get("kty") != "RSA" or key.get("use", "sig") != "sig":
        return None
    try:
        found = jwt.PyJWK(dict(key), algorithm=ALGORITHM).key
    except jwt.PyJWTError:
        return None
    return found if isinstance(found, RSAPublicKey) and found.key_size >= SMALLEST_KEY else None
