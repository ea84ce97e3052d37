"""Operations as the Operation shape has them, and the envelope that a durable function is invoked with."""

from collections.abc import Callable
from typing import Any

import msgspec

from lambent.model.durable_execution.invocation import Launch
from lambent.model.durable_execution.transition import State
from lambent.model.durable_execution.values import Operation

PAGE_BYTES = 5 * 1024 * 1024
PAGE_ITEMS = 1000

Time = Callable[[float], float]


def describe_operation(operation: Operation, time: Time = float) -> dict[str, Any]:
    """`time` turns epoch seconds into what is to be shown."""
    members: dict[str, Any] = {
        "Id": operation.id,
        "ParentId": operation.parent_id,
        "Name": operation.name,
        "Type": operation.type,
        "SubType": operation.sub_type,
        "StartTimestamp": time(operation.started_at),
        "EndTimestamp": _time(operation.ended_at, time),
        "Status": operation.status,
    }
    member, details = _DETAILS[operation.type]
    members[member] = _given(details(operation, time))
    return _given(members)


def envelope(state: State, launch: Launch) -> bytes | None:
    """The event of an invocation; None where it need not be made any more. Times are milliseconds; NextMarker is empty
    where there is no more."""
    running = state.execution.invocation
    if state.execution.closed or running is None or running.id != launch.invocation_id:
        return None
    operations, more = state.page(-1, items=PAGE_ITEMS, size=PAGE_BYTES)
    return msgspec.json.encode(
        {
            "DurableExecutionArn": launch.execution.arn,
            "CheckpointToken": launch.token,
            "InitialExecutionState": {
                "Operations": [describe_operation(operation, _milliseconds) for operation in operations],
                "NextMarker": state_marker(operations[-1].sequence) if more else "",
            },
            "UpdatedOperationIds": list(launch.updated),
        }
    )


def state_marker(sequence: int) -> str:
    """Of GetDurableExecutionState: the page after the operation of this sequence."""
    return str(sequence)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _time(seconds: float | None, time: Time) -> float | None:
    return None if seconds is None else time(seconds)


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _execution(operation: Operation, time: Time) -> dict[str, Any]:
    return {"InputPayload": operation.input}


def _context(operation: Operation, time: Time) -> dict[str, Any]:
    return {
        "ReplayChildren": operation.replay_children,
        "Result": operation.result,
        "Error": operation.error,
    }


def _step(operation: Operation, time: Time) -> dict[str, Any]:
    return {
        "Attempt": operation.attempt,
        "NextAttemptTimestamp": _time(operation.next_attempt_at, time),
        "Result": operation.result,
        "Error": operation.error,
    }


def _wait(operation: Operation, time: Time) -> dict[str, Any]:
    return {"ScheduledEndTimestamp": _time(operation.scheduled_end_at, time)}


def _callback(operation: Operation, time: Time) -> dict[str, Any]:
    return {"CallbackId": operation.callback_id, "Result": operation.result, "Error": operation.error}


def _chained_invoke(operation: Operation, time: Time) -> dict[str, Any]:
    return {"Result": operation.result, "Error": operation.error}


_DETAILS: dict[str, tuple[str, Callable[[Operation, Time], dict[str, Any]]]] = {
    "EXECUTION": ("ExecutionDetails", _execution),
    "CONTEXT": ("ContextDetails", _context),
    "STEP": ("StepDetails", _step),
    "WAIT": ("WaitDetails", _wait),
    "CALLBACK": ("CallbackDetails", _callback),
    "CHAINED_INVOKE": ("ChainedInvokeDetails", _chained_invoke),
}
