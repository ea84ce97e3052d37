"""How an execution ends, and what becomes of the chained invocation that it was started for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lambent.model.durable_execution import history
from lambent.model.durable_execution.transition import Change, State, Transition
from lambent.model.durable_execution.values import DurableExecution, ErrorObject, Operation, error_object
from lambent.model.lambda_errors import ResourceConflictException

_EVENTS = {
    "SUCCEEDED": "ExecutionSucceeded",
    "FAILED": "ExecutionFailed",
    "TIMED_OUT": "ExecutionTimedOut",
    "STOPPED": "ExecutionStopped",
}
_CHAINED_EVENTS = {
    "SUCCEEDED": "ChainedInvokeSucceeded",
    "FAILED": "ChainedInvokeFailed",
    "TIMED_OUT": "ChainedInvokeTimedOut",
    "STOPPED": "ChainedInvokeStopped",
}


def close(
    transition: Transition, status: str, *, result: str | None = None, error: ErrorObject | None = None
) -> None:
    """An invocation that is still running goes on, and nobody listens to it."""
    execution = transition.execution
    root = transition.operation(execution.id)
    assert root is not None, "an execution without its EXECUTION operation"
    root = transition.put(replace(root, status=status, ended_at=transition.now, result=result, error=error))
    transition.event(_EVENTS[status], history.ending(root), root)
    transition.set(
        status=status,
        ended_at=transition.now,
        report_due=execution.parent is not None,
        announcements=(*execution.announcements, status),
        wake_at=None,
        pause=None,
    )


def time_out(transition: Transition) -> None:
    seconds = transition.execution.timeout_seconds
    close(transition, "TIMED_OUT", error=error_object(f"Execution timed out after {seconds} seconds."))


def stop(state: State, error: ErrorObject | None, now: float) -> tuple[Change | None, float]:
    """StopDurableExecution. One that has ended already stays as it is; the answer is when it ended."""
    execution = state.execution
    if execution.ended_at is not None:
        return None, execution.ended_at
    transition = Transition(state, now)
    close(transition, "STOPPED", error=error or {})
    return transition.change(), now


def delete(state: State, now: float) -> tuple[Change, float]:
    """DeleteDurableExecution: it is shown as DELETING until all of it is gone. Raises ResourceConflictException."""
    execution = state.execution
    if not execution.closed:
        raise ResourceConflictException(
            f"Durable Execution cannot be deleted while its status is {execution.status}"
        )
    return Change(execution=replace(execution, status="DELETING", report_due=False)), now


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedOutcome:
    status: str
    result: str | None = None
    error: ErrorObject | None = None


def chained_outcome(child: DurableExecution, root: Operation) -> ChainedOutcome:
    """What the end of a child means to the operation that started it."""
    if child.status == "TIMED_OUT":
        message = f"CHAINED_INVOKE timed out after {child.timeout_seconds} seconds."
        return ChainedOutcome(status="TIMED_OUT", error=error_object(message, "ChainedInvoke.Timeout"))
    return ChainedOutcome(status=child.status, result=root.result, error=root.error)


def complete_chained_invoke(
    state: State, operation_id: str, outcome: ChainedOutcome, now: float
) -> tuple[Change | None, None]:
    """Nothing where the execution or the operation has ended already."""
    operation = state.operation(operation_id)
    if state.execution.closed or operation is None or not operation.pending:
        return None, None
    transition = Transition(state, now)
    end_chained_invoke(transition, operation, outcome)
    transition.set(wake_at=now)
    return transition.change(), None


def end_chained_invoke(transition: Transition, operation: Operation, outcome: ChainedOutcome) -> None:
    operation = transition.put(
        replace(
            operation,
            status=outcome.status,
            ended_at=transition.now,
            result=outcome.result,
            error=outcome.error,
            dispatch_at=None,
        )
    )
    transition.event(_CHAINED_EVENTS[outcome.status], history.ending(operation), operation)


def announced(state: State, statuses: Sequence[str]) -> tuple[Change, None]:
    """These, the first of them, have been."""
    left = state.execution.announcements[len(statuses) :]
    return Change(execution=replace(state.execution, announcements=left, announce_at=0.0)), None


def parent_told(state: State) -> tuple[Change, None]:
    return Change(execution=replace(state.execution, report_due=False)), None
