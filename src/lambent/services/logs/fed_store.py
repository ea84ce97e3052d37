"""A log store that tells a feed of what was appended to it, has it measured, and forwards it, once that is stored."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from lambent.services.logs.feed import LocalFeed
from lambent.store.ports.logs import LogBatch, LogEvent, LogStore


class Measuring(Protocol):
    async def measure(self, batches: Sequence[LogBatch]) -> None: ...


class Forwarding(Protocol):
    async def forward(self, batches: Sequence[LogBatch]) -> None: ...


class FedLogStore:
    """Give this one to everything that writes logs; all other methods are the store's own."""

    def __init__(
        self, store: LogStore, feed: LocalFeed, measuring: Measuring, forwarding: Forwarding
    ) -> None:
        self._store = store
        self._feed = feed
        self._measuring = measuring
        self._forwarding = forwarding
        self.insert_group = store.insert_group
        self.get_group = store.get_group
        self.replace_group = store.replace_group
        self.delete_group = store.delete_group
        self.page_groups = store.page_groups
        self.insert_stream = store.insert_stream
        self.get_stream = store.get_stream
        self.delete_stream = store.delete_stream
        self.page_streams = store.page_streams
        self.read = store.read
        self.expire = store.expire

    async def append(
        self,
        account_id: str,
        region: str,
        group: str,
        stream: str,
        events: Sequence[LogEvent],
        *,
        create: bool,
    ) -> None:
        await self._store.append(account_id, region, group, stream, events, create=create)
        self._feed.publish(account_id, region, group, stream, events)
        await self._follow_up([(account_id, region, group, stream, events)])

    async def append_many(self, batches: Sequence[LogBatch]) -> None:
        await self._store.append_many(batches)
        for batch in batches:
            self._feed.publish(*batch)
        await self._follow_up(batches)

    async def _follow_up(self, batches: Sequence[LogBatch]) -> None:
        """Goes on where whoever appends is cancelled: the events are stored."""
        await asyncio.shield(asyncio.get_running_loop().create_task(self._follow(batches)))

    async def _follow(self, batches: Sequence[LogBatch]) -> None:
        await self._forwarding.forward(batches)
        await self._measuring.measure(batches)
