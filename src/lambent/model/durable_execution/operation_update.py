"""What CheckpointDurableExecution reports of one operation, and whether it may. Each refusal has AWS's words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lambent.model.durable_execution.transition import Transition
from lambent.model.durable_execution.values import DurableExecution, ErrorObject, Operation
from lambent.model.lambda_errors import InvalidParameterValueException

PAYLOAD_LARGEST = 1_048_576
SYNCHRONOUS_PAYLOAD_LARGEST = 6_291_456
OPERATIONS_MOST = 3000
WRITTEN_MOST = 100 * 1024 * 1024

_ACTIONS = {
    "STEP": ("START", "SUCCEED", "FAIL", "RETRY"),
    "CONTEXT": ("START", "SUCCEED", "FAIL"),
    "WAIT": ("START", "CANCEL"),
    "CALLBACK": ("START",),
    "CHAINED_INVOKE": ("START",),
    "EXECUTION": ("SUCCEED", "FAIL"),
}
_STEP_STATUSES = {
    "START": ("start", ("READY",)),
    "SUCCEED": ("close", ("STARTED", "READY")),
    "FAIL": ("close", ("STARTED", "READY")),
    "RETRY": ("re-attempt", ("STARTED", "READY")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationUpdate:
    """`options` are those of its type: StepOptions, WaitOptions, …"""

    id: str
    type: str
    action: str
    parent_id: str | None = None
    name: str | None = None
    sub_type: str | None = None
    payload: str | None = None
    error: ErrorObject | None = None
    options: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> "OperationUpdate":
        """From the shape of the service model."""
        return cls(
            id=members["Id"],
            type=members["Type"],
            action=members["Action"],
            parent_id=members.get("ParentId"),
            name=members.get("Name"),
            sub_type=members.get("SubType"),
            payload=members.get("Payload"),
            error=members.get("Error"),
            options=members.get(_OPTIONS.get(members["Type"], "")),
        )

    @property
    def size(self) -> int:
        """Bytes of payload and error."""
        return len((self.payload or "").encode()) + error_size(self.error)


_OPTIONS = {
    "STEP": "StepOptions",
    "CONTEXT": "ContextOptions",
    "WAIT": "WaitOptions",
    "CALLBACK": "CallbackOptions",
    "CHAINED_INVOKE": "ChainedInvokeOptions",
}


def error_size(error: ErrorObject | None) -> int:
    return len(msgspec.json.encode(error)) if error else 0


def refuse(message: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(message)


@dataclass(slots=True)
class Batch:
    """What the updates of one checkpoint must be together."""

    updates: Sequence[OperationUpdate]
    _seen: dict[str, OperationUpdate] = field(default_factory=dict)
    _started: dict[str, str] = field(default_factory=dict)

    def check(self, transition: Transition) -> None:
        """Raises InvalidParameterValueException."""
        self._check_execution_updates()
        for update in self.updates:
            self._check_twice(update)
            self._check_parent(update, transition)
        self._check_limits(transition)

    def _check_execution_updates(self) -> None:
        closing = [update for update in self.updates if update.type == "EXECUTION"]
        if len(closing) > 1:
            raise refuse("Cannot checkpoint multiple EXECUTION updates.")
        if closing and self.updates[-1] is not closing[0]:
            raise refuse("EXECUTION checkpoint must be the last update.")

    def _check_twice(self, update: OperationUpdate) -> None:
        before = self._seen.get(update.id)
        self._seen[update.id] = update
        if before is None:
            return
        ends_start = before.action == "START" and update.action != "START"
        if before.type not in ("STEP", "CONTEXT") or not ends_start:
            raise refuse("Cannot update the same operation twice in a single request.")

    def _check_parent(self, update: OperationUpdate, transition: Transition) -> None:
        if update.parent_id is not None:
            parent = transition.operation(update.parent_id)
            type = self._started.get(update.parent_id) or (parent.type if parent else None)
            if type != "CONTEXT":
                raise refuse("Invalid parent operation id.")
        if update.action == "START":
            self._started[update.id] = update.type

    def _check_limits(self, transition: Transition) -> None:
        execution = transition.execution
        new = sum(
            transition.operation(id) is None
            for id, update in self._seen.items()
            if update.type != "EXECUTION"
        )
        if execution.operations + new > OPERATIONS_MOST:
            raise refuse(f"The durable execution exceeds the limit of {OPERATIONS_MOST} operations.")
        if execution.written + sum(update.size for update in self.updates) > WRITTEN_MOST:
            raise refuse(f"The durable execution exceeds the limit of {WRITTEN_MOST} bytes of stored data.")


def check_update(update: OperationUpdate, operation: Operation | None, execution: DurableExecution) -> None:
    """Of one update, and the operation as it is so far. Raises InvalidParameterValueException."""
    if operation is not None:
        _check_metadata(update, operation)
    _check_size(update, execution)
    if update.action not in _ACTIONS[update.type]:
        raise refuse("Invalid action for the given operation type.")
    if update.action == "FAIL" and update.payload is not None:
        raise refuse("Cannot provide a Payload for FAIL action.")
    if update.action == "SUCCEED" and update.error is not None:
        raise refuse("Cannot provide an Error for SUCCEED action.")
    _CHECKS[update.type](update, operation)


def _check_metadata(update: OperationUpdate, operation: Operation) -> None:
    for given, stored, what in (
        (update.type, operation.type, "operation type"),
        (update.sub_type, operation.sub_type, "operation subtype"),
        (update.name, operation.name, "operation name"),
        (update.parent_id, operation.parent_id, "parent operation id"),
    ):
        if given is not None and given != stored:
            raise refuse(f"Inconsistent {what}.")


def _check_size(update: OperationUpdate, execution: DurableExecution) -> None:
    if error_size(update.error) > PAYLOAD_LARGEST:
        raise refuse(f"Error object size must be less than {PAYLOAD_LARGEST} bytes.")
    if update.payload is None:
        return
    if update.type == "EXECUTION":
        check_output(update.payload, execution)
    elif len(update.payload) > PAYLOAD_LARGEST or len(update.payload.encode()) > PAYLOAD_LARGEST:
        direction = "input" if update.type == "CHAINED_INVOKE" else "output"
        raise refuse(
            f"{update.type} {direction} payload size must be less than or equal to {PAYLOAD_LARGEST} bytes."
        )


def check_output(payload: str, execution: DurableExecution) -> None:
    """Of the execution as a whole. Raises InvalidParameterValueException."""
    largest = SYNCHRONOUS_PAYLOAD_LARGEST if execution.synchronous else PAYLOAD_LARGEST
    if len(payload.encode()) > largest:
        raise refuse(f"Execution output payload size must be less than or equal to {largest} bytes.")


def _check_step(update: OperationUpdate, operation: Operation | None) -> None:
    if operation is not None:
        what, statuses = _STEP_STATUSES[update.action]
        if operation.status not in statuses:
            raise refuse(f"Invalid current STEP state to {what}.")
    if update.action == "RETRY":
        if "NextAttemptDelaySeconds" not in (update.options or {}):
            raise refuse("Invalid StepOptions for the given action.")
        if update.error is not None and update.payload is not None:
            raise refuse("Cannot provide both error and payload to RETRY a STEP.")


def _check_context(update: OperationUpdate, operation: Operation | None) -> None:
    if update.action == "START" and operation is not None:
        raise refuse("Cannot start a CONTEXT that already exist.")
    if update.action != "START" and operation is not None and operation.status != "STARTED":
        raise refuse("Invalid current CONTEXT state to close.")


def _check_wait(update: OperationUpdate, operation: Operation | None) -> None:
    if update.action == "CANCEL":
        if operation is None or operation.status != "STARTED":
            raise refuse("Cannot cancel a WAIT that does not exist or has already completed.")
        return
    if operation is not None:
        raise refuse("Cannot start a WAIT that already exist.")
    if "WaitSeconds" not in (update.options or {}):
        raise refuse("Update for WAIT operation requires WaitOptions.")


def _check_callback(update: OperationUpdate, operation: Operation | None) -> None:
    if operation is not None:
        raise refuse("Cannot start a CALLBACK that already exist.")


def _check_chained_invoke(update: OperationUpdate, operation: Operation | None) -> None:
    if operation is not None:
        raise refuse("Cannot start a CHAINED_INVOKE operation that already exists.")
    if not update.options:
        raise refuse("Update for CHAINED_INVOKE operation requires ChainedInvokeOptions.")


_CHECKS: Mapping[str, Callable[[OperationUpdate, Operation | None], None]] = {
    "STEP": _check_step,
    "CONTEXT": _check_context,
    "WAIT": _check_wait,
    "CALLBACK": _check_callback,
    "CHAINED_INVOKE": _check_chained_invoke,
    "EXECUTION": lambda update, operation: None,
}
