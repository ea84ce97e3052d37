import asyncio
import dataclasses
from collections import Counter

import pytest

from lambent.base.clock import ManualClock
from lambent.environments.pool import EnvironmentFailedError
from lambent.invoke import event_handling, event_worker
from lambent.invoke.concurrency import Concurrency
from lambent.invoke.deliveries import Deliveries
from lambent.invoke.event_handling import EventHandling
from lambent.invoke.event_worker import EventQueue, EventWorker
from lambent.invoke.retries import RetryRules
from lambent.model.caller import Caller
from lambent.model.error import AccessDeniedException
from lambent.model.event_invoke_config import EventInvokeConfig
from lambent.model.function import FunctionId
from lambent.model.invocation import EventInvocation, InvocationResult
from lambent.model.lambda_errors import (
    RecursiveInvocationException,
    ResourceNotFoundException,
    TooManyRequestsException,
)
from lambent.store.ports.errors import StoreError

DONE = InvocationResult(payload=b'"done"', executed_version="$LATEST")
FAILED = InvocationResult(
    payload=b'{"errorMessage": "no"}', executed_version="$LATEST", function_error="Unhandled"
)
QUEUE = "arn:aws:sqs:r:1:q"
TOPIC = "arn:aws:sns:r:1:t"


class MemoryEvents:
    """EventInvocationStore in a dictionary; `failures` is how many calls fail first."""

    def __init__(self):
        self.events = {}
        self.claims = {}
        self.failures = {}
        self.claimed = []
        self.expired = 0
        self.gone = set()

    def _call(self, name):
        if self.failures.get(name, 0):
            self.failures[name] -= 1
            raise StoreError(f"{name}: disk I/O error")

    def _free(self):
        return sorted(
            (e for e in self.events.values() if e.request_id not in self.claims), key=lambda e: e.due_at
        )

    async def enqueue(self, invocation):
        self.events[invocation.request_id] = invocation

    async def waiting(self):
        self._call("waiting")
        lines = {}
        for event in self._free():
            lines.setdefault(event.line, event.due_at)
        return lines

    async def claim(self, wanted, *, now, owner, until):
        self._call("claim")
        self.claimed.append(dict(wanted))
        due = []
        for line, limit in wanted.items():
            due += [e for e in self._free() if e.line == line and e.due_at <= now][:limit]
        self.claims |= {event.request_id: owner for event in due}
        return due

    async def complete(self, invocation, *, owner):
        self._call("complete")
        assert self.claims.pop(invocation.request_id) == owner
        del self.events[invocation.request_id]

    async def conclude(self, invocation, *, owner):
        self._call("conclude")
        assert self.claims[invocation.request_id] == owner
        self.events[invocation.request_id] = invocation

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

    async def release_lost(self):
        lost = [id for id, owner in self.claims.items() if owner in self.gone]
        for id in lost:
            del self.claims[id]
        return len(lost)

    async def release_forgotten(self, owner, known):
        self._call("release_forgotten")
        mine = [
            id for id, holder in self.claims.items() if holder == owner and self.events[id].id not in known
        ]
        for id in mine:
            del self.claims[id]
        return len(mine)

    async def hasten(self, *, now, latest):
        late = [event for event in self._free() if event.due_at > latest]
        self.events |= {event.request_id: dataclasses.replace(event, due_at=now) for event in late}
        return len(late)

    async def release_expired(self, owner, now):
        self.expired += 1
        return 0


class Configs:
    def __init__(self):
        self.config = None

    async def of_invocation(self, id, qualifier):
        return self.config


class Metrics:
    def __init__(self):
        self.counted = Counter()

    def put(self, account_id, region, namespace, name, value, *, unit="None", dimensions=None):
        assert namespace == "AWS/Lambda"
        assert dimensions["FunctionName"].startswith("f")
        self.counted[name] += 1


class Roles:
    async def assume(self, role_arn, service, *, region, session_name, source_arn=None):
        assert (role_arn, service) == ("arn:role", "lambda.amazonaws.com")
        return Caller(account_id="1", region=region, principal_arn="p", user_id="u", access_key_id="")


