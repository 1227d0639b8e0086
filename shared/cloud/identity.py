"""Who we are to Azure: the app's managed identity where the platform offers one, else whoever logged in with `az`.

Built by wiring. The SDK is imported with the first token: most functions of one process never need it.
"""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.cloud.call import Calls
from shared.errors import Denied

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential


@dataclass(frozen=True, slots=True)
class Login:
    """`managed`: the platform offers an identity. `client_id`: a user-assigned one. `authority`: of another cloud."""

    managed: bool
    client_id: str = ""
    authority: str = ""


class Identity:
    """A credential for every SDK client."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._credential: TokenCredential | None = None
        self._lock = threading.Lock()

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return self.chosen().get_token(*scopes, **options)

    def close(self) -> None:
        close = getattr(self._credential, "close", None)
        if close is not None:
            close()

    def chosen(self) -> TokenCredential:
        """The credential behind this one, made at the first call."""
        with self._lock:
            if self._credential is None:
                self._credential = _credential(self._login)
            return self._credential


def object_id(identity: Identity, endpoint: str, calls: Calls) -> str:
    """The caller's object id, as their own token for ARM states it. Whoever is told it must not take it for proof."""
    token = calls.repeatable(lambda: identity.get_token(f"{endpoint}/.default")).token
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims.get("oid") or claims["sub"])
    except (IndexError, KeyError, ValueError, AttributeError) as error:
        raise Denied("NoObjectId", "the token does not say who you are: log in again with az login") from error


def _credential(login: Login) -> TokenCredential:
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    if login.managed:
        return ManagedIdentityCredential(client_id=login.client_id or None)
    if login.authority:
        return DefaultAzureCredential(authority=login.authority, disable_instance_discovery=True)
    return DefaultAzureCredential()
