import asyncio
from dataclasses import replace

from lambent.model.delivery import Delivery
from lambent.store.ports.nodes import Node

TARGET = {
    "Id": "t",
    "Arn": "arn:aws:sqs:eu-west-1:123456789012:q",
    "RetryPolicy": {"MaximumRetryAttempts": 3},
}


def delivery(payload: bytes = b"{}", *, due_at: float = 10.0, queue: str = "events", **members) -> Delivery:
    return Delivery(
        queue=queue,
        account_id="123456789012",
        region="eu-west-1",
        source_arn="arn:aws:events:eu-west-1:123456789012:rule/r",
        target=TARGET,
        payload=payload,
        accepted_at=9.5,
        due_at=due_at,
        **members,
    )


async def claim(stores, now=100.0, owner="a", limit=10, queue="events"):
    return await stores.target_deliveries.claim(queue, now=now, owner=owner, limit=limit)


async def payloads(stores, **parameters) -> list[bytes]:
    return [each.payload for each in await claim(stores, **parameters)]


async def test_what_was_enqueued_is_claimed_whole(stores):
    whole = delivery(bytes(range(256)), event=b"event", notes={"buses": "a b"}, attempts=2)
    await stores.target_deliveries.enqueue([whole])
    (claimed,) = await claim(stores, now=10.0)
    assert claimed.number > 0
    assert replace(claimed, number=0) == whole


async def test_the_earliest_due_are_claimed_first_and_none_before_its_time(stores):
    await stores.target_deliveries.enqueue([delivery(b"c", due_at=30.0), delivery(b"a", due_at=10.0)])
    await stores.target_deliveries.enqueue([delivery(b"b", due_at=20.0), delivery(b"b2", due_at=20.0)])
    assert await stores.target_deliveries.next_due("events") == 10.0
    assert await payloads(stores, now=20.0, limit=2) == [b"a", b"b"]
    assert await payloads(stores, now=20.0) == [b"b2"]
    assert await payloads(stores, now=29.9) == []
    assert await stores.target_deliveries.next_due("events") == 30.0


async def test_queues_do_not_see_each_other(stores):
    await stores.target_deliveries.enqueue([delivery(b"s", queue="scheduler")])
    assert await payloads(stores) == []
    assert await stores.target_deliveries.next_due("events") is None
    assert await stores.target_deliveries.depth("scheduler") == 1
    assert await payloads(stores, queue="scheduler") == [b"s"]
    assert await stores.target_deliveries.release("events", owner="a", now=100.0) == 0


async def test_one_delivery_has_one_claimant_however_many_ask(stores):
    await asyncio.gather(*(stores.target_deliveries.enqueue([delivery(b"%d" % n)]) for n in range(50)))
    claims = await asyncio.gather(*(payloads(stores, owner=f"o{n}", limit=7) for n in range(10)))
    claimed = [payload for some in claims for payload in some]
    assert len(claimed) == 50 == len(set(claimed))


async def test_completing_forgets_for_good_and_only_the_claimant_can(stores):
    await stores.target_deliveries.enqueue([delivery()])
    (claimed,) = await claim(stores)
    await stores.target_deliveries.complete(claimed, owner="b")
    assert await stores.target_deliveries.depth("events") == 1
    await stores.target_deliveries.complete(claimed, owner="a")
    await stores.target_deliveries.complete(claimed, owner="a")
    assert await stores.target_deliveries.depth("events") == 0
    assert await claim(stores, now=1e9) == []


async def test_a_claim_does_not_run_out_because_a_clock_was_set(stores):
    await stores.target_deliveries.enqueue([delivery()])
    (claimed,) = await claim(stores, owner="a")
    for owner in ("a", "b"):
        assert await claim(stores, now=1e12, owner=owner) == []
    assert await stores.target_deliveries.next_due("events") is None
    assert await stores.target_deliveries.hasten("events", now=1.0, latest=2.0) == 0
    await stores.target_deliveries.complete(claimed, owner="a")
    assert await stores.target_deliveries.depth("events") == 0


async def test_who_lost_a_claim_settles_nothing(stores):
    await stores.target_deliveries.enqueue([delivery()])
    (late,) = await claim(stores, owner="a")
    await stores.target_deliveries.release("events", owner="a", now=100.0)
    (taken,) = await claim(stores, owner="b")
    await stores.target_deliveries.complete(late, owner="a")
    await stores.target_deliveries.retry(replace(late, due_at=0.0), owner="a")
    assert await claim(stores) == []
    assert await stores.target_deliveries.depth("events") == 1
    await stores.target_deliveries.complete(taken, owner="b")
    assert await stores.target_deliveries.depth("events") == 0