class Setting:
    def __init__(self, store, hello, version):
        self.store = MemoryEvents()
        self.clock = ManualClock()
        self.metrics = Metrics()
        self.queue = EventQueue(self.store, self.metrics)
        self.configs = Configs()
        self.concurrency = Concurrency(1000)
        self.version = version(role="arn:role")
        self.answers = []
        self.ran = []
        self.sent = []
        self.refusals = {}
        self.gate = None
        handling = EventHandling(
            store=self.store,
            configs=self.configs,
            directory=self,
            run=self.invoke,
            closed=self.concurrency.closed,
            deliveries=Deliveries(self.deliver, Roles(), self.metrics),
            metrics=self.metrics,
            clock=self.clock,
            rules=RetryRules(),
            owner="me",
        )
        room = self.concurrency.room_for_events
        self.worker = EventWorker(self.store, self.queue, handling, room, self.clock, owner="me")
        self.running = None

    async def resolve(self, function, qualifier):
        return dataclasses.make_dataclass("Target", ["version"])(self.version)

    async def deliver(self, service, operation, caller, parameters):
        if error := self.refusals.get(service):
            raise error
        self.sent.append((service, operation, caller, parameters))
        return {}

    async def invoke(self, invocation):
        self.ran.append(invocation.request_id)
        lease = self.concurrency.share(invocation.function).lane("1").acquire()
        try:
            if self.gate is not None:
                await self.gate.wait()
            answer = self.answers.pop(0) if self.answers else DONE
            if isinstance(answer, Exception):
                raise answer
            return answer
        finally:
            lease()

    def event(self, id="r-1", **settings):
        now = self.clock.now()
        return EventInvocation(
            **{
                "request_id": id, "account_id": "1", "region": "r", "function_name": "f", "qualifier": None,
                "invoked_arn": "arn", "payload": b"{}", "accepted_at": now, "due_at": now,
            } | settings
        )  # fmt: skip

    def configure(self, **settings):
        self.configs.config = EventInvokeConfig(
            function=FunctionId("1", "r", "f"), qualifier="$LATEST", last_modified=0.0, **settings
        )

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
async def setting(monkeypatch, store, hello, version):
    monkeypatch.setattr(event_worker, "_RETRY_SECONDS", 0.001)
    monkeypatch.setattr(event_handling, "_STORE_AGAIN_SECONDS", 0.001)
    setting = Setting(store, hello, version)
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


@pytest.mark.parametrize("call", ["release", "claim", "waiting"])
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
    monkeypatch.setattr(event_worker, "_RUNNING_MOST", 6)
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
    assert max(sum(wanted.values()) for wanted in setting.store.claimed) == 3


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


# Fairness and room


async def test_a_long_line_delays_no_other_function(setting):
    setting.gate = asyncio.Event()
    for number in range(1000):
        setting.store.events[f"r-{number}"] = setting.event(f"r-{number}")
    setting.start()
    await setting.until(lambda: len(setting.ran) == 128)
    await setting.queue.put(setting.event("other", function_name="f2"))
    await setting.until(lambda: "other" in setting.ran)
    assert len(setting.ran) == 129


async def test_no_more_are_claimed_than_a_reservation_lets_run(setting):
    setting.concurrency.allot(FunctionId("1", "r", "f"), 2, 0, {})
    for number in range(20):
        setting.store.events[f"r-{number}"] = setting.event(f"r-{number}")
    setting.start()
    await setting.until(lambda: not setting.store.events)
    assert len(setting.ran) == 20, "none was throttled and put back"


async def test_a_function_without_room_is_tried_now_and_then(setting):
    function = FunctionId("1", "r", "f")
    setting.concurrency.allot(function, 1, 0, {})
    lease = setting.concurrency.share(function).lane("1").acquire()
    for number in range(5):
        setting.store.events[f"r-{number}"] = setting.event(f"r-{number}")
    setting.start()
    await setting.until(lambda: len(setting.ran) == 1)
    await setting.wake(0.5)
    await asyncio.sleep(0.002)
    assert len(setting.ran) == 1
    await setting.wake(0.5)
    await setting.until(lambda: len(setting.ran) == 2)
    lease()
    await setting.wake(10)
    await setting.until(lambda: not setting.store.events)


async def test_claims_that_ran_out_are_looked_for_now_and_then(setting):
    setting.start()
    await setting.until(lambda: setting.store.expired == 1)
    await setting.wake(4)
    await asyncio.sleep(0.002)
    assert setting.store.expired == 1
    await setting.wake(1)
    await setting.until(lambda: setting.store.expired == 2)


# Outcomes


async def test_the_functions_own_rules_are_kept(setting):
    setting.configure(maximum_retry_attempts=0)
    setting.answers = [FAILED]
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: not setting.store.events)
    assert setting.ran == ["r-1"]
    assert setting.metrics.counted["AsyncEventsDropped"] == 1


async def test_a_success_is_told(setting):
    setting.configure(on_success=QUEUE, on_failure=TOPIC)
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: not setting.store.events)
    ((service, operation, caller, parameters),) = setting.sent
    assert (service, operation, caller.region) == ("sqs", "SendMessage", "r")
    assert '"condition":"Success"' in parameters["MessageBody"]
    assert '"responsePayload":"done"' in parameters["MessageBody"]


async def test_a_failure_is_told_to_destination_and_dead_letters(setting):
    setting.configure(on_success=QUEUE, on_failure=TOPIC, maximum_retry_attempts=0)
    setting.version = dataclasses.replace(setting.version, dead_letter_target=QUEUE)
    setting.answers = [FAILED]
    setting.start()
    await setting.queue.put(setting.event(payload=b"[7]"))
    await setting.until(lambda: not setting.store.events)
    (_, _, _, told), (_, _, _, letter) = setting.sent
    assert '"condition":"RetriesExhausted","approximateInvokeCount":1' in told["Message"]
    assert letter["MessageBody"] == "[7]"
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no"


