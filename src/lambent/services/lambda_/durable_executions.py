"""Durable executions: GetDurableExecution, its history, ListDurableExecutionsByFunction, StopDurableExecution,
PauseDurableExecution, ResumeDurableExecution, DeleteDurableExecution."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.durable_execution import history
from lambent.model.durable_execution.closing import delete, stop
from lambent.model.durable_execution.describe import PAGE_BYTES
from lambent.model.durable_execution.pausing import pause, resume
from lambent.model.durable_execution.transition import State
from lambent.model.durable_execution.values import DurableExecution, ExecutionKey, Operation
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.services.lambda_.durable_execution_arn import (
    INVALID_MARKER,
    execution_not_found,
    execution_of,
    require_arn,
)
from lambent.services.lambda_.function_records import FunctionRecords
from lambent.services.lambda_.function_reference import resolve_reference
from lambent.services.lambda_.paging import Page, marker_of, page_size, position
from lambent.services.lambda_.ports import DurableExecutions
from lambent.store.ports.durable_executions import Decide, DurableExecutionStore, ExecutionFilter
from lambent.store.ports.errors import NotFoundError

T = TypeVar("T")

_PAGE = 100
_PAGE_LARGEST = 1000


class DurableExecutionOperations:
    def __init__(
        self,
        executions: DurableExecutions,
        store: DurableExecutionStore,
        records: FunctionRecords,
        clock: Clock,
    ) -> None:
        self._executions = executions
        self._store = store
        self._records = records
        self._clock = clock

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["DurableExecutionArn"]
        with_data = parameters.get("IncludeExecutionData", True)
        return await self._view(
            execution_of(caller, "GetDurableExecution", arn),
            lambda state: _describe(require_arn(state, arn), _root(state), with_data=with_data),
        )

    async def history(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["DurableExecutionArn"]
        key = execution_of(caller, "GetDurableExecutionHistory", arn)
        await self._view(key, lambda state: require_arn(state, arn))
        try:
            events, more = await self._store.history(
                key,
                after=position(parameters, int, INVALID_MARKER),
                items=page_size(parameters, default=_PAGE, largest=_PAGE_LARGEST),
                size=PAGE_BYTES,
                reverse=parameters.get("ReverseOrder", False),
            )
        except NotFoundError as error:
            raise execution_not_found() from error
        show = dict if parameters.get("IncludeExecutionData", True) else history.without_data
        answer: Parameters = {"Events": [show(event.members) for event in events]}
        if more:
            answer["NextMarker"] = marker_of(events[-1].id)
        return answer

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Newest first, unless `ReverseOrder`."""
        reference = resolve_reference(
            caller,
            "ListDurableExecutionsByFunction",
            parameters["FunctionName"],
            parameters.get("Qualifier"),
        )
        statuses = parameters.get("Statuses") or (None,)
        if len(statuses) > 1:
            raise InvalidParameterValueException("Cannot filter by more than one status")
        function = await self._records.get(reference.function, reference.qualifier)
        version = None
        if reference.qualifier is not None:
            version = (await self._records.version(function, reference)).version
        limit = page_size(parameters, default=_PAGE, largest=_PAGE_LARGEST)
        found = await self._store.page(
            reference.function,
            ExecutionFilter(
                version=version,
                name=parameters.get("DurableExecutionName"),
                status=statuses[0],
                started_after=_seconds(parameters.get("StartedAfter")),
                started_before=_seconds(parameters.get("StartedBefore")),
            ),
            after=position(parameters, tuple[float, str], INVALID_MARKER),
            limit=limit + 1,
            oldest_first=parameters.get("ReverseOrder", False),
        )
        page = Page(found, limit)
        answer: Parameters = {"DurableExecutions": [_summary(execution) for execution, _ in page.items]}
        if page.more:
            answer["NextMarker"] = marker_of(page.items[-1][1])
        return answer

    async def stop(self, caller: Caller, parameters: Parameters) -> Parameters:
        decide = partial(stop, error=parameters.get("Error"), now=self._clock.now())
        at = await self._change(caller, "StopDurableExecution", parameters, decide)
        return {"StopTimestamp": at}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        decide = partial(delete, now=self._clock.now())
        at = await self._change(caller, "DeleteDurableExecution", parameters, decide)
        return {"DeletionRequestTimestamp": at}

    async def pause(self, caller: Caller, parameters: Parameters) -> Parameters:
        decide = partial(
            pause,
            reason=parameters.get("Reason"),
            pauses_timeout=parameters.get("ExecutionTimeoutPaused", True),
            client_token=parameters.get("ClientToken"),
            now=self._clock.now(),
        )
        await self._change(caller, "PauseDurableExecution", parameters, decide)
        return {}

    async def resume(self, caller: Caller, parameters: Parameters) -> Parameters:
        decide = partial(
            resume,
            reason=parameters.get("Reason"),
            client_token=parameters.get("ClientToken"),
            now=self._clock.now(),
        )
        await self._change(caller, "ResumeDurableExecution", parameters, decide)
        return {}

    async def _view(self, key: ExecutionKey, read: Callable[[State], T]) -> T:
        try:
            return await self._executions.view(key, read)
        except NotFoundError as error:
            raise execution_not_found() from error

    async def _change(self, caller: Caller, action: str, parameters: Parameters, decide: Decide[T]) -> T:
        arn = parameters["DurableExecutionArn"]

        def of_this_arn(state: State) -> Any:
            require_arn(state, arn)
            return decide(state)

        try:
            return await self._executions.change(execution_of(caller, action, arn), of_this_arn)
        except NotFoundError as error:
            raise execution_not_found() from error


def _root(state: State) -> Operation:
    root = state.operation(state.execution.id)
    assert root is not None
    return root


def _seconds(moment: Any) -> float | None:
    return None if moment is None else float(moment.timestamp())


def _summary(execution: DurableExecution) -> Parameters:
    return _given(
        {
            "DurableExecutionArn": execution.arn,
            "DurableExecutionName": execution.name,
            "FunctionArn": execution.function_arn,
            "Status": execution.status,
            "StartTimestamp": execution.started_at,
            "EndTimestamp": execution.ended_at,
        }
    )


def _describe(execution: DurableExecution, root: Operation, *, with_data: bool) -> Parameters:
    members = {
        "DurableExecutionArn": execution.arn,
        "DurableExecutionName": execution.name,
        "FunctionArn": execution.function.arn(execution.version, partition_of(execution.region)),
        "InputPayload": root.input if with_data else None,
        "Result": root.result if with_data else None,
        "Error": root.error if with_data else None,
        "StartTimestamp": execution.started_at,
        "Status": execution.status,
        "EndTimestamp": execution.ended_at,
        "Version": execution.version,
        "TraceHeader": execution.trace_id and {"XAmznTraceId": execution.trace_id},
        "ExecutionDataIncluded": with_data,
        "DurableConfig": {
            "RetentionPeriodInDays": execution.retention_days,
            "ExecutionTimeout": execution.timeout_seconds,
        },
        "PauseDetails": _pause_details(execution, with_data=with_data),
        "ExpectedExecutionTimeoutTimestamp": None if execution.closed else execution.deadline_at,
    }
    return _given(members)


def _pause_details(execution: DurableExecution, *, with_data: bool) -> Parameters | None:
    asked = execution.pause
    if asked is None:
        return None
    return _given(
        {
            "PauseRequestTimestamp": asked.requested_at,
            "Reason": asked.reason if with_data else None,
            "ExecutionTimeoutPaused": asked.pauses_timeout,
        }
    )


def _given(members: Parameters) -> Parameters:
    return {name: value for name, value in members.items() if value is not None}
