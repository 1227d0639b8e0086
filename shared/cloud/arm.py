"""The way to Azure Resource Manager: one pipeline for typed clients and raw calls. Built by wiring; for the adapters.

It follows no redirect and leaves the configured host for no URL, wherever that URL came from: the token goes nowhere
else. Every answer is reported to pace; no call is sent while Azure said to wait, nor into a scope that is denied to us.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import (
    CustomHookPolicy,
    HeadersPolicy,
    RequestIdPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest
from azure.mgmt.core import ARMPipelineClient
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

from shared.cloud.call import Calls
from shared.cloud.gates import CODE, Gates, target
from shared.cloud.guards import Gatekeeper, OwnHost
from shared.cloud.pace import HeardPace, Lane
from shared.cloud.refusals import NO_RETRY_AFTER, date_of, retry_after, said
from shared.cloud.transport import transport
from shared.errors import Throttled, Unavailable
from shared.model.identity import Shard
from shared.ports import Clock

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.mgmt.compute import ComputeManagementClient

Answer = TypeVar("Answer")
Client = TypeVar("Client")
Hook = Callable[[Any], None]
SECONDS_TO_CONNECT = 10
SECONDS_TO_ANSWER = 60
AGENT = "tagback"
PATIENCE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for something to be done."""

    method: str
    path: str
    version: str
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Arm:
    """ARM as one identity sees it."""

    def __init__(
        self,
        endpoint: str,
        credential: TokenCredential,
        clock: Clock,
        pace: HeardPace,
        watched: SansIOHTTPPolicy[Any, Any] | None = None,
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._credential = credential
        self._clock = clock
        self._pace = pace
        self._watched = [watched] if watched else []
        self._calls = Calls(clock)
        self._gates = Gates(clock)
        self._open = ExitStack()
        self._lock = threading.Lock()
        self._typed: dict[tuple[Callable[..., Any], str], Any] = {}
        self._transport = transport(SECONDS_TO_CONNECT, SECONDS_TO_ANSWER)
        self._open.enter_context(self._transport)
        self._client: ARMPipelineClient[Any, Any] = ARMPipelineClient(
            self._endpoint, policies=self._policies(), transport=self._transport
        )

    def close(self) -> None:
        self._open.close()

    def typed(self, kind: Callable[..., Client], subscription: str) -> Client:
        """The typed client of a kind for a subscription; they share the pipeline's transport and token."""
        with self._lock:
            known = self._typed.get((kind, subscription))
            if known is None:
                common = {"policies": self._policies(), "transport": self._transport}
                known = kind(self._credential, subscription, base_url=self._endpoint, **common)
                self._typed[kind, subscription] = known
            client: Client = known
            return client

    def compute(self, subscription: str) -> ComputeManagementClient:
        """The typed client for machines, disks and snapshots of a subscription."""
        from azure.mgmt.compute import ComputeManagementClient

        return self.typed(ComputeManagementClient, subscription)

    def give_way(self, lane: Lane) -> None:
        """Wait for a call of the lane that is left to nobody else; past `PATIENCE` Azure's answer says how it is."""
        shard, until = Shard(lane.subscription, lane.region), self._clock.now() + PATIENCE
        while (wait := self._pace.wait(shard, lane.kind, gives_way=True)) and self._clock.now() + wait <= until:
            self._clock.sleep(wait.total_seconds())

    def read(self, lane: Lane, action: Callable[[Hook], Answer]) -> Answer:
        """Run a read. `action` passes the hook on as `raw_response_hook`."""
        return self._calls.repeatable(partial(self._attempt, lane, action))

    def write(self, lane: Lane, action: Callable[[Hook], Answer]) -> Answer:
        """Run a write that must not be done twice. `action` passes the hook on as `raw_response_hook`."""
        return self._calls.once(partial(self._attempt, lane, action))

    def get(self, lane: Lane, path: str, version: str, **query: str) -> Mapping[str, Any]:
        return self.send(lane, HttpRequest("GET", self._url(path, version), params=query))

    def put(self, lane: Lane, path: str, version: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        request = HttpRequest("PUT", self._url(path, version), json=dict(body))
        return self.write(lane, lambda hook: self._sent(request, hook))

    def patch(self, lane: Lane, path: str, version: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """A change that may be repeated."""
        return self.send(lane, HttpRequest("PATCH", self._url(path, version), json=dict(body)))

    def begin(self, lane: Lane, ask: Ask) -> Mapping[str, str]:
        """A write that is not to be done twice, and whose answer says nothing but in its headers that a later look does
        not say better."""
        url = self._url(ask.path, ask.version)

        def send(hook: Hook) -> Mapping[str, str]:
            body = None if ask.body is None else dict(ask.body)
            request = HttpRequest(ask.method, url, json=body, headers=dict(ask.headers))
            response = self._client.send_request(request, raw_response_hook=hook)
            if response.status_code >= 300:
                raise HttpResponseError(response=response)
            return dict(response.headers)

        return self.write(lane, send)

    def time(self, lane: Lane, path: str, version: str) -> datetime:
        """Azure's own time, as it dates its answer to a GET; Unavailable where it does not."""
        dates: list[str] = []

        def read(hook: Hook) -> None:
            def heard(response: Any) -> None:
                dates.append(response.http_response.headers.get("Date", ""))
                hook(response)

            self._sent(HttpRequest("GET", self._url(path, version)), heard)

        self.read(lane, read)
        dated = date_of(dates[-1])
        if dated is None:
            raise Unavailable("NoDate", f"an answer about {path} carries no date")
        return dated

    def status(self, lane: Lane, path: str, version: str) -> int:
        """The status by which a GET is answered, where that alone says how far something came."""
        found: list[int] = []

        def read(hook: Hook) -> None:
            request = HttpRequest("GET", self._url(path, version))
            response = self._client.send_request(request, raw_response_hook=hook)
            if response.status_code >= 300:
                raise HttpResponseError(response=response)
            found.append(response.status_code)

        self.read(lane, read)
        return found[-1]

    def ask(self, lane: Lane, path: str, version: str, body: Mapping[str, Any], **query: str) -> Mapping[str, Any]:
        """A POST that only reads."""
        return self.send(lane, HttpRequest("POST", self._url(path, version), json=dict(body), params=query))

    def send(self, lane: Lane, request: HttpRequest) -> Mapping[str, Any]:
        """A raw request that may be repeated, and the JSON object it is answered with."""
        return self.read(lane, lambda hook: self._sent(request, hook))

    def _attempt(self, lane: Lane, action: Callable[[Hook], Answer]) -> Answer:
        closed = self._pace.closed(lane)
        if closed:
            raise Throttled("NotBefore", "Azure asked to wait before calls like this one", closed)
        try:
            return action(partial(self._heard, lane))
        except HttpResponseError as error:
            self._note_denial(error)
            raise

    def _note_denial(self, error: HttpResponseError) -> None:
        """Tell the gates of a missing role; what else a 403 can mean says nothing of the scope."""
        request = getattr(error.response, "request", None)
        about = target(request.method, request.url) if request is not None else None
        code, message = said(error)
        if about and error.status_code == 403 and code == CODE:
            self._gates.denied(about, message)

    def _heard(self, lane: Lane, response: Any) -> None:
        answer = response.http_response
        self._pace.answered(lane, answer.headers)
        if answer.status_code in (429, 503):
            after = retry_after(answer.headers, self._clock.now())
            if after is not None or answer.status_code == 429:
                self._pace.refused(lane, NO_RETRY_AFTER if after is None else after, answer.headers)
        else:
            self._pace.accepted(lane)

    def _sent(self, request: HttpRequest, hook: Hook) -> Mapping[str, Any]:
        response = self._client.send_request(request, raw_response_hook=hook)
        if response.status_code >= 300:
            raise HttpResponseError(response=response)
        try:
            document = response.json()
        except ValueError as error:
            raise HttpResponseError("an answer that is not JSON", response=response) from error
        if not isinstance(document, dict):
            raise HttpResponseError("an answer that is not a JSON object", response=response)
        return document

    def _url(self, path: str, version: str) -> str:
        return f"{self._endpoint}{quote(path)}?api-version={version}"

    def _policies(self) -> list[Any]:
        """No retry (cloud/call.py), no redirect, no registration of providers behind our back."""
        return [
            RequestIdPolicy(),
            HeadersPolicy(),
            UserAgentPolicy(base_user_agent=AGENT),
            OwnHost(self._endpoint),
            Gatekeeper(self._gates),
            ARMChallengeAuthenticationPolicy(self._credential, f"{self._endpoint}/.default"),
            CustomHookPolicy(),
            *self._watched,
        ]
