"""Brings what was published to subscribers: to queues and functions as sns.amazonaws.com, to endpoints by POST."""

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from lambent.base.arn import Arn, partition_of
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters, service_caller
from lambent.model.delivery import Delivery
from lambent.model.error import ServiceException
from lambent.model.service import Client
from lambent.services.sns.delivery_status import SERVICE, Accepted, DeliveryStatusLog
from lambent.services.sns.encryption import PayloadEncryption
from lambent.services.sns.mail import Mail
from lambent.services.sns.metrics import TopicMetrics
from lambent.services.sns.posting import Send, post
from lambent.services.sns.sms import TextMessages
from lambent.targets.calls import queue_url
from lambent.targets.failure import failure_of
from lambent.targets.worker import DeadLetter, Outcome

_CONFIRMATION_TYPE = "text/plain; charset=UTF-8"
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_METRICS: Mapping[Outcome, str] = {
    "delivered": "NumberOfNotificationsDelivered",
    "failed": "NumberOfNotificationsFailed",
}

_REPLAY_METRICS: Mapping[Outcome, str] = {
    "delivered": "NumberOfReplayedNotificationsDelivered",
    "failed": "NumberOfReplayedNotificationsFailed",
}


class SubscriberCourier:
    """targets.worker.Courier."""

    def __init__(
        self,
        client: Client,
        send: Send,
        encryption: PayloadEncryption,
        status: DeliveryStatusLog,
        metrics: TopicMetrics,
        mail: Mail,
        texts: TextMessages,
    ) -> None:
        self._client = client
        self._send = send
        self._encryption = encryption
        self._status = status
        self._metrics = metrics
        self._mail = mail
        self._texts = texts

    async def deliver(self, delivery: Delivery) -> None:
        try:
            accepted = await self._deliver(await self._encryption.opened(delivery))
        except ServiceException as error:
            raise failure_of(error) from error
        await self._status.delivered(delivery, accepted)

    async def bury(self, letter: DeadLetter) -> None:
        await self._redrive(letter.delivery)
        await self._status.failed(letter.delivery, letter.failure)

    async def _redrive(self, delivery: Delivery) -> None:
        arn = delivery.target.get("DeadLetters")
        if arn is None:
            return
        try:
            delivery = await self._encryption.opened(delivery)
            body = delivery.event if delivery.event is not None else delivery.payload
            await self._to_queue(delivery, Arn.parse(arn), body)
        except ServiceException:
            self._metrics.count(delivery.source_arn, "NumberOfNotificationsFailedToRedriveToDlq")
        else:
            self._metrics.count(delivery.source_arn, "NumberOfNotificationsRedrivenToDlq")

    def tell(self, delivery: Delivery, outcome: Outcome) -> None:
        if outcome in _METRICS and delivery.source_arn:
            names = _REPLAY_METRICS if delivery.target.get("Replayed") else _METRICS
            self._metrics.count(delivery.source_arn, names[outcome])

    async def _deliver(self, delivery: Delivery) -> Accepted:
        match delivery.target["Protocol"]:
            case "sqs":
                return await self._to_queue(
                    delivery, Arn.parse(delivery.target["Endpoint"]), delivery.payload
                )
            case "lambda":
                return await self._to_function(delivery)
            case "email" | "email-json":
                target = delivery.target
                await self._mail.send(target["Endpoint"], target["Subject"], delivery.payload.decode())
                return Accepted(200, "")
            case "sms":
                await self._texts.send(delivery)
                return Accepted(200, "")
            case _:
                return await self._to_endpoint(delivery)

    async def _to_queue(self, delivery: Delivery, queue: Arn, body: bytes) -> Accepted:
        target = delivery.target
        message: Parameters = {"QueueUrl": queue_url(queue), "MessageBody": body.decode()}
        if target.get("Attributes"):
            message["MessageAttributes"] = _with_bytes(target["Attributes"])
        is_fifo = queue.resource.endswith(".fifo")
        if target.get("GroupId") is not None:
            message["MessageGroupId"] = target["GroupId"]
        elif is_fifo:
            message["MessageGroupId"] = target["Arn"].rpartition(":")[2]
        if is_fifo:
            message["MessageDeduplicationId"] = target.get("DeduplicationId") or target["MessageId"]
        if target.get("TraceHeader"):
            header = {"DataType": "String", "StringValue": target["TraceHeader"]}
            message["MessageSystemAttributes"] = {"AWSTraceHeader": header}
        caller = _caller(delivery, queue.region)
        sent = await self._client("sqs", "SendMessage", caller, message)
        said = {"sqsRequestId": caller.request_id, "sqsMessageId": sent["MessageId"]}
        return Accepted(200, json.dumps(said, separators=(",", ":")))

    async def _to_function(self, delivery: Delivery) -> Accepted:
        arn = delivery.target["Endpoint"]
        invocation: Parameters = {
            "FunctionName": arn,
            "InvocationType": "Event",
            "Payload": delivery.payload,
        }
        caller = _caller(delivery, Arn.parse(arn).region)
        if delivery.target.get("TraceHeader"):
            caller.headers["x-amzn-trace-id"] = delivery.target["TraceHeader"]
        await self._client("lambda", "Invoke", caller, invocation)
        said = {"lambdaRequestId": caller.request_id}
        return Accepted(202, json.dumps(said, separators=(",", ":")))

    async def _to_endpoint(self, delivery: Delivery) -> Accepted:
        status = await post(self._send, delivery.target["Endpoint"], _headers(delivery), delivery.payload)
        return Accepted(status, _PHRASES.get(status, ""))


def _headers(delivery: Delivery) -> dict[str, str]:
    target = delivery.target
    headers = {
        "x-amz-sns-message-type": target["Kind"],
        "x-amz-sns-message-id": target["MessageId"],
        "x-amz-sns-topic-arn": delivery.source_arn,
    }
    if target["Kind"] != "SubscriptionConfirmation":
        headers["x-amz-sns-subscription-arn"] = target["Arn"]
    if target["Raw"]:
        headers["x-amz-sns-rawdelivery"] = "true"
    return headers | {
        "Content-Type": target["ContentType"] if target["Kind"] == "Notification" else _CONFIRMATION_TYPE,
        "User-Agent": "Amazon Simple Notification Service Agent",
        "Accept-Encoding": "gzip,deflate",
    }


def _with_bytes(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: {**one, "BinaryValue": base64.b64decode(one["BinaryValue"])}
        if "BinaryValue" in one
        else dict(one)
        for name, one in attributes.items()
    }


def _caller(delivery: Delivery, region: str) -> Caller:
    return service_caller(
        SERVICE,
        account_id=delivery.account_id,
        region=region,
        partition=partition_of(region),
        source_arn=delivery.source_arn,
        request_id=new_uuid(),
    )
