"""Parameters written by hand, in JSON: what a schedule's universal target or a state machine's task is given.

Members may begin with a capital whatever the model says, blobs are text, times ISO 8601 text or epoch seconds. What the
model does not know is refused here, for nobody but its writer can have meant it.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from lambent.wire.exceptions import SerializationException
from lambent.wire.shapes import Shape

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
}


def read_plain(shape: Shape, value: Any) -> Any:
    """Raises SerializationException."""
    kind = shape.type_name
    read = _READERS.get(kind)
    if read is not None:
        return read(shape, value)
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        raise SerializationException(f"{_said(value)} is not of type {kind}")
    return value


def _structure(shape: Shape, value: Any) -> Any:
    if shape.is_document_type:
        return value
    _require(value, dict, "an object")
    names = {_capital(name): name for name in shape.members}
    members = {}
    for key, member in value.items():
        name = names.get(_capital(key))
        if name is None:
            raise SerializationException(f"{key} is not a member of {shape.name}")
        if member is not None:
            members[name] = read_plain(shape.members[name], member)
    return members


def _list(shape: Shape, value: Any) -> Any:
    _require(value, list, "a list")
    return [read_plain(shape.member, element) for element in value]


def _map(shape: Shape, value: Any) -> Any:
    _require(value, dict, "an object")
    return {key: read_plain(shape.value, member) for key, member in value.items()}


def _blob(shape: Shape, value: Any) -> Any:
    _require(value, str, "text")
    return value.encode()


def _timestamp(shape: Shape, value: Any) -> Any:
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return datetime.fromtimestamp(float(value), UTC)
    except (ValueError, TypeError, OverflowError):
        raise SerializationException(f"{_said(value)} is not a time") from None


_READERS: dict[str, Callable[[Shape, Any], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "blob": _blob,
    "timestamp": _timestamp,
}


def _require(value: Any, kind: type, says: str) -> None:
    if not isinstance(value, kind):
        raise SerializationException(f"{_said(value)} is not {says}")


def _said(value: Any) -> str:
    return str(value)[:64]


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
