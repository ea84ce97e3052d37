"""PauseDurableExecution and ResumeDurableExecution.

Source: https://docs.aws.amazon.com/lambda/latest/dg/durable-pause-resume.html"""

from dataclasses import replace

from lambent.model.durable_execution import history
from lambent.model.durable_execution.transition import Change, State, Transition
from lambent.model.durable_execution.values import Pause, Resumption
from lambent.model.lambda_errors import ResourceConflictException

_REPEATED_SECONDS = 900.0


def pause(
    state: State, *, reason: str | None, pauses_timeout: bool, client_token: str | None, now: float
) -> tuple[Change | None, None]:
    """Raises ResourceConflictException."""
    execution = state.execution
    if execution.pause is not None and not execution.closed:
        if _repeated(client_token, execution.pause.client_token, execution.pause.requested_at, now):
            return None, None
        raise ResourceConflictException(f"Durable Execution is already {_status(execution.pause)}")
    if execution.closed:
        raise ResourceConflictException("Durable Execution is not running")
    transition = Transition(state, now)
    transition.set(
        status="PAUSING",
        pause=Pause(
            requested_at=now, reason=reason, pauses_timeout=pauses_timeout, client_token=client_token
        ),
    )
    if execution.invocation is None:
        take_effect(transition)
    return transition.change(), None


def take_effect(transition: Transition) -> None:
    """From PAUSING to PAUSED: nothing of the function runs any more."""
    execution = transition.execution
    asked = execution.pause
    assert asked is not None
    left = execution.deadline_at - transition.now
    transition.set(
        status="PAUSED",
        pause=replace(asked, paused_at=transition.now, timeout_left=left),
        deadline_at=execution.last_deadline if asked.pauses_timeout else execution.deadline_at,
    )
    details = {
        "PauseRequestTimestamp": asked.requested_at,
        "ExecutionTimeoutPaused": asked.pauses_timeout,
    }
    reason = {} if asked.reason is None else {"Reason": history.payload(asked.reason)}
    transition.event("ExecutionPaused", details | reason)


def resume(
    state: State, *, reason: str | None, client_token: str | None, now: float
) -> tuple[Change | None, None]:
    """Raises ResourceConflictException."""
    execution = state.execution
    asked = execution.pause
    if asked is None or execution.closed:
        last = execution.last_resumption
        if last is not None and _repeated(client_token, last.client_token, last.at, now):
            return None, None
        raise ResourceConflictException("Durable Execution is not paused")
    transition = Transition(state, now)
    transition.set(
        status="RUNNING", pause=None, last_resumption=Resumption(client_token=client_token, at=now)
    )
    if asked.paused_at is not None:
        if asked.pauses_timeout:
            transition.set(deadline_at=min(now + asked.timeout_left, execution.last_deadline))
        details = {"ResumeRequestTimestamp": now}
        shown = {} if reason is None else {"Reason": history.payload(reason)}
        transition.event("ExecutionResumed", details | shown)
    return transition.change(), None


def _status(asked: Pause) -> str:
    return "PAUSING" if asked.paused_at is None else "PAUSED"


def _repeated(token: str | None, before: str | None, at: float, now: float) -> bool:
    return token is not None and token == before and now - at < _REPEATED_SECONDS
