"""Redriving dead letters: StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.queue import MessageMoveTask, Queue
from lambent.model.service import Operation
from lambent.services.sqs.errors import (
    InvalidParameterValueException,
    ResourceNotFoundException,
    invalid_value,
)
from lambent.services.sqs.mover import Mover
from lambent.services.sqs.queues import Queues
from lambent.services.sqs.redrive import redrive_policy
from lambent.store.ports.errors import NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords
from lambent.store.ports.queue_messages import QueueMessageStore

_RATE_MOST = 500
_LISTED_MOST = 10
"""Of one queue; older tasks are forgotten."""


class MoveTaskOperations:
    def __init__(
        self,
        queues: Queues,
        messages: QueueMessageStore,
        tasks: NamedRecords[MessageMoveTask],
        mover: Mover,
    ) -> None:
        self._queues = queues
        self._messages = messages
        self._tasks = tasks
        self._mover = mover

    def operations(self) -> Mapping[str, Operation]:
        return {
            "StartMessageMoveTask": self.start_message_move_task,
            "ListMessageMoveTasks": self.list_message_move_tasks,
            "CancelMessageMoveTask": self.cancel_message_move_task,
        }

    async def start_message_move_task(self, caller: Caller, parameters: Parameters) -> Parameters:
        source = self._queue(parameters["SourceArn"], "SourceArn")
        destination_arn = parameters.get("DestinationArn")
        self._check(source, destination_arn, parameters.get("MaxNumberOfMessagesPerSecond"))
        async with self._queues.changing:
            earlier = await self._of(source)
            if any(task.status == "RUNNING" for _, task in earlier):
                raise InvalidParameterValueException(
                    "There is already a task running. Only one active task is allowed for a source queue "
                    "arn at a given time."
                )
            now = self._queues.now()
            depth = await self._messages.depth(source.id, now=now)
            task = MessageMoveTask(
                id=new_uuid(),
                source_arn=source.arn,
                destination_arn=destination_arn,
                messages_per_second=parameters.get("MaxNumberOfMessagesPerSecond"),
                started_at=now,
                to_move=depth.visible,
            )
            await self._tasks.insert(task_name(source, task.id), task, due_at=now / 1000)
            for name, _ in earlier[_LISTED_MOST - 1 :]:
                await self._tasks.delete(name)
        self._mover.wake()
        return {"TaskHandle": _handle(task)}

    async def list_message_move_tasks(self, caller: Caller, parameters: Parameters) -> Parameters:
        source = self._queue(parameters["SourceArn"], "SourceArn")
        most = parameters.get("MaxResults", 1)
        if not 1 <= most <= _LISTED_MOST:
            raise invalid_value(
                most, "MaxResults", f"Value for parameter MaxResults must be between 1 and {_LISTED_MOST}."
            )
        return {"Results": [_describe(task) for _, task in (await self._of(source))[:most]]}

    async def cancel_message_move_task(self, caller: Caller, parameters: Parameters) -> Parameters:
        found = read_task_handle(parameters["TaskHandle"])
        if found is None:
            raise InvalidParameterValueException("Value for parameter TaskHandle is invalid.")
        id, source_arn = found
        name = task_name(self._queue(source_arn, "SourceArn"), id)
        while True:
            task = await self._tasks.get(name)
            if task is None:
                raise ResourceNotFoundException("Task does not exist.")
            if task.status != "RUNNING":
                raise InvalidParameterValueException("Only active tasks can be cancelled.")
            try:
                await self._tasks.replace(name, replace(task, status="CANCELLED"), previous=task)
            except StaleRevisionError:  # it went on meanwhile
                continue
            except NotFoundError:
                raise ResourceNotFoundException("Task does not exist.") from None
            return {"ApproximateNumberOfMessagesMoved": task.moved}

    def _queue(self, arn: str, parameter: str) -> Queue:
        queue = self._queues.by_arn(arn)
        if queue is None:
            raise ResourceNotFoundException(
                f"The resource that you specified for the {parameter} parameter doesn't exist."
            )
        return queue

    def _check(self, source: Queue, destination_arn: str | None, rate: int | None) -> None:
        if not any(
            (policy := redrive_policy(queue)) is not None and policy.target_arn == source.arn
            for queue in self._queues
        ):
            raise InvalidParameterValueException("Source queue must be configured as a Dead Letter Queue.")
        if destination_arn is not None:
            destination = self._queue(destination_arn, "DestinationArn")
            if destination.key == source.key:
                raise InvalidParameterValueException(
                    "Source queue arn and destination queue arn must be different."
                )
            if destination.is_fifo != source.is_fifo:
                raise InvalidParameterValueException(
                    "Destination queue must be of the same type as the source queue."
                )
        if rate is not None and not 1 <= rate <= _RATE_MOST:
            raise invalid_value(
                rate,
                "MaxNumberOfMessagesPerSecond",
                f"MaxNumberOfMessagesPerSecond must be between 1 and {_RATE_MOST}.",
            )

    async def _of(self, source: Queue) -> Sequence[tuple[Name, MessageMoveTask]]:
        """The youngest first."""
        found = await self._tasks.page(
            source.account_id, source.region, parent=source.name, after=(source.name, ""), limit=100
        )
        return sorted(found, key=lambda one: one[1].started_at, reverse=True)


def task_name(source: Queue, id: str) -> Name:
    return Name(source.account_id, source.region, source.name, id)


def read_task_handle(handle: str) -> tuple[str, str] | None:
    """(task id, source ARN), or None: this is no task handle."""
    try:
        members = json.loads(base64.b64decode(handle, validate=True))
        id, arn = members["taskId"], members["sourceArn"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(id, str) or not isinstance(arn, str) or "\0" in id:  # which no database takes
        return None
    return id, arn


def _handle(task: MessageMoveTask) -> str:
    return base64.b64encode(
        json.dumps({"taskId": task.id, "sourceArn": task.source_arn}, separators=(",", ":")).encode()
    ).decode()


def _describe(task: MessageMoveTask) -> dict[str, Any]:
    given = {
        "TaskHandle": _handle(task) if task.status == "RUNNING" else None,
        "Status": task.status,
        "SourceArn": task.source_arn,
        "DestinationArn": task.destination_arn,
        "MaxNumberOfMessagesPerSecond": task.messages_per_second,
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "FailureReason": task.failure_reason,
        "StartedTimestamp": task.started_at,
    }
    return {name: value for name, value in given.items() if value is not None}
