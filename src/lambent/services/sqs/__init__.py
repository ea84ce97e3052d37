"""Amazon SQS: queues, standard and FIFO, and their messages.

Knows the queue stores' ports and AWS's rules. All queues are in memory, no message is: whatever is acknowledged is in
the store. A module per noun; `waiters` is long polling.

Source: the sqs service model and https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps

from lambent.base.clock import Clock
from lambent.encryption.data_keys import DataKeys
from lambent.model.caller import Caller, Parameters
from lambent.model.metric import Metrics
from lambent.model.queue import MessageMoveTask
from lambent.model.service import Client, Operation, Service
from lambent.services.sqs.attribute_operations import AttributeOperations
from lambent.services.sqs.encryption import BodyEncryption
from lambent.services.sqs.errors import ServiceUnavailable
from lambent.services.sqs.move_tasks import MoveTaskOperations
from lambent.services.sqs.mover import Mover
from lambent.services.sqs.permissions import PermissionOperations
from lambent.services.sqs.queue_operations import QueueOperations
from lambent.services.sqs.queues import Queues
from lambent.services.sqs.receipt_handles import ReceiptHandles
from lambent.services.sqs.receipts import ReceiptOperations
from lambent.services.sqs.receive import ReceiveOperations
from lambent.services.sqs.resource import QueuePolicies, resource_arn
from lambent.services.sqs.send import SendOperations
from lambent.services.sqs.sweep import Sweep
from lambent.services.sqs.tags import TagOperations
from lambent.services.sqs.waiters import Waiters
from lambent.store.ports.errors import StoreFullError
from lambent.store.ports.named_records import NamedRecords
from lambent.store.ports.queue_messages import QueueMessageStore
from lambent.store.ports.queues import QueueStore

_DELETED_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sqs:
    """`open` before the first request, `ending` when nobody is to wait for messages any more."""

    service: Service
    open: Callable[[], Awaitable[None]]
    ending: Callable[[], None]
    sweep: Sweep
    mover: Mover
    queues: Queues
    wakes: Sequence[Callable[[], None]]
    """Another node may have written what this one waits for."""


def service(
    store: QueueStore,
    messages: QueueMessageStore,
    move_tasks: NamedRecords[MessageMoveTask],
    clock: Clock,
    client: Client,
    metrics: Metrics,
    *,
    secret: bytes,
) -> Sqs:
    """`secret` seals receipt handles."""
    queues, waiters, handles = Queues(store, clock), Waiters(), ReceiptHandles(secret)
    encryption = BodyEncryption(DataKeys(client, clock))
    mover = Mover(queues, messages, move_tasks, waiters)
    operations = {
        **QueueOperations(queues, waiters, deleted_ms=_DELETED_MS).operations(),
        **AttributeOperations(queues, messages).operations(),
        **PermissionOperations(queues).operations(),
        **MoveTaskOperations(queues, messages, move_tasks, mover).operations(),
        **TagOperations(queues).operations(),
        **SendOperations(queues, messages, waiters, encryption, metrics, clock).operations(),
        **ReceiveOperations(queues, messages, waiters, handles, encryption, metrics, clock).operations(),
        **ReceiptOperations(queues, messages, waiters, handles, metrics).operations(),
    }
    return Sqs(
        service=Service(
            name="sqs",
            operations={name: _with_full_store(operation) for name, operation in operations.items()},
            resource_arn=resource_arn,
            resource_policy=QueuePolicies(queues).of,
        ),
        open=queues.open,
        ending=waiters.end,
        mover=mover,
        queues=queues,
        wakes=(mover.wake, waiters.wake_each),
        sweep=Sweep(queues, store, messages, metrics, waiters, clock),
    )


def _with_full_store(operation: Operation) -> Operation:
    @wraps(operation)
    async def guarded(caller: Caller, parameters: Parameters) -> Parameters:
        try:
            return await operation(caller, parameters)
        except StoreFullError as error:
            raise ServiceUnavailable(f"The queue store takes no more data: {error}") from error

    return guarded
