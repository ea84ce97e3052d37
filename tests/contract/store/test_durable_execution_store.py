import asyncio
from collections.abc import Callable
from dataclasses import replace

import msgspec.structs
import pytest
from durable_driver import FUNCTION, start, step, update, wait
from memory_durable_executions import MemoryDurableExecutionStore

from lambent.model.durable_execution.apply_update import ChainedTarget, Surroundings
from lambent.model.durable_execution.checkpoint import CheckpointRequest, checkpoint
from lambent.model.durable_execution.closing import announced, stop
from lambent.model.durable_execution.operation_update import OperationUpdate
from lambent.model.durable_execution.starting import started
from lambent.model.durable_execution.timers import advance
from lambent.model.durable_execution.transition import Change
from lambent.store.ports.durable_executions import DurableExecutionStore, ExecutionFilter
from lambent.store.ports.errors import NotFoundError
from lambent.store.sql.database import Database
from lambent.store.sql.durable_executions import SqlDurableExecutionStore

NOW = 1000.0


@pytest.fixture(params=["sqlite", "postgres", "memory"])
def store(request: pytest.FixtureRequest, new_database: Callable[[str], Database]) -> DurableExecutionStore:
    if request.param == "memory":
        return MemoryDurableExecutionStore()
    return SqlDurableExecutionStore(new_database(request.param))


async def begin(store, **changes):
    """A new execution whose function runs."""
    execution = await store.start(started(start(**changes), NOW))
    await store.change(execution.key, lambda state: advance(state, NOW, "i-1"))
    await store.change(execution.key, lambda state: announced(state, ["RUNNING"]))
    return execution.key


async def report(store, key, *updates, **targets):
    around = Surroundings(targets=targets, secrets={one["Id"]: "secret" for one in updates})

    def decide(state):
        from lambent.model.durable_execution.tokens import CheckpointToken

        token = str(CheckpointToken(key.id, "i-1", state.execution.token))
        given = [OperationUpdate.of(one) for one in updates]
        return checkpoint(
            state, CheckpointRequest(token=token, client_token=None, updates=given, around=around), NOW
        )

    return await store.change(key, decide)


async def ids_of(store, key, after=-1, items=100, size=10**6):
    operations, more = await store.view(key, lambda state: state.page(after, items=items, size=size))
    return [operation.id for operation in operations], more


async def test_what_is_started_can_be_seen(store):
    new = started(start(), NOW)
    assert await store.start(new) == new.execution
    execution = await store.view(new.execution.key, lambda state: state.execution)
    assert execution == new.execution
    assert await store.view(execution.key, lambda state: state.operation("e-1")) == new.operation
    history = await store.history(execution.key, after=None, items=10, size=10**6, reverse=False)
    assert (list(history[0]), history[1]) == ([new.event], False)


async def test_a_name_belongs_to_one_execution_of_a_function(store):
    first = await store.start(started(start(), NOW))
    assert await store.start(started(start(id="e-2", version="8"), NOW)) == first
    other = await store.start(
        started(start(id="e-3", function=msgspec.structs.replace(FUNCTION, name="other")), NOW)
    )
    assert other.id == "e-3"
    await store.delete(first.key)
    assert (await store.start(started(start(id="e-2"), NOW))).id == "e-2"


async def test_of_many_who_start_at_once_one_does(store):
    found = await asyncio.gather(*(store.start(started(start(id=f"e-{n}"), NOW)) for n in range(10)))
    assert len({execution.id for execution in found}) == 1


async def test_what_is_not_there(store):
    key = started(start(), NOW).execution.key
    for attempt in (
        store.change(key, lambda state: (None, None)),
        store.view(key, lambda state: state),
        store.history(key, after=None, items=1, size=1, reverse=False),
    ):
        with pytest.raises(NotFoundError):
            await attempt
    await store.delete(key)


async def test_operations_are_found_by_id_by_time_and_by_change(store):
    key = await begin(store)
    await report(store, key, step("a"), wait("late", 20), wait("soon", 10))
    before = await store.view(key, lambda state: state.execution.changes)
    await report(store, key, step("a", "SUCCEED", Payload='"é"'))

    def read(state):
        return (
            state.operation("a").result,
            state.operation("nowhere"),
            [one.id for one in state.due(NOW + 10)],
            [one.id for one in state.due(float("inf"))],
            [one.id for one in state.changed_since(before)],
        )

    assert await store.view(key, read) == ('"é"', None, ["soon"], ["late", "soon"], ["a"])


async def test_a_failed_change_changes_nothing(store):
    key = await begin(store)
    execution = await store.view(key, lambda state: state.execution)

    def fail(state):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await store.change(key, fail)
    assert await store.change(key, lambda state: (None, "nothing")) == "nothing"
    assert await store.view(key, lambda state: state.execution) == execution


async def test_changes_of_one_execution_follow_each_other(store):
    key = await begin(store)

    def count(state):
        changed = replace(state.execution, failures=state.execution.failures + 1)
        return Change(execution=changed), None

    await asyncio.gather(*(store.change(key, count) for _ in range(20)))
    assert await store.view(key, lambda state: state.execution.failures) == 20


