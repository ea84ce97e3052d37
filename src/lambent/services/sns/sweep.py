"""Deduplication ids whose five minutes are over are forgotten."""

import asyncio
import logging

from lambent.services.sns.topics import Topics
from lambent.store.ports.errors import StoreError
from lambent.store.ports.topics import TopicStore

log = logging.getLogger(__name__)

_SECONDS = 60.0


async def sweep_deduplication(store: TopicStore, topics: Topics) -> None:
    while True:
        try:
            await store.sweep_deduplication(now=topics.now())
        except StoreError:
            log.exception("deduplication ids were not forgotten; next attempt in a minute")
        await asyncio.sleep(_SECONDS)
