"""The installation's own HTTP API, for what the command line may not do by itself. Built by wiring.

The caller's token goes to the configured address and nowhere else, and only over TLS or to this very machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core import PipelineClient
from azure.core.pipeline.policies import UserAgentPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest

from shared.cloud.arm import AGENT, SECONDS_TO_ANSWER, SECONDS_TO_CONNECT
from shared.cloud.call import Calls
from shared.cloud.guards import OwnHost
from shared.errors import BadInput, Denied, Forbidden, Refused, Unavailable, Unknown
from shared.model.account import Api

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

NEARBY = ("localhost", "127.0.0.1", "::1")


class ApiClient:
    """The API as one person or program may use it."""

    def __init__(self, api: Api, credential: TokenCredential, calls: Calls) -> None:
        self._api = api
        self._credential = credential
        self._calls = calls
        self._origin = api.endpoint.rstrip("/")
        self._transport = RequestsTransport(connection_timeout=SECONDS_TO_CONNECT, read_timeout=SECONDS_TO_ANSWER)
        policies = [UserAgentPolicy(base_user_agent=AGENT), OwnHost(self._origin)]
        self._client: PipelineClient[Any, Any] = PipelineClient(
            self._origin, policies=policies, transport=self._transport
        )

    def close(self) -> None:
        self._transport.close()

    def post(self, path: str, document: Mapping[str, object]) -> Mapping[str, Any]:
        """What the API answers to a document; its refusals as our errors."""
        split = urlsplit(self._origin)
        if split.scheme != "https" and split.hostname not in NEARBY:
            raise BadInput([f"TAGBACK_API_ENDPOINT={self._origin}: a token is sent there, so it must be https"])
        audience = min(self._api.audiences, key=lambda one: not one.startswith("api://"))
        token = self._calls.repeatable(lambda: self._credential.get_token(f"{audience}/.default")).token
        headers = {"Authorization": f"Bearer {token}"}
        if self._api.key:
            headers["x-functions-key"] = self._api.key
        request = HttpRequest("POST", f"{self._origin}{path}", headers=headers, json=dict(document))
        response = self._calls.once(lambda: self._client.send_request(request))
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.status_code in (200, 202) and isinstance(answer, dict):
            return answer
        raise _refusal(response.status_code, answer if isinstance(answer, dict) else {})


def _refusal(status: int, problem: Mapping[str, Any]) -> Exception:
    """The error that a problem document stands for."""
    detail = str(problem.get("detail") or f"the API answered {status}")
    match status:
        case 400:
            return BadInput([str(one) for one in problem.get("problems") or [detail]])
        case 401:
            return Denied("Unauthorized", f"{detail}: the API does not accept the function key or the token", status)
        case 403:
            return Forbidden(detail)
        case 404:
            return Unknown(detail)
        case _ if status >= 500 or status == 429:
            return Unavailable("ApiFailed", detail, status)
        case _:
            return Refused("ApiRefused", detail, status)
