import asyncio
from dataclasses import replace

from lambent.model.invocation import EventInvocation


def invocation(request_id: str, due_at: float = 10.0, payload: bytes = b"{}") -> EventInvocation:
    return EventInvocation(
        request_id=request_id,
        account_id="123456789012",
        region="eu-west-1",
        function_name="f",
        qualifier="live",
        invoked_arn="arn:aws:lambda:eu-west-1:123456789012:function:f:live",
        payload=payload,
        client_context="{}",
        accepted_at=9.5,
        due_at=due_at,
    )


async def claim(
    stores, now: float = 100.0, owner: str = "a", until: float = 200.0, limit: int = 10
) -> list[str]:
    claimed = await stores.event_invocations.claim(now=now, owner=owner, until=until, limit=limit)
    return [each.request_id for each in claimed]


async def test_what_was_enqueued_is_claimed_whole(stores):
    every_byte = bytes(range(256)) * 10
    await stores.event_invocations.enqueue(invocation("r", payload=every_byte))
    claimed = await stores.event_invocations.claim(now=10.0, owner="a", until=20.0, limit=1)
    assert claimed == [invocation("r", payload=every_byte)]


async def test_the_earliest_due_are_claimed_first_and_none_before_its_time(stores):
    for request_id, due_at in (("c", 30.0), ("a", 10.0), ("b", 20.0), ("b2", 20.0)):
        await stores.event_invocations.enqueue(invocation(request_id, due_at))
    assert await stores.event_invocations.next_due() == 10.0
    assert await claim(stores, now=20.0, limit=2) == ["a", "b"]
    assert await claim(stores, now=20.0) == ["b2"]
    assert await claim(stores, now=29.9) == []
    assert await stores.event_invocations.next_due() == 30.0


async def test_one_invocation_has_one_claimant_however_many_ask(stores):
    await asyncio.gather(*(stores.event_invocations.enqueue(invocation(f"r{n}")) for n in range(50)))
    claims = await asyncio.gather(*(claim(stores, owner=f"o{n}", limit=7) for n in range(10)))
    claimed = [request_id for some in claims for request_id in some]
    assert len(claimed) == 50 == len(set(claimed))
    assert await stores.event_invocations.next_due() is None


async def test_completing_forgets_for_good(stores):
    await stores.event_invocations.enqueue(invocation("r"))
    assert await stores.event_invocations.depth() == 1
    await claim(stores)
    await stores.event_invocations.complete("r", owner="a")
    await stores.event_invocations.complete("r", owner="a")
    assert await stores.event_invocations.depth() == 0
    assert await claim(stores, now=1e9) == []


async def test_only_the_claimant_completes_and_retries(stores):
    await stores.event_invocations.enqueue(invocation("r"))
    await stores.event_invocations.complete("r", owner="a")
    await claim(stores, owner="a")
    await stores.event_invocations.complete("r", owner="b")
    await stores.event_invocations.retry(invocation("r", due_at=0.0), owner="b")
    assert await stores.event_invocations.depth() == 1
    assert await claim(stores, owner="b") == []


async def test_a_claim_that_ran_out_is_anothers_to_take(stores):
    await stores.event_invocations.enqueue(invocation("late", due_at=50.0))
    await stores.event_invocations.enqueue(invocation("early", due_at=10.0))
    assert await claim(stores, now=60.0, owner="a", until=70.0) == ["early", "late"]
    assert await claim(stores, now=69.9, owner="b") == []
    await stores.event_invocations.enqueue(invocation("fresh", due_at=20.0))
    assert await claim(stores, now=70.0, owner="b", limit=2) == ["early", "fresh"]
    # The first owner comes back, too late for what has been taken.
    await stores.event_invocations.complete("early", owner="a")
    await stores.event_invocations.complete("late", owner="a")
    assert await stores.event_invocations.depth() == 2


async def test_a_retry_is_due_later_and_keeps_its_counts_and_payload(stores):
    await stores.event_invocations.enqueue(invocation("r", payload=b"data"))
    (claimed,) = await stores.event_invocations.claim(now=10.0, owner="a", until=20.0, limit=1)
    again = replace(claimed, attempt=1, throttles=3, due_at=70.0)
    await stores.event_invocations.retry(again, owner="a")
    assert await stores.event_invocations.next_due() == 70.0
    assert await claim(stores, now=69.0) == []
    assert await stores.event_invocations.claim(now=70.0, owner="b", until=80.0, limit=1) == [again]


async def test_releasing_gives_up_the_claims_of_one_owner(stores):
    for n in range(4):
        await stores.event_invocations.enqueue(invocation(f"r{n}", due_at=float(n)))
    await claim(stores, owner="crashed", limit=2)
    await claim(stores, owner="alive", limit=2)
    assert await stores.event_invocations.release("crashed") == 2
    assert await stores.event_invocations.release("nobody") == 0
    assert await claim(stores, owner="alive") == ["r0", "r1"]


async def test_a_megabyte_and_nothing_at_all_are_payloads(stores):
    await stores.event_invocations.enqueue(invocation("big", due_at=1.0, payload=b"x" * 1_048_576))
    await stores.event_invocations.enqueue(invocation("empty", due_at=2.0, payload=b""))
    claimed = await stores.event_invocations.claim(now=9.0, owner="a", until=20.0, limit=9)
    assert [len(each.payload) for each in claimed] == [1_048_576, 0]
