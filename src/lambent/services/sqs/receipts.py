"""What is done with a receipt: DeleteMessage, ChangeMessageVisibility, and their batches."""

from collections.abc import Callable, Mapping, Sequence

from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException
from lambent.model.metric import Metrics
from lambent.model.queue import Queue
from lambent.model.service import Operation
from lambent.services.sqs.batches import check_entries, failed, outcome
from lambent.services.sqs.errors import (
    InvalidParameterValueException,
    MissingRequiredParameterException,
    ReceiptHandleIsInvalid,
    invalid_value,
)
from lambent.services.sqs.metrics import count
from lambent.services.sqs.queues import Queues
from lambent.services.sqs.receipt_handles import ReceiptHandles
from lambent.services.sqs.waiters import Waiters
from lambent.store.ports.queue_messages import Held, QueueMessageStore, Receipt

_VISIBILITY_MOST = 43_200


class ReceiptOperations:
    def __init__(
        self,
        queues: Queues,
        messages: QueueMessageStore,
        waiters: Waiters,
        handles: ReceiptHandles,
        metrics: Metrics,
    ) -> None:
        self._queues = queues
        self._messages = messages
        self._waiters = waiters
        self._handles = handles
        self._metrics = metrics

    def operations(self) -> Mapping[str, Operation]:
        return {
            "DeleteMessage": self.delete_message,
            "DeleteMessageBatch": self.delete_message_batch,
            "ChangeMessageVisibility": self.change_message_visibility,
            "ChangeMessageVisibilityBatch": self.change_message_visibility_batch,
        }

    async def delete_message(self, caller: Caller, parameters: Parameters) -> Parameters:
        queue = self._queues.of(caller, parameters)
        [error] = await self._delete(queue, [parameters])
        if error is not None:
            raise error
        return {}

    async def delete_message_batch(self, caller: Caller, parameters: Parameters) -> Parameters:
        queue = self._queues.of(caller, parameters)
        entries: Sequence[Parameters] = parameters["Entries"]
        check_entries(entries, "DeleteMessageBatchRequestEntry")
        return _batch_outcome(entries, await self._delete(queue, entries))

    async def change_message_visibility(self, caller: Caller, parameters: Parameters) -> Parameters:
        queue = self._queues.of(caller, parameters)
        [error] = await self._change(queue, [parameters])
        if error is not None:
            raise error
        return {}

    async def change_message_visibility_batch(self, caller: Caller, parameters: Parameters) -> Parameters:
        queue = self._queues.of(caller, parameters)
        entries: Sequence[Parameters] = parameters["Entries"]
        check_entries(entries, "ChangeMessageVisibilityBatchRequestEntry")
        return _batch_outcome(entries, await self._change(queue, entries))

    async def _delete(self, queue: Queue, entries: Sequence[Parameters]) -> list[ServiceException | None]:
        """What was wrong with each. Deleting what is gone, or was received by another since, is right and does
        nothing; only a FIFO queue refuses."""
        receipts, errors = self._read(queue, entries, None)
        asked = list(receipts.values())
        held = await self._messages.delete(queue.id, asked, now=self._queues.now(), is_fifo=queue.is_fifo)
        deleted = held.count(Held.CURRENT)
        if deleted:
            count(self._metrics, queue, "NumberOfMessagesDeleted", deleted)
        if not queue.is_fifo:
            return errors
        if deleted:  # their groups may go on
            self._waiters.wake(queue.id)
        for index, one in zip(receipts, held, strict=True):
            if one is Held.SUPERSEDED:
                errors[index] = invalid_value(
                    entries[index]["ReceiptHandle"], "ReceiptHandle", "The receipt handle has expired."
                )
        return errors

    async def _change(self, queue: Queue, entries: Sequence[Parameters]) -> list[ServiceException | None]:
        receipts, errors = self._read(queue, entries, _check_visibility)
        now = self._queues.now()
        timeouts = [entries[index].get("VisibilityTimeout") or 0 for index in receipts]
        changes = [
            (receipt, now + timeout * 1000, _VISIBILITY_MOST * 1000)
            for receipt, timeout in zip(receipts.values(), timeouts, strict=True)
        ]
        outcomes = await self._messages.change_visibility(queue.id, changes, now=now, is_fifo=queue.is_fifo)
        for index, one in zip(receipts, outcomes, strict=True):
            errors[index] = _visibility_error(entries[index], one)
        changed = [t for t, one in zip(timeouts, outcomes, strict=True) if one is Held.CURRENT]
        if changed:
            self._waiters.wake_in(queue.id, min(changed))
        return errors

    def _read(
        self, queue: Queue, entries: Sequence[Parameters], check: Callable[[Parameters], None] | None
    ) -> tuple[dict[int, Receipt], list[ServiceException | None]]:
        """The receipts of those entries that have one, by index, and what is wrong with the others."""
        receipts: dict[int, Receipt] = {}
        errors: list[ServiceException | None] = [None] * len(entries)
        for index, entry in enumerate(entries):
            try:
                receipts[index] = self._receipt(queue, entry)
                if check is not None:
                    check(entry)
            except ServiceException as error:
                receipts.pop(index, None)
                errors[index] = error
        return receipts, errors

    def _receipt(self, queue: Queue, entry: Parameters) -> Receipt:
        handle: str = entry.get("ReceiptHandle") or ""
        found = self._handles.read(handle)
        if found is None and not handle.strip():
            raise MissingRequiredParameterException("ReceiptHandle")
        if found is None:
            raise ReceiptHandleIsInvalid(
                f'The input receipt handle "{handle}" is not a valid receipt handle.'
            )
        queue_id, receipt = found
        # One of before a purge, or of another queue, holds nothing here: no id is ever given twice.
        return receipt if queue_id == queue.id else (0, 0)


def _check_visibility(entry: Parameters) -> None:
    timeout = entry.get("VisibilityTimeout")
    if timeout is None:
        raise MissingRequiredParameterException("VisibilityTimeout")
    if not 0 <= timeout <= _VISIBILITY_MOST:
        raise invalid_value(
            timeout,
            "VisibilityTimeout",
            f"VisibilityTimeout must be an integer between 0 and {_VISIBILITY_MOST}",
        )


def _visibility_error(entry: Parameters, result: Held | int) -> ServiceException | None:
    if result is Held.CURRENT:
        return None
    if isinstance(result, Held):
        return invalid_value(
            entry["ReceiptHandle"],
            "ReceiptHandle",
            "Message does not exist or is not available for visibility timeout change.",
        )
    return InvalidParameterValueException(
        f"Value {entry['VisibilityTimeout']} for parameter VisibilityTimeout is invalid. Reason: Total "
        f"VisibilityTimeout for the message is beyond the limit [{_VISIBILITY_MOST} seconds]"
    )


def _batch_outcome(entries: Sequence[Parameters], errors: Sequence[ServiceException | None]) -> Parameters:
    successful: list[Parameters] = []
    failures: list[Parameters] = []
    for entry, error in zip(entries, errors, strict=True):
        if error is None:
            successful.append({"Id": entry["Id"]})
        else:
            failures.append(failed(entry["Id"], error))
    return outcome(successful, failures)
