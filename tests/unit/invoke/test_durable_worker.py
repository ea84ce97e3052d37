import asyncio
import json

import pytest
from durable_driver import FUNCTION
from memory_durable_executions import MemoryDurableExecutionStore

from lambent.base.clock import ManualClock
from lambent.invoke import durable_worker as module
from lambent.invoke.durable_executions import DurableExecutions
from lambent.invoke.durable_worker import DurableWorker, WorkerRules, function_error
from lambent.model.durable_execution.apply_update import ChainedTarget, Surroundings
from lambent.model.durable_execution.checkpoint import CheckpointRequest, checkpoint
from lambent.model.durable_execution.closing import ChainedOutcome, delete, stop
from lambent.model.durable_execution.operation_update import OperationUpdate
from lambent.model.durable_execution.starting import Start
from lambent.model.error import ServiceException
from lambent.model.function import CodeReference, DurableConfig, FunctionVersion, LoggingConfig
from lambent.model.invocation import Invocation, InvocationResult
from lambent.model.lambda_errors import (
    DurableExecutionAlreadyStartedException,
    ResourceNotFoundException,
    TooManyRequestsException,
)
from lambent.store.ports.errors import StoreError

VERSION = FunctionVersion(
    function=FUNCTION,
    version="7",
    runtime="python3.13",
    handler="index.handler",
    role="arn:aws:iam::123456789012:role/r",
    code=CodeReference(digest="d", sha256="s", size=1),
    logging=LoggingConfig(log_group="g"),
    durable=DurableConfig(execution_timeout=600),
    last_modified=0.0,
    revision_id="r",
)


def answer(status, **members):
    return InvocationResult(payload=json.dumps({"Status": status, **members}).encode(), executed_version="7")


def invocation(payload=b"1", **settings):
    called = {
        "request_id": "r",
        "function": FUNCTION,
        "qualifier": "live",
        "invoked_arn": FUNCTION.arn("live"),
    }
    return Invocation(**called | {"payload": payload} | settings)


class Setting:
    """A worker whose function answers from `answers`: each a result, an error, or a function of the envelope."""

    def __init__(self):
        self.store = MemoryDurableExecutionStore()
        self.clock = ManualClock(1000.0)
        self.answers = []
        self.ran = []
        self.chained = []
        self.announced, self.deaf = [], 0
        self.gate = self.chain_gate = None
        self.start()

    def start(self):
        """Also again, as after a restart."""
        self.executions = DurableExecutions(self.store, self.clock)
        self.worker = DurableWorker(
            self.executions,
            self.store,
            self.run,
            self.chain,
            self.announce,
            self.clock,
            WorkerRules(look_seconds=0.01),
        )
        self.running = asyncio.create_task(self.worker.run())

    async def stop(self):
        await self.worker.close()
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)

    async def run(self, invocation):
        self.ran.append(invocation)
        if self.gate is not None:
            await self.gate.wait()
        next = self.answers.pop(0)
        if callable(next):
            next = await next(json.loads(invocation.payload))
        if isinstance(next, Exception):
            raise next
        return next

    async def announce(self, execution, statuses):
        if self.deaf:
            self.deaf -= 1
            raise ServiceException("no event bus")
        self.announced += statuses

    async def chain(self, execution, operation):
        self.chained.append(operation.id)
        if self.chain_gate is not None:
            await self.chain_gate.wait()
        if operation.function_name == "forbidden":
            raise ServiceException("no")
        if operation.function_name == "flaky" and len(self.chained) == 1:
            raise StoreError("disk I/O error")
        return ChainedOutcome(status="SUCCEEDED", result='"plain"')

    def ask(self, then, **target):
        """The function chains an invocation, and then answers."""

        async def called(envelope):
            (root, *_) = envelope["InitialExecutionState"]["Operations"]
            key = next(key for key in self.store.states if key.id == root["Id"])
            update = {"Id": "i", "Type": "CHAINED_INVOKE", "Action": "START", "Payload": "5"}
            update["ChainedInvokeOptions"] = {"FunctionName": target.pop("name", "other")}
            request = CheckpointRequest(
                token=envelope["CheckpointToken"],
                client_token=None,
                updates=[OperationUpdate.of(update)],
                around=Surroundings(targets={"i": ChainedTarget(version="1", **target)}, secrets={}),
            )
            await self.executions.change(key, lambda state: checkpoint(state, request, self.clock.now()))
            return then

        return called

    async def until(self, check):
        for _ in range(500):
            if check():
                return
            await asyncio.sleep(0.002)
        raise AssertionError("it never came to that")

    def only(self):
        (state,) = self.store.states.values()
        return state


