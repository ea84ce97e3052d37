"""SQS as an event source: messages become records in AWS's form, deleting is settling.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson

from lambent.base.arn import Arn
from lambent.event_sources.source import Record
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException
from lambent.model.service import Client

Session = Callable[[], Awaitable[Caller]]
"""Who polls: a session of the function's role. Raises ServiceException where there is no function, or no such role."""

_BATCH_MOST = 10


class SqsSource:
    """Implements EventSource."""

    data_member = "body"
    poll_most = _BATCH_MOST

    def __init__(
        self, queue_arn: str, client: Client, session: Session, *, with_window: bool = False
    ) -> None:
        """`with_window`: the mapping has a batching window, and so records of another writer at AWS."""
        queue = Arn.parse(queue_arn)
        self.ordered = queue.resource.endswith(".fifo")
        self._arn = queue_arn
        self._with_window = with_window
        self._region = queue.region
        self._url = f"http://sqs.{queue.region}.amazonaws.com/{queue.account_id}/{queue.resource}"
        self._client = client
        self._session = session

    async def hold_seconds(self) -> float:
        asked = {"AttributeNames": ["VisibilityTimeout"]}
        answer = await self._call("GetQueueAttributes", asked)
        return float(answer["Attributes"]["VisibilityTimeout"])

    async def poll(self, *, most: int, wait_seconds: float) -> Sequence[Record]:
        whole = min(int(wait_seconds), 20)
        if 0 < wait_seconds < 1:
            # SQS waits whole seconds only.
            await asyncio.sleep(wait_seconds)
        answer = await self._call(
            "ReceiveMessage",
            {
                "MaxNumberOfMessages": min(most, self.poll_most),
                "WaitTimeSeconds": whole,
                "MessageSystemAttributeNames": ["All"],
                "MessageAttributeNames": ["All"],
            },
        )
        return [self._record(message) for message in answer.get("Messages") or ()]

    async def settle(self, records: Sequence[Record]) -> None:
        await self._in_tens("DeleteMessageBatch", records, {})

    async def give_up(self, records: Sequence[Record]) -> None:
        """A queue with a redrive policy moves them itself, when they have come often enough."""
        answer = await self._call("GetQueueAttributes", {"AttributeNames": ["RedrivePolicy"]})
        if not answer.get("Attributes", {}).get("RedrivePolicy"):
            await self.settle(records)

    async def give_back(self, records: Sequence[Record]) -> None:
        await self._in_tens("ChangeMessageVisibilityBatch", records, {"VisibilityTimeout": 0})

    def event(self, batch: Sequence[Record]) -> bytes:
        return b'{"Records":[' + b",".join(record.text for record in batch) + b"]}"

    async def _in_tens(self, operation: str, records: Sequence[Record], more: Mapping[str, Any]) -> None:
        tens = [records[first : first + _BATCH_MOST] for first in range(0, len(records), _BATCH_MOST)]
        # At once, so that they share commits.
        await asyncio.gather(*(self._for_each(operation, ten, more) for ten in tens))

    async def _for_each(self, operation: str, records: Sequence[Record], more: Mapping[str, Any]) -> None:
        entries = [
            {"Id": str(number), "ReceiptHandle": record.handle, **more}
            for number, record in enumerate(records)
        ]
        answer = await self._call(operation, {"Entries": entries})
        for failed in answer.get("Failed") or ():
            if not failed.get("SenderFault"):
                raise SqsEntryError(f"{failed.get('Code')}: {failed.get('Message')}")

    async def _call(self, operation: str, parameters: Parameters) -> Parameters:
        return await self._client(
            "sqs", operation, await self._session(), {"QueueUrl": self._url, **parameters}
        )

    def _record(self, message: Mapping[str, Any]) -> Record:
        attributes = message.get("Attributes", {})
        payload = {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": dict(attributes),
            "messageAttributes": {
                name: _attribute(value) for name, value in (message.get("MessageAttributes") or {}).items()
            },
            **self._attributes_md5(message),
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": self._region,
        }
        return Record(
            id=message["MessageId"],
            payload=payload,
            text=orjson.dumps(payload),
            data=message["Body"],
            group=attributes.get("MessageGroupId") if self.ordered else None,
            handle=message["ReceiptHandle"],
            trace_header=attributes.get("AWSTraceHeader"),
        )

    def _attributes_md5(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Where there are none, AWS shows null in batches of a window, and else nothing."""
        md5 = message.get("MD5OfMessageAttributes")
        return {"md5OfMessageAttributes": md5} if md5 or self._with_window else {}


class SqsEntryError(ServiceException):
    """SQS did not do its part for an entry of a batch."""


def _attribute(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A message attribute as records have it."""
    described: dict[str, Any] = {}
    if value.get("StringValue") is not None:
        described["stringValue"] = value["StringValue"]
    if value.get("BinaryValue") is not None:
        described["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return described | {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
