"""Queues: CreateQueue, GetQueueUrl, ListQueues, DeleteQueue, PurgeQueue, ListDeadLetterSourceQueues."""

from collections.abc import Mapping, Sequence

from lambent.base.page_tokens import read_token, write_token
from lambent.model.caller import Caller, Parameters
from lambent.model.queue import Queue
from lambent.model.service import Operation
from lambent.services.sqs import attributes
from lambent.services.sqs.attribute_operations import check_documents
from lambent.services.sqs.errors import (
    InvalidAttributeName,
    InvalidParameterValueException,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueueDoesNotExist,
    QueueNameExists,
    invalid_value,
)
from lambent.services.sqs.queue_urls import queue_url
from lambent.services.sqs.queues import Queues
from lambent.services.sqs.redrive import redrive_policy
from lambent.services.sqs.tags import check_tags
from lambent.services.sqs.waiters import Waiters

_PURGE_MS = 60_000
_PAGE_MOST = 1000


class QueueOperations:
    def __init__(self, queues: Queues, waiters: Waiters, *, deleted_ms: int) -> None:
        """`deleted_ms` is how long the name of a deleted queue may not be used."""
        self._queues = queues
        self._waiters = waiters
        self._deleted_ms = deleted_ms

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateQueue": self.create_queue,
            "GetQueueUrl": self.get_queue_url,
            "ListQueues": self.list_queues,
            "DeleteQueue": self.delete_queue,
            "PurgeQueue": self.purge_queue,
            "ListDeadLetterSourceQueues": self.list_dead_letter_source_queues,
        }

    async def create_queue(self, caller: Caller, parameters: Parameters) -> Parameters:
        name, given = parameters["QueueName"], dict(parameters.get("Attributes") or {})
        tags = dict(parameters.get("tags") or {})
        if given.get("FifoQueue", "true") == "false":
            raise InvalidAttributeName("Unknown Attribute FifoQueue.")
        attributes.check_name(name, given)
        attributes.check_values(given, is_fifo=name.endswith(".fifo"))
        check_tags(tags)
        async with self._queues.changing:
            now = self._queues.now()
            queue = Queue(
                account_id=caller.account_id,
                region=caller.region,
                name=name,
                attributes=attributes.merged({}, given),
                tags=tags,
                created_at=now,
                modified_at=now,
            )
            existing = self._queues.get(queue.key)
            if existing is not None:
                _check_same(existing, given)
                return {"QueueUrl": queue_url(existing, caller)}
            if now - self._queues.deleted_at.get(queue.key, -self._deleted_ms) < self._deleted_ms:
                raise QueueDeletedRecently(
                    "You must wait 60 seconds after deleting a queue before you can create another "
                    "with the same name."
                )
            attributes.check_together(queue.attributes, given)
            check_documents(given, queue, self._queues)
            made = await self._queues.insert(queue)
        return {"QueueUrl": queue_url(made, caller)}

    async def get_queue_url(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = parameters["QueueName"]
        if not name:
            raise InvalidParameterValueException(
                "Value for parameter QueueName is invalid. Reason: Must specify a queue name."
            )
        account_id = parameters.get("QueueOwnerAWSAccountId") or caller.account_id
        queue = self._queues.get((account_id, caller.region, name))
        if queue is None:
            raise QueueDoesNotExist
        return {"QueueUrl": queue_url(queue, caller)}

    async def list_queues(self, caller: Caller, parameters: Parameters) -> Parameters:
        prefix = parameters.get("QueueNamePrefix") or ""
        found = [
            queue
            for queue in self._queues
            if (queue.account_id, queue.region) == (caller.account_id, caller.region)
            and queue.name.startswith(prefix)
        ]
        page, token = _page(found, parameters)
        output: Parameters = {"QueueUrls": [queue_url(queue, caller) for queue in page]} if page else {}
        return output | token

    async def delete_queue(self, caller: Caller, parameters: Parameters) -> Parameters:
        queue = self._queues.of(caller, parameters)
        await self._queues.delete(queue)
        self._waiters.wake_all(queue.id)
        return {}

    async def purge_queue(self, caller: Caller, parameters: Parameters) -> Parameters:
        def check(queue: Queue) -> None:
            if queue.purged_at is not None and self._queues.now() - queue.purged_at < _PURGE_MS:
                raise PurgeQueueInProgress(
                    f"Only one PurgeQueue operation on {queue.name} is allowed every 60 seconds."
                )

        queue = self._queues.of(caller, parameters)
        await self._queues.empty(queue, check)
        self._waiters.wake_all(queue.id)
        return {}

    async def list_dead_letter_source_queues(self, caller: Caller, parameters: Parameters) -> Parameters:
        target = self._queues.of(caller, parameters)
        found = [
            queue
            for queue in self._queues
            if (policy := redrive_policy(queue)) is not None and policy.target_arn == target.arn
        ]
        page, token = _page(found, parameters)
        return {"queueUrls": [queue_url(queue, caller) for queue in page]} | token


def _check_same(existing: Queue, given: Mapping[str, str]) -> None:
    has = attributes.described(existing)
    for name, value in given.items():
        if has.get(name, "") != value:
            raise QueueNameExists(
                f"A queue already exists with the same name and a different value for attribute {name}"
            )


def _page(queues: Sequence[Queue], parameters: Parameters) -> tuple[Sequence[Queue], Parameters]:
    """By name. A token is only given to who asks for pages, as AWS has it."""
    most = parameters.get("MaxResults")
    if most is not None and not 1 <= most <= _PAGE_MOST:
        raise invalid_value(most, "MaxResults", f"MaxResults must be an integer between 1 and {_PAGE_MOST}")
    after = _position(parameters.get("NextToken"))
    left = sorted((one for one in queues if one.name > after), key=lambda queue: queue.name)
    page = left[: most or _PAGE_MOST]
    if most is None or len(left) <= len(page):
        return page, {}
    return page, {"NextToken": write_token(page[-1].name)}


def _position(token: str | None) -> str:
    if not token:
        return ""
    try:
        return read_token(token)
    except ValueError:
        raise InvalidParameterValueException("Invalid or expired next token.") from None
