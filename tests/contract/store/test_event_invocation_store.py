import asyncio
from dataclasses import replace
from typing import Any

from lambent.model.function import FunctionId
from lambent.model.invocation import EventInvocation, EventLine, EventOutcome
from lambent.store.ports.nodes import Node

F = EventLine(FunctionId("123456789012", "eu-west-1", "f"))


def invocation(
    request_id: str, due_at: float = 10.0, payload: bytes = b"{}", function: str = "f"
) -> EventInvocation:
    return EventInvocation(
        request_id=request_id,
        account_id="123456789012",
        region="eu-west-1",
        function_name=function,
        qualifier="live",
        invoked_arn="arn:aws:lambda:eu-west-1:123456789012:function:f:live",
        payload=payload,
        client_context="{}",
        accepted_at=9.5,
        due_at=due_at,
    )


async def take(
    stores, now: float = 100.0, owner: str = "a", until: float = 200.0, limit: int = 10
) -> list[EventInvocation]:
    return list(await stores.event_invocations.claim({F: limit}, now=now, owner=owner, until=until))


async def claim(stores, **settings: Any) -> list[str]:
    return [each.request_id for each in await take(stores, **settings)]


async def test_what_was_enqueued_is_claimed_whole(stores):
    every_byte = bytes(range(256)) * 10
    await stores.event_invocations.enqueue(invocation("r", payload=every_byte))
    claimed = await stores.event_invocations.claim({F: 1}, now=10.0, owner="a", until=20.0)
    (event,) = claimed
    assert event == replace(invocation("r", payload=every_byte), id=event.id)


async def test_the_earliest_due_are_claimed_first_and_none_before_its_time(stores):
    for request_id, due_at in (("c", 30.0), ("a", 10.0), ("b", 20.0), ("b2", 20.0)):
        await stores.event_invocations.enqueue(invocation(request_id, due_at))
    assert await stores.event_invocations.waiting() == {F: 10.0}
    assert await claim(stores, now=20.0, limit=2) == ["a", "b"]
    assert await claim(stores, now=20.0) == ["b2"]
    assert await claim(stores, now=29.9) == []
    assert await stores.event_invocations.waiting() == {F: 30.0}


async def test_one_invocation_has_one_claimant_however_many_ask(stores):
    await asyncio.gather(*(stores.event_invocations.enqueue(invocation(f"r{n}")) for n in range(50)))
    claims = await asyncio.gather(*(claim(stores, owner=f"o{n}", limit=7) for n in range(10)))
    claimed = [request_id for some in claims for request_id in some]
    assert len(claimed) == 50 == len(set(claimed))
    assert await stores.event_invocations.waiting() == {}


async def test_completing_forgets_for_good(stores):
    await stores.event_invocations.enqueue(invocation("r"))
    assert await stores.event_invocations.depth() == 1
    (event,) = await take(stores)
    await stores.event_invocations.complete(event, owner="a")
    await stores.event_invocations.complete(event, owner="a")
    assert await stores.event_invocations.depth() == 0
    assert await claim(stores, now=1e9) == []


async def test_only_the_claimant_completes_and_retries(stores):
    await stores.event_invocations.enqueue(invocation("r"))
    (event,) = await take(stores, owner="a")
    await stores.event_invocations.complete(event, owner="b")
    await stores.event_invocations.retry(replace(event, due_at=0.0), owner="b")
    await stores.event_invocations.conclude(concluded(event), owner="b")
    assert await stores.event_invocations.depth() == 1
    assert await claim(stores, owner="b") == []


async def test_two_that_came_under_one_request_id_are_two(stores):
    for payload in (b"1", b"2", b"3"):
        await stores.event_invocations.enqueue(invocation("same", payload=payload))
    first, second, third = await take(stores)
    assert len({first.id, second.id, third.id}) == 3
    await stores.event_invocations.complete(first, owner="a")
    await stores.event_invocations.retry(replace(second, attempt=1), owner="a")
    assert await stores.event_invocations.depth() == 2
    assert [(event.payload, event.attempt) for event in await take(stores, owner="b")] == [(b"2", 1)]
    await stores.event_invocations.conclude(concluded(third), owner="a")
    assert await stores.event_invocations.release("a") == 1
    assert [event.outcome is not None for event in await take(stores, owner="c")] == [True]


async def test_a_number_that_is_used_again_is_another_event(stores):
    """Who comes too late with what it has claimed does nothing to it."""
    await stores.event_invocations.enqueue(invocation("old"))
    (old,) = await take(stores)
    await stores.event_invocations.complete(old, owner="a")
    await stores.event_invocations.enqueue(invocation("new"))
    (new,) = await take(stores)
    await stores.event_invocations.complete(replace(old, id=new.id), owner="a")
    assert await stores.event_invocations.depth() == 1


async def test_what_its_owner_does_not_know_of_is_given_back(stores):
    for name in ("known", "forgotten"):
        await stores.event_invocations.enqueue(invocation(name))
    known, _ = await take(stores, owner="a")
    assert await stores.event_invocations.release_forgotten("b", []) == 0
    assert await stores.event_invocations.release_forgotten("a", {known.id}) == 1
    assert await claim(stores, owner="b", limit=2) == ["forgotten"]


async def test_what_is_due_too_late_is_hastened(stores):
    for name, due_at in (("soon", 400.0), ("far", 10_000.0), ("held", 1.0)):
        await stores.event_invocations.enqueue(invocation(name, due_at=due_at))
    assert await claim(stores, now=1.0, owner="a") == ["held"]
    assert await stores.event_invocations.hasten(now=100.0, latest=400.0) == 1
    assert await claim(stores, now=100.0, owner="b", limit=3) == ["far"]
    assert await stores.event_invocations.hasten(now=100.0, latest=400.0) == 0


