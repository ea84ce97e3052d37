import asyncio
import dataclasses

import pytest

from lambent.base.clock import ManualClock
from lambent.environments.pools import EnvironmentFailedError
from lambent.invoke import event_worker as module
from lambent.invoke.event_worker import EventQueue, EventWorker
from lambent.invoke.retries import RetryRules
from lambent.model.invocation import EventInvocation, InvocationResult
from lambent.model.lambda_errors import ResourceNotFoundException, TooManyRequestsException
from lambent.store.ports.errors import StoreError

DONE = InvocationResult(payload=b"1", executed_version="1")
FAILED = InvocationResult(payload=b"{}", executed_version="1", function_error="Unhandled")


class MemoryEvents:
    """EventInvocationStore in a dictionary; `failures` is how many calls fail first."""

    def __init__(self):
        self.events = {}
        self.claims = {}
        self.failures = {}
        self.limits = []

    def _call(self, name):
        if self.failures.get(name, 0):
            self.failures[name] -= 1
            raise StoreError(f"{name}: disk I/O error")

    async def enqueue(self, invocation):
        self.events[invocation.request_id] = invocation

    async def claim(self, *, now, owner, until, limit):
        self._call("claim")
        self.limits.append(limit)
        due = [e for e in self.events.values() if e.due_at <= now and e.request_id not in self.claims][:limit]
        self.claims |= {event.request_id: owner for event in due}
        return due

    async def complete(self, request_id, *, owner):
        self._call("complete")
        assert self.claims.pop(request_id) == owner
        del self.events[request_id]

    async def retry(self, invocation, *, owner):
        self._call("retry")
        assert self.claims.pop(invocation.request_id) == owner
        self.events[invocation.request_id] = invocation

    async def release(self, owner):
        self._call("release")
        mine = [id for id, holder in self.claims.items() if holder == owner]
        for id in mine:
            del self.claims[id]
        return len(mine)

    async def next_due(self):
        self._call("next_due")
        return min((e.due_at for e in self.events.values() if e.request_id not in self.claims), default=None)


class Setting:
    def __init__(self):
        self.store = MemoryEvents()
        self.clock = ManualClock()
        self.queue = EventQueue(self.store)
        self.answers = []
        self.ran = []
        self.gate = None
        self.worker = EventWorker(
            self.store, self.queue, self.invoke, self.clock, RetryRules(), owner="me", look_seconds=5.0
        )
        self.running = None

    async def invoke(self, invocation):
        self.ran.append(invocation.request_id)
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.pop(0) if self.answers else DONE
        if isinstance(answer, Exception):
            raise answer
        return answer

    def event(self, id="r-1", **settings):
        now = self.clock.now()
        return EventInvocation(
            **{
                "request_id": id, "account_id": "1", "region": "r", "function_name": "f", "qualifier": None,
                "invoked_arn": "arn", "payload": b"", "accepted_at": now, "due_at": now,
            } | settings
        )  # fmt: skip

    def start(self):
        self.running = asyncio.create_task(self.worker.run())

    async def until(self, condition):
        async with asyncio.timeout(2):
            while not condition():  # noqa: ASYNC110 - there is no event for what a test looks at
                await asyncio.sleep(0)

    async def wake(self, seconds):
        self.clock.advance(seconds)
        self.queue.wake.set()


@pytest.fixture
async def setting(monkeypatch):
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.001)
    setting = Setting()
    yield setting
    await setting.worker.close()
    if setting.running is not None:
        setting.running.cancel()
        await asyncio.wait([setting.running])


async def test_an_event_runs_at_once_and_is_forgotten(setting):
    setting.start()
    await asyncio.sleep(0)
    await setting.queue.put(setting.event())
    await setting.until(lambda: not setting.store.events)
    assert setting.ran == ["r-1"]