async def test_pages_of_operations_and_what_is_hidden_in_them(store):
    key = await begin(store)
    below = [update("c1", "CONTEXT", "START", ParentId="c"), step("c2", ParentId="c1")]
    await report(store, key, update("c", "CONTEXT", "START"), *below, step("d"))
    assert await ids_of(store, key, items=2) == (["e-1", "c"], True)
    assert await ids_of(store, key, after=1) == (["c1", "c2", "d"], False)
    assert await ids_of(store, key, size=1) == (["e-1"], True)
    await report(store, key, update("c", "CONTEXT", "SUCCEED"))
    assert await ids_of(store, key) == (["e-1", "c", "d"], False)
    # Begun and ended at once, with what is below.
    within = step("f", ParentId="x")
    await report(store, key, update("x", "CONTEXT", "START"), within, update("x", "CONTEXT", "SUCCEED"))
    assert await ids_of(store, key) == (["e-1", "c", "d", "x"], False)


async def test_history_in_pages_both_ways(store):
    key = await begin(store)
    await report(store, key, *(step(f"s{number}") for number in range(4)))

    async def numbers(after, items=9, reverse=False, size=10**6):
        events, more = await store.history(key, after=after, items=items, size=size, reverse=reverse)
        return [event.id for event in events], more

    assert await numbers(None, items=2) == ([1, 2], True)
    assert await numbers(2, items=3) == ([3, 4, 5], False)
    assert await numbers(None, items=2, reverse=True) == ([5, 4], True)
    assert await numbers(4, reverse=True) == ([3, 2, 1], False)
    assert await numbers(None, size=1) == ([1], True)


async def test_when_something_is_due(store):
    assert await store.next_due() is None
    new = started(start(), NOW).execution
    await store.start(started(start(), NOW))
    assert await store.due(NOW, 10) == [new.key]
    key = await begin(store)
    assert await store.due(NOW, 10) == []
    assert await store.next_due() == NOW + 3600
    await report(store, key, wait("w", 30))
    assert await store.next_due() == NOW + 30
    await store.change(key, lambda state: stop(state, None, NOW + 1))
    await store.change(key, lambda state: announced(state, ["STOPPED"]))
    assert await store.next_due() == NOW + 1 + 2 * 86_400


async def test_due_comes_earliest_first(store):
    for number, at in enumerate((30.0, 10.0, 20.0)):
        new = started(start(id=f"e-{number}", name=f"n-{number}"), at)
        await store.start(new)
        await store.change(new.execution.key, lambda state: announced(state, ["RUNNING"]))
    assert [key.id for key in await store.due(100.0, 2)] == ["e-1", "e-2"]


async def test_what_was_under_way(store):
    key = await begin(store)
    assert await store.busy() == [key]
    await store.change(key, lambda state: stop(state, None, NOW))
    assert await store.busy() == []


async def test_a_child_begins_with_the_change_that_asks_for_it(store):
    key = await begin(store)
    child = start(id="e-2", name="child", input=None)
    ask = update(
        "i", "CHAINED_INVOKE", "START", Payload="1", ChainedInvokeOptions={"FunctionName": "orders:7"}
    )
    await report(store, key, ask, i=ChainedTarget(version="7", child=child))
    begun = await store.view(replace(key, id="e-2"), lambda state: state.execution)
    assert begun.parent.key == key


async def test_lists(store):
    for number in range(5):
        await store.start(
            started(start(id=f"e-{number}", name=f"n-{number}", version=str(number % 2)), NOW + number)
        )
    await store.change(
        (await store.start(started(start(id="x", name="n-1"), NOW))).key, lambda state: stop(state, None, NOW)
    )

    async def names(oldest_first=True, after=None, limit=10, **wanted):
        found = await store.page(
            FUNCTION, ExecutionFilter(**wanted), after=after, limit=limit, oldest_first=oldest_first
        )
        return [execution.name for execution, _ in found]

    assert await names() == ["n-0", "n-1", "n-2", "n-3", "n-4"]
    assert await names(oldest_first=False, limit=2) == ["n-4", "n-3"]
    assert await names(version="1") == ["n-1", "n-3"]
    assert await names(status="STOPPED") == ["n-1"]
    assert await names(status="RUNNING") == ["n-0", "n-2", "n-3", "n-4"]
    assert await names(status="RUNNING", oldest_first=False, limit=2) == ["n-4", "n-3"]
    assert await names(name="n-2") == ["n-2"]
    assert await names(name="n-2", status="STOPPED") == []
    assert await names(name="n-2", oldest_first=False, version="0") == ["n-2"]
    assert await names(started_after=NOW + 1, started_before=NOW + 4) == ["n-2", "n-3"]
    for oldest_first in (True, False):
        everything = await names(oldest_first=oldest_first)
        after, paged = None, []
        while page := await store.page(
            FUNCTION, ExecutionFilter(), after=after, limit=2, oldest_first=oldest_first
        ):
            paged += [execution.name for execution, _ in page]
            after = page[-1][1]
        assert paged == everything
    assert await store.page(
        msgspec.structs.replace(FUNCTION, name="other"), ExecutionFilter(), after=None, limit=9, oldest_first=True
    ) == []  # fmt: skip


async def test_what_is_deleted_is_gone_with_all_of_it(store):
    key = await begin(store)
    await report(store, key, step("a"))
    await store.delete(key)
    with pytest.raises(NotFoundError):
        await store.view(key, lambda state: state)
    key = await begin(store)
    assert await ids_of(store, key) == (["e-1"], False)
    events, _ = await store.history(key, after=None, items=9, size=10**6, reverse=False)
    assert len(events) == 1
