"""The store of topics' archives, and of replays."""

from dataclasses import replace
from typing import TYPE_CHECKING

from lambent.model.delivery import Delivery
from lambent.model.topic import Subscription, Topic
from lambent.model.topic_archive import ArchivedMessage, Replay
from lambent.store.ports.topics import Publication

if TYPE_CHECKING:
    from tests.contract.store.conftest import Stores

NOW = 1_700_000_000_000
TOPIC = Topic(account_id="1", region="r", name="t.fifo", created_at=NOW, archived_since=NOW)
SUBSCRIPTION = Subscription(
    arn=f"{TOPIC.arn}:1",
    topic_arn=TOPIC.arn,
    protocol="sqs",
    endpoint="arn:aws:sqs:r:1:q.fifo",
    owner="1",
    principal_arn="arn:aws:iam::1:root",
    attributes={"ReplayPolicy": "{…}"},
    confirmed=True,
    link_base="http://here",
    created_at=NOW,
)
REPLAY = Replay(
    subscription_arn=SUBSCRIPTION.arn, topic_arn=TOPIC.arn, id="first", starting_at=NOW, after_at=NOW
)


def delivery(payload: str, *, line: str | None = None) -> Delivery:
    return Delivery(
        queue="sns",
        account_id="1",
        region="r",
        source_arn=TOPIC.arn,
        target={"Arn": SUBSCRIPTION.arn},
        payload=payload.encode(),
        accepted_at=1.0,
        due_at=1.0,
        line=line,
    )


async def publish(stores: "Stores", text: str, at: int = NOW, topic: str = TOPIC.arn) -> None:
    archived = ArchivedMessage(topic_arn=topic, archived_at=at, document=text, data_key="k")
    one = Publication(topic_arn=topic, message_id=text, deliveries=[delivery(text)], archived=archived)
    await stores.topics.publish([one], now=at, duplicates_until=at)


async def page(stores: "Stores", replay: Replay = REPLAY, oldest: int = 0, limit: int = 100) -> list[str]:
    found = await stores.topic_archives.page(replay, oldest=oldest, limit=limit)
    return [one.document for one in found]


async def delivered(stores: "Stores") -> list[bytes]:
    claimed = await stores.target_deliveries.claim("sns", now=2.0, owner="me", limit=100)
    return [one.payload for one in claimed]


async def test_messages_are_found_in_the_order_in_which_they_came(stores: "Stores") -> None:
    for text, at in (("a", NOW), ("b", NOW), ("c", NOW + 2), ("d", NOW + 1), ("e", NOW + 3)):
        await publish(stores, text, at)
    await publish(stores, "other", topic="other")
    assert await page(stores) == ["a", "b", "c", "d", "e"]
    assert await page(stores, limit=2) == ["a", "b"]
    [first] = await stores.topic_archives.page(REPLAY, oldest=0, limit=1)
    assert (first.document, first.data_key, first.archived_at) == ("a", "k", NOW)
    later = replace(REPLAY, after_at=first.archived_at, after_number=first.number)
    assert await page(stores, later) == ["b", "c", "d", "e"]
    assert await page(stores, replace(REPLAY, ending_at=NOW + 2)) == ["a", "b", "c", "d"]
    assert await page(stores, oldest=NOW + 3) == ["e"]


async def test_what_is_published_waits_behind_a_replay(stores: "Stores") -> None:
    archives = stores.topic_archives
    await publish(stores, "before")
    await stores.topics.put_subscription(SUBSCRIPTION, replay=REPLAY)
    await publish(stores, "meanwhile", NOW + 1)
    assert await delivered(stores) == [b"before"]
    assert list(await archives.replays()) == [REPLAY]
    first, second = await archives.page(REPLAY, oldest=0, limit=5)
    advanced = replace(REPLAY, status="In progress", after_number=first.number, lines=("a",))
    assert await archives.advance(advanced, [delivery("again")], previous=REPLAY)
    assert not await archives.advance(advanced, [delivery("twice")], previous=REPLAY)
    assert await delivered(stores) == [b"again"]
    assert await archives.replay(SUBSCRIPTION.arn) == advanced
    over = replace(advanced, status="Completed")
    assert not await archives.finish(over, previous=advanced)
    last = replace(advanced, after_at=second.archived_at, after_number=second.number)
    assert await archives.advance(last, [], previous=advanced)
    assert await archives.finish(replace(last, status="Completed"), previous=last)
    await publish(stores, "after")
    assert await delivered(stores) == [b"after"]
    assert list(await archives.replays()) == []


async def test_a_replay_with_an_end_leaves_the_subscription_without_news(stores: "Stores") -> None:
    ended = replace(REPLAY, status="Completed", ending_at=NOW)
    await stores.topics.put_subscription(SUBSCRIPTION, replay=ended)
    await publish(stores, "a")
    assert await delivered(stores) == []
    await stores.topics.put_subscription(replace(SUBSCRIPTION, confirmed=False))
    assert await stores.topic_archives.replay(SUBSCRIPTION.arn) == ended
    await stores.topics.put_subscription(replace(SUBSCRIPTION, attributes={}))
    assert await stores.topic_archives.replay(SUBSCRIPTION.arn) is None
    await publish(stores, "b")
    assert await delivered(stores) == [b"b"]


async def test_a_new_replay_takes_the_place_of_one_before(stores: "Stores") -> None:
    await stores.topics.put_subscription(SUBSCRIPTION, replay=REPLAY)
    second = replace(REPLAY, id="second")
    await stores.topics.put_subscription(SUBSCRIPTION, replay=second)
    assert not await stores.topic_archives.finish(replace(REPLAY, status="Completed"), previous=REPLAY)
    assert await stores.topic_archives.replay(SUBSCRIPTION.arn) == second


async def test_replays_go_with_what_they_are_of(stores: "Stores") -> None:
    other = replace(SUBSCRIPTION, arn=f"{TOPIC.arn}:2")
    for one in (SUBSCRIPTION, other):
        await stores.topics.put_subscription(one, replay=replace(REPLAY, subscription_arn=one.arn))
    await stores.topics.delete_subscription(SUBSCRIPTION.arn)
    assert [one.subscription_arn for one in await stores.topic_archives.replays()] == [other.arn]
    await stores.topics.delete_topic(TOPIC.arn)
    assert list(await stores.topic_archives.replays()) == []


async def test_sweeping(stores: "Stores") -> None:
    archives = stores.topic_archives
    for at in (NOW, NOW + 1, NOW + 2):
        await publish(stores, f"{at}", at)
    await publish(stores, "other", topic="a")
    assert await archives.topic_after("") == "a"
    assert await archives.topic_after("a") == TOPIC.arn
    assert await archives.topic_after(TOPIC.arn) is None
    assert await archives.sweep(TOPIC.arn, oldest=NOW + 2, limit=1) == 1
    assert await archives.sweep(TOPIC.arn, oldest=NOW + 2, limit=5) == 1
    assert await page(stores) == [f"{NOW + 2}"]


async def test_busy_lines(stores: "Stores") -> None:
    deliveries = stores.target_deliveries
    await deliveries.enqueue([delivery("1", line="a"), delivery("2", line="a"), delivery("3", line="b")])
    assert await deliveries.busy_lines("sns", ["a", "b", "c"]) == 2
    assert await deliveries.busy_lines("events", ["a"]) == 0
    assert await deliveries.busy_lines("sns", []) == 0
