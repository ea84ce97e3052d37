"""Amazon SNS: topics, standard and FIFO, and their subscriptions.

Knows the topic store's port and AWS's rules. All topics and subscriptions are in memory; a message is not: what is to
be delivered of it is on disk before it is acknowledged. `courier` brings it there, with the retries and dead letters of
lambent.targets. Mobile push and Firehose are not offered.

Source: the sns service model and https://docs.aws.amazon.com/sns/latest/dg/
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from lambent.base.clock import Clock
from lambent.encryption.data_keys import DataKeys
from lambent.http.client import request
from lambent.model.caller import Caller, Parameters, PassRole, RoleCallers
from lambent.model.metric import Metrics
from lambent.model.service import Client, Operation, Service
from lambent.model.sms import SmsSettings
from lambent.services.sns.arns import resource_arn
from lambent.services.sns.courier import SubscriberCourier
from lambent.services.sns.deliveries import Deliveries
from lambent.services.sns.delivery_policy import decide
from lambent.services.sns.delivery_status import DeliveryStatusLog
from lambent.services.sns.encryption import PayloadEncryption
from lambent.services.sns.envelope import Envelopes
from lambent.services.sns.errors import InternalError
from lambent.services.sns.mail import Mail
from lambent.services.sns.metrics import TopicMetrics
from lambent.services.sns.permissions import PermissionOperations
from lambent.services.sns.publish import PublishOperations
from lambent.services.sns.replayer import Replayer
from lambent.services.sns.signing import Shared, Signer
from lambent.services.sns.sms import SmsOperations, TextMessages
from lambent.services.sns.subscriptions import SubscriptionOperations
from lambent.services.sns.sweep import sweep
from lambent.services.sns.tags import TagOperations
from lambent.services.sns.tokens import ConfirmationTokens
from lambent.services.sns.topic_operations import TopicOperations
from lambent.services.sns.topics import Topics
from lambent.store.ports.errors import StoreFullError
from lambent.store.ports.named_records import NamedRecords
from lambent.store.ports.target_deliveries import TargetDeliveryStore
from lambent.store.ports.topic_archives import TopicArchiveStore
from lambent.store.ports.topics import TopicStore
from lambent.targets.worker import DeliveryWorker


@dataclass(frozen=True, slots=True, kw_only=True)
class Sns:
    """`open` before the first request, `behind` beside them, `close` after the last."""

    service: Service
    open: Callable[[], Awaitable[None]]
    behind: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]
    once: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]
    """As `behind`, for what only one node of a cluster does."""
    topics: Topics
    wakes: Sequence[Callable[[], None]]
    close: Callable[[], Awaitable[None]]
    signer: Signer


def sns(
    store: TopicStore,
    archives: TopicArchiveStore,
    outgoing: TargetDeliveryStore,
    *,
    clock: Clock,
    client: Client,
    roles: RoleCallers,
    pass_role: PassRole,
    metrics: Metrics,
    shared: Shared,
    secret: bytes,
    link_base: str,
    sms_settings: NamedRecords[SmsSettings],
    mail: Mail,
    sms_gateway: str | None,
    retry_seconds: float,
    owner: str = "local",
) -> Sns:
    """`shared` keeps the signing key, `secret` seals confirmation tokens, `link_base` is this server's
    address where no subscriber said a better one; `retry_seconds` is what a second of a delivery policy takes here,
    `owner` names this node in its claims."""
    topics, signer, counted = Topics(store, clock), Signer(shared), TopicMetrics(metrics)
    deliveries = Deliveries(Envelopes(signer, link_base))
    encryption = PayloadEncryption(DataKeys(client, clock))
    status = DeliveryStatusLog(client, roles, clock)
    sms = SmsOperations(sms_settings)
    missing = {
        *(() if mail.server else ("smtp_server",)),
        *(() if sms_gateway else ("sms_gateway",)),
    }
    texts = TextMessages(sms_gateway, request, sms)
    courier = SubscriberCourier(client, request, encryption, status, counted, mail, texts)
    worker = DeliveryWorker(
        "sns", outgoing, courier, clock, base_seconds=retry_seconds, owner=owner, decide=decide
    )
    tokens = ConfirmationTokens(secret)
    replayer = Replayer(topics, archives, outgoing, deliveries, encryption, worker.wake)
    operations = {
        **TopicOperations(topics, pass_role).operations(),
        **sms.operations(),
        **TagOperations(topics).operations(),
        **PermissionOperations(topics).operations(),
        **SubscriptionOperations(
            topics, deliveries, outgoing, tokens, worker.wake, archives, replayer.wake, missing
        ).operations(),
        **PublishOperations(
            topics, store, deliveries, encryption, counted, worker.wake, clock, missing
        ).operations(),
    }

    async def open() -> None:
        await signer.open()
        await topics.open()

    return Sns(
        service=Service(
            name="sns",
            operations={name: _with_full_store(operation) for name, operation in operations.items()},
            resource_arn=resource_arn,
            resource_policy=topics.policy,
        ),
        open=open,
        behind={"deliver to subscribers": worker.run},
        once={
            "forget deduplication ids of topics": lambda: sweep(store, archives, topics, clock),
            "replay archives of topics": replayer.run,
        },
        topics=topics,
        wakes=(worker.wake, replayer.wake),
        close=worker.close,
        signer=signer,
    )


def _with_full_store(operation: Operation) -> Operation:
    @wraps(operation)
    async def guarded(caller: Caller, parameters: Parameters) -> Parameters:
        try:
            return await operation(caller, parameters)
        except StoreFullError as error:
            raise InternalError(f"The topic store takes no more data: {error}") from error

    return guarded
