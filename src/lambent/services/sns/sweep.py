"""What is over its time is forgotten: deduplication ids after five minutes, archived messages after their retention."""

import asyncio
import logging

from lambent.base.clock import Clock, Jumps
from lambent.model.deduplication import DeduplicationWindow
from lambent.services.sns.archive_policy import beginning_archive_time
from lambent.services.sns.topics import Topics
from lambent.store.ports.errors import StoreError
from lambent.store.ports.topic_archives import TopicArchiveStore
from lambent.store.ports.topics import TopicStore

log = logging.getLogger(__name__)

_SECONDS = 60.0
_BATCH = 500
"""Messages deleted in one transaction: others write meanwhile."""
_STRANGE_MS = 3_600_000
"""A topic that is unknown for so long was deleted; until then, another node may have made it just now."""


async def sweep(store: TopicStore, archives: TopicArchiveStore, topics: Topics, clock: Clock) -> None:
    jumps, window = Jumps(clock), DeduplicationWindow(clock)
    while True:
        try:
            await store.sweep_deduplication(now=window.now(), latest=window.latest())
            await sweep_archives(archives, topics, int(jumps.believed() * 1000))
        except StoreError:
            log.exception("what is over its time was not forgotten; next attempt in a minute")
        await asyncio.sleep(_SECONDS)


async def sweep_archives(archives: TopicArchiveStore, topics: Topics, now: int) -> None:
    """Of topics without an archive, and of those that are gone, nothing is left in the end."""
    arn = await archives.topic_after("")
    while arn is not None:
        topic = topics.find(arn)
        oldest = None if topic is None else beginning_archive_time(topic, now)
        before = now - _STRANGE_MS if oldest is None else oldest
        while await archives.sweep(arn, oldest=before, limit=_BATCH) == _BATCH:
            pass
        arn = await archives.topic_after(arn)