async def test_what_waits_for_a_time_of_before_is_due_now(stores):
    line = [delivery(b"%d" % n, line="a", due_at=5000.0) for n in range(2)]
    await stores.target_deliveries.enqueue([*line, delivery(b"soon", due_at=60.0)])
    await stores.target_deliveries.enqueue([delivery(b"other", due_at=5000.0, queue="sns")])
    assert await stores.target_deliveries.hasten("events", now=50.0, latest=61.0) == 1
    assert await payloads(stores, now=50.0) == [b"0"], "who stands in a line stays there"
    assert await stores.target_deliveries.next_due("events") == 60.0
    assert await stores.target_deliveries.next_due("sns") == 5000.0


async def test_a_retry_is_due_later_and_keeps_its_count_and_payload(stores):
    await stores.target_deliveries.enqueue([delivery(b"data", event=b"event")])
    (claimed,) = await claim(stores)
    again = replace(claimed, attempts=1, due_at=170.0)
    await stores.target_deliveries.retry(again, owner="a")
    assert await stores.target_deliveries.next_due("events") == 170.0
    assert await claim(stores, now=169.0) == []
    assert await claim(stores, now=170.0) == [again]


async def test_releasing_gives_up_the_claims_of_one_owner(stores):
    await stores.target_deliveries.enqueue([delivery(b"%d" % n, due_at=float(n)) for n in range(4)])
    await claim(stores, owner="crashed", limit=2)
    await claim(stores, owner="alive", limit=2)
    assert await stores.target_deliveries.release("events", owner="crashed", now=100.0) == 2
    assert await payloads(stores, owner="alive") == [b"0", b"1"]


async def test_what_a_node_had_that_is_gone_is_given_back(stores):
    node = Node(id="a", incarnation="1", address="", zone="z", roles=("worker",), version="1")
    await stores.nodes.join(node, 60.0)
    await stores.target_deliveries.enqueue([delivery(b"1"), delivery(b"2"), delivery(b"3", queue="sns")])
    await claim(stores, owner="a", limit=1)
    await claim(stores, owner="b", limit=1)
    await claim(stores, owner="b", queue="sns")
    assert await stores.target_deliveries.release_lost("events", now=100.0) == 1, "b is no node"
    await stores.nodes.leave(node)
    assert await stores.target_deliveries.release_lost("events", now=100.0) == 1
    assert await payloads(stores, owner="c") == [b"1", b"2"]
    assert await payloads(stores, owner="c", queue="sns") == []


async def test_what_its_owner_does_not_know_of_is_given_back(stores):
    await stores.target_deliveries.enqueue([delivery(b"known"), delivery(b"forgotten")])
    known, _ = await claim(stores, owner="a", limit=2)
    assert await stores.target_deliveries.release("events", owner="b", now=1.0) == 0
    assert await stores.target_deliveries.release("events", owner="a", now=1.0, known={known.number}) == 1
    assert await payloads(stores, owner="b") == [b"forgotten"]


async def test_a_line_is_delivered_one_after_the_other(stores):
    line = [delivery(b"%d" % n, line="a", due_at=float(n)) for n in range(3)]
    await stores.target_deliveries.enqueue([*line, delivery(b"other", line="b"), delivery(b"free")])
    first, other, free = await claim(stores)
    assert [first.payload, other.payload, free.payload] == [b"0", b"other", b"free"]
    assert await claim(stores) == []
    await stores.target_deliveries.retry(replace(first, attempts=1, due_at=150.0), owner="a")
    await stores.target_deliveries.complete(other, owner="a")
    assert await claim(stores) == [], "what failed is before them still"
    (again,) = await claim(stores, now=150.0)
    await stores.target_deliveries.complete(again, owner="a")
    (second,) = await claim(stores, now=150.0)
    assert second.payload == b"1"
    await stores.target_deliveries.enqueue([delivery(b"3", line="a")])
    await stores.target_deliveries.complete(second, owner="a")
    (third,) = await claim(stores, now=150.0)
    await stores.target_deliveries.complete(third, owner="a")
    assert [each.payload for each in await claim(stores, now=150.0)] == [b"3"]
