"""ReceiveMessage: short and long polling."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException
from lambent.model.metric import Metrics
from lambent.model.queue import Queue, ReceivedMessage
from lambent.model.service import Operation
from lambent.services.sqs import attributes
from lambent.services.sqs.encryption import BodyEncryption
from lambent.services.sqs.errors import InvalidAttributeName, invalid_value
from lambent.services.sqs.in_flight import InFlight
from lambent.services.sqs.message_attributes import attribute_members, attributes_md5, selected
from lambent.services.sqs.metrics import count
from lambent.services.sqs.queues import Queues
from lambent.services.sqs.receipt_handles import ReceiptHandles
from lambent.services.sqs.receive_attempts import ReceiveAttempts, attempt_id
from lambent.services.sqs.redrive import redrive_policy
from lambent.services.sqs.send import sequence_number
from lambent.services.sqs.waiters import Waiters
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.queue_messages import DeadLetters, QueueMessageStore, Receive, Received

_MESSAGES_MOST = 10
_VISIBILITY_MOST = 43_200
_WAIT_MOST = 20
_NAMES = frozenset(
    {
        "All",
        "AWSTraceHeader",
        "ApproximateFirstReceiveTimestamp",
        "ApproximateReceiveCount",
        "DeadLetterQueueSourceArn",
        "MessageDeduplicationId",
        "MessageGroupId",
        "SenderId",
        "SentTimestamp",
        "SequenceNumber",
    }
)


class ReceiveOperations:
    def __init__(
        self,
        queues: Queues,
        messages: QueueMessageStore,
        waiters: Waiters,
        handles: ReceiptHandles,
        encryption: BodyEncryption,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._queues = queues
        self._messages = messages
        self._waiters = waiters
        self._handles = handles
        self._encryption = encryption
        self._metrics = metrics
        self._monotonic = clock.monotonic
        self._in_flight = InFlight(messages)
        self._attempts = ReceiveAttempts(messages)

    def operations(self) -> Mapping[str, Operation]:
        return {"ReceiveMessage": self.receive_message}

    async def receive_message(self, caller: Caller, parameters: Parameters) -> Parameters:
        queue = self._queues.of(caller, parameters)
        limit = _within(parameters, "MaxNumberOfMessages", 1, _MESSAGES_MOST, "Must be between 1 and 10")
        _within(parameters, "VisibilityTimeout", 0, _VISIBILITY_MOST, "Must be >= 0 and <= 43200")
        wait = _within(parameters, "WaitTimeSeconds", 0, _WAIT_MOST, "Must be >= 0 and <= 20")
        names = _system_names(parameters)
        if wait is None:
            wait = attributes.number(queue, "ReceiveMessageWaitTimeSeconds")
        attempt = attempt_id(queue, parameters.get("ReceiveRequestAttemptId"))
        found = await self._again(queue, parameters, attempt) if attempt is not None else None
        if found is None:
            found = await self._poll(queue, caller, parameters, limit or 1, wait)
            self._attempts.remember(queue, attempt, found, self._queues.now())
        if not found:
            count(self._metrics, queue, "NumberOfEmptyReceives", 1)
            return {}
        opened = await self._opened(queue, caller, found)
        count(self._metrics, queue, "NumberOfMessagesReceived", len(found))
        wanted = parameters.get("MessageAttributeNames") or []
        return {"Messages": [self._describe(queue, one, names, wanted) for one in opened]}

    async def _opened(
        self, queue: Queue, caller: Caller, found: Sequence[ReceivedMessage]
    ) -> Sequence[ReceivedMessage]:
        """Raises KMS's refusal; then the messages are there for whoever may read them."""
        try:
            return await self._encryption.opened(queue, caller, found)
        except ServiceException:
            now = self._queues.now()
            back = [((one.id, one.receive_count), now, _VISIBILITY_MOST * 1000) for one in found]
            await self._messages.change_visibility(queue.id, back, now=now, is_fifo=queue.is_fifo)
            raise

    async def _again(
        self, queue: Queue, parameters: Parameters, attempt: str | None
    ) -> Sequence[ReceivedMessage] | None:
        now = self._queues.now()
        hidden_until = now + _visibility(queue, parameters) * 1000
        return await self._attempts.again(queue, attempt, now=now, hidden_until=hidden_until)

    async def _poll(
        self, queue: Queue, caller: Caller, parameters: Parameters, limit: int, wait: float
    ) -> Sequence[ReceivedMessage]:
        deadline = self._monotonic() + wait
        while True:
            mark = self._waiters.mark(queue.id)
            try:
                received = await self._receive(queue, parameters, limit)
            except asyncio.CancelledError:
                self._waiters.wake(queue.id)
                raise
            if received.messages:
                self._waiters.wake(queue.id)
                return received.messages
            if received.next_due is not None:
                self._waiters.wake_in(queue.id, max(0.0, (received.next_due - self._queues.now()) / 1000))
            left = deadline - self._monotonic()
            if left <= 0 or self._waiters.ended:
                return ()
            await self._waiters.wait(queue.id, mark, left)
            queue = self._queues.of(caller, parameters)

    async def _receive(self, queue: Queue, parameters: Parameters, limit: int) -> Received:
        now = self._queues.now()
        if not await self._in_flight.admit(queue, limit, now):
            return Received()
        visibility = _visibility(queue, parameters)
        retention = attributes.number(queue, "MessageRetentionPeriod")
        where = self._dead_letters(queue)
        asked = Receive(
            queue_id=queue.id,
            is_fifo=queue.is_fifo,
            limit=limit,
            now=now,
            hidden_until=now + visibility * 1000,
            expired_at=now - retention * 1000,
            dead_letters=where,
        )
        try:
            received = await self._messages.receive(asked)
        except NotFoundError:  # the dead-letter queue was emptied or deleted meanwhile: another look
            return Received(next_due=now)
        if received.dead and where is not None:
            self._waiters.wake(where.queue_id, received.dead)
        return received

    def _dead_letters(self, queue: Queue) -> DeadLetters | None:
        policy = redrive_policy(queue)
        target = self._queues.by_arn(policy.target_arn) if policy is not None else None
        if policy is None or target is None:
            return None
        return DeadLetters(
            queue_id=target.id,
            is_fifo=target.is_fifo,
            max_receive_count=policy.max_receive_count,
            source_arn=queue.arn,
        )

    def _describe(
        self, queue: Queue, received: ReceivedMessage, names: Sequence[str], wanted: list[str]
    ) -> dict[str, Any]:
        message = received.message
        members: dict[str, Any] = {
            "MessageId": message.message_id,
            "ReceiptHandle": self._handles.make(queue.id, (received.id, received.receive_count)),
            "MD5OfBody": message.md5_of_body,
            "Body": message.body,
        }
        if names:
            system = _system_attributes(queue, received)
            if "All" not in names:
                system = {name: value for name, value in system.items() if name in names}
            if system:
                members["Attributes"] = system
        if wanted and message.attributes and (given := selected(message.attributes, wanted)):
            members["MD5OfMessageAttributes"] = attributes_md5(given)
            members["MessageAttributes"] = attribute_members(given)
        return members


