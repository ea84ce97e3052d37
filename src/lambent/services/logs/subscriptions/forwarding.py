"""Makes deliveries of log events that match subscription filters, in the form in which AWS hands them to functions."""

import asyncio
import gzip
import logging
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

import orjson

from lambent.base.clock import Clock
from lambent.model.delivery import Delivery
from lambent.services.logs.subscriptions.courier import group_source
from lambent.services.logs.subscriptions.known import KnownSubscriptions
from lambent.services.logs.turns import Turns
from lambent.store.ports.errors import StoreError
from lambent.store.ports.logs import LogBatch, LogEvent
from lambent.store.ports.target_deliveries import TargetDeliveryStore

log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 1.0
_TOGETHER_BYTES_MOST = 700_000
"""Of messages in one delivery: packed and in Base64, they fit into an asynchronous invocation whatever they are."""


class Forwarding:
    def __init__(
        self,
        known: KnownSubscriptions,
        deliveries: TargetDeliveryStore,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._known = known
        self._deliveries = deliveries
        self._clock = clock
        self._sleep = sleep
        self.wake: Callable[[], None] = lambda: None
        """Called when there is something to deliver: whoever delivers sets it."""

    async def forward(self, batches: Sequence[LogBatch]) -> None:
        """Returns when the deliveries are on disk. Never fails: the events are stored, and whoever wrote them is not to
        write them again."""
        made: list[Delivery] = []
        turns = Turns(self._clock)
        for batch in batches:
            try:
                made += [delivery async for delivery in self._of(batch, turns)]
            except Exception:
                log.exception("events of %s were not forwarded", batch[2])
        if not made:
            return
        if await self._stored(made):
            self.wake()

    async def _stored(self, made: Sequence[Delivery]) -> bool:
        """Whether it was, when the store had a while to be well again."""
        until = self._clock.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                await self._deliveries.enqueue(made)
            except StoreError:
                if self._clock.monotonic() >= until:
                    log.exception("%d deliveries of log events were not stored", len(made))
                    return False
                await self._sleep(_PAUSE_SECONDS)
            else:
                return True

    async def _of(self, batch: LogBatch, turns: Turns) -> AsyncIterator[Delivery]:
        account_id, region, group, stream, events = batch
        now = self._clock.now()
        # A list: they may change while others have their turn.
        for name, one in list(self._known.of_group((account_id, region, group))):
            matching: list[LogEvent] = []
            for event in events:
                if one.pattern.matches(event.message):
                    matching.append(event)
                await turns.share()
            for together in _split(matching):
                # Packing takes tens of milliseconds where there is much.
                payload = await asyncio.to_thread(_payload, account_id, group, stream, name, together)
                yield Delivery(
                    queue="logs",
                    account_id=account_id,
                    region=region,
                    source_arn=group_source(account_id, region, group),
                    target={"Arn": one.filter.destination_arn},
                    payload=payload,
                    accepted_at=now,
                    due_at=now,
                )


def _id(event: LogEvent) -> str:
    """56 digits, as FilterLogEvents has them, but not the same: those are known when events are read."""
    return f"{event.timestamp_ms:019d}{secrets.randbelow(10**37):037d}"


def _split(events: Sequence[LogEvent]) -> Iterator[Sequence[LogEvent]]:
    together: list[LogEvent] = []
    size = 0
    for event in events:
        length = len(event.message.encode("utf-8", "surrogatepass"))
        if together and size + length > _TOGETHER_BYTES_MOST:
            yield together
            together, size = [], 0
        together.append(event)
        size += length
    if together:
        yield together


def _payload(account_id: str, group: str, stream: str, name: str, events: Sequence[LogEvent]) -> bytes:
    document = {
        "messageType": "DATA_MESSAGE",
        "owner": account_id,
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [name],
        "logEvents": [
            {"id": _id(event), "timestamp": event.timestamp_ms, "message": event.message} for event in events
        ],
    }
    packed = gzip.compress(orjson.dumps(document), mtime=0)
    return orjson.dumps({"awslogs": {"data": b64encode(packed).decode()}})
