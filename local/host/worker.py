"""Runs the functions of an app in this process the way the Azure language worker does.

Called by `execution`. Sync functions get a thread pool, async ones an event loop of their own, so that blocking code
never stalls the host's leases. Never talks to storage or HTTP.
"""

import asyncio
import contextvars
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import azure.functions as func
from azure.functions._abc import RetryContext, TraceContext
from azure.functions.meta import Datum

from local.host import converters, indexing
from local.host.indexing import LoadedFunction
from local.host.values import FunctionDefinition, Invocation, Outcome, Threads

invocation_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("invocation_id", default=None)
_local = threading.local()


class Worker(Protocol):
    """Whatever indexes an app and runs its functions.

    `functions` is empty only for an app without functions; a bad app raises LoadError when the worker is made.
    `invoke` never raises for what user code does: that is an Outcome. `recycle` abandons whatever still runs.
    """

    @property
    def functions(self) -> tuple[FunctionDefinition, ...]: ...

    async def invoke(self, invocation: Invocation) -> Outcome: ...

    def recycle(self) -> None: ...


class Cell(func.Out[Any]):
    """What a function sets its output on."""

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        self._value = val

    def get(self) -> Any:
        return self._value


class _Trace(TraceContext):
    trace_state = ""
    trace_parent = ""

    def __init__(self) -> None:
        self._attributes: dict[str, str] = {}

    @property
    def attributes(self) -> dict[str, str]:
        return self._attributes


class _Retry(RetryContext):
    exception = None  # type: ignore[assignment]

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation

    @property
    def retry_count(self) -> int:
        return self._invocation.retry_count

    @property
    def max_retry_count(self) -> int:
        return self._invocation.max_retry_count


class InvocationContext(func.Context):
    """What a function gets as `context`."""

    thread_local_storage = _local  # type: ignore[assignment]

    def __init__(self, function: LoadedFunction, invocation: Invocation) -> None:
        self._function = function
        self._invocation = invocation
        self._trace = _Trace()
        self._retry = _Retry(invocation)

    @property
    def invocation_id(self) -> str:
        return self._invocation.id

    @property
    def function_name(self) -> str:
        return self._function.definition.name

    @property
    def function_directory(self) -> str:
        return self._function.directory

    @property
    def trace_context(self) -> TraceContext:
        return self._trace

    @property
    def retry_context(self) -> RetryContext:
        return self._retry


def thread_count(setting: str | None) -> int | None:
    """PYTHON_THREADPOOL_THREAD_COUNT; anything that is not a positive number means the interpreter's default."""
    try:
        count = int(setting or "")
    except ValueError:
        return None
    return count if count >= 1 else None


class OwnWorker:
    """Indexes with `indexing.load`, converts with the public converters."""

    def __init__(self, app: Path, script: str, threads: Threads) -> None:
        self._threads = threads
        self._loaded = {function.definition.id: function for function in indexing.load(app, script)}
        self._pool = self._new_pool()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._run_loop, name="async-functions", daemon=True).start()

    @property
    def functions(self) -> tuple[FunctionDefinition, ...]:
        return tuple(function.definition for function in self._loaded.values())

    def recycle(self) -> None:
        abandoned, self._pool = self._pool, self._new_pool()
        abandoned.shutdown(wait=False, cancel_futures=False)

    async def invoke(self, invocation: Invocation) -> Outcome:
        function = self._loaded[invocation.function_id]
        future: Future[Outcome]
        if function.is_async:
            future = asyncio.run_coroutine_threadsafe(self._run_async(function, invocation), self._loop)
        else:
            future = self._pool.submit(self._run, function, invocation)
        return await asyncio.wrap_future(future)

    @staticmethod
    def _new_pool() -> ThreadPoolExecutor:
        return ThreadPoolExecutor(thread_count(os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT")))

    def _run_loop(self) -> None:
        self._threads.adopt_thread()
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _run(self, function: LoadedFunction, invocation: Invocation) -> Outcome:
        def body() -> Outcome:
            token = invocation_id.set(invocation.id)
            _local.invocation_id = invocation.id
            try:
                arguments = _arguments(function, invocation)
                return _outcome(function, arguments, function.call(**arguments))
            finally:
                invocation_id.reset(token)
                _local.invocation_id = None

        return _guarded(function, lambda: self._threads.on_this_thread(invocation.id, body))

    async def _run_async(self, function: LoadedFunction, invocation: Invocation) -> Outcome:
        invocation_id.set(invocation.id)
        try:
            arguments = _arguments(function, invocation)
            result = await function.call(**arguments)
            return _outcome(function, arguments, result)
        except Exception as error:
            return _failure(function, error)


def _guarded(function: LoadedFunction, body: Callable[[], Outcome]) -> Outcome:
    try:
        return body()
    except Exception as error:
        return _failure(function, error)
    except SystemExit as error:  # would end the language worker; here it ends the invocation only
        return _failure(function, RuntimeError(f"the function called sys.exit({error.code!r})"))
    finally:
        sys.stdout.flush()


def _failure(function: LoadedFunction, error: Exception) -> Outcome:
    logging.getLogger("host.worker").debug("%s failed", function.definition.name, exc_info=error)
    return Outcome(False, error=repr(error), traceback=traceback.format_exc())


def _arguments(function: LoadedFunction, invocation: Invocation) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name, datum in invocation.inputs:
        arguments[name] = converters.decode(function.inputs[name].binding_type, datum, invocation.metadata)
    if function.wants_context:
        arguments["context"] = InvocationContext(function, invocation)
    arguments.update((name, Cell()) for name in function.outputs)
    return arguments


def _outcome(function: LoadedFunction, arguments: dict[str, Any], result: Any) -> Outcome:
    if result is not None and function.returned is None:
        name = function.definition.name
        raise RuntimeError(f"function {name!r} without a $return binding returned a non-None value")
    outputs: list[tuple[str, Datum]] = []
    for name, slot in function.outputs.items():
        value = arguments[name].get()
        if value is not None and (datum := converters.encode(slot.binding_type, value, slot.annotation)) is not None:
            outputs.append((name, datum))
    returned = None
    if function.returned is not None:
        returned = converters.encode(function.returned.binding_type, result, function.returned.annotation)
    return Outcome(True, returned, tuple(outputs))
