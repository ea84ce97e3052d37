"""How an execution begins."""

import hashlib
from dataclasses import dataclass

from lambent.model.durable_execution.history import payload
from lambent.model.durable_execution.transition import NewExecution
from lambent.model.durable_execution.values import (
    DurableExecution,
    HistoryEvent,
    Operation,
    ParentOperation,
)
from lambent.model.function import DurableConfig, FunctionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """`id` is a new UUID; `input` the payload of the invocation that starts it, None for a child without one."""

    id: str
    name: str
    function: FunctionId
    version: str
    invoked_arn: str
    config: DurableConfig
    input: str | None
    synchronous: bool = False
    trace_id: str | None = None
    tenant_id: str | None = None


def input_digest(text: str | None) -> str:
    return hashlib.sha256((text or "").encode()).hexdigest()


def started(start: Start, now: float, parent: ParentOperation | None = None) -> NewExecution:
    operation = Operation(
        id=start.id,
        type="EXECUTION",
        status="STARTED",
        sequence=0,
        changed=1,
        name=start.name,
        started_at=now,
        input=start.input,
    )
    execution = DurableExecution(
        id=start.id,
        account_id=start.function.account_id,
        region=start.function.region,
        function_name=start.function.name,
        version=start.version,
        name=start.name,
        invoked_arn=start.invoked_arn,
        input_digest=input_digest(start.input),
        synchronous=start.synchronous,
        timeout_seconds=start.config.execution_timeout,
        retention_days=start.config.retention_period_in_days,
        trace_id=start.trace_id,
        tenant_id=start.tenant_id,
        parent=parent,
        started_at=now,
        deadline_at=now + start.config.execution_timeout,
        changes=1,
        seen=1,
        events=1,
        wake_at=now,
        announcements=("RUNNING",),
        written=len(start.input or ""),
    )
    details = {"Input": payload(start.input), "ExecutionTimeout": start.config.execution_timeout}
    members = {
        "EventType": "ExecutionStarted",
        "EventId": 1,
        "EventTimestamp": now,
        "Id": start.id,
        "Name": start.name,
        "ExecutionStartedDetails": details,
    }
    return NewExecution(execution=execution, operation=operation, event=HistoryEvent(id=1, members=members))
