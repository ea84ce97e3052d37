"""CheckpointDurableExecution: the function reports what its operations did, and learns what happened meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass

from lambent.model.durable_execution.apply_update import ChainedTarget, Surroundings, apply_update
from lambent.model.durable_execution.operation_update import Batch, OperationUpdate, check_update, refuse
from lambent.model.durable_execution.pausing import take_effect
from lambent.model.durable_execution.timers import fire
from lambent.model.durable_execution.tokens import CheckpointToken
from lambent.model.durable_execution.transition import Change, State, Transition
from lambent.model.durable_execution.values import DurableExecution, LastCheckpoint, Operation

__all__ = [
    "ChainedTarget",
    "CheckpointAnswer",
    "CheckpointRequest",
    "Surroundings",
    "checkpoint",
    "require_token",
]

INVALID_TOKEN = "Invalid checkpoint token"  # noqa: S105 - a message
_REPEATED_SECONDS = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRequest:
    token: str
    client_token: str | None
    updates: Sequence[OperationUpdate]
    around: Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointAnswer:
    """`token` is for the next checkpoint; None where there must be none: the execution has ended, or pauses."""

    token: str | None
    operations: Sequence[Operation]


def checkpoint(
    state: State, request: CheckpointRequest, now: float
) -> tuple[Change | None, CheckpointAnswer]:
    """All of the updates, or none. Raises InvalidParameterValueException."""
    token = _parsed(request.token, state.execution)
    last = state.execution.last_checkpoint
    if last is not None and _repeated(request, token, last, now):
        return None, _answer_again(state, last)
    _require_current(token, state.execution)
    transition = Transition(state, now)
    seen = transition.execution.seen
    Batch(request.updates).check(transition)
    for update in request.updates:
        check_update(update, transition.operation(update.id), transition.execution)
        apply_update(transition, update, request.around)
    if transition.execution.closed:
        return transition.change(), CheckpointAnswer(token=None, operations=transition.unseen(seen))
    fire(transition)
    execution = transition.execution
    transition.set(token=execution.token + 1)
    if execution.pause is not None:
        # What it was told is kept; it gets no further, and is run again after the pause.
        transition.set(wake_at=now)
        if execution.pause.paused_at is None:
            take_effect(transition)
        return transition.change(), CheckpointAnswer(token=None, operations=())
    transition.set(seen=execution.changes, last_checkpoint=_remembered(request, token, seen, now))
    return transition.change(), CheckpointAnswer(
        token=_next(token, execution), operations=transition.unseen(seen)
    )


def require_token(execution: DurableExecution, text: str) -> None:
    """GetDurableExecutionState's. Raises InvalidParameterValueException."""
    _require_current(_parsed(text, execution), execution)


def _parsed(text: str, execution: DurableExecution) -> CheckpointToken:
    token = CheckpointToken.parse(text)
    if token is None:
        raise refuse(INVALID_TOKEN)
    if token.execution_id != execution.id:
        raise refuse("Checkpoint token is not valid for the durable execution ARN")
    return token


def _require_current(token: CheckpointToken, execution: DurableExecution) -> None:
    running = execution.invocation
    current = running is not None and (running.id, execution.token) == (token.invocation_id, token.sequence)
    if execution.closed or not current:
        raise refuse(INVALID_TOKEN)


def _next(token: CheckpointToken, execution: DurableExecution) -> str:
    return str(CheckpointToken(token.execution_id, token.invocation_id, execution.token + 1))


def _remembered(
    request: CheckpointRequest, token: CheckpointToken, seen: int, now: float
) -> LastCheckpoint | None:
    if request.client_token is None:
        return None
    return LastCheckpoint(
        client_token=request.client_token,
        invocation_id=token.invocation_id,
        sequence=token.sequence,
        seen=seen,
        at=now,
    )


def _repeated(request: CheckpointRequest, token: CheckpointToken, last: LastCheckpoint, now: float) -> bool:
    same = (last.client_token, last.invocation_id, last.sequence) == (
        request.client_token,
        token.invocation_id,
        token.sequence,
    )
    return same and now - last.at < _REPEATED_SECONDS


def _answer_again(state: State, last: LastCheckpoint) -> CheckpointAnswer:
    token = CheckpointToken(state.execution.id, last.invocation_id, last.sequence + 1)
    return CheckpointAnswer(token=str(token), operations=state.changed_since(last.seen))