async def test_a_function_error_is_retried_twice_and_then_given_up(setting, caplog):
    setting.answers = [FAILED, FAILED, FAILED]
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: setting.store.events["r-1"].attempt == 1)
    assert setting.store.events["r-1"].due_at == setting.clock.now() + 60
    await setting.wake(59)
    await asyncio.sleep(0.002)
    assert len(setting.ran) == 1
    await setting.wake(1)
    await setting.until(lambda: setting.store.events["r-1"].attempt == 2)
    await setting.wake(120)
    await setting.until(lambda: not setting.store.events)
    assert len(setting.ran) == 3
    assert "event r-1 for arn is given up: RetriesExhausted" in caplog.text


@pytest.mark.parametrize(
    "error", [TooManyRequestsException("Rate Exceeded."), EnvironmentFailedError("no"), OSError("a bug")]
)
async def test_what_is_not_the_functions_fault_waits_and_runs(setting, error):
    setting.answers = [error]
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: setting.store.events["r-1"].throttles == 1)
    assert setting.store.events["r-1"].attempt == 0
    await setting.wake(1)
    await setting.until(lambda: not setting.store.events)


async def test_an_event_of_a_deleted_function_is_given_up(setting, caplog):
    setting.answers = [ResourceNotFoundException("gone")]
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: not setting.store.events)
    assert "FunctionNotFound" in caplog.text


async def test_what_was_in_progress_when_the_server_ended_runs_again(setting):
    setting.store.events["r-1"] = setting.event()
    setting.store.claims["r-1"] = "me"
    setting.store.events["r-2"] = setting.event("r-2")
    setting.store.claims["r-2"] = "somebody else"
    setting.start()
    await setting.until(lambda: "r-1" not in setting.store.events)
    assert setting.ran == ["r-1"]


@pytest.mark.parametrize("call", ["release", "claim", "next_due"])
async def test_a_store_that_fails_for_a_while_ends_nothing(setting, call, caplog):
    setting.store.events["r-0"] = setting.event("r-0")
    setting.store.claims["r-0"] = "me"
    setting.store.failures[call] = 3
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: not setting.store.events and not setting.store.failures[call])
    assert sorted(setting.ran) == ["r-0", "r-1"]
    assert f"{call}: disk I/O error" in caplog.text
    assert not setting.running.done()


@pytest.mark.parametrize(("call", "answer"), [("complete", DONE), ("retry", FAILED)])
async def test_what_became_of_an_event_is_stored_when_the_store_is_back(setting, call, answer):
    setting.answers = [answer]
    setting.store.failures[call] = 3
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: setting.ran and not setting.store.claims)
    assert setting.ran == ["r-1"]
    assert setting.store.failures[call] == 0


async def test_no_more_run_at_once_than_there_is_room(setting, monkeypatch):
    monkeypatch.setattr(module, "_RUNNING_MOST", 3)
    setting.gate = asyncio.Event()
    for number in range(7):
        setting.store.events[f"r-{number}"] = setting.event(f"r-{number}")
    setting.start()
    await setting.until(lambda: len(setting.ran) == 3)
    await setting.wake(0)
    await asyncio.sleep(0.002)
    assert len(setting.ran) == 3
    setting.gate.set()
    await setting.until(lambda: not setting.store.events)
    assert max(setting.store.limits) == 3


async def test_an_event_that_is_due_later_is_not_run_before(setting):
    setting.start()
    await setting.queue.put(dataclasses.replace(setting.event(), due_at=setting.clock.now() + 10))
    await asyncio.sleep(0.002)
    assert setting.ran == []
    await setting.wake(10)
    await setting.until(lambda: setting.ran == ["r-1"])


async def test_what_runs_when_the_worker_closes_stays_claimed_and_nothing_new_is_begun(setting):
    setting.gate = asyncio.Event()
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: setting.ran)
    await setting.queue.put(setting.event("r-2"))
    await setting.worker.close()
    await asyncio.wait([setting.running], timeout=1)
    assert setting.running.done()
    assert setting.ran == ["r-1"]
    assert set(setting.store.events) == {"r-1", "r-2"}
    assert setting.store.claims["r-1"] == "me"
