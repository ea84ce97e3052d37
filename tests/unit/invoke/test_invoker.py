import dataclasses

import pytest
from noted_metrics import NotedMetrics

from lambent.base.clock import ManualClock
from lambent.invoke.concurrency import Concurrency
from lambent.invoke.directory import Directory
from lambent.invoke.invoke import Invoker
from lambent.invoke.meters import Meters
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    RecursiveInvocationException,
    ResourceConflictException,
    ResourceNotFoundException,
    TooManyRequestsException,
)


class Pools:
    def __init__(self):
        self.ran = []
        self.ended = []
        self.error = None
        self.function_error = None

    async def invoke(self, version, invocation, ended):
        self.ran.append((version, invocation))
        self.ended.append(ended)
        if self.error is not None:
            ended()
            raise self.error
        return InvocationResult(
            payload=b"1", executed_version=version.version, function_error=self.function_error
        )


class Events:
    def __init__(self):
        self.events = []

    async def put(self, event):
        self.events.append(event)


def called(function, **settings):
    return Invocation(
        **{"request_id": "r", "function": function, "invoked_arn": "arn", "payload": b""} | settings
    )


def measured(concurrency, metrics=None):
    return Meters(metrics or NotedMetrics(), concurrency, Provisions())


class Provisions:
    def all_provisioned(self):
        return iter(())


@pytest.fixture
def parts(store):
    pools, events, concurrency = Pools(), Events(), Concurrency(1)
    invoker = Invoker(
        Directory(store), concurrency, pools, events, None, ManualClock(), measured(concurrency)
    )
    return invoker, pools, events, concurrency


async def test_an_invocation_reaches_the_resolved_version_with_all_that_goes_with_it(parts, hello):
    invoker, pools, _, _ = parts
    invocation = Invocation(
        request_id="r", function=hello, qualifier="1", invoked_arn="arn:1", payload=b"{}", client_context="c",
        identity={"a": 1}, trace_id="t", tail_log=True,
    )  # fmt: skip
    result = await invoker.invoke(invocation)
    assert result.executed_version == "1"
    assert pools.ran[0][1] is invocation


async def test_every_invocation_has_a_trace(parts, hello):
    invoker, pools, events, _ = parts
    await invoker.invoke(called(hello))
    await invoker.enqueue(called(hello))
    for made in (pools.ran[0][1].trace_id, events.events[0].trace_id):
        assert made.startswith("Root=1-6553f100-")


async def test_the_lease_is_held_until_the_invocation_is_over_and_not_only_until_its_answer(parts, hello):
    invoker, pools, _, concurrency = parts
    await invoker.invoke(called(hello))
    assert concurrency.running(hello.account_id, hello.region) == 1
    with pytest.raises(TooManyRequestsException):
        await invoker.invoke(called(hello))
    pools.ended[0]()
    await invoker.invoke(called(hello))


async def test_without_a_function_no_lease_is_taken(parts, hello, store, version):
    invoker, pools, _, concurrency = parts
    store.put(latest=version(state="Pending"), serving=None)
    with pytest.raises(ResourceConflictException):
        await invoker.invoke(called(hello))
    store.functions.clear()
    for refused in (
        invoker.invoke(called(hello)),
        invoker.check(hello, None),
        invoker.enqueue(called(hello)),
    ):
        with pytest.raises(ResourceNotFoundException):
            await refused
    assert concurrency.running(hello.account_id, hello.region) == 0
    assert pools.ran == []


async def test_an_event_is_enqueued_as_it_came(parts, hello):
    invoker, _, events, _ = parts
    await invoker.enqueue(
        called(hello, qualifier="1", invoked_arn="arn:1", payload=b"[]", client_context="c", trace_id="t")
    )
    (event,) = events.events
    assert (event.qualifier, event.invoked_arn, event.payload) == ("1", "arn:1", b"[]")
    assert (event.client_context, event.trace_id) == ("c", "t")
    assert event.accepted_at == event.due_at == 1_700_000_000.0


async def test_a_tenant_is_wanted_where_tenants_are_kept_apart_and_nowhere_else(parts, hello, store, version):
    invoker, pools, events, _ = parts
    isolated = version(state="Active", tenant_isolation=True)
    with pytest.raises(InvalidParameterValueException, match="is not enabled with tenancy configuration"):
        await invoker.invoke(called(hello, tenant_id="blue"))
    store.put(latest=isolated, serving=isolated)
    concurrency = Concurrency(9)
    invoker = Invoker(
        Directory(store), concurrency, pools, events, None, ManualClock(), measured(concurrency)
    )
    for refused in (
        invoker.invoke(called(hello)),
        invoker.enqueue(called(hello)),
        invoker.check(hello, None),
    ):
        with pytest.raises(InvalidParameterValueException, match="is enabled with tenancy configuration"):
            await refused
    await invoker.invoke(called(hello, tenant_id="blue"))
    await invoker.enqueue(called(hello, tenant_id="blue"))
    assert (pools.ran[0][1].tenant_id, events.events[0].tenant_id) == ("blue", "blue")


async def test_the_seventeenth_turn_of_a_loop_is_refused_unless_the_function_may_loop(parts, hello, store):
    invoker, pools, _, _ = parts
    trace_id, turns = None, 0
    with pytest.raises(RecursiveInvocationException):
        for _ in range(20):
            invocation = called(hello, trace_id=trace_id, asynchronous=True)
            await invoker.invoke(invocation)
            trace_id = invocation.trace_id
            pools.ended.pop()()
            turns += 1
    assert turns == 16
    store.functions[hello] = dataclasses.replace(store.functions[hello], recursive_loop="Allow")
    await invoker.invoke(called(hello, trace_id=trace_id, asynchronous=True))


async def test_synchronous_requests_have_a_rate_and_events_have_none(parts, hello):
    invoker, pools, _, _ = parts
    for asynchronous in (False, True):
        for _ in range(10):
            await invoker.invoke(called(hello, asynchronous=asynchronous))
            pools.ended.pop()()
    with pytest.raises(TooManyRequestsException) as raised:
        await invoker.invoke(called(hello))
    assert raised.value.members["Reason"] == "FunctionInvocationRateLimitExceeded"


async def test_invocations_errors_and_throttles_are_counted(parts, hello):
    invoker, pools, _, _ = parts
    await invoker.invoke(called(hello))
    with pytest.raises(TooManyRequestsException):
        await invoker.invoke(called(hello))
    pools.ended.pop()()
    pools.function_error = "Unhandled"
    await invoker.invoke(called(hello, qualifier="1"))
    meter = invoker._meters.of(hello, None)
    assert (len(meter.durations), meter.errors, meter.throttles) == (1, 0, 1)
    meter = invoker._meters.of(hello, "1")
    assert (len(meter.durations), meter.errors, meter.throttles) == (1, 1, 0)
