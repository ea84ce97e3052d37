"""One run of the function within an execution: what it is told, and what its answer means.

Source: the envelope that AWS's own SDKs for durable executions read, and the answer that they write."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from lambent.model.durable_execution import history
from lambent.model.durable_execution.closing import close
from lambent.model.durable_execution.operation_update import check_output
from lambent.model.durable_execution.pausing import take_effect
from lambent.model.durable_execution.tokens import CheckpointToken
from lambent.model.durable_execution.transition import Change, State, Transition
from lambent.model.durable_execution.values import (
    DurableExecution,
    ErrorObject,
    RunningInvocation,
    error_object,
)
from lambent.model.lambda_errors import InvalidParameterValueException

FAILURES_MOST = 5
_INVALID_PENDING_MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """An invocation that has to be made. `updated`: operations that changed since the function last heard of them."""

    execution: DurableExecution
    invocation_id: str
    token: str
    updated: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationFailure:
    """`failed`: the function, which is tried again a few times; `throttled`: there was no room, which costs nothing;
    `gone`: there is no such function any more."""

    kind: Literal["failed", "throttled", "gone"]
    error: ErrorObject


def begin_invocation(transition: Transition, invocation_id: str) -> Launch | None:
    """Where it is time, and nothing runs or is paused."""
    execution = transition.execution
    wake_at = execution.wake_at
    if (
        wake_at is None
        or wake_at > transition.now
        or execution.invocation is not None
        or execution.pause is not None
    ):
        return None
    updated = [operation.id for operation in transition.unseen(execution.seen)]
    transition.set(
        invocation=RunningInvocation(id=invocation_id, started_at=transition.now),
        wake_at=None,
        seen=execution.changes,
    )
    return Launch(
        execution=transition.execution,
        invocation_id=invocation_id,
        token=str(CheckpointToken(execution.id, invocation_id, execution.token)),
        updated=updated,
    )


def finish_invocation(
    state: State,
    invocation_id: str,
    outcome: bytes | InvocationFailure,
    now: float,
    *,
    backoff_seconds: float,
) -> tuple[Change | None, None]:
    """`outcome` is what the function returned. Nothing happens where this invocation is not the current one."""
    running = state.execution.invocation
    if running is None or running.id != invocation_id:
        return None, None
    transition = Transition(state, now)
    transition.set(invocation=None)
    if isinstance(outcome, InvocationFailure):
        _failed(transition, running, outcome, backoff_seconds)
    else:
        _answered(transition, running, outcome, backoff_seconds)
    execution = transition.execution
    if execution.pause is not None and execution.pause.paused_at is None:
        take_effect(transition)
    return transition.change(), None


def _failed(
    transition: Transition, running: RunningInvocation, failure: InvocationFailure, backoff_seconds: float
) -> None:
    execution = transition.execution
    if failure.kind == "throttled":
        if not execution.closed:
            transition.set(wake_at=transition.now + backoff_seconds)
        return
    _completed(transition, running, failure.error)
    if execution.closed:
        return
    failures = execution.failures + 1
    if failure.kind == "gone" or failures >= FAILURES_MOST:
        close(transition, "FAILED", error=failure.error)
    else:
        transition.set(failures=failures, wake_at=transition.now + backoff_seconds * 2 ** (failures - 1))


def _answered(
    transition: Transition, running: RunningInvocation, answer: bytes, backoff_seconds: float
) -> None:
    execution = transition.execution
    try:
        output = _output(answer)
        if not execution.closed:
            _check_output(output, execution)
    except InvalidParameterValueException as refusal:
        error = error_object(refusal.message, "InvalidParameterValueException")
        _completed(transition, running, error)
        if not execution.closed:
            _invalid(transition, answer, error, backoff_seconds)
        return
    status = output["Status"]
    _completed(transition, running, output.get("Error") if status == "FAILED" else None)
    if execution.closed:
        return
    if status == "PENDING":
        unseen = execution.changes > execution.seen
        withheld = execution.pause is not None and execution.wake_at is not None
        transition.set(failures=0, invalid_answers=0, wake_at=transition.now if unseen or withheld else None)
    elif status == "SUCCEEDED":
        close(transition, status, result=output.get("Result"))
    else:
        close(transition, status, error=output.get("Error") or {})


def _completed(transition: Transition, running: RunningInvocation, error: ErrorObject | None) -> None:
    details: dict[str, Any] = {
        "StartTimestamp": running.started_at,
        "EndTimestamp": transition.now,
        "RequestId": running.id,
    }
    if error is not None:
        details["Error"] = history.payload(error)
    transition.event("InvocationCompleted", details)


def _output(answer: bytes) -> dict[str, Any]:
    """Raises InvalidParameterValueException."""
    try:
        output: Any = msgspec.json.decode(answer)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidParameterValueException(f"Invalid invocation output: {error}") from error
    if not isinstance(output, dict) or output.get("Status") not in ("SUCCEEDED", "FAILED", "PENDING"):
        raise InvalidParameterValueException("Invalid Status in invocation output.")
    if not isinstance(output.get("Error") or {}, dict) or not isinstance(output.get("Result") or "", str):
        raise InvalidParameterValueException("Invalid invocation output.")
    return output


def _check_output(output: dict[str, Any], execution: DurableExecution) -> None:
    """Raises InvalidParameterValueException."""
    status, result = output["Status"], output.get("Result")
    if status == "SUCCEEDED" and output.get("Error") is not None:
        raise InvalidParameterValueException("Cannot provide an Error for SUCCEEDED status.")
    if status == "FAILED" and result is not None:
        raise InvalidParameterValueException("Cannot provide a Result for FAILED status.")
    if status == "SUCCEEDED" and result:
        check_output(result, execution)
    waits = execution.pending > 0 or execution.changes > execution.seen or execution.pause is not None
    if status == "PENDING" and not waits:
        raise InvalidParameterValueException("Cannot return PENDING status with no pending operations.")


def _invalid(transition: Transition, answer: bytes, error: ErrorObject, backoff_seconds: float) -> None:
    """Fatal, except for PENDING with nothing pending: an SDK may race with the end of what it waits for."""
    invalid = transition.execution.invalid_answers + 1
    if b'"PENDING"' in answer and invalid < _INVALID_PENDING_MOST:
        transition.set(invalid_answers=invalid, wake_at=transition.now + backoff_seconds)
    else:
        close(transition, "FAILED", error=error)
