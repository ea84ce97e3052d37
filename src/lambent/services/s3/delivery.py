"""Tells functions, queues, topics and buses of a bucket's events: after the change is stored, until they have taken it.

As the service s3.amazonaws.com, for the bucket: what the destination's policy allows. What cannot be delivered is tried
again, later and later, for a day.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from lambent.base.arn import Arn
from lambent.base.clock import Clock, Jumps
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, account_caller, service_caller
from lambent.model.error import ServiceException
from lambent.model.service import Client
from lambent.model.stored_object import Notice
from lambent.store.ports.errors import StoreClosedError, StoreError
from lambent.store.ports.notices import NoticeStore, QueuedNotice

log = logging.getLogger(__name__)

S3 = "s3.amazonaws.com"
_AT_ONCE = 64
_FIRST_RETRY_SECONDS = 1.0
_RETRY_SECONDS_MOST = 300.0
_STORE_SECONDS = 1.0
_GIVEN_UP_AFTER_SECONDS = 86_400.0
_LOOK_SECONDS = 60.0
_MISSING = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        "NotFound",
        "NotFoundException",
        "ResourceNotFoundException",
    }
)

Send = Callable[[Arn, Caller, str], Awaitable[Any]]


class Destinations:
    """How each kind of destination is spoken to."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._sends: dict[str, Send] = {
            "lambda": self._invoke,
            "sqs": self._send_message,
            "sns": self._publish,
            "events": self._put_events,
        }

    async def deliver(self, notice: Notice) -> None:
        """Raises ServiceException."""
        arn = Arn.parse(notice.destination)
        caller = _caller(notice.account_id, notice.region, notice.bucket_arn)
        if notice.trace_header is not None:
            caller.headers["x-amzn-trace-id"] = notice.trace_header
        await self._sends[arn.service](arn, caller, notice.body)

    async def refusal(self, bucket: Bucket, destination: str, test: str) -> str | None:
        """Why this destination cannot be told; `{noun}` stands for what it is. Queues and topics get `test` to see."""
        arn = Arn.parse(destination)
        caller = _caller(bucket.account_id, bucket.region, bucket.arn(arn.partition))
        try:
            if arn.service == "lambda":
                await self._client(
                    "lambda", "Invoke", caller, {"FunctionName": str(arn), "InvocationType": "DryRun"}
                )
            else:
                await self._sends[arn.service](arn, caller, test)
        except ServiceException:
            if arn.service == "lambda":
                return f"Not authorized to invoke function [{destination}]"
            if await self._is_missing(arn):
                return "The destination {noun} does not exist"
            return "Permissions on the destination {noun} do not allow S3 to publish notifications from this bucket"
        return None

    async def _is_missing(self, arn: Arn) -> bool:
        """Asked as the account that it would belong to: whoever may not use it is not told by the service itself."""
        owner = account_caller(S3, account_id=arn.account_id, region=arn.region)
        try:
            if arn.service == "sqs":
                await self._client("sqs", "GetQueueUrl", owner, {"QueueName": arn.resource})
            else:
                await self._client("sns", "GetTopicAttributes", owner, {"TopicArn": str(arn)})
        except ServiceException as error:
            return error.code in _MISSING
        return False

    async def _invoke(self, arn: Arn, caller: Caller, body: str) -> None:
        await self._client(
            "lambda",
            "Invoke",
            caller,
            {"FunctionName": str(arn), "InvocationType": "Event", "Payload": body.encode()},
        )

    async def _send_message(self, arn: Arn, caller: Caller, body: str) -> None:
        url = f"https://sqs.{arn.region}.amazonaws.com/{arn.account_id}/{arn.resource}"
        await self._client("sqs", "SendMessage", caller, {"QueueUrl": url, "MessageBody": body})

    async def _publish(self, arn: Arn, caller: Caller, body: str) -> None:
        request = {"TopicArn": str(arn), "Message": body, "Subject": "Amazon S3 Notification"}
        await self._client("sns", "Publish", caller, request)

    async def _put_events(self, arn: Arn, caller: Caller, body: str) -> None:
        answer = await self._client("events", "PutEvents", caller, {"Entries": [json.loads(body)]})
        if answer.get("FailedEntryCount"):
            raise ServiceException(str(answer["Entries"]))


