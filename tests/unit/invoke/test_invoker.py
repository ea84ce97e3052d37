import pytest

from lambent.base.clock import ManualClock
from lambent.invoke.concurrency import Concurrency
from lambent.invoke.directory import Directory
from lambent.invoke.invoke import Invoker
from lambent.model.invocation import InvocationResult
from lambent.model.lambda_errors import (
    ResourceConflictException,
    ResourceNotFoundException,
    TooManyRequestsException,
)


class Pools:
    def __init__(self):
        self.ran = []
        self.ended = []
        self.error = None

    async def invoke(self, version, invocation, ended):
        self.ran.append((version, invocation))
        self.ended.append(ended)
        if self.error is not None:
            ended()
            raise self.error
        return InvocationResult(payload=b"1", executed_version=version.version)


class Events:
    def __init__(self):
        self.events = []

    async def put(self, event):
        self.events.append(event)


@pytest.fixture
def parts(store):
    pools, events, concurrency = Pools(), Events(), Concurrency(1)
    return Invoker(Directory(store), concurrency, pools, events, ManualClock()), pools, events, concurrency


async def test_an_invocation_reaches_the_resolved_version_with_all_that_goes_with_it(parts, hello):
    invoker, pools, _, _ = parts
    result = await invoker.invoke(
        hello, "1", "arn:1", request_id="r", payload=b"{}", client_context="c", identity={"a": 1},
        trace_id="t", tail_log=True,
    )  # fmt: skip
    assert result.executed_version == "1"
    (_, invocation) = pools.ran[0]
    assert (invocation.request_id, invocation.invoked_arn, invocation.payload) == ("r", "arn:1", b"{}")
    assert (invocation.client_context, invocation.identity, invocation.trace_id) == ("c", {"a": 1}, "t")
    assert invocation.tail_log


async def test_every_invocation_has_a_trace(parts, hello):
    invoker, pools, events, _ = parts
    await invoker.invoke(hello, None, "arn", request_id="r", payload=b"")
    await invoker.enqueue(hello, None, "arn", request_id="r", payload=b"")
    for made in (pools.ran[0][1].trace_id, events.events[0].trace_id):
        assert made.startswith("Root=1-6553f100-")


async def test_the_lease_is_held_until_the_invocation_is_over_and_not_only_until_its_answer(parts, hello):
    invoker, pools, _, concurrency = parts
    await invoker.invoke(hello, None, "arn", request_id="r", payload=b"")
    assert concurrency.running(hello.account_id, hello.region) == 1
    with pytest.raises(TooManyRequestsException):
        await invoker.invoke(hello, None, "arn", request_id="r", payload=b"")
    pools.ended[0]()
    await invoker.invoke(hello, None, "arn", request_id="r", payload=b"")


async def test_without_a_function_no_lease_is_taken(parts, hello, store, version):
    invoker, pools, _, concurrency = parts
    store.put(latest=version(state="Pending"), serving=None)
    with pytest.raises(ResourceConflictException):
        await invoker.invoke(hello, None, "arn", request_id="r", payload=b"")
    store.functions.clear()
    for refused in (
        invoker.invoke(hello, None, "arn", request_id="r", payload=b""),
        invoker.check(hello, None),
        invoker.enqueue(hello, None, "arn", request_id="r", payload=b""),
    ):
        with pytest.raises(ResourceNotFoundException):
            await refused
    assert concurrency.running(hello.account_id, hello.region) == 0
    assert pools.ran == []


async def test_an_event_is_enqueued_as_it_came(parts, hello):
    invoker, _, events, _ = parts
    await invoker.enqueue(
        hello, "1", "arn:1", request_id="r", payload=b"[]", client_context="c", trace_id="t"
    )
    (event,) = events.events
    assert (event.qualifier, event.invoked_arn, event.payload) == ("1", "arn:1", b"[]")
    assert (event.client_context, event.trace_id) == ("c", "t")
    assert event.accepted_at == event.due_at == 1_700_000_000.0