async def test_an_event_that_waited_too_long_is_not_run(setting):
    setting.configure(on_failure=QUEUE, maximum_event_age_seconds=60)
    setting.store.events["r-1"] = setting.event(attempt=1)
    setting.clock.advance(61)
    setting.start()
    await setting.until(lambda: not setting.store.events)
    assert setting.ran == []
    assert '"condition":"EventAgeExceeded","approximateInvokeCount":1' in setting.sent[0][3]["MessageBody"]


async def test_of_a_closed_function_nothing_is_run(setting):
    setting.configure(on_failure=QUEUE)
    setting.concurrency.allot(FunctionId("1", "r", "f"), 0, 0, {})
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: not setting.store.events)
    assert setting.ran == []
    assert '"condition":"ZeroReservedConcurrency"' in setting.sent[0][3]["MessageBody"]


async def test_a_loop_is_broken_and_told(setting):
    setting.configure(on_failure=QUEUE)
    setting.answers = [RecursiveInvocationException("loop")]
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: not setting.store.events)
    assert '"condition":"RecursiveInvocation"' in setting.sent[0][3]["MessageBody"]


async def test_a_destination_that_refuses_is_told_later_and_the_function_not_run_again(setting, caplog):
    setting.configure(on_success=QUEUE)
    setting.refusals["sqs"] = AccessDeniedException("no")
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: setting.store.events["r-1"].outcome and not setting.store.claims)
    assert setting.metrics.counted["DestinationDeliveryFailures"] == 1
    setting.refusals.clear()
    await setting.wake(1)
    await setting.until(lambda: not setting.store.events)
    assert setting.ran == ["r-1"]
    assert len(setting.sent) == 1


async def test_a_destination_that_always_refuses_is_given_up_at_last(setting, caplog):
    setting.configure(on_success=QUEUE)
    setting.refusals["sqs"] = AccessDeniedException("no")
    setting.start()
    await setting.queue.put(setting.event())
    for _ in range(2000):
        await setting.wake(300)
        await asyncio.sleep(0)
        if not setting.store.events:
            break
    assert not setting.store.events
    assert setting.metrics.counted["DestinationDeliveryFailures"] == 10
    assert "it is lost" in caplog.text


async def test_who_has_been_told_is_not_told_again(setting):
    setting.configure(on_failure=TOPIC, maximum_retry_attempts=0)
    setting.version = dataclasses.replace(setting.version, dead_letter_target=QUEUE)
    setting.answers = [FAILED]
    setting.refusals["sqs"] = AccessDeniedException("no")
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: setting.store.events["r-1"].outcome and not setting.store.claims)
    setting.refusals.clear()
    await setting.wake(1)
    await setting.until(lambda: not setting.store.events)
    assert [service for service, *_ in setting.sent] == ["sns", "sqs"]


async def test_a_crash_before_the_destination_was_told_runs_nothing_again(setting):
    setting.configure(on_success=QUEUE)
    gate = asyncio.Event()

    async def never(*arguments):
        await gate.wait()

    setting.worker._handling._deliveries._client = never
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: setting.store.events["r-1"].outcome)
    event = setting.store.events["r-1"]
    assert setting.store.claims == {"r-1": "me"}
    assert (event.outcome.condition, event.response) == ("Success", b'"done"')


async def test_a_failure_that_nobody_expected_puts_the_event_back_and_blocks_no_other(setting, caplog):
    broken = asyncio.Event()

    async def fail(id, qualifier):
        broken.set()
        raise RuntimeError("a bug")

    good, setting.configs.of_invocation = setting.configs.of_invocation, fail
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: broken.is_set() and not setting.store.claims)
    setting.configs.of_invocation = good
    await setting.queue.put(setting.event("r-2"))
    await setting.until(lambda: setting.ran == ["r-2"])
    await setting.wake(1)
    await setting.until(lambda: not setting.store.events)
    assert setting.ran == ["r-2", "r-1"]
    assert "could not be handled" in caplog.text


async def test_an_event_is_not_older_because_the_clock_was_set(setting):
    setting.answers = [FAILED]
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: setting.store.events["r-1"].attempt == 1)
    setting.clock.set_by(30 * 3600)
    await setting.wake(60)
    await setting.until(lambda: not setting.store.events)
    assert setting.ran == ["r-1", "r-1"]


@pytest.mark.parametrize("seconds", [3 * 3600, 60])
async def test_an_event_waits_no_longer_because_the_clock_was_set_back(setting, caplog, seconds):
    setting.answers = [FAILED]
    setting.start()
    await setting.queue.put(setting.event())
    await setting.until(lambda: setting.store.events["r-1"].attempt == 1)
    setting.clock.set_by(-seconds)
    await setting.wake(60)
    await setting.until(lambda: not setting.store.events)
    assert setting.ran == ["r-1", "r-1"]
    assert "a time of another clock" in caplog.text


async def test_an_event_that_was_accepted_by_a_clock_ahead_does_not_wait_for_that_time(setting):
    setting.start()
    ahead = setting.clock.now() + 30 * 3600
    await setting.queue.put(dataclasses.replace(setting.event(), accepted_at=ahead, due_at=ahead))
    await setting.wake(5)
    await setting.until(lambda: not setting.store.events)
    assert setting.ran == ["r-1"]
