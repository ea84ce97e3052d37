"""What time does to an execution, and what has to be done about it outside."""

from dataclasses import dataclass, replace

from lambent.model.durable_execution import history
from lambent.model.durable_execution.closing import time_out
from lambent.model.durable_execution.invocation import Launch, begin_invocation
from lambent.model.durable_execution.pausing import take_effect
from lambent.model.durable_execution.transition import Change, State, Transition
from lambent.model.durable_execution.values import Operation, error_object

_DISPATCH_AGAIN_SECONDS = 6000.0
"""Longer than any invocation: one that is not heard of by then has been lost, and is made again."""

_ANNOUNCE_AGAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What to do now: run the function (`launch`), make the chained invocations of `dispatch`, tell the parent
    operation of the end (`report`) and everybody of new statuses (`announce`), forget everything (`delete`)."""

    launch: Launch | None = None
    dispatch: tuple[Operation, ...] = ()
    report: bool = False
    announce: tuple[str, ...] = ()
    delete: bool = False


def advance(state: State, now: float, invocation_id: str) -> tuple[Change | None, Due]:
    """Everything that is due. `invocation_id` names the invocation that may begin with it."""
    execution = state.execution
    transition = Transition(state, now)
    announce = _announcements(transition)
    if execution.closed:
        over = execution.status == "DELETING" or (execution.expires_at or 0.0) <= now
        due = Due(report=execution.report_due, announce=announce, delete=over and not execution.announcements)
        return transition.change() if announce else None, due
    if execution.deadline_at <= now:
        time_out(transition)
        return transition.change(), Due(report=transition.execution.report_due, announce=announce)
    if fire(transition):
        transition.set(wake_at=now)
    dispatch = tuple(
        transition.put(replace(operation, dispatch_at=now + _DISPATCH_AGAIN_SECONDS))
        for operation in transition.due()
        if operation.type == "CHAINED_INVOKE"
    )
    launch = begin_invocation(transition, invocation_id)
    return transition.change(), Due(launch=launch, dispatch=dispatch, announce=announce)


def _announcements(transition: Transition) -> tuple[str, ...]:
    execution = transition.execution
    if not execution.announcements or execution.announce_at > transition.now:
        return ()
    transition.set(announce_at=transition.now + _ANNOUNCE_AGAIN_SECONDS)
    return execution.announcements


def fire(transition: Transition) -> bool:
    """Completes what was waiting for this time. Whether there was any."""
    due = [operation for operation in transition.due() if operation.type != "CHAINED_INVOKE"]
    for operation in due:
        _FIRE[operation.type](transition, operation)
    return bool(due)


def _fire_step(transition: Transition, operation: Operation) -> None:
    transition.put(replace(operation, status="READY", next_attempt_at=None))


def _fire_wait(transition: Transition, operation: Operation) -> None:
    assert operation.scheduled_end_at is not None
    seconds = round(operation.scheduled_end_at - operation.started_at)
    operation = transition.put(replace(operation, status="SUCCEEDED", ended_at=transition.now))
    transition.event("WaitSucceeded", {"Duration": seconds}, operation)


def _fire_callback(transition: Transition, operation: Operation) -> None:
    if operation.heartbeat_due_at is not None and operation.heartbeat_due_at == operation.due_at:
        error = error_object("Callback timed out on heartbeat", "Callback.Heartbeat")
    else:
        error = error_object("Callback timed out", "Callback.Timeout")
    operation = transition.put(replace(operation, status="TIMED_OUT", ended_at=transition.now, error=error))
    # The history names the kind only; the message is the operation's.
    shown = {"ErrorType": error["ErrorType"]}
    transition.event("CallbackTimedOut", {"Error": history.payload(shown)}, operation)


_FIRE = {"STEP": _fire_step, "WAIT": _fire_wait, "CALLBACK": _fire_callback}


def dispatch_again(state: State, operation_id: str, now: float, seconds: float) -> tuple[Change | None, None]:
    """A chained invocation could not be made for a reason that passes: it is made again in `seconds`."""
    operation = state.operation(operation_id)
    if state.execution.closed or operation is None or not operation.dispatched:
        return None, None
    transition = Transition(state, now)
    transition.put(replace(operation, dispatch_at=now + seconds))
    return transition.change(), None


def invoke_again(state: State, now: float) -> tuple[Change | None, None]:
    """The invocation that is said to run is lost."""
    if state.execution.closed or state.execution.invocation is None:
        return None, None
    transition = Transition(state, now)
    transition.set(invocation=None, wake_at=now)
    return transition.change(), None


def recover(state: State, now: float) -> tuple[Change | None, None]:
    """After a server has ended: an invocation that was running begins anew, and so do chained ones."""
    execution = state.execution
    if execution.closed:
        return None, None
    transition = Transition(state, now)
    if execution.invocation is not None:
        transition.set(invocation=None, wake_at=now)
    for operation in state.due(float("inf")):
        if operation.type == "CHAINED_INVOKE":
            transition.put(replace(operation, dispatch_at=now))
    if transition.execution.pause is not None and transition.execution.pause.paused_at is None:
        take_effect(transition)
    return transition.change(), None
