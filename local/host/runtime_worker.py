"""Runs an app's functions with Microsoft's `azure-functions-runtime`, in this process: `--worker runtime`.

Made by `host`, and by the differential test. The library's entry that needs no protocol buffers is used; what it takes
from the generated messages is stood in for by plain namespaces.
"""

import asyncio
import importlib
import sys
import threading
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from local.host.values import (
    Binding,
    FunctionDefinition,
    HostError,
    Invocation,
    LoadError,
    Outcome,
    RetryPolicy,
    Threads,
)


class BindingInfo(SimpleNamespace):
    """Stands for the generated message of this name and its enumerations."""

    undefined = 0
    out = 1
    inout = 2


PROTOS = SimpleNamespace(
    BindingInfo=BindingInfo,
    RpcFunctionMetadata=SimpleNamespace,
    RpcRetryOptions=SimpleNamespace,
)


def find_library(root: Path) -> None:
    """Make the library importable from the virtual environment it is installed in, behind everything else."""
    try:
        importlib.import_module("azure_functions_runtime")
    except ImportError:
        places = sorted((root / ".venv-runtime" / "lib").glob("python3.*/site-packages"))
        if not places:
            raise HostError("--worker runtime needs azure-functions-runtime; run: make install", 2) from None
        sys.path.append(str(places[-1]))


def _library(module: str) -> Any:
    return importlib.import_module(f"azure_functions_runtime.{module}")


def _retry(options: Any) -> RetryPolicy | None:
    if options is None:
        return None
    fixed: timedelta | None = getattr(options, "delay_interval", None)
    if fixed is not None:
        return RetryPolicy(options.max_retry_count, fixed, fixed)
    return RetryPolicy(options.max_retry_count, options.minimum_interval, options.maximum_interval)


class RuntimeWorker:
    """Microsoft's loader, registry and invocation; only the event loop they run on is ours."""

    def __init__(self, app: Path, threads: Threads) -> None:
        handle_event, native_invocation = _library("handle_event"), _library("native_invocation")
        meta, threadpool = _library("bindings.meta"), _library("utils.threadpool")

        self._threads = threads
        self._invoke = native_invocation.invocation_request_native
        self._threadpool = threadpool
        handle_event.protos = PROTOS
        handle_event._functions._functions.clear()
        handle_event._metadata_result = None
        sys.path.insert(0, str(app))
        meta.load_binding_registry()
        threadpool.start_threadpool_executor()
        try:
            handle_event.load_function_metadata(str(app), caller_info="host")
        except Exception as error:
            raise LoadError(f"cannot load the app: {type(error).__name__}: {error}") from error
        self.functions = tuple(_definition(found) for found in handle_event._metadata_result or ())
        self._follow(handle_event._functions._functions)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._run_loop, name="runtime", daemon=True).start()

    def recycle(self) -> None:
        self._threadpool.start_threadpool_executor()

    async def invoke(self, invocation: Invocation) -> Outcome:
        arguments = (invocation.id, invocation.function_id, list(invocation.inputs), dict(invocation.metadata))
        retries = {"retry_count": invocation.retry_count, "max_retry_count": invocation.max_retry_count}
        future: Future[Any] = asyncio.run_coroutine_threadsafe(self._invoke(*arguments, **retries), self._loop)
        ok, returned, outputs, error, trace = await asyncio.wrap_future(future)
        return Outcome(ok, returned, tuple(outputs), error or "", trace or "")

    def _run_loop(self) -> None:
        self._threads.adopt_thread()
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _follow(self, registry: dict[str, Any]) -> None:
        """Let `activity` know on which thread a sync function runs; its worker does not tell."""
        invocation_id_cv = _library("utils.executor").invocation_id_cv

        def followed(call: Any) -> Any:
            def run(**arguments: Any) -> Any:
                return self._threads.on_this_thread(invocation_id_cv.get(), lambda: call(**arguments))

            return run

        for key, info in registry.items():
            if not info.is_async:
                registry[key] = info._replace(func=followed(info.func))


def _definition(found: Any) -> FunctionDefinition:
    bindings = tuple(Binding.parse(raw) for raw in found.raw_bindings)
    return FunctionDefinition(found.name, found.function_id, bindings, _retry(found.retry_options))
