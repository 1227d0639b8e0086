"""One request as handlers see it: parsed, with its principal, time and route.

Made by the front, read by every handler.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from local.simulator import shapes
from local.simulator.answers import ArmError, Document
from local.simulator.faults import Fault
from local.simulator.routing import Route


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, as the token says."""

    oid: str
    claims: Document


@dataclass(slots=True)
class Call:
    """A request on its way through the simulator."""

    method: str
    path: str
    target: str
    query: dict[str, str]
    base_url: str
    now: float
    principal: Principal
    raw: bytes
    headers: dict[str, str]
    route: Route
    names: dict[str, str]
    correlation: str
    fault: Fault | None = None
    _body: Any = field(default=None)

    def __getitem__(self, name: str) -> str:
        """Return what a name of the template stands for."""
        return self.names[name]

    @property
    def version(self) -> str:
        """The api-version asked for."""
        return self.query.get("api-version", "")

    @property
    def subject(self) -> str:
        """The id the call is about: its path, without the action of a POST."""
        return self.path.rsplit("/", 1)[0] if self.route.action.endswith("/action") else self.path

    def body(self) -> Document:
        """Return the request's JSON object."""
        if self._body is None:
            if not self.raw:
                return {}
            try:
                self._body = json.loads(self.raw)
            except ValueError as error:
                message = f"The request content was invalid and could not be deserialized: '{error}'."
                raise ArmError(400, "InvalidRequestContent", message) from error
            if not isinstance(self._body, dict):
                message = "The request content was invalid: a JSON object is expected."
                raise ArmError(400, "InvalidRequestContent", message)
            if not isinstance(self._body.get("properties", {}), dict):
                message = "The request content was invalid: 'properties' must be an object."
                raise ArmError(400, "InvalidRequestContent", message)
            if not self.version.lower().endswith("-preview"):  # the tables are of stable versions; previews know more
                self._body = shapes.taken_in(self.method, self.route.action, self._body)
        found: Document = self._body
        return found
