"""Finds an app's functions and refuses what the Azure language worker refuses: one bad function, no function at all.

Called by `worker.OwnWorker`; held to Microsoft's own loader by `tests/host`. Never runs a function.
"""

import importlib
import inspect
import operator
import re
import sys
import time
import typing
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from azure.functions import FunctionRegister
from azure.functions.decorators.function_app import Function

from local.host import converters
from local.host.values import OUT, Binding, FunctionDefinition, LoadError, RetryPolicy

RETURN = "$return"
SCRIPT_NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_\-]*\.py")
# typing offers no public test for "a subscripted class of typing"; Azure's worker uses these two names as well.
ALIASES: Any = (typing._GenericAlias, typing._SpecialGenericAlias)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value goes in or out: the binding type that converts it and the annotation it has."""

    binding_type: str
    annotation: Any


@dataclass(frozen=True, slots=True)
class LoadedFunction:
    definition: FunctionDefinition
    call: Callable[..., Any]
    directory: str
    wants_context: bool
    is_async: bool
    inputs: Mapping[str, Slot]
    outputs: Mapping[str, Slot]
    returned: Slot | None


def _refuse(function: str, why: str) -> LoadError:
    return LoadError(f"cannot load the {function} function: {why}")


def load(app: Path, script: str) -> tuple[LoadedFunction, ...]:
    """Import the app and judge every function of it."""
    if not SCRIPT_NAME.fullmatch(script):
        raise LoadError(f"Invalid file name: {script}")
    if not (app / script).is_file():
        raise LoadError(f"no {script} in {app}")
    sys.path.insert(0, str(app))
    try:
        module = importlib.import_module(Path(script).stem)
        return tuple(_judge(function) for function in _registered(module, script))
    except LoadError:
        raise
    except Exception as error:
        raise LoadError(f"cannot load {script}: {type(error).__name__}: {error}") from error


def _registered(module: Any, script: str) -> list[Function]:
    apps = [
        value
        for value in (getattr(module, name, None) for name in module.__dir__())
        if isinstance(value, FunctionRegister)
    ]
    if len(apps) > 1:
        raise LoadError(
            f"More than one {type(apps[0]).__name__} or other top level function app is defined in {script}."
        )
    if not apps:
        raise LoadError(f"Could not find a top level function app instance in {script}.")
    functions: list[Function] = apps[0].get_functions()
    return functions


def _judge(function: Function) -> LoadedFunction:
    name = str(function.get_function_name())
    call = function.get_user_function()
    parameters = list(inspect.signature(call).parameters)
    annotations = typing.get_type_hints(call)
    bindings = tuple(Binding.parse(raw) for raw in function.get_raw_bindings())
    returning = [binding for binding in bindings if binding.name == RETURN]
    for binding in bindings:
        _check_direction(name, binding)
    implicit = [b for b in bindings if b.name != RETURN and converters.has_implicit_output(b.type)]
    bound = {binding.name: binding for binding in bindings if binding.name != RETURN}
    wants_context = _wants_context(name, parameters, bound, annotations)
    _check_names(name, [p for p in parameters if p != "context" or not wants_context], bound)
    slots = {parameter: _slot(name, bound[parameter], annotations) for parameter in bound}
    return LoadedFunction(
        definition=FunctionDefinition(name, str(uuid.uuid5(uuid.NAMESPACE_OID, name)), bindings, _retry(function)),
        call=call,
        directory=str(Path(inspect.getfile(call)).parent),
        wants_context=wants_context,
        is_async=inspect.iscoroutinefunction(call),
        inputs={parameter: slot for parameter, slot in slots.items() if bound[parameter].direction != OUT},
        outputs={parameter: slot for parameter, slot in slots.items() if bound[parameter].direction == OUT},
        returned=_returned(name, returning, implicit, annotations),
    )


def _check_direction(function: str, binding: Binding) -> None:
    if binding.direction not in (0, OUT):
        raise _refuse(function, '"inout" bindings are not supported')
    if binding.name == RETURN and binding.direction != OUT:
        raise _refuse(function, '"$return" binding must have direction "out"')


def _wants_context(
    function: str, parameters: list[str], bound: Mapping[str, Binding], annotations: Mapping[str, Any]
) -> bool:
    if "context" not in parameters or "context" in bound:
        return False
    annotation = annotations.get("context")
    if "context" in annotations and (not isinstance(annotation, type) or annotation.__name__ != "Context"):
        raise _refuse(function, f'"context" must be azure.functions.Context, not {annotation!r}')
    return True


def _check_names(function: str, parameters: list[str], bound: Mapping[str, Binding]) -> None:
    if unbound := sorted(set(parameters) - set(bound)):
        raise _refuse(function, f"parameters without a binding: {', '.join(unbound)}")
    if absent := sorted(set(bound) - set(parameters)):
        raise _refuse(function, f"bindings without a parameter: {', '.join(absent)}")


def _is_generic(annotation: Any) -> bool:
    if isinstance(annotation, type):
        return issubclass(annotation, typing.Generic)
    if not isinstance(annotation, ALIASES):
        return False
    origin = annotation.__origin__
    return origin not in (typing.Union, tuple, typing.ClassVar) and origin is not typing.get_origin(Callable[[], Any])


def _is_out(annotation: Any) -> bool:
    origin = annotation
    if isinstance(annotation, ALIASES) and _is_generic(annotation):
        origin = annotation.__origin__
    return isinstance(origin, type) and origin.__name__ == "Out"


def _slot(function: str, binding: Binding, annotations: Mapping[str, Any]) -> Slot:
    annotation = annotations.get(binding.name)
    if binding.name not in annotations:
        return Slot(binding.type, None)
    carried = _carried(function, binding, annotation) if _is_out(annotation) else annotation
    if not isinstance(carried, type) and not _is_generic(carried):
        raise _refuse(function, f"{binding.name} has the invalid non-type annotation {annotation!r}")
    if binding.direction == OUT and not _is_out(annotation):
        raise _refuse(function, f'{binding.name} is an "out" binding but not annotated azure.functions.Out')
    if binding.direction != OUT and _is_out(annotation):
        raise _refuse(function, f'{binding.name} is an "in" binding but annotated azure.functions.Out')
    kind = binding.type
    if carried in (str, bytes) and not converters.has_implicit_output(binding.type):
        kind = converters.GENERIC
    accepts = converters.accepts_output if binding.direction == OUT else converters.accepts_input
    if not accepts(kind, carried):
        raise _refuse(function, f'{binding.name}: "{binding.type}" does not take the annotation {carried!r}')
    return Slot(kind, carried)


def _carried(function: str, binding: Binding, annotation: Any) -> Any:
    arguments: tuple[Any, ...] = getattr(annotation, "__args__", ())
    if len(arguments) != 1:
        raise _refuse(function, f"{binding.name} has the invalid Out annotation {annotation!r}")
    carried = arguments[0]
    if isinstance(carried, tuple) and _is_generic(carried[0]):
        return operator.getitem(carried[0], *carried[1:])
    return carried


def _returned(
    function: str, explicit: list[Binding], implicit: list[Binding], annotations: Mapping[str, Any]
) -> Slot | None:
    if not explicit and not implicit:
        return None
    kind = explicit[0].type if explicit else implicit[-1].type
    annotation = annotations.get("return")
    if not explicit or "return" not in annotations:
        return Slot(kind, annotation)
    if not isinstance(annotation, type) or _is_out(annotation):
        raise _refuse(function, f"invalid return annotation {annotation!r}")
    if not converters.accepts_output(kind, annotation):
        raise _refuse(function, f'"{kind}" does not take the return annotation {annotation!r}')
    return Slot(kind, annotation)


def _seconds(text: str) -> timedelta:
    parsed = time.strptime(text, "%H:%M:%S")
    return timedelta(hours=parsed.tm_hour, minutes=parsed.tm_min, seconds=parsed.tm_sec)


def _retry(function: Function) -> RetryPolicy | None:
    settings = function.get_settings_dict("retry_policy")
    if not settings:
        return None
    count = int(settings["max_retry_count"])
    if settings.get("strategy") == "fixed_delay":
        delay = _seconds(settings["delay_interval"])
        return RetryPolicy(count, delay, delay)
    low, high = settings.get("minimum_interval"), settings.get("maximum_interval")
    return RetryPolicy(
        count, _seconds(low) if low else timedelta(0), _seconds(high) if high else timedelta(seconds=2**31 - 1)
    )
