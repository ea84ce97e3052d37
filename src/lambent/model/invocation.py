"""One run of a function: what goes in, what comes out. Payloads are bytes and pass through unread.

What is made for each invocation is not frozen: setting a frozen field costs four times as much, and they have many.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec

from lambent.model.function import FunctionId


class ResponseSink(Protocol):
    """Takes a response while the function produces it. A response that is not streamed never comes here."""

    executed_version: str
    """Set before the function is called."""

    def begin(self, content_type: str | None, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """Before the first piece. `pause` and `resume` hold the function back while nobody takes what it wrote."""
        ...

    def write(self, piece: bytes) -> None: ...

    def finish(self) -> bytes | None:
        """The function has written all: what is to be its payload; None where it wrote too much."""
        ...


class Invocation(msgspec.Struct, kw_only=True):
    """`qualifier` is a version, an alias or None, `invoked_arn` what the caller called; `client_context` JSON text."""

    request_id: str
    function: FunctionId
    qualifier: str | None = None
    invoked_arn: str
    payload: bytes
    client_context: str | None = None
    identity: Mapping[str, Any] | None = None
    trace_id: str | None = None
    tenant_id: str | None = None
    tail_log: bool = False
    durable_execution_name: str | None = None
    durable_execution_arn: str | None = None
    """It is one run of this execution, which goes on by it."""
    asynchronous: bool = False
    """It comes from the queue of events: AWS limits no rate of those."""
    duration_ms: float = 0.0
    """How long the function took, once it has ended; its cold start is not in it."""
    sink: ResponseSink | None = None
    """Takes the response in pieces, where the function streams it and the caller wants it so."""


class InvocationResult(msgspec.Struct, kw_only=True):
    """A function that fails is a value: `function_error` is "Unhandled" or "Handled" and `payload` the error object."""

    payload: bytes
    executed_version: str
    function_error: Literal["Unhandled", "Handled"] | None = None
    log_tail: bytes = b""
    """The last 4 KB of what the invocation logged; empty unless asked for."""
    durable_execution_arn: str | None = None


@dataclass(frozen=True, slots=True)
class EventLine:
    """In which line of the queue an event waits: its function's, or its tenant's where the function has tenants."""

    function: FunctionId
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOutcome:
    """How an asynchronous invocation ended, and who has still to be told of it.

    `condition` is AWS's: "Success", "RetriesExhausted", "EventAgeExceeded", …; `at` is epoch seconds. `status_code` is
    that of the last run, None where there was none; `error_message` is what the last error said. `destination` and
    `dead_letters` are ARNs, None where there is none or it has been told; `role` is whose rights that takes."""

    condition: str
    at: float
    invoke_count: int
    status_code: int | None = None
    executed_version: str | None = None
    function_error: str | None = None
    error_message: str = ""
    role: str
    destination: str | None = None
    dead_letters: str | None = None
    deliveries: int = 0
    """How often it was tried to tell, in vain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvocation:
    """An asynchronous invocation that was accepted and must run or reach its failure destination.

    Times are epoch seconds. `attempt` counts the runs that ended with a function error, `throttles` those that could
    not begin. With an `outcome` it has ended and is only to be told of; `response` is what the function answered."""

    request_id: str
    account_id: str
    region: str
    function_name: str
    qualifier: str | None
    invoked_arn: str
    payload: bytes
    client_context: str | None = None
    trace_id: str | None = None
    tenant_id: str | None = None
    accepted_at: float
    attempt: int = 0
    throttles: int = 0
    due_at: float
    id: int = 0
    """Its number in the queue, once it has been claimed. Request ids come from callers, and two might come twice."""
    outcome: EventOutcome | None = None
    response: bytes = b""

    @property
    def function(self) -> FunctionId:
        return FunctionId(self.account_id, self.region, self.function_name)

    @property
    def line(self) -> EventLine:
        return EventLine(self.function, self.tenant_id)