def _within(parameters: Parameters, name: str, low: int, high: int, reason: str) -> int | None:
    value: int | None = parameters.get(name)
    if value is not None and not low <= value <= high:
        raise invalid_value(value, name, f"{reason}, if provided.")
    return value


def _visibility(queue: Queue, parameters: Parameters) -> int:
    """Seconds."""
    given: int | None = parameters.get("VisibilityTimeout")
    return attributes.number(queue, "VisibilityTimeout") if given is None else given


def _system_names(parameters: Parameters) -> list[str]:
    names = [
        *(parameters.get("AttributeNames") or ()),
        *(parameters.get("MessageSystemAttributeNames") or ()),
    ]
    for name in names:
        if name not in _NAMES:
            raise InvalidAttributeName(f"Unknown Attribute {name}.")
    return names


def _system_attributes(queue: Queue, received: ReceivedMessage) -> dict[str, str]:
    message = received.message
    given = {
        "SenderId": message.sender_id,
        "SentTimestamp": str(message.sent_at),
        "ApproximateReceiveCount": str(message.earlier_receive_count + received.receive_count),
        "ApproximateFirstReceiveTimestamp": str(received.first_received_at),
        "SequenceNumber": sequence_number(received.id) if queue.is_fifo else None,
        "MessageDeduplicationId": message.deduplication_id,
        "MessageGroupId": message.group_id,
        "AWSTraceHeader": message.trace_header,
        "DeadLetterQueueSourceArn": message.dead_letter_source_arn,
    }
    return {name: value for name, value in given.items() if value is not None}