async def test_a_claim_that_ran_out_is_given_up_and_anothers_to_take(stores):
    await stores.event_invocations.enqueue(invocation("late", due_at=50.0))
    await stores.event_invocations.enqueue(invocation("early", due_at=10.0))
    early, late = await take(stores, now=60.0, owner="a", until=70.0)
    assert (early.request_id, late.request_id) == ("early", "late")
    assert await stores.event_invocations.release_expired("a", 69.9) == 0
    assert await stores.event_invocations.release_expired("b", 1e9) == 0, "whose clock may be another"
    assert await claim(stores, now=69.9, owner="b") == []
    await stores.event_invocations.enqueue(invocation("fresh", due_at=20.0))
    assert await stores.event_invocations.release_expired("a", 70.0) == 2
    assert await claim(stores, now=70.0, owner="b", limit=2) == ["early", "fresh"]
    # The first owner comes back, too late for what has been taken.
    await stores.event_invocations.complete(early, owner="a")
    await stores.event_invocations.complete(late, owner="a")
    await stores.event_invocations.conclude(concluded(early), owner="a")
    assert await stores.event_invocations.depth() == 3


def concluded(event):
    outcome = EventOutcome(
        condition="Success", at=5.0, invoke_count=1, status_code=200, role="arn", destination="arn:q"
    )
    return replace(event, outcome=outcome, response=b"[1]")


async def test_an_outcome_stays_with_its_claimant_and_survives_it(stores):
    await stores.event_invocations.enqueue(invocation("r", payload=b"data"))
    (event,) = await take(stores, owner="a")
    ended = concluded(event)
    await stores.event_invocations.conclude(ended, owner="a")
    assert await claim(stores, owner="b") == []
    assert await stores.event_invocations.release("a") == 1
    assert await stores.event_invocations.claim({F: 1}, now=10.0, owner="b", until=20.0) == [ended]
    later = replace(ended, due_at=30.0, outcome=replace(ended.outcome, deliveries=1))
    await stores.event_invocations.retry(later, owner="b")
    assert await stores.event_invocations.claim({F: 1}, now=30.0, owner="b", until=40.0) == [later]
    await stores.event_invocations.complete(later, owner="b")
    assert await stores.event_invocations.depth() == 0


async def test_each_function_has_a_line_of_its_own(stores):
    other = EventLine(FunctionId("999999999999", "eu-west-1", "f"))
    for n in range(30):
        await stores.event_invocations.enqueue(invocation(f"f{n}", due_at=10.0 + n))
    await stores.event_invocations.enqueue(invocation("g", due_at=90.0, function="g"))
    await stores.event_invocations.enqueue(
        replace(invocation("o", due_at=95.0), account_id=other.function.account_id)
    )
    g = EventLine(FunctionId("123456789012", "eu-west-1", "g"))
    assert await stores.event_invocations.waiting() == {F: 10.0, g: 90.0, other: 95.0}
    claimed = await stores.event_invocations.claim({F: 2, g: 5, other: 5}, now=92.0, owner="a", until=200.0)
    assert [event.request_id for event in claimed] == ["f0", "f1", "g"]
    assert await stores.event_invocations.waiting() == {F: 12.0, other: 95.0}


async def test_a_retry_is_due_later_and_keeps_its_counts_and_payload(stores):
    await stores.event_invocations.enqueue(invocation("r", payload=b"data"))
    (claimed,) = await stores.event_invocations.claim({F: 1}, now=10.0, owner="a", until=20.0)
    again = replace(claimed, attempt=1, throttles=3, due_at=70.0)
    await stores.event_invocations.retry(again, owner="a")
    assert await stores.event_invocations.waiting() == {F: 70.0}
    assert await claim(stores, now=69.0) == []
    assert await stores.event_invocations.claim({F: 1}, now=70.0, owner="b", until=80.0) == [again]


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
    claimed = await stores.event_invocations.claim({F: 9}, now=9.0, owner="a", until=20.0)
    assert [len(each.payload) for each in claimed] == [1_048_576, 0]


async def test_each_tenant_has_a_line_of_its_own(stores):
    tenants = ["a", "a/b", "ä ;'"]
    for n, tenant in enumerate(tenants):
        event = replace(invocation(f"r{n}", due_at=10.0 + n), tenant_id=tenant)
        await stores.event_invocations.enqueue(event)
    await stores.event_invocations.enqueue(invocation("r", due_at=20.0))
    lines = [EventLine(F.function, tenant) for tenant in tenants]
    waiting = await stores.event_invocations.waiting()
    assert waiting == {F: 20.0, lines[0]: 10.0, lines[1]: 11.0, lines[2]: 12.0}
    claimed = await stores.event_invocations.claim({lines[1]: 9}, now=99.0, owner="a", until=200.0)
    assert [(event.request_id, event.tenant_id) for event in claimed] == [("r1", "a/b")]


async def test_what_a_node_had_that_is_gone_is_given_back(stores):
    node = Node(id="a", incarnation="1", address="", zone="z", roles=("worker",), version="1")
    await stores.nodes.join(node, 60.0)
    for id in ("r1", "r2"):
        await stores.event_invocations.enqueue(invocation(id))
    (first, *_) = await take(stores, owner="a", limit=1)
    assert len(await take(stores, owner="b", limit=1)) == 1
    assert await stores.event_invocations.release_lost() == 1, "b is no node"
    await stores.nodes.leave(node)
    assert await stores.event_invocations.release_lost() == 1
    assert sorted(await claim(stores, owner="c")) == ["r1", "r2"]
    await stores.event_invocations.complete(first, owner="a")
    assert await stores.event_invocations.depth() == 2
