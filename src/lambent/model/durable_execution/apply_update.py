"""What an accepted update makes of its operation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lambent.model.durable_execution import history
from lambent.model.durable_execution.closing import ChainedOutcome, close, end_chained_invoke
from lambent.model.durable_execution.operation_update import OperationUpdate
from lambent.model.durable_execution.starting import Start, started
from lambent.model.durable_execution.tokens import CallbackId
from lambent.model.durable_execution.transition import Transition
from lambent.model.durable_execution.values import ErrorObject, Operation, ParentOperation

_ENDS = {"SUCCEED": "SUCCEEDED", "FAIL": "FAILED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedTarget:
    """What a chained invocation will run: `child` where the function is durable itself, `error` where it cannot be."""

    version: str | None = None
    child: Start | None = None
    error: ErrorObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What was found out before, so that applying updates is pure. `secrets` makes callback ids; both by operation."""

    targets: Mapping[str, ChainedTarget]
    secrets: Mapping[str, str]


def apply_update(transition: Transition, update: OperationUpdate, around: Surroundings) -> None:
    """The update has passed `check_update`."""
    transition.set(written=transition.execution.written + update.size)
    _APPLY[update.type](transition, update, around)


def _new(transition: Transition, update: OperationUpdate, **fields: Any) -> Operation:
    values: dict[str, Any] = {
        "id": update.id,
        "type": update.type,
        "status": "STARTED",
        "sequence": transition.execution.operations + 1,
        "parent_id": update.parent_id,
        "name": update.name,
        "sub_type": update.sub_type,
        "started_at": transition.now,
    }
    return Operation(**values | fields)


def _step(transition: Transition, update: OperationUpdate, around: Surroundings) -> None:
    operation = transition.operation(update.id) or _new(transition, update)
    if update.action == "START":
        transition.event("StepStarted", {}, transition.put(replace(operation, status="STARTED")))
        return
    operation = replace(operation, attempt=operation.attempt + 1, result=update.payload, error=update.error)
    attempts: dict[str, Any] = {"CurrentAttempt": operation.attempt}
    if update.action == "RETRY":
        assert update.options is not None
        delay = attempts["NextAttemptDelaySeconds"] = update.options["NextAttemptDelaySeconds"]
        operation = replace(operation, status="PENDING", next_attempt_at=transition.now + delay)
        failed = update.error is not None
    else:
        operation = replace(operation, status=_ENDS[update.action], ended_at=transition.now)
        failed = update.action == "FAIL"
    details = (
        {"Error": history.payload(update.error)} if failed else {"Result": history.payload(update.payload)}
    )
    event = "StepFailed" if failed else "StepSucceeded"
    transition.event(event, details | {"RetryDetails": attempts}, transition.put(operation))


def _context(transition: Transition, update: OperationUpdate, around: Surroundings) -> None:
    operation = transition.operation(update.id) or _new(transition, update)
    if update.action == "START":
        transition.event("ContextStarted", {}, transition.put(operation))
        return
    operation = transition.put(
        replace(
            operation,
            status=_ENDS[update.action],
            ended_at=transition.now,
            result=update.payload,
            error=update.error,
            replay_children=(update.options or {}).get("ReplayChildren"),
        )
    )
    event = "ContextSucceeded" if update.action == "SUCCEED" else "ContextFailed"
    transition.event(event, history.ending(operation), operation)


def _wait(transition: Transition, update: OperationUpdate, around: Surroundings) -> None:
    if update.action == "CANCEL":
        operation = transition.operation(update.id)
        assert operation is not None
        operation = transition.put(replace(operation, status="CANCELLED", ended_at=transition.now))
        details = {} if update.error is None else {"Error": history.payload(update.error)}
        transition.event("WaitCancelled", details, operation)
        return
    assert update.options is not None
    seconds = update.options["WaitSeconds"]
    end = transition.now + seconds
    operation = transition.put(_new(transition, update, scheduled_end_at=end))
    transition.event("WaitStarted", {"Duration": seconds, "ScheduledEndTimestamp": end}, operation)


def _callback(transition: Transition, update: OperationUpdate, around: Surroundings) -> None:
    options = update.options or {}
    timeout, heartbeat = options.get("TimeoutSeconds") or 0, options.get("HeartbeatTimeoutSeconds") or 0
    callback_id = str(CallbackId(transition.execution.arn, update.id, around.secrets[update.id]))
    operation = transition.put(
        _new(
            transition,
            update,
            callback_id=callback_id,
            heartbeat_seconds=heartbeat or None,
            times_out_at=transition.now + timeout if timeout else None,
            heartbeat_due_at=transition.now + heartbeat if heartbeat else None,
        )
    )
    details: dict[str, Any] = {"CallbackId": callback_id}
    details |= {"HeartbeatTimeout": heartbeat} if heartbeat else {}
    details |= {"Timeout": timeout} if timeout else {}
    transition.event("CallbackStarted", details, operation)


def _chained_invoke(transition: Transition, update: OperationUpdate, around: Surroundings) -> None:
    assert update.options is not None
    target = around.targets[update.id]
    name = update.options["FunctionName"]
    # Who is invoked so belongs to the same trace, unless the function says otherwise.
    trace_id = update.options.get("XAmznTraceId") or transition.execution.trace_id
    fields: dict[str, Any] = {
        "function_name": name,
        "tenant_id": update.options.get("TenantId"),
        "trace_id": trace_id,
    }
    if target.error is not None:
        operation = transition.put(_new(transition, update, **fields))
        transition.event("ChainedInvokeStarted", {"FunctionName": name}, operation)
        end_chained_invoke(transition, operation, ChainedOutcome(status="FAILED", error=target.error))
        return
    details: dict[str, Any] = {"FunctionName": name, "Input": history.payload(update.payload)}
    if target.version is not None:
        details["ExecutedVersion"] = target.version
    if target.child is not None:
        parent = ParentOperation(key=transition.execution.key, operation_id=update.id)
        child = started(
            replace(target.child, input=update.payload, trace_id=trace_id), transition.now, parent
        )
        transition.children.append(child)
        fields["child_arn"] = details["DurableExecutionArn"] = child.execution.arn
    else:
        fields["dispatch_at"] = transition.now
    operation = transition.put(_new(transition, update, input=update.payload, **fields))
    transition.event("ChainedInvokeStarted", details, operation)


def _execution(transition: Transition, update: OperationUpdate, around: Surroundings) -> None:
    close(transition, _ENDS[update.action], result=update.payload, error=update.error)


_APPLY: Mapping[str, Callable[[Transition, OperationUpdate, Surroundings], None]] = {
    "STEP": _step,
    "CONTEXT": _context,
    "WAIT": _wait,
    "CALLBACK": _callback,
    "CHAINED_INVOKE": _chained_invoke,
    "EXECUTION": _execution,
}
