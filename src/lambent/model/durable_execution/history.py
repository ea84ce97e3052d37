"""Parts of history events: payloads as EventInput, EventResult and EventError have them."""

from collections.abc import Mapping
from typing import Any

from lambent.model.durable_execution.values import ErrorObject, Operation

_DATA = ("Input", "Result", "Error", "Reason")


def payload(value: str | ErrorObject | None) -> dict[str, Any]:
    shown: dict[str, Any] = {} if value is None else {"Payload": value}
    return {**shown, "Truncated": False}


def without_data(members: Mapping[str, Any]) -> dict[str, Any]:
    """The event as it is shown where IncludeExecutionData is false."""
    return {
        name: _without_payloads(value) if name.endswith("Details") else value
        for name, value in members.items()
    }


def _without_payloads(details: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"Truncated": True} if name in _DATA else value for name, value in details.items()}


def ending(operation: Operation) -> dict[str, Any]:
    """Result or Error of an operation that has ended."""
    if operation.status == "SUCCEEDED":
        return {"Result": payload(operation.result)}
    return {"Error": payload(operation.error)}
