"""How a replay goes on, step by step."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from lambent.base.clock import ManualClock
from lambent.encryption.data_keys import DataKeys
from lambent.model.delivery import Delivery
from lambent.model.topic import Subscription, Topic
from lambent.model.topic_archive import ArchivedMessage, Replay
from lambent.services.sns.archive_policy import archived
from lambent.services.sns.deliveries import Deliveries
from lambent.services.sns.encryption import PayloadEncryption
from lambent.services.sns.envelope import Envelopes, Message
from lambent.services.sns.replayer import Replayer
from lambent.services.sns.signing import Signer
from lambent.services.sns.topics import Topics
from lambent.store.ports.errors import StoreUnavailableError

NOW = 1_700_000_000_000
TOPIC = Topic(
    account_id="1",
    region="r",
    name="t.fifo",
    attributes={"ArchivePolicy": '{"MessageRetentionPeriod":"1"}'},
    created_at=NOW,
    archived_since=NOW,
)
SUBSCRIPTION = Subscription(
    arn=f"{TOPIC.arn}:1",
    topic_arn=TOPIC.arn,
    protocol="sqs",
    endpoint="arn:aws:sqs:r:1:q.fifo",
    owner="1",
    principal_arn="p",
    attributes={"ReplayPolicy": "{…}", "FilterPolicyScope": "MessageBody", "FilterPolicy": '{"a":[1]}'},
    confirmed=True,
    link_base="http://here",
    created_at=NOW,
)
REPLAY = Replay(subscription_arn=SUBSCRIPTION.arn, topic_arn=TOPIC.arn, id="i", starting_at=NOW, after_at=NOW)


class Bench:
    """The stores, as much as a replayer calls of them; `busy` says how often the lines of a batch are still busy, and
    `untold` which of its steps is made, and seems to have failed."""

    def __init__(self, *texts: str, topic: Topic = TOPIC) -> None:
        self.messages = [self._archived(number, text) for number, text in enumerate(texts, 1)]
        self.current: Replay | None = REPLAY
        self.delivered: list[Delivery] = []
        self.statuses: list[str] = []
        self.busy = 0
        self.untold = 0
        self.slept = 0
        self.clock = ManualClock(NOW / 1000 + 60)
        self.topic = topic
        topics = Topics(cast(Any, self), self.clock)
        deliveries = Deliveries(Envelopes(cast(Signer, None), "http://here"))
        encryption = PayloadEncryption(DataKeys(cast(Any, None), self.clock))
        self.opening = topics
        self.replayer = Replayer(
            topics, cast(Any, self), cast(Any, self), deliveries, encryption, lambda: None, self.sleep
        )

    @staticmethod
    def _archived(number: int, text: str) -> ArchivedMessage:
        message = Message(id=f"{number}", body=text, published_at=NOW, sequence_number=number, group_id="g")
        kept = archived(TOPIC, message, None)
        assert kept is not None
        return replace(kept, number=number)

    async def carry_out(self) -> None:
        await self.opening.open()
        await self.replayer.carry_out(REPLAY)

    async def sleep(self, seconds: float) -> None:
        self.slept += 1
        self.clock.advance(seconds)

    async def topics(self) -> Sequence[Topic]:
        return [self.topic]

    async def subscriptions(self) -> Sequence[Subscription]:
        return [SUBSCRIPTION]

    async def replay(self, subscription_arn: str) -> Replay | None:
        return self.current

    async def busy_lines(self, queue: str, lines: Sequence[str]) -> int:
        self.busy -= 1
        return int(self.busy >= 0 and bool(lines))

    async def page(self, replay: Replay, *, oldest: int, limit: int) -> Sequence[ArchivedMessage]:
        return [one for one in self.messages if one.number > replay.after_number][:limit]

    async def advance(self, replay: Replay, deliveries: Sequence[Delivery], *, previous: Replay) -> bool:
        if self.current != previous:
            return False
        self.current = replay
        self.statuses.append(replay.status)
        self.delivered += deliveries
        self.untold -= 1
        if self.untold == 0:
            raise StoreUnavailableError("the answer to COMMIT was lost")
        return True

    async def finish(self, replay: Replay, *, previous: Replay) -> bool:
        return not await self.page(previous, oldest=0, limit=1) and await self.advance(
            replay, [], previous=previous
        )


def bodies(bench: Bench) -> list[str]:
    return [one.target["MessageId"] for one in bench.delivered]


async def test_batch_after_batch_of_what_the_filter_wants() -> None:
    bench = Bench(*('{"a": 1}' if number % 2 else '{"a": 2}' for number in range(250)))
    await bench.carry_out()
    assert bodies(bench) == [f"{number}" for number in range(2, 251, 2)]
    assert bench.statuses == ["In progress"] * 4 + ["Completed"]
    assert {one.line for one in bench.delivered} == {f"{SUBSCRIPTION.arn} g"}
    assert all(b'"Replayed" : "true"' in one.payload for one in bench.delivered)
    assert len({one.target["DeduplicationId"] for one in bench.delivered}) == 125


async def test_the_next_batch_waits_for_the_one_before() -> None:
    bench = Bench(*['{"a": 1}'] * 101)
    bench.busy = 4
    await bench.carry_out()
    assert (len(bench.delivered), bench.slept > 0) == (101, True)


async def test_a_replay_with_an_end_waits_for_it() -> None:
    bench = Bench('{"a": 1}')
    ending_at = int(bench.clock.now() * 1000) + 10_000
    bench.current = replace(REPLAY, ending_at=ending_at)
    await bench.opening.open()
    await bench.replayer.carry_out(bench.current)
    assert bench.statuses[-1] == "Completed"
    assert bench.clock.now() * 1000 > ending_at


async def test_it_ends_where_another_has_taken_its_place() -> None:
    bench = Bench('{"a": 1}')
    bench.current = replace(REPLAY, id="another")
    await bench.carry_out()
    assert (bench.delivered, bench.statuses) == ([], [])


async def test_it_goes_on_from_a_step_that_was_made_and_not_told_of() -> None:
    bench = Bench(*['{"a": 1}'] * 250)
    bench.untold = 2
    await bench.carry_out()
    assert bodies(bench) == [f"{number}" for number in range(1, 251)]
    assert bench.statuses[-1] == "Completed"


async def test_it_fails_without_an_archive() -> None:
    bench = Bench('{"a": 1}', topic=replace(TOPIC, attributes={}, archived_since=None))
    await bench.carry_out()
    assert (bench.delivered, bench.statuses) == ([], ["Failed"])
