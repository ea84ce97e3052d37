"""What goes wrong in a Python function, as its caller and its log are told by AWS."""

from collections.abc import Callable

import pytest
from lambent_server import PYTHON, Lambent, Result, eventually

NewServer = Callable[..., Lambent]

RUN = "def handler(event, context):\n    scope = {}\n    exec(event, scope)\n    return scope.get('answer')\n"


@pytest.fixture(scope="module")
def runner(lambent: Lambent) -> str:
    """Runs the source that is its event; `answer` is returned."""
    return lambent.python(RUN, Timeout=5)


def logged(lambent: Lambent, name: str, result: Result) -> list[str]:
    """The events of one invocation, START to REPORT, as they are in CloudWatch Logs."""

    def complete() -> list[str] | None:
        lines = lambent.log_lines(f"/aws/lambda/{name}")
        return lines if any(f"REPORT RequestId: {result.request_id}" in line for line in lines) else None

    lines = eventually(complete)
    first = next(
        i for i, line in enumerate(lines) if line.startswith(f"START RequestId: {result.request_id}")
    )
    last = next(
        i for i, line in enumerate(lines) if line.startswith(f"REPORT RequestId: {result.request_id}")
    )
    assert lines[last - 1] == f"END RequestId: {result.request_id}\n"
    return lines[first : last + 1]


def test_an_exception(lambent: Lambent) -> None:
    name = lambent.python("def handler(event, context):\n    raise ValueError('nö')\n")
    result = lambent.invoke(name)
    assert result.response["StatusCode"] == 200
    assert result.error_object == {
        "errorMessage": "nö",
        "errorType": "ValueError",
        "requestId": result.request_id,
        "stackTrace": ["  File \"/var/task/index.py\", line 2, in handler\n    raise ValueError('nö')\n"],
    }
    lines = logged(lambent, name, result)
    assert lines[1].startswith("[ERROR] ValueError: nö\nTraceback (most recent call last):\n")
    assert "Status: error" in result.report
    assert "Error Type: ValueError" in result.report
    assert lambent.invoke(name).error_object["errorType"] == "ValueError"


@pytest.mark.parametrize(
    ("code", "handler", "error_type", "message"),
    [
        (
            "import nothere\n",
            "index.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'index': No module named 'nothere'",
        ),
        (
            "def handler(event, context):\n    return 1 +\n",
            "index.handler",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'index': invalid syntax (index.py, line 2)",
        ),
        (
            "def other(event, context): pass\n",
            "index.handler",
            "Runtime.HandlerNotFound",
            "Handler 'handler' missing on module 'index'",
        ),
        (
            "def handler(event, context): pass\n",
            "handler",
            "Runtime.MalformedHandlerName",
            "Bad handler 'handler': not enough values to unpack (expected 2, got 1)",
        ),
        (
            "def handler(event, context): pass\n",
            "missing.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'missing': No module named 'missing'",
        ),
        ("raise KeyError('at import')\n", "index.handler", "KeyError", "'at import'"),
    ],
)
def test_a_function_that_cannot_be_initialized(
    lambent: Lambent, code: str, handler: str, error_type: str, message: str
) -> None:
    name = lambent.python(code, Handler=handler)
    for _ in range(2):  # and again: every invocation tries anew
        result = lambent.invoke(name)
        described = result.error_object
        assert described["errorType"] == error_type
        assert described["errorMessage"] == message
        assert described["requestId"] == "", "Init has none, as AWS was recorded to tell"
        assert f"Error Type: {error_type}" in result.report
    lines = lambent_lines(lambent, name)
    assert any(
        line.startswith("INIT_REPORT ") and "\tPhase: init\tStatus: error\tError Type: " + error_type in line
        for line in lines
    )
    assert any(line.startswith(f"[ERROR] {error_type}: {message}") for line in lines)


