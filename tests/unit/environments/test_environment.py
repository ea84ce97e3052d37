import asyncio
import json
import re
from typing import Any

import pytest

from lambent.base.clock import ManualClock
from lambent.environments.environment import Environment
from lambent.environments.state import State
from lambent.model.error import AccessDeniedException
from lambent.sandbox.port import SandboxError


async def cancel(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# Init


async def test_init_takes_a_blank_through_every_step_in_order(bench):
    environment = await bench.started(memory_size=1769, ephemeral_storage=1024)
    (sandbox,) = bench.backend.made
    assert sandbox.steps == [
        "start", "resize_tmp 1024", "limit_memory 1769", "attach", "seal", "limit_cpu 1.000",
    ]  # fmt: skip
    assert environment.state is State.IDLE
    assert sandbox.settings["handler"] == "app.handler"
    assert sandbox.settings["variables"]["AWS_ACCESS_KEY_ID"] == "ASIA"


async def test_with_variables_needed_at_exec_the_process_starts_after_the_code_is_there_and_privilege_is_gone(
    bench,
):
    await bench.started(variables={"LD_PRELOAD": "/opt/x.so", "MY": "1"})
    (sandbox,) = bench.backend.made
    assert sandbox.steps[:4] == ["limit_memory 128", "attach", "seal", "start"]
    assert sandbox.process.variables["LD_PRELOAD"] == "/opt/x.so"
    assert sandbox.process.variables["MY"] == "1"
    assert sandbox.process.directory == "/var/task"


async def test_a_successful_invocation_and_its_log(bench, invocation):
    async def say_and_answer(bootstrap, payload):
        bootstrap.say("working\nunfinished")
        await bootstrap.send(19, payload)

    bench.on_invoke = say_and_answer
    environment = await bench.started()
    result = await environment.invoke(invocation())
    assert (result.payload, result.function_error, result.executed_version) == (b'"hi"', None, "$LATEST")
    log = await bench.log()
    assert [line.split(" ")[0] for line in log.splitlines()] == [
        "INIT_START", "START", "working", "unfinishedEND", "REPORT",
    ]  # fmt: skip
    assert re.search(
        r"REPORT RequestId: r-1\t.*Memory Size: 128 MB\tMax Memory Used: 40 MB\tInit Duration: ", log
    )
    assert "Init Duration" not in log.splitlines()[0]
    await environment.invoke(invocation())
    assert (await bench.log()).count("Init Duration") == 1


async def test_a_failed_init_is_told_and_run_again_inside_the_invocation(bench, invocation):
    async def fail(bootstrap):
        await bootstrap.send(18, b'{"errorType":"E","requestId":""}', error_type="E")

    bench.on_init = fail
    environment = await bench.started()
    assert (environment.state, len(bench.backend.alive)) == (State.IDLE, 0)
    result = await environment.invoke(invocation())
    assert result.function_error == "Unhandled"
    assert json.loads(result.payload) == {"errorType": "E", "requestId": ""}
    assert not environment.reusable
    assert len(bench.backend.made) == 2
    assert [line.split(" ")[0] for line in (await bench.log()).splitlines()] == [
        "INIT_START", "INIT_REPORT", "START", "INIT_REPORT", "END", "REPORT",
    ]  # fmt: skip
    for phase in ("init", "invoke"):
        assert f"Phase: {phase}\tStatus: error\tError Type: E" in await bench.log()


async def test_an_init_that_takes_too_long_is_run_again_with_the_functions_own_time(bench, invocation):
    slow = asyncio.Event()

    async def slow_once(bootstrap):
        if len(bench.backend.made) == 1:
            await slow.wait()
        await bootstrap.send(17)

    bench.on_init = slow_once
    bench.init_timeout_seconds = 0.03
    environment = await bench.started()
    assert bench.backend.made[0] not in bench.backend.alive
    result = await environment.invoke(invocation())
    assert (result.payload, result.function_error) == (b'"hi"', None)
    assert environment.reusable
    assert "Phase: init\tStatus: timeout" in await bench.log()
    assert (await environment.invoke(invocation())).payload == b'"hi"'
    assert len(bench.backend.made) == 2


async def test_a_runtime_that_exits_during_init(bench, invocation):
    async def leave(bootstrap):
        bootstrap.exit(code=3)

    bench.on_init = leave
    environment = await bench.started()
    result = await environment.invoke(invocation())
    assert json.loads(result.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": "RequestId: r-1 Error: Runtime exited with error: exit status 3",
    }
    assert not environment.reusable
    assert bench.backend.alive == set()


async def test_an_init_inside_the_invocation_that_takes_too_long_is_a_timeout(bench, invocation):
    async def never(bootstrap):
        await asyncio.Event().wait()

    bench.on_init = never
    bench.init_timeout_seconds = 0.02
    environment = await bench.started(timeout=0.03)
    result = await environment.invoke(invocation())
    assert json.loads(result.payload)["errorType"] == "Sandbox.Timedout"
    assert environment.state is State.IDLE
    assert bench.backend.alive == set()


@pytest.mark.parametrize("step", ["create", "attach", "seal"])
async def test_a_sandbox_that_cannot_be_made_fails_the_start_and_leaves_nothing(bench, step, sandbox_error):
    bench.failures[step] = sandbox_error
    environment = bench.environment()
    with pytest.raises(SandboxError):
        await environment.start()
    await environment.stop()
    assert bench.backend.alive == set()
    assert bench.released == 1
    assert bench.closed_listeners == bench.served


@pytest.mark.parametrize("failure", ["credentials", "create", "attach"])
async def test_our_own_failure_in_a_second_init_is_raised_and_leaves_nothing(
    bench, invocation, failure, sandbox_error
):
    async def leave(bootstrap):
        bootstrap.exit(code=1)

    bench.on_init = leave
    environment = await bench.started()
    if failure == "credentials":
        bench.credential_error = AccessDeniedException("no")
    else:
        bench.failures[failure] = sandbox_error
    with pytest.raises((AccessDeniedException, SandboxError)):
        await environment.invoke(invocation())
    assert environment.state is State.IDLE
    assert not environment.reusable
    assert bench.backend.alive == set()
    assert [line.split(" ")[0] for line in (await bench.log()).splitlines()][-3:] == [
        "START",
        "END",
        "REPORT",
    ]


async def test_stopped_while_it_starts_nothing_is_left(bench):
    bench.gates["attach"] = asyncio.Event()
    environment = bench.environment()
    starting = asyncio.create_task(environment.start())
    await bench.until(lambda: bench.backend.made and "attach" in bench.backend.made[0].steps)
    await environment.stop()
    bench.gates["attach"].set()
    await starting
    assert environment.state is State.STOPPED
    assert bench.backend.alive == set()


async def test_stopped_while_its_blank_is_made_nothing_is_left(bench):
    bench.gates["create"] = asyncio.Event()
    environment = bench.environment()
    starting = asyncio.create_task(environment.start())
    await asyncio.sleep(0.01)
    await environment.stop()
    bench.gates["create"].set()
    await starting
    assert environment.state is State.STOPPED
    assert bench.backend.alive == set()


# Invoke


async def test_an_error_of_the_handler_leaves_the_environment_usable(bench, invocation):
    async def fail(bootstrap, payload):
        await bootstrap.send(20, b'{"errorType":"KeyError"}', error_type="KeyError")

    bench.on_invoke = fail
    environment = await bench.started()
    result = await environment.invoke(invocation())
    assert (result.payload, result.function_error) == (b'{"errorType":"KeyError"}', "Unhandled")
    assert environment.reusable
    assert "Status: error\tError Type: KeyError" in await bench.log()


async def test_a_runtime_that_says_it_ends_is_not_used_again(bench, invocation):
    async def fail(bootstrap, payload):
        await bootstrap.send(20, b"{}", error_type="E", ends=True)

    bench.on_invoke = fail
    environment = await bench.started()
    await environment.invoke(invocation())
    assert not environment.reusable


async def test_time_up(bench, invocation):
    async def never(bootstrap, payload):
        bootstrap.say("begun\n")
        await asyncio.Event().wait()

    bench.on_invoke = never
    environment = await bench.started(timeout=0.03)
    result = await environment.invoke(invocation(tail_log=True))
    assert json.loads(result.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: r-1 Error: Task timed out after 0.03 seconds",
    }
    assert not environment.reusable
    assert bench.backend.alive == set()
    lines = [line for line in (await bench.log()).splitlines() if line]
    assert [line.split(" ")[0] for line in lines[1:3]] == ["START", "begun"]
    assert lines[3].endswith("r-1 Task timed out after 0.03 seconds")
    assert lines[5].startswith("REPORT RequestId: r-1\tDuration: 30.00 ms\tBilled Duration: ")
    assert lines[5].endswith("Status: timeout\t")
    assert result.log_tail.decode().startswith("START RequestId: r-1")


@pytest.mark.parametrize(
    ("ending", "message"),
    [
        ({"code": 7}, "Runtime exited with error: exit status 7"),
        ({"code": 0}, "Runtime exited without providing a reason"),
        ({"signal": 9}, "Runtime exited with error: signal: killed"),
    ],
)
async def test_a_runtime_that_exits(bench, invocation, ending, message):
    async def leave(bootstrap, payload):
        bootstrap.say("last words\n")
        bootstrap.exit(**ending)

    bench.on_invoke = leave
    environment = await bench.started()
    result = await environment.invoke(invocation())
    assert json.loads(result.payload)["errorMessage"] == f"RequestId: r-1 Error: {message}"
    log = await bench.log()
    assert log.index("last words") < log.index(f"RequestId: r-1 Error: {message}") < log.index("END ")
    assert not environment.reusable


async def test_a_broken_protocol(bench, invocation):
    async def garble(bootstrap, payload):
        await bootstrap.send(99)

    bench.on_invoke = garble
    environment = await bench.started()
    result = await environment.invoke(invocation())
    assert json.loads(result.payload)["errorType"] == "Runtime.Unknown"
    assert not environment.reusable


async def test_a_runtime_that_ended_between_two_invocations_costs_the_next_caller_only_time(
    bench, invocation
):
    environment = await bench.started()
    await environment.invoke(invocation())
    bench.backend.made[0]._bootstrap.exit(code=1)
    await asyncio.sleep(0.01)
    assert environment.ended
    assert (await environment.invoke(invocation(b"2"))).payload == b"2"
    assert len(bench.backend.made) == 2


async def test_memory_is_read_a_few_times_a_second_and_never_more_than_the_limit(bench, invocation):
    environment = await bench.started(memory_size=128)
    bench.backend.made[0].peak_bytes = 500 << 20
    for _ in range(5):
        await environment.invoke(invocation())
    assert bench.backend.made[0].peak_reads == 1
    assert "Max Memory Used: 128 MB" in await bench.log()


# A caller who leaves


async def test_an_invocation_goes_on_when_its_caller_leaves(bench, invocation):
    go_on = asyncio.Event()

    async def wait(bootstrap, payload):
        await go_on.wait()
        await bootstrap.send(19, payload)

    bench.on_invoke = wait
    environment = await bench.started()
    task = asyncio.create_task(environment.invoke(invocation()))
    await asyncio.sleep(0.01)
    await cancel(task)
    assert environment.state is State.BUSY
    go_on.set()
    await environment.wait_over()
    assert environment.state is State.IDLE
    assert "REPORT RequestId: r-1" in await bench.log()
    assert (await environment.invoke(invocation(b"2"))).payload == b"2"


async def test_time_is_up_without_a_caller_too(bench, invocation):
    async def never(bootstrap, payload):
        await asyncio.Event().wait()

    bench.on_invoke = never
    environment = await bench.started(timeout=0.05)
    task = asyncio.create_task(environment.invoke(invocation()))
    await asyncio.sleep(0.01)
    await cancel(task)
    await environment.wait_over()
    assert not environment.reusable
    assert "Task timed out after 0.05 seconds" in await bench.log()
    assert bench.backend.alive == set()


async def test_a_caller_who_leaves_during_an_init_inside_the_invocation(bench, invocation):
    second = asyncio.Event()

    async def fail_once(bootstrap):
        if len(bench.backend.made) == 1:
            bootstrap.exit(code=1)
        else:
            await second.wait()
            await bootstrap.send(17)

    bench.on_init = fail_once
    environment = await bench.started()
    task = asyncio.create_task(environment.invoke(invocation()))
    await bench.until(lambda: len(bench.backend.made) == 2)
    await cancel(task)
    second.set()
    await environment.wait_over()
    assert environment.state is State.IDLE
    assert environment.reusable
    assert "Status: error" not in (await bench.log()).splitlines()[-1]


async def test_a_caller_who_leaves_while_a_lost_environment_is_destroyed(bench, invocation):
    async def leave(bootstrap, payload):
        bootstrap.exit(code=1)

    bench.on_invoke = leave
    bench.gates["destroy"] = asyncio.Event()
    environment = await bench.started()
    task = asyncio.create_task(environment.invoke(invocation()))
    await bench.until(lambda: "destroy" in bench.backend.made[0].steps)
    await cancel(task)
    bench.gates["destroy"].set()
    await environment.wait_over()
    assert environment.state is State.IDLE
    assert bench.backend.alive == set()


async def test_a_sandbox_that_does_not_end_keeps_no_caller_waiting_and_its_code_stays_held(
    bench, invocation, monkeypatch, caplog
):
    monkeypatch.setattr("lambent.environments.occupancy._DESTROY_SECONDS", 0.02)

    async def leave(bootstrap, payload):
        bootstrap.exit(code=1)

    bench.on_invoke = leave
    environment = await bench.started()
    bench.gates["destroy"] = asyncio.Event()
    result = await environment.invoke(invocation())
    assert json.loads(result.payload)["errorType"] == "Runtime.ExitError"
    assert "does not end" in caplog.text
    stopping = asyncio.create_task(environment.stop())
    await asyncio.sleep(0.01)
    assert bench.released == 0
    bench.gates["destroy"].set()
    await stopping
    assert bench.released == 1


# Idle


async def test_freezing_and_thawing(bench, invocation):
    environment = await bench.started()
    environment.freeze()
    assert environment.state is State.FROZEN
    await environment.invoke(invocation())
    assert bench.backend.made[0].steps[-2:] == ["freeze", "thaw"]


async def test_wrong_transitions_are_bugs(bench, invocation):
    environment: Environment = bench.environment()
    with pytest.raises(AssertionError, match="starting cannot become busy"):
        await environment.invoke(invocation())
    with pytest.raises(AssertionError, match="starting cannot become frozen"):
        environment.freeze()
    await environment.start()
    await environment.stop()
    with pytest.raises(AssertionError, match="stopped cannot become"):
        await environment.invoke(invocation())


async def test_stop_ends_everything_once(bench):
    environment = await bench.started()
    await environment.stop()
    await environment.stop()
    assert bench.backend.alive == set()
    assert (bench.released, bench.closed_listeners) == (1, 2)


async def test_an_invocation_tells_how_long_it_took(bench, invocation):
    bench.clock = ManualClock()

    async def take_a_while(bootstrap, payload):
        bench.clock.advance(0.25)
        await bootstrap.send(19, b"1")

    bench.on_invoke = take_a_while
    environment = await bench.started()
    asked = invocation()
    await environment.invoke(asked)
    assert round(asked.duration_ms) == 250
    await environment.stop()
