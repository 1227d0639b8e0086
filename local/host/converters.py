"""Which converter decodes and encodes a binding: the public registry of azure-functions, or the raw one.

Used by `indexing` to judge annotations and by `worker` to convert values. Never builds a trigger object by hand.
"""

import typing
from collections.abc import Mapping
from typing import Any

import azure.functions
from azure.functions.meta import Datum

GENERIC = "generic"


class Raw:
    """Bindings without a converter of their own, and parameters annotated `str` or `bytes`: the payload as it is."""

    ENCODED: typing.ClassVar[dict[type, str]] = {
        str: "string",
        bytes: "bytes",
        bytearray: "bytes",
        dict: "dict",
        list: "list",
        bool: "int",
        int: "int",
        float: "double",
    }

    @classmethod
    def encode(cls, value: Any) -> Datum:
        if value is None:
            return Datum(None, None)
        for kind, name in cls.ENCODED.items():
            if isinstance(value, kind):
                return Datum(bytes(typing.cast(bytes, value)) if name == "bytes" else value, name)
        raise NotImplementedError

    @staticmethod
    def decode(datum: Datum | None) -> Any:
        if datum is None or datum.type is None:
            return None
        if datum.type not in ("string", "bytes", "json"):
            raise ValueError(f"unexpected type of data for a generic binding: {datum.type}")
        return datum.value


def _converter(binding_type: str) -> Any:
    return azure.functions.get_binding_registry().get(binding_type)  # type: ignore[no-untyped-call]


def has_implicit_output(binding_type: str) -> bool:
    """Does a binding of this type make the function's result a value of its own, without a `$return` binding?"""
    converter = _converter(binding_type)
    if converter is None:
        return binding_type != "durableClient"
    implicit = getattr(converter, "has_implicit_output", None)
    return bool(implicit()) if implicit else False


def takes_metadata(binding_type: str) -> bool:
    converter = _converter(binding_type)
    return converter is not None and bool(converter.has_trigger_support())


def accepts_input(binding_type: str, annotation: Any) -> bool:
    converter = _converter(binding_type)
    if converter is None:
        return issubclass(annotation, (str, bytes))
    return bool(converter.check_input_type_annotation(annotation))


def accepts_output(binding_type: str, annotation: Any) -> bool:
    converter = _converter(binding_type)
    if converter is None:
        return issubclass(annotation, (str, bytes, bytearray))
    return bool(converter.check_output_type_annotation(annotation))


def decode(binding_type: str, datum: Datum, metadata: Mapping[str, Datum]) -> Any:
    converter = _converter(binding_type)
    if converter is None:
        return Raw.decode(datum)
    given = metadata if takes_metadata(binding_type) else {}
    return converter.decode(datum, trigger_metadata=given)


def encode(binding_type: str, value: Any, annotation: Any) -> Datum | None:
    """The value as it travels to the host; a value the binding cannot carry fails the invocation."""
    converter = _converter(binding_type)
    try:
        if converter is None:
            return Raw.encode(value)
        encoded: Datum | None = converter.encode(value, expected_type=annotation)
    except NotImplementedError:
        raise TypeError(
            f'unable to encode outgoing TypedData: unsupported type "{binding_type}" '
            f'for Python type "{type(value).__name__}"'
        ) from None
    return encoded