@pytest.fixture
async def setting():
    setting = Setting()
    yield setting
    await setting.stop()


async def test_a_synchronous_invocation_waits_for_the_end(setting):
    setting.answers = [answer("SUCCEEDED", Result='{"a": 1}')]
    result = await setting.executions.run(VERSION, invocation(b'{"n": 1}', durable_execution_name="x"))
    assert (result.payload, result.function_error, result.executed_version) == (b'{"a": 1}', None, "7")
    execution = setting.only().execution
    assert result.durable_execution_arn == execution.arn
    (ran,) = setting.ran
    assert (ran.qualifier, ran.invoked_arn) == ("7", FUNCTION.arn("live"))
    assert ran.durable_execution_arn == execution.arn
    assert json.loads(ran.payload)["DurableExecutionArn"] == execution.arn


async def test_a_failure_has_the_form_of_a_functions(setting):
    error = {"ErrorType": "E", "ErrorMessage": "no", "ErrorData": "d", "StackTrace": ["line"]}
    setting.answers = [answer("FAILED", Error=error)]
    result = await setting.executions.run(VERSION, invocation())
    assert result.function_error == "Unhandled"
    assert json.loads(result.payload) == {
        "errorType": "E", "errorMessage": "no", "errorData": "d", "stackTrace": ["line"],
    }  # fmt: skip


async def test_who_gives_the_same_name_gets_the_same_execution(setting):
    setting.gate = asyncio.Event()
    setting.answers = [answer("SUCCEEDED", Result="1")]
    named = {"durable_execution_name": "x"}
    both = [asyncio.create_task(setting.executions.run(VERSION, invocation(**named))) for _ in range(2)]
    await setting.until(lambda: setting.ran)
    with pytest.raises(
        DurableExecutionAlreadyStartedException, match=setting.only().execution.arn.replace("$", ".")
    ):
        await setting.executions.start(VERSION, invocation(b"2", **named), synchronous=False)
    setting.gate.set()
    assert [result.payload for result in await asyncio.gather(*both)] == [b"1", b"1"]
    assert len(setting.ran) == 1


async def test_a_function_that_fails_runs_again_when_its_pause_is_over(setting):
    failed = InvocationResult(
        payload=b'{"errorType": "E", "errorMessage": "m"}', executed_version="7", function_error="Unhandled"
    )
    setting.answers = [failed, TooManyRequestsException("full"), RuntimeError("a bug"), answer("SUCCEEDED")]
    await setting.executions.start(VERSION, invocation(), synchronous=False)
    for count in (1, 2, 3):
        await setting.until(
            lambda count=count: len(setting.ran) == count and not setting.only().execution.busy
        )
        await asyncio.sleep(0.03)
        assert len(setting.ran) == count
        setting.clock.advance(5)
    await setting.until(lambda: setting.only().execution.closed)
    assert setting.only().execution.status == "SUCCEEDED"


async def test_an_execution_of_a_deleted_function_fails(setting):
    setting.answers = [ResourceNotFoundException("Function not found: f")]
    result = await setting.executions.run(VERSION, invocation())
    assert json.loads(result.payload)["errorType"] == "ResourceNotFoundException"


