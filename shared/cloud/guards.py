"""What every request to ARM passes before a token is added: its host is ours to talk to, its scope is not denied to us.

Used by arm.py alone.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy

from shared.cloud.gates import Gates, target
from shared.cloud.redaction import shown
from shared.errors import Refused

URL_LENGTH = 200


class OwnHost(SansIOHTTPPolicy[Any, Any]):
    """Refuses every URL that is not on the configured host, before a token is added."""

    def __init__(self, endpoint: str) -> None:
        self._own = _origin(endpoint)

    def on_request(self, request: PipelineRequest[Any]) -> None:
        if _origin(request.http_request.url) != self._own:
            where = shown(request.http_request.url, URL_LENGTH)
            raise Refused("ForeignUrl", f"a link leads away from {self._own}: {where}")


class Gatekeeper(SansIOHTTPPolicy[Any, Any]):
    """Sends nothing into a scope that is shut, and tells the gates what got through."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates

    def on_request(self, request: PipelineRequest[Any]) -> None:
        about = target(request.http_request.method, request.http_request.url)
        if about:
            self._gates.admit(about)

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        about = target(request.http_request.method, request.http_request.url)
        if (
            about
            and response.http_response.status_code < 500
            and response.http_response.status_code not in (401, 403, 429)
        ):
            self._gates.passed(about)


def _origin(url: str) -> tuple[str, str]:
    """Scheme, host and port as they will be connected to; userinfo makes it another origin, and no URL is none."""
    try:
        split = urlsplit(url)
    except ValueError:
        return "", url
    return split.scheme.lower(), split.netloc.lower().removesuffix(":443")