class Delivery:
    """`run` goes on for ever, behind the requests; `wake` says that there is something new."""

    def __init__(
        self,
        store: NoticeStore,
        destinations: Destinations,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._destinations = destinations
        self._clock = clock
        self._sleep = sleep
        self._jumps = Jumps(clock)
        self._set_back = False
        self._wanted = asyncio.Event()

    def wake(self) -> None:
        self._wanted.set()

    async def run(self) -> None:
        """A store that fails is asked again."""
        while True:
            self._wanted.clear()
            try:
                while await self.deliver_due():
                    pass
                seconds = await self.next_due_in()
            except StoreClosedError:
                return
            except StoreError:
                log.exception("events of buckets cannot be read; next try in %.0f s", _STORE_SECONDS)
                await self._sleep(_STORE_SECONDS)
                continue
            try:
                await asyncio.wait_for(self._wanted.wait(), max(0.05, min(seconds, _LOOK_SECONDS)))
            except TimeoutError:
                continue

    async def next_due_in(self) -> float:
        """In how many seconds there is something to do."""
        next_due, now = await self._store.next_due(), self._clock.now()
        if next_due is None:
            return _LOOK_SECONDS
        latest = now if self._set_back else now + _RETRY_SECONDS_MOST
        if next_due <= latest:
            return next_due - now
        # Nothing is put off for so long, or it was put off by a clock that was set back, or by another's.
        hastened = await self._store.hasten(now=now, latest=latest)
        self._set_back = False
        log.warning("%d events of buckets waited for a time of another clock", hastened)
        return 0.0

    async def deliver_due(self) -> int:
        """How many were tried."""
        self._set_back = self._jumps.look() < 0 or self._set_back
        due = await self._store.due(self._clock.now(), _AT_ONCE)
        retries = await asyncio.gather(*(self._deliver(queued) for queued in due))
        done = [queued.id for queued, pause in zip(due, retries, strict=True) if pause is None]
        if done:
            await self._settle(partial(self._store.complete, done))
        for queued, pause in zip(due, retries, strict=True):
            if pause is not None:
                await self._settle(partial(self._store.postpone, queued.id, self._clock.now() + pause))
        return len(due)

    async def _deliver(self, queued: QueuedNotice) -> float | None:
        """In how many seconds it is to be tried again; None where it is done with."""
        notice = queued.notice
        try:
            await self._destinations.deliver(notice)
        except (ServiceException, StoreError) as error:
            # Nothing becomes too old because the clock was set forward.
            age = self._clock.now() - self._jumps.translated(queued.created_at)
            if age > _GIVEN_UP_AFTER_SECONDS:
                log.warning(
                    "an event of %s for %s is given up: %s", notice.bucket_arn, notice.destination, error
                )
                return None
        except Exception:
            log.exception(
                "an event of %s for %s could not be delivered", notice.bucket_arn, notice.destination
            )
            return _RETRY_SECONDS_MOST
        else:
            return None
        return min(_RETRY_SECONDS_MOST, _FIRST_RETRY_SECONDS * 2.0 ** min(queued.attempts, 10))

    async def _settle(self, settle: Callable[[], Awaitable[None]]) -> None:
        """Until the store takes it: what is not settled would be told once more, with all that was told beside it."""
        while True:
            try:
                return await settle()
            except StoreClosedError:
                raise
            except StoreError:
                log.exception("what became of events of buckets could not be stored; trying again")
                await self._sleep(_STORE_SECONDS)


def _caller(account_id: str, region: str, bucket_arn: str) -> Caller:
    return service_caller(S3, account_id=account_id, region=region, source_arn=bucket_arn)
