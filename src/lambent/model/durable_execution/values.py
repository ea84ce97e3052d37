"""What a durable execution is made of. Times are epoch seconds; payloads are JSON text, as the API has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambent.base.arn import partition_of
from lambent.model.function import FunctionId

ErrorObject = Mapping[str, Any]
"""ErrorType, ErrorMessage, ErrorData, StackTrace: whichever were given."""

EXECUTION_DAYS_MOST = 366
_DAY_SECONDS = 86_400
CLOSED = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED", "DELETING"})


@dataclass(frozen=True, slots=True, order=True)
class ExecutionKey:
    account_id: str
    region: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`sequence` is the order in which operations started, `changed` the execution's count of changes at the last one.

    Which of the optional fields there are follows from `type`."""

    id: str
    type: str
    status: str
    sequence: int
    changed: int = 0
    parent_id: str | None = None
    name: str | None = None
    sub_type: str | None = None
    started_at: float
    ended_at: float | None = None
    input: str | None = None
    result: str | None = None
    error: ErrorObject | None = None
    attempt: int = 0
    next_attempt_at: float | None = None
    scheduled_end_at: float | None = None
    replay_children: bool | None = None
    callback_id: str | None = None
    heartbeat_seconds: int | None = None
    times_out_at: float | None = None
    heartbeat_due_at: float | None = None
    function_name: str | None = None
    tenant_id: str | None = None
    trace_id: str | None = None
    child_arn: str | None = None
    dispatch_at: float | None = None
    """When a chained invocation of a function that is not durable has to be made (again)."""

    @property
    def pending(self) -> bool:
        """Whether something outside of the function will change it: what an execution may wait for."""
        if self.type == "STEP":
            return self.status == "PENDING"
        return self.status == "STARTED" and self.type in ("WAIT", "CALLBACK", "CHAINED_INVOKE")

    @property
    def due_at(self) -> float | None:
        """When time changes it."""
        if not self.pending:
            return None
        if self.type == "STEP":
            return self.next_attempt_at
        if self.type == "WAIT":
            return self.scheduled_end_at
        if self.type == "CHAINED_INVOKE":
            return self.dispatch_at
        limits = [limit for limit in (self.times_out_at, self.heartbeat_due_at) if limit is not None]
        return min(limits, default=None)

    @property
    def dispatched(self) -> bool:
        return self.pending and self.dispatch_at is not None

    @property
    def closes_children(self) -> bool:
        """Whether what is below it is no longer needed for a replay."""
        return self.type == "CONTEXT" and self.ended_at is not None and not self.replay_children


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEvent:
    """`members` are the Event shape's, with times in epoch seconds and every payload."""

    id: int
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningInvocation:
    id: str
    started_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCheckpoint:
    """What answers a checkpoint that is sent again: the token it came with, and what had been seen before it."""

    client_token: str
    invocation_id: str
    sequence: int
    seen: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """`paused_at` is None while an invocation goes on to its next checkpoint (PAUSING)."""

    requested_at: float
    reason: str | None = None
    pauses_timeout: bool = True
    client_token: str | None = None
    paused_at: float | None = None
    timeout_left: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    client_token: str | None
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentOperation:
    """The chained invocation, in another execution, that an execution was started for."""

    key: ExecutionKey
    operation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableExecution:
    """All of an execution but its operations and history. Its input and result belong to its EXECUTION operation."""

    id: str
    account_id: str
    region: str
    function_name: str
    version: str
    name: str
    invoked_arn: str
    input_digest: str
    synchronous: bool
    timeout_seconds: int
    retention_days: int
    trace_id: str | None = None
    tenant_id: str | None = None
    parent: ParentOperation | None = None

    status: str = "RUNNING"
    started_at: float
    ended_at: float | None = None
    deadline_at: float
    report_due: bool = False
    """Closed, and the parent operation does not know yet."""
    announcements: tuple[str, ...] = ()
    """Statuses that it has taken and that have not been announced yet; `announce_at` is when to try (again)."""
    announce_at: float = 0.0

    changes: int = 0
    """Counts changes of operations; `seen` is how many of them the function was told of."""
    seen: int = 0
    events: int = 0
    operations: int = 0
    pending: int = 0
    """How many operations wait for something outside of the function."""
    dispatches: int = 0
    """How many chained invocations are to be made by this execution's server, or under way."""
    written: int = 0
    """Bytes of payloads that were stored."""

    token: int = 0
    """Counts checkpoints: a token is good for one."""
    invocation: RunningInvocation | None = None
    wake_at: float | None = None
    """When the function has to be invoked; None while it waits or runs."""
    failures: int = 0
    invalid_answers: int = 0
    last_checkpoint: LastCheckpoint | None = None
    pause: Pause | None = None
    last_resumption: Resumption | None = None

    @property
    def key(self) -> ExecutionKey:
        return ExecutionKey(self.account_id, self.region, self.id)

    @property
    def function(self) -> FunctionId:
        return FunctionId(self.account_id, self.region, self.function_name)

    @property
    def function_arn(self) -> str:
        return self.function.arn(self.version, partition_of(self.region))

    @property
    def arn(self) -> str:
        return f"{self.function_arn}/durable-execution/{self.name}/{self.id}"

    @property
    def closed(self) -> bool:
        return self.status in CLOSED

    @property
    def expires_at(self) -> float | None:
        """When its history is forgotten."""
        return None if self.ended_at is None else self.ended_at + self.retention_days * _DAY_SECONDS

    @property
    def due_at(self) -> float | None:
        """When something has to be done about the execution itself; its operations have times of their own."""
        if self.status == "DELETING":
            return self.announce_at if self.announcements else self.ended_at
        times = [self.announce_at] if self.announcements else []
        if self.report_due and self.ended_at is not None:
            times.append(self.ended_at)
        elif self.expires_at is not None:
            times.append(self.expires_at)
        else:
            times.append(self.deadline_at)
            if self.wake_at is not None and self.invocation is None and self.pause is None:
                times.append(self.wake_at)
        return min(times)

    @property
    def busy(self) -> bool:
        """Whether something is under way that ends with the server."""
        return not self.closed and (self.invocation is not None or self.dispatches > 0)

    @property
    def last_deadline(self) -> float:
        return self.started_at + EXECUTION_DAYS_MOST * _DAY_SECONDS


FUNCTION_ERROR_MEMBERS = {
    "ErrorMessage": "errorMessage",
    "ErrorType": "errorType",
    "ErrorData": "errorData",
    "StackTrace": "stackTrace",
}
"""Of an ErrorObject, as a function's error has them."""


def error_object(message: str, type: str | None = None) -> ErrorObject:
    return {"ErrorMessage": message} if type is None else {"ErrorType": type, "ErrorMessage": message}
