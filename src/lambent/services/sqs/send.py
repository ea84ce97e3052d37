"""SendMessage, SendMessageBatch. What is answered is on disk."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.deduplication import DeduplicationWindow
from lambent.model.error import ServiceException
from lambent.model.metric import Metrics
from lambent.model.queue import Queue
from lambent.model.service import Operation
from lambent.services.sqs import attributes
from lambent.services.sqs.batches import check_entries, failed, outcome
from lambent.services.sqs.encryption import BodyEncryption
from lambent.services.sqs.errors import (
    BatchRequestTooLong,
    InvalidParameterValueException,
    MissingRequiredParameterException,
    QueueDoesNotExist,
)
from lambent.services.sqs.metrics import count
from lambent.services.sqs.new_messages import NewMessage, check_fifo, new_message, too_large
from lambent.services.sqs.queues import Queues
from lambent.services.sqs.waiters import Waiters
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.queue_messages import QueueMessageStore, Sent

_SEQUENCE_FIRST = 18_849_496_460_467_696_128
"""Twenty digits, as AWS's sequence numbers have."""


def sequence_number(id: int) -> str:
    return str(_SEQUENCE_FIRST + id * 256)


class SendOperations:
    def __init__(
        self,
        queues: Queues,
        messages: QueueMessageStore,
        waiters: Waiters,
        encryption: BodyEncryption,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._queues = queues
        self._messages = messages
        self._waiters = waiters
        self._encryption = encryption
        self._metrics = metrics
        self._window = DeduplicationWindow(clock)

    def operations(self) -> Mapping[str, Operation]:
        return {"SendMessage": self.send_message, "SendMessageBatch": self.send_message_batch}

    async def send_message(self, caller: Caller, parameters: Parameters) -> Parameters:
        queue = self._queues.of(caller, parameters)
        new = new_message(queue, caller, parameters, self._queues.now())
        refusal = too_large(new, attributes.number(queue, "MaximumMessageSize"))
        if refusal is not None:
            raise refusal
        [sent] = await self._send(queue, caller, [new])
        return _answer(new, sent, is_fifo=queue.is_fifo)

    async def send_message_batch(self, caller: Caller, parameters: Parameters) -> Parameters:
        queue = self._queues.of(caller, parameters)
        entries: Sequence[Parameters] = parameters["Entries"]
        check_entries(entries, "SendMessageBatchRequestEntry")
        for entry in entries if queue.is_fifo else ():
            try:
                check_fifo(queue, entry)
            except MissingRequiredParameterException as error:  # AWS calls it so in a batch
                raise InvalidParameterValueException(error.message) from None
        now = self._queues.now()
        accepted: dict[str, NewMessage] = {}
        failures: list[dict[str, Any]] = []
        total = 0
        for entry in entries:
            try:
                new = new_message(queue, caller, entry, now)
                total += new.size
                accepted[entry["Id"]] = new
            except ServiceException as error:
                failures.append(failed(entry["Id"], error))
        if total > attributes.MAXIMUM_MESSAGE_SIZE:
            raise BatchRequestTooLong(
                f"Batch requests cannot be longer than {attributes.MAXIMUM_MESSAGE_SIZE} bytes. "
                f"You have sent {total} bytes."
            )
        failures += _too_large(queue, accepted)
        sent = await self._send(queue, caller, list(accepted.values())) if accepted else []
        is_fifo = queue.is_fifo
        successful = [
            {"Id": id, **_answer(new, one, is_fifo=is_fifo)}
            for (id, new), one in zip(accepted.items(), sent, strict=True)
        ]
        return outcome(successful, failures)

    async def _send(self, queue: Queue, caller: Caller, new: Sequence[NewMessage]) -> Sequence[Sent]:
        now = self._queues.now()
        stored = await self._encryption.sealed(queue, caller, new)
        rows = [(one.message, now + one.delay_seconds * 1000) for one in stored]
        while True:
            try:
                sent = await self._messages.send(
                    queue.id,
                    rows,
                    now=self._window.now() if queue.is_fifo else now,
                    is_fifo=queue.is_fifo,
                    duplicates_until=self._window.until() if queue.is_fifo else now,
                )
                break
            except NotFoundError:  # purged while we were on the way: it is another one now
                current = self._queues.get(queue.key)
                if current is None or current.id == queue.id:
                    raise QueueDoesNotExist from None
                queue = current
        self._announce(queue, new)
        return sent

    def _announce(self, queue: Queue, new: Sequence[NewMessage]) -> None:
        delayed = [one.delay_seconds for one in new if one.delay_seconds]
        if len(delayed) < len(new):
            self._waiters.wake(queue.id, len(new) - len(delayed))
        if delayed:
            self._waiters.wake_in(queue.id, min(delayed))
        count(self._metrics, queue, "NumberOfMessagesSent", len(new))
        count(self._metrics, queue, "SentMessageSize", [one.size for one in new], unit="Bytes")


def _too_large(queue: Queue, accepted: dict[str, NewMessage]) -> list[dict[str, Any]]:
    """Takes those out."""
    most = attributes.number(queue, "MaximumMessageSize")
    refused = {id: refusal for id, new in accepted.items() if (refusal := too_large(new, most)) is not None}
    for id in refused:
        del accepted[id]
    return [failed(id, refusal) for id, refusal in refused.items()]


def _answer(new: NewMessage, sent: Sent, *, is_fifo: bool) -> dict[str, Any]:
    members = new.members(sent.message_id)
    if is_fifo:
        members["SequenceNumber"] = sequence_number(sent.id)
    return members
