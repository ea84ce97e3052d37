from dataclasses import replace

from lambent.model.topic import Topic
from lambent.services.sns.sweep import sweep_archives

_DAY_MS = 86_400_000
_NOW = 100 * _DAY_MS
_TOPIC = Topic(
    account_id="123456789012",
    region="us-east-1",
    name="t.fifo",
    created_at=0,
    attributes={"ArchivePolicy": '{"MessageRetentionPeriod":"7"}'},
    archived_since=_NOW - 30 * _DAY_MS,
)


class Archives:
    """TopicArchiveStore, of one topic: notes from when on messages stay."""

    oldest = -1

    async def topic_after(self, topic_arn: str) -> str | None:
        return None if topic_arn else _TOPIC.arn

    async def sweep(self, topic_arn: str, *, oldest: int, limit: int) -> int:
        self.oldest = oldest
        return 0


class Topics:
    def __init__(self, topic: Topic | None) -> None:
        self._topic = topic

    def find(self, arn: str) -> Topic | None:
        return self._topic


async def _oldest(topic: Topic | None) -> int:
    archives = Archives()
    await sweep_archives(archives, Topics(topic), _NOW)
    return archives.oldest


async def test_messages_stay_for_as_long_as_the_policy_says() -> None:
    assert await _oldest(_TOPIC) == _NOW - 7 * _DAY_MS
    assert await _oldest(replace(_TOPIC, archived_since=_NOW - 1)) == _NOW - 1


async def test_of_a_topic_that_another_node_may_have_made_just_now_nothing_goes() -> None:
    for topic in (None, replace(_TOPIC, archived_since=None)):
        assert _NOW - _DAY_MS < await _oldest(topic) < _NOW - 60_000
