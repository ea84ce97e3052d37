"""The store of topics, subscriptions and publications."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lambent.model.delivery import Delivery
from lambent.model.topic import Subscription, Topic
from lambent.store.ports.topics import Publication, Published

if TYPE_CHECKING:
    from tests.contract.store.conftest import Stores

NOW = 1_700_000_000_000
TOPIC = Topic(account_id="1", region="r", name="t", tags={"a": "b"}, created_at=NOW)


def subscription(number: int, topic: Topic = TOPIC) -> Subscription:
    return Subscription(
        arn=f"{topic.arn}:{number}",
        topic_arn=topic.arn,
        protocol="sqs",
        endpoint="arn:aws:sqs:r:1:q",
        owner="1",
        principal_arn="arn:aws:iam::1:root",
        confirmed=True,
        link_base="http://here",
        created_at=NOW,
    )


def publication(id: str, **changes: Any) -> Publication:
    delivery = Delivery(
        queue="sns",
        account_id="1",
        region="r",
        source_arn=TOPIC.arn,
        target={"Arn": "s"},
        payload=id.encode(),
        accepted_at=1.0,
        due_at=1.0,
    )
    fields = {"topic_arn": TOPIC.arn, "message_id": id, "deliveries": [delivery]}
    return Publication(**fields | changes)


def once(id: str, sequence: int, scope: str = "", deduplication_id: str = "d") -> Publication:
    return publication(
        id, sequence_number=sequence, deduplication_scope=scope, deduplication_id=deduplication_id
    )


async def publish(stores: "Stores", *publications: Publication, now: int = NOW) -> list[Published]:
    return list(await stores.topics.publish(publications, now=now, duplicates_until=now + 300_000))


async def delivered(stores: "Stores") -> list[bytes]:
    claimed = await stores.target_deliveries.claim("sns", now=2.0, owner="me", limit=100)
    return [one.payload for one in claimed]


async def test_topics_and_subscriptions_are_kept_in_order(stores: "Stores") -> None:
    other = replace(TOPIC, name="other")
    for topic in (TOPIC, other):
        await stores.topics.put_topic(topic)
    for number in (3, 1, 2):
        await stores.topics.put_subscription(subscription(number))
    await stores.topics.put_subscription(subscription(1, other))
    assert list(await stores.topics.topics()) == [other, TOPIC]
    assert [one.arn for one in await stores.topics.subscriptions()] == [
        f"{TOPIC.arn}:3",
        f"{TOPIC.arn}:1",
        f"{TOPIC.arn}:2",
        f"{other.arn}:1",
    ]


async def test_putting_again_changes(stores: "Stores") -> None:
    await stores.topics.put_topic(TOPIC)
    await stores.topics.put_topic(replace(TOPIC, tags={}))
    await stores.topics.put_subscription(subscription(1))
    await stores.topics.put_subscription(replace(subscription(1), confirmed=False))
    assert [topic.tags for topic in await stores.topics.topics()] == [{}]
    assert [one.confirmed for one in await stores.topics.subscriptions()] == [False]


async def test_a_topic_goes_with_its_subscriptions(stores: "Stores") -> None:
    other = replace(TOPIC, name="other")
    for topic in (TOPIC, other):
        await stores.topics.put_topic(topic)
        await stores.topics.put_subscription(subscription(1, topic))
    await stores.topics.delete_topic(TOPIC.arn)
    await stores.topics.delete_topic(TOPIC.arn)
    assert list(await stores.topics.topics()) == [other]
    assert [one.topic_arn for one in await stores.topics.subscriptions()] == [other.arn]
    await stores.topics.delete_subscription(f"{other.arn}:1")
    assert list(await stores.topics.subscriptions()) == []


async def test_what_is_published_is_to_be_delivered(stores: "Stores") -> None:
    assert await publish(stores, publication("a"), publication("b")) == [
        Published(message_id="a", sequence_number=0),
        Published(message_id="b", sequence_number=0),
    ]
    assert await delivered(stores) == [b"a", b"b"]


async def test_duplicates_are_not_delivered(stores: "Stores") -> None:
    assert await publish(stores, once("a", 10**19), once("b", 10**19 + 1)) == [
        Published(message_id="a", sequence_number=10**19),
        Published(message_id="a", sequence_number=10**19, duplicate=True),
    ]
    await publish(stores, once("c", 3, scope="group"), once("d", 4, deduplication_id="other"))
    await publish(stores, once("e", 5), now=NOW + 299_999)
    await publish(stores, once("f", 6), now=NOW + 300_000)
    assert await delivered(stores) == [b"a", b"c", b"d", b"f"]


async def test_forgetting_deduplication_ids(stores: "Stores") -> None:
    await publish(stores, once("a", 1))
    await stores.topics.sweep_deduplication(now=NOW + 299_999, latest=NOW + 300_000)
    await publish(stores, once("b", 2))
    await stores.topics.sweep_deduplication(now=NOW + 300_000, latest=NOW + 600_000)
    await publish(stores, once("c", 3))
    assert await delivered(stores) == [b"a", b"c"]


async def test_an_id_from_a_clock_that_was_ahead_is_known_no_longer_than_others(stores: "Stores") -> None:
    await publish(stores, once("a", 1), now=NOW + 86_400_000)
    await stores.topics.sweep_deduplication(now=NOW, latest=NOW + 300_000)
    await publish(stores, once("b", 2), now=NOW + 299_999)
    await publish(stores, once("c", 3), now=NOW + 300_000)
    assert await delivered(stores) == [b"a", b"c"]
