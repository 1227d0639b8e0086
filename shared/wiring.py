"""Builds every adapter once per process: the only place that sees all of the product, and the environment.

Called by function_app.py and the command line. SDKs are imported when a world is built, most of them only when an
adapter first needs them: importing this module costs next to nothing.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from shared.errors import BadInput
from shared.model.caller import Caller
from shared.model.rules import Rules
from shared.ports import Surroundings, World
from shared.ports.mounts import MountScripts

if TYPE_CHECKING:
    from shared.cloud.arm import Arm
    from shared.cloud.authority import Authority
    from shared.cloud.callers import Callers
    from shared.cloud.identity import Identity
    from shared.settings import Settings
    from shared.web.gateway import Reply

_lock = threading.Lock()
_process: dict[str, tuple[World, Rules]] = {}
_authorities: list[Authority] = []


def from_environment() -> tuple[World, Rules]:
    """The world and rules of this process, built at the first call; BadInput while the settings are bad."""
    from shared.cloud import redaction
    from shared.settings import Settings

    with _lock:
        if not _process:
            redaction.install()
            settings = Settings.read(os.environ)
            _process["world"] = (world(settings), settings.rules())
        return _process["world"]


def caller() -> str:
    """The object id of the person or program that runs this process."""
    from shared.cloud.call import Calls
    from shared.cloud.clock import SystemClock
    from shared.cloud.identity import object_id
    from shared.settings import Settings

    settings = Settings.read(os.environ)
    identity = _identity(settings, os.environ, "")
    try:
        return object_id(identity, settings.arm_endpoint, Calls(SystemClock()))
    finally:
        identity.close()


def surroundings() -> Surroundings:
    """What Azure says around this process's installation to whoever runs it; open until the process ends."""
    from shared.cloud import snapshots
    from shared.cloud.surroundings import AzureSurroundings
    from shared.settings import Settings

    settings = Settings.read(os.environ)
    return AzureSurroundings(_manager(settings), snapshots.Recovery(settings.recovery_group, settings.storage.name))


def mount_scripts() -> MountScripts:
    """What fetches the scripts of mounted points for whoever runs this process: no part of a world, nor of the app."""
    from shared.cloud import redaction
    from shared.cloud.vault_mounts import AzureMountScripts
    from shared.settings import Settings

    redaction.install()
    return AzureMountScripts(_manager(Settings.read(os.environ)))


def _manager(settings: Settings) -> Arm:
    """Azure Resource Manager for one run of the command line; open until the process ends."""
    from shared.cloud import arm, pace
    from shared.cloud.clock import SystemClock

    clock, open_parts = SystemClock(), ExitStack()
    atexit.register(open_parts.close)
    identity = open_parts.enter_context(closing(_identity(settings, os.environ, "")))
    paces = pace.HeardPace(clock, settings.throttle_share)
    return open_parts.enter_context(closing(arm.Arm(settings.arm_endpoint, identity, clock, paces)))


def post(path: str, document: Mapping[str, object]) -> Mapping[str, Any]:
    """What the HTTP API answers to whoever runs this process; BadInput where it is not said where that is."""
    from shared.cloud.api import ApiClient
    from shared.cloud.call import Calls
    from shared.cloud.clock import SystemClock
    from shared.settings import Settings

    settings = Settings.read(os.environ)
    if not (settings.api.endpoint and settings.api.audiences):
        needed = "TAGBACK_API_ENDPOINT, TAGBACK_API_AUDIENCE and TAGBACK_API_TENANT"
        raise BadInput([f"this goes through the HTTP API, which checks who you are: set {needed}"])
    with ExitStack() as open_parts:
        identity = open_parts.enter_context(closing(_identity(settings, os.environ, "")))
        client = open_parts.enter_context(closing(ApiClient(settings.api, identity, Calls(SystemClock()))))
        return client.post(path, document)


def web(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """The API's answer to one request, over this process's world."""
    from shared.web.api import application
    from shared.web.gateway import Ask, call

    return call(application(from_environment, bearer, _keyed, _callers().take), Ask(method, url, headers, body))


@cache
def _keyed() -> bool:
    from shared.settings import Settings

    return Settings.read(os.environ).api.keyed


@cache
def _callers() -> Callers:
    from shared.cloud.callers import Callers
    from shared.cloud.clock import SystemClock

    return Callers(SystemClock())


def bearer(token: str) -> Caller:
    """Who bears a token for the API, by this process's authority; Forbidden where no authority is set."""
    from shared.cloud.authority import App, Authority
    from shared.cloud.clock import SystemClock
    from shared.settings import Settings
    from shared.web.door import shut

    with _lock:
        if not _authorities:
            settings = Settings.read(os.environ)
            if not settings.api.tenant:
                return shut(token)
            app = App(settings.authority, settings.api.tenant, settings.api.audiences)
            _authorities.append(Authority(app, SystemClock()))
            atexit.register(_authorities[0].close)
    return _authorities[0].caller(token)


def world(settings: Settings) -> World:
    """A world that stays open until the process ends."""
    open_parts = ExitStack()
    atexit.register(open_parts.close)
    return _built(settings, os.environ, open_parts)


@contextmanager
def opened(settings: Settings) -> Iterator[World]:
    """A world for the length of a block."""
    with ExitStack() as open_parts:
        yield _built(settings, os.environ, open_parts)


def _built(settings: Settings, environment: Mapping[str, str], open_parts: ExitStack) -> World:
    from shared.cloud import (
        adapters,
        arm,
        chance,
        events,
        graph,
        groups,
        inventory,
        pace,
        snapshots,
        storage,
        watching,
        workers,
    )
    from shared.cloud.call import Calls
    from shared.cloud.clock import SystemClock

    clock = SystemClock()
    identity, storage_identity = (
        open_parts.enter_context(closing(_identity(settings, environment, client_id)))
        for client_id in ("", settings.storage.client_id)
    )
    account = open_parts.enter_context(closing(storage.Storage(settings.storage, storage_identity, Calls(clock))))
    paces = pace.HeardPace(clock, settings.throttle_share)
    watch = open_parts.enter_context(closing(watching.watch(settings.telling, identity, clock)))
    manager = open_parts.enter_context(closing(arm.Arm(settings.arm_endpoint, identity, clock, paces, watch.calls)))
    queries = graph.Graph(manager, clock, paces)
    seen_groups = groups.ReadGroups(manager, queries) if settings.inherit_group_tags else groups.UnreadGroups()
    recovery = snapshots.Recovery(settings.recovery_group, settings.storage.name)
    unwatched = World(
        clock=clock,
        chance=chance.SystemChance(),
        workers=open_parts.enter_context(closing(workers.ThreadWorkers())),
        events=open_parts.enter_context(closing(events.TopicEvents(settings.topic_endpoint, identity, Calls(clock)))),
        inventory=inventory.AzureInventory(manager, queries, clock, settings.tag_prefix, seen_groups),
        pace=paces,
        **adapters.in_azure(manager, queries, recovery, clock),
        **adapters.in_storage(account),
    )
    return watch.over(unwatched)


def _identity(settings: Settings, environment: Mapping[str, str], client_id: str) -> Identity:
    from shared.cloud.identity import Identity, Login

    managed = bool(environment.get("IDENTITY_ENDPOINT"))
    return Identity(Login(managed, client_id or environment.get("AZURE_CLIENT_ID", ""), settings.authority))