async def test_a_crash_runs_the_function_again(setting):
    setting.gate = asyncio.Event()
    await setting.executions.start(VERSION, invocation(), synchronous=False)
    await setting.until(lambda: setting.ran)
    await setting.stop()
    assert setting.only().execution.busy
    setting.gate = None
    setting.answers = [answer("SUCCEEDED", Result="1")]
    setting.start()
    await setting.until(lambda: setting.only().execution.closed)
    assert len(setting.ran) == 2


async def test_chained_invocations_of_plain_functions(setting):
    setting.answers = [setting.ask(answer("PENDING")), answer("SUCCEEDED", Result="1")]
    await setting.executions.run(VERSION, invocation())
    assert setting.chained == ["i"]
    assert setting.only().operations["i"].result == '"plain"'
    assert json.loads(setting.ran[1].payload)["UpdatedOperationIds"] == ["i"]


async def test_a_chained_invocation_that_is_refused_has_failed(setting):
    setting.answers = [setting.ask(answer("PENDING"), name="forbidden"), answer("SUCCEEDED", Result="1")]
    await setting.executions.run(VERSION, invocation())
    assert setting.only().operations["i"].error["ErrorMessage"] == "no"


async def test_a_chained_invocation_that_cannot_be_made_is_made_again(setting, caplog):
    setting.answers = [setting.ask(answer("PENDING"), name="flaky"), answer("SUCCEEDED", Result="1")]
    await setting.executions.start(VERSION, invocation(), synchronous=False)
    await setting.until(lambda: "could not be made" in caplog.text)
    await asyncio.sleep(0.03)
    assert setting.chained == ["i"]
    setting.clock.advance(5)
    await setting.until(lambda: setting.only().execution.closed)
    assert setting.chained == ["i", "i"]
    assert setting.only().operations["i"].status == "SUCCEEDED"


async def test_a_crash_makes_a_chained_invocation_again(setting):
    setting.chain_gate = asyncio.Event()
    setting.answers = [setting.ask(answer("PENDING"))]
    await setting.executions.start(VERSION, invocation(), synchronous=False)
    await setting.until(lambda: setting.chained and not setting.only().execution.invocation)
    await setting.stop()
    setting.chain_gate = None
    setting.answers = [answer("SUCCEEDED", Result="1")]
    setting.start()
    await setting.until(lambda: setting.only().execution.closed)
    assert setting.chained == ["i", "i"]


async def test_the_end_of_a_child_wakes_its_parent(setting):
    child = Start(
        id="child", name="child", function=FUNCTION, version="7", invoked_arn="a", config=VERSION.durable, input=None
    )  # fmt: skip
    setting.answers = [
        setting.ask(answer("PENDING"), child=child),
        answer("SUCCEEDED", Result='"from the child"'),
        answer("SUCCEEDED", Result='"from the parent"'),
    ]
    result = await setting.executions.run(VERSION, invocation())
    assert result.payload == b'"from the parent"'
    parent = next(state for state in setting.store.states.values() if state.execution.id != "child")
    assert parent.operations["i"].result == '"from the child"'
    await setting.until(lambda: not any(one.execution.report_due for one in setting.store.states.values()))


async def test_what_is_deleted_or_expired_is_forgotten(setting):
    setting.answers = [answer("SUCCEEDED"), answer("SUCCEEDED")]
    for name in ("deleted", "expired"):
        await setting.executions.run(VERSION, invocation(durable_execution_name=name))
    deleted, _ = setting.store.states
    await setting.executions.change(deleted, lambda state: delete(state, setting.clock.now()))
    await setting.until(lambda: len(setting.store.states) == 1)
    setting.clock.advance(14 * 86_400)
    await setting.until(lambda: not setting.store.states)


async def test_statuses_are_announced_again_until_somebody_hears(setting):
    setting.deaf = 1
    setting.answers = [answer("SUCCEEDED")]
    await setting.executions.run(VERSION, invocation())
    await setting.until(lambda: not setting.deaf)
    assert setting.announced == []
    setting.clock.advance(60)
    await setting.until(lambda: not setting.only().execution.announcements)
    assert setting.announced == ["RUNNING", "SUCCEEDED"]