def lambent_lines(lambent: Lambent, name: str) -> list[str]:
    group = f"/aws/lambda/{name}"
    return (
        eventually(lambda: (lines := lambent.log_lines(group)) and lines[-1].startswith("REPORT") and lines)
        or []
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import sys; sys.exit(3)", "Runtime exited with error: exit status 3"),
        ("import sys; sys.exit()", "Runtime exited without providing a reason"),
        ("import os; os._exit(1)", "Runtime exited with error: exit status 1"),
        ("import os; os.abort()", "Runtime exited with error: signal: aborted"),
        ("import os; os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ("import os; os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_a_runtime_that_ends(lambent: Lambent, runner: str, source: str, message: str) -> None:
    result = lambent.invoke(runner, "print('said before', flush=True)\n" + source)
    assert result.error_object == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {result.request_id} Error: {message}",
    }
    lines = logged(lambent, runner, result)
    assert lines[1] == "said before\n"
    assert f"RequestId: {result.request_id} Error: {message}\nRuntime.ExitError\n" in lines
    assert "Status: error\tError Type: Runtime.ExitError" in result.report
    assert lambent.call(runner, "answer = 1") == 1, "in an environment of its own"


def test_a_runtime_that_ends_while_it_is_initialized(lambent: Lambent) -> None:
    name = lambent.python("import sys\nprint('early', flush=True)\nsys.exit(4)\n")
    result = lambent.invoke(name)
    assert result.error_object == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {result.request_id} Error: Runtime exited with error: exit status 4",
    }
    lines = lambent_lines(lambent, name)
    assert lines.count("early\n") == 2, "Init, and once more within the invocation"


def test_a_timeout(lambent: Lambent) -> None:
    name = lambent.python(
        "import time\ndef handler(event, context):\n    print('in')\n    time.sleep(event)\n", Timeout=1
    )
    assert lambent.call(name, 0) is None
    result = lambent.invoke(name, 60)
    assert result.error_object == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {result.request_id} Error: Task timed out after 1.00 seconds",
    }
    lines = logged(lambent, name, result)
    assert any(
        line.rstrip().endswith(f"Z {result.request_id} Task timed out after 1.00 seconds") for line in lines
    )
    assert "in\n" in lines
    assert "\tDuration: 1000.00 ms\tBilled Duration: 1000 ms\t" in result.report
    assert "Status: timeout" in result.report
    assert "Error Type" not in result.report
    assert lambent.call(name, 0) is None


def test_out_of_memory(lambent: Lambent) -> None:
    name = lambent.python(RUN, MemorySize=128, Timeout=60)
    result = lambent.invoke(name, "print('filling', flush=True)\nbig = bytearray(300 << 20)")
    assert result.error_object == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {result.request_id} Error: Runtime exited with error: signal: killed",
    }
    assert "Max Memory Used: 128 MB" in result.report
    assert result.report.endswith("\tStatus: error\tError Type: Runtime.OutOfMemory\t")
    lines = result.tail.splitlines()
    assert lines[-4:-2] == [
        f"RequestId: {result.request_id} Error: Runtime exited with error: signal: killed",
        "Runtime.ExitError",
    ]
    assert lambent.call(name, "answer = len(bytearray(30 << 20))") == 30 << 20


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("answer = {1, 2}", "Unable to marshal response: Object of type set is not JSON serializable"),
        ("answer = []; answer.append(answer)", "Unable to marshal response: Circular reference detected"),
    ],
)
def test_a_result_that_is_no_json(lambent: Lambent, runner: str, source: str, message: str) -> None:
    result = lambent.invoke(runner, source)
    assert result.error_object == {
        "errorMessage": message,
        "errorType": "Runtime.MarshalError",
        "requestId": result.request_id,
        "stackTrace": [],
    }


def test_an_init_longer_than_its_limit_is_run_again_in_the_invocation(new_server: NewServer) -> None:
    lambent = new_server("--init-timeout-seconds", "0.5")
    slow = lambent.python("import time\ntime.sleep(1)\ndef handler(event, context): return 'at last'\n")
    result = lambent.invoke(slow)
    assert result.value == "at last"
    assert "Init Duration" not in result.report
    lines = eventually(lambda: lambent.log_lines(f"/aws/lambda/{slow}"))
    report = next(line for line in lines if line.startswith("INIT_REPORT "))
    assert "Phase: init\tStatus: timeout" in report
    assert lambent.call(slow) == "at last"
    endless = lambent.python("import time\ntime.sleep(100)\n", Timeout=1)
    result = lambent.invoke(endless)
    assert result.error_object["errorType"] == "Sandbox.Timedout"
    assert result.error_object["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")


def test_every_python_of_this_host(lambent: Lambent) -> None:
    ran = []
    for minor in range(8, 15):
        runtime = f"python3.{minor}"
        try:
            name = lambent.deploy({"index.py": RUN}, Runtime=runtime)
        except lambent.lambda_.exceptions.InvalidParameterValueException as refused:
            assert f"The runtime {runtime} is not available on this host" in str(refused)
            continue
        assert lambent.call(name, "import sys; answer = list(sys.version_info[:2])") == [3, minor]
        assert lambent.invoke(name, "1/0").error_object["errorType"] == "ZeroDivisionError"
        ran.append(runtime)
    assert PYTHON in ran
