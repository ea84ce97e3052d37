"""Publish, PublishBatch. What is answered is on disk, with everything that is to be delivered of it."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from lambent.base.clock import Clock
from lambent.encryption.data_keys import DataKey
from lambent.model.caller import Caller, Parameters
from lambent.model.deduplication import DeduplicationWindow
from lambent.model.service import Operation
from lambent.model.topic import Subscription, Topic
from lambent.services.sns.archive_policy import archived
from lambent.services.sns.deliveries import Deliveries
from lambent.services.sns.encryption import PayloadEncryption, sealed
from lambent.services.sns.endpoints import is_phone_number, require_reach
from lambent.services.sns.envelope import Message
from lambent.services.sns.errors import (
    BatchEntryIdsNotDistinct,
    BatchRequestTooLong,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    TooManyEntriesInBatchRequest,
    invalid,
)
from lambent.services.sns.filter_policy import wants, why_unwanted
from lambent.services.sns.messages import SIZE_MOST, check_size, new_message, size_of
from lambent.services.sns.metrics import TopicMetrics
from lambent.services.sns.topics import Topics
from lambent.store.ports.topics import Publication, Published, TopicStore

_ENTRIES_MOST = 10
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_SEQUENCE_FIRST = 10**19
_FILTERED_OUT = "NumberOfNotificationsFilteredOut"


class PublishOperations:
    def __init__(
        self,
        topics: Topics,
        store: TopicStore,
        deliveries: Deliveries,
        encryption: PayloadEncryption,
        metrics: TopicMetrics,
        wake: Callable[[], None],
        clock: Clock,
        missing: Collection[str],
    ) -> None:
        """`wake` is called when there is something to deliver; `missing` are settings that are not made."""
        self._missing = missing
        self._topics = topics
        self._store = store
        self._deliveries = deliveries
        self._encryption = encryption
        self._metrics = metrics
        self._wake = wake
        self._window = DeduplicationWindow(clock)
        self._last_sequence = 0

    def operations(self) -> Mapping[str, Operation]:
        return {"Publish": self.publish, "PublishBatch": self.publish_batch}

    async def publish(self, caller: Caller, parameters: Parameters) -> Parameters:
        if parameters.get("PhoneNumber"):
            return await self._send_text(caller, parameters)
        topic = self._target(caller, parameters)
        message = new_message(topic, caller, parameters, self._topics.now())
        size = check_size(parameters)
        [published] = await self._publish(topic, caller, [message])
        self._metrics.count(topic.arn, "PublishSize", size, unit="Bytes")
        return _answer(topic, published)

    async def publish_batch(self, caller: Caller, parameters: Parameters) -> Parameters:
        topic = self._topics.get(parameters["TopicArn"], caller)
        entries: Sequence[Parameters] = parameters["PublishBatchRequestEntries"]
        _check_entries(entries)
        now = self._topics.now()
        messages = [new_message(topic, caller, entry, now) for entry in entries]
        if sum(size_of(entry) for entry in entries) > SIZE_MOST:
            raise BatchRequestTooLong("The length of all the messages put together is more than the limit.")
        published = await self._publish(topic, caller, messages)
        successful = [
            {"Id": entry["Id"], **_answer(topic, one)} for entry, one in zip(entries, published, strict=True)
        ]
        return {"Successful": successful, "Failed": []}

    async def _send_text(self, caller: Caller, parameters: Parameters) -> Parameters:
        number: str = parameters["PhoneNumber"]
        if not is_phone_number(number):
            raise invalid(f"PhoneNumber Reason: {number} is not valid to publish to")
        require_reach("sms", self._missing)
        message = new_message(None, caller, parameters, self._topics.now())
        delivery = self._deliveries.text_message(number, caller, message)
        publication = Publication(topic_arn="", message_id=message.id, deliveries=[delivery])
        await self._store.publish([publication], now=message.published_at, duplicates_until=0)
        self._wake()
        return {"MessageId": message.id}

    def _target(self, caller: Caller, parameters: Parameters) -> Topic:
        arn = parameters.get("TopicArn")
        if arn is None:
            arn = parameters.get("TargetArn")
            if not arn:
                raise invalid("TopicArn or TargetArn Reason: no value for required parameter")
            if ":endpoint/" in arn:
                raise invalid("TargetArn Reason: No endpoint found for the target arn specified")
        topic = self._topics.get(arn, caller)
        return topic

    async def _publish(
        self, topic: Topic, caller: Caller, messages: Sequence[Message]
    ) -> Sequence[Published]:
        key = await self._encryption.key(topic, caller)
        publications = [self._publication(topic, message, key) for message in messages]
        published = await self._store.publish(
            publications, now=self._window.now(), duplicates_until=self._window.until()
        )
        if any(one.deliveries for one in publications):
            self._wake()
        self._metrics.count(topic.arn, "NumberOfMessagesPublished", len(messages))
        return published

    def _publication(self, topic: Topic, message: Message, key: DataKey | None) -> Publication:
        sequence, scope = 0, None
        if topic.is_fifo:
            sequence = self._next_sequence()
            message = replace(message, sequence_number=sequence)
            by_group = topic.attributes.get("FifoThroughputScope") == "MessageGroup"
            scope = message.group_id if by_group else ""
        wanting = self._wanting(topic, message)
        return Publication(
            topic_arn=topic.arn,
            message_id=message.id,
            deliveries=sealed(key, [self._deliveries.notification(topic, one, message) for one in wanting]),
            sequence_number=sequence,
            deduplication_scope=scope,
            deduplication_id=message.deduplication_id or "",
            archived=archived(topic, message, key),
        )

    def _wanting(self, topic: Topic, message: Message) -> Sequence[Subscription]:
        wanting: list[Subscription] = []
        for one in self._topics.subscriptions(topic.arn):
            if not one.confirmed:
                continue
            body = message.body_for(one.protocol)
            if wants(one, body, message.attributes):
                wanting.append(one)
                continue
            reason = why_unwanted(one, body, message.attributes)
            for name in (_FILTERED_OUT, f"{_FILTERED_OUT}-{reason}"):
                self._metrics.count(topic.arn, name)
        return wanting

    def _next_sequence(self) -> int:
        """Twenty digits that grow, also over a restart: they follow the clock."""
        self._last_sequence = max(self._last_sequence + 1, _SEQUENCE_FIRST + self._topics.now() * 1_000_000)
        return self._last_sequence


def _answer(topic: Topic, published: Published) -> Parameters:
    answer = {"MessageId": published.message_id}
    return answer | ({"SequenceNumber": str(published.sequence_number)} if topic.is_fifo else {})


def _check_entries(entries: Sequence[Parameters]) -> None:
    if not entries:
        raise EmptyBatchRequest("The batch request doesn't contain any entries.")
    if len(entries) > _ENTRIES_MOST:
        raise TooManyEntriesInBatchRequest("The batch request contains more entries than permissible.")
    if any(not _ID.fullmatch(entry["Id"]) for entry in entries):
        raise InvalidBatchEntryId(
            "The Id of a batch entry in a batch request doesn't abide by the specification."
        )
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise BatchEntryIdsNotDistinct("Two or more batch entries in the request have the same Id.")