async def test_stopping_ends_the_wait_of_who_invoked_it(setting):
    setting.gate = asyncio.Event()
    waiting = asyncio.create_task(setting.executions.run(VERSION, invocation()))
    await setting.until(lambda: setting.ran)
    key = setting.only().execution.key
    await setting.executions.change(
        key, lambda state: stop(state, {"ErrorType": "Enough"}, setting.clock.now())
    )
    assert json.loads((await waiting).payload) == {"errorType": "Enough"}
    assert not setting.executions._waiting


async def test_a_store_that_fails_for_a_moment_loses_nothing(setting, monkeypatch):
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.001)
    failures = iter([StoreError("disk I/O error")] * 3)
    change, due = setting.store.change, setting.store.due

    def failing(call):
        async def attempt(*given):
            if (error := next(failures, None)) is not None:
                raise error
            return await call(*given)

        return attempt

    setting.answers = [answer("SUCCEEDED", Result="1")]
    setting.store.change, setting.store.due = failing(change), failing(due)
    result = await setting.executions.run(VERSION, invocation())
    assert result.payload == b"1"


async def test_an_invocation_that_the_store_noted_without_a_word_of_it_runs(setting, monkeypatch, caplog):
    """Its answer was lost, as when a network is cut at the end of a transaction."""
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.001)
    change, lost = setting.store.change, []

    async def losing(key, decide):
        answer = await change(key, decide)
        if not lost and setting.only().execution.invocation is not None:
            lost.append(setting.only().execution.invocation.id)
            raise StoreError("the connection was lost")
        return answer

    setting.store.change = losing
    setting.answers = [answer("SUCCEEDED", Result="1")]
    result = asyncio.create_task(setting.executions.run(VERSION, invocation()))
    await setting.until(lambda: lost)
    setting.clock.advance(1.0)
    assert (await result).payload == b"1"
    (ran,) = setting.ran
    assert ran.request_id != lost[0]
    assert "without a word of it" in caplog.text


async def test_an_invocation_that_runs_is_not_taken_for_a_forgotten_one(setting):
    setting.gate = asyncio.Event()
    setting.answers = [answer("SUCCEEDED", Result="1")]
    result = asyncio.create_task(setting.executions.run(VERSION, invocation()))
    await setting.until(lambda: setting.ran)
    looks = []
    busy = setting.store.busy

    async def looking():
        looks.append(await busy())
        return looks[-1]

    setting.store.busy = looking
    for number in range(3):
        setting.clock.advance(1.0)
        await setting.until(lambda number=number: len(looks) > number)
    assert looks[0], "it is under way"
    assert len(setting.ran) == 1
    setting.gate.set()
    assert (await result).payload == b"1"


async def test_one_that_cannot_go_on_is_named_and_keeps_nobody_from_it(setting, monkeypatch, caplog):
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.001)
    change, broken = setting.store.change, []

    async def failing(key, decide):
        if key in broken:
            raise StoreError("disk I/O error")
        return await change(key, decide)

    setting.store.change = failing
    setting.answers = [answer("SUCCEEDED", Result="1"), answer("SUCCEEDED", Result="2")]
    await setting.stop()
    held = await setting.executions.start(VERSION, invocation(), synchronous=False)
    broken.append(held.key)
    setting.start()
    result = await setting.executions.run(VERSION, invocation(b"2"))
    assert result.payload == b"1"
    broken.clear()
    closed, _ = await setting.executions.closed(held.key)
    assert closed.status == "SUCCEEDED"
    assert any(held.key.id in message for message in caplog.messages)


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (
            b'{"errorMessage": "m", "errorType": "E", "stackTrace": []}',
            {"ErrorMessage": "m", "ErrorType": "E"},
        ),
        (b"not json", {"ErrorMessage": "not json"}),
        (b"[1]", {"ErrorMessage": "[1]"}),
    ],
)
def test_the_error_of_a_function_as_an_error_object(payload, error):
    assert function_error(payload) == error
