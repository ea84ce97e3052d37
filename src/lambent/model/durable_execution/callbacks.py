"""SendDurableExecutionCallbackSuccess, Failure and Heartbeat: what is outside tells the execution."""

from dataclasses import replace

from lambent.model.durable_execution import history
from lambent.model.durable_execution.transition import Change, State, Transition
from lambent.model.durable_execution.values import ErrorObject, Operation
from lambent.model.lambda_errors import CallbackTimeoutException

CLOSED_MESSAGE = "The callback is either timed out or already completed"


def complete_callback(
    state: State, operation_id: str, callback_id: str, result: str | None, now: float
) -> tuple[Change, None]:
    """Raises CallbackTimeoutException."""
    operation = _open(state, operation_id, callback_id, now)
    ended = replace(operation, status="SUCCEEDED", ended_at=now, result=result)
    return _end(state, ended, "CallbackSucceeded", now), None


def fail_callback(
    state: State, operation_id: str, callback_id: str, error: ErrorObject, now: float
) -> tuple[Change, None]:
    """Raises CallbackTimeoutException."""
    operation = _open(state, operation_id, callback_id, now)
    ended = replace(operation, status="FAILED", ended_at=now, error=error)
    return _end(state, ended, "CallbackFailed", now), None


def heartbeat_callback(
    state: State, operation_id: str, callback_id: str, now: float
) -> tuple[Change | None, None]:
    """Raises CallbackTimeoutException."""
    operation = _open(state, operation_id, callback_id, now)
    if operation.heartbeat_seconds is None:
        return None, None
    # Not a change that the function has to know of: it is stored without being counted.
    return Change(
        execution=state.execution,
        operations=(replace(operation, heartbeat_due_at=now + operation.heartbeat_seconds),),
    ), None


def _open(state: State, operation_id: str, callback_id: str, now: float) -> Operation:
    operation = state.operation(operation_id)
    if operation is None or operation.type != "CALLBACK" or operation.callback_id != callback_id:
        raise CallbackTimeoutException(CLOSED_MESSAGE)
    past = operation.due_at is not None and operation.due_at <= now
    if state.execution.closed or not operation.pending or past:
        raise CallbackTimeoutException(CLOSED_MESSAGE)
    return operation


def _end(state: State, operation: Operation, event: str, now: float) -> Change:
    transition = Transition(state, now)
    operation = transition.put(operation)
    transition.event(event, history.ending(operation), operation)
    transition.set(wake_at=now, written=transition.execution.written + len((operation.result or "").encode()))
    return transition.change()
