"""What goes wrong in a Node.js function, as its caller and its log are told by AWS."""

import pytest
from lambent_server import NODE, Lambent, eventually

NOT_FOUND = "Error: Cannot find module 'nothere'\nRequire stack:\n- /var/task/index.js"
RUN = "exports.handler = function (event, context, callback) { return eval(event); };"


@pytest.fixture(scope="module")
def runner(lambent: Lambent) -> str:
    """Evaluates its event as the body of a handler."""
    return lambent.node(RUN, Timeout=5)


def test_an_exception_in_an_async_handler(lambent: Lambent) -> None:
    name = lambent.node("export const handler = async () => { throw new TypeError('nö'); };")
    result = lambent.invoke(name)
    described = result.error_object
    assert described["errorType"] == "TypeError"
    assert described["errorMessage"] == "nö"
    assert described["trace"][0] == "TypeError: nö"
    assert "/var/task/index.mjs:1:" in described["trace"][1]
    assert f"\t{result.request_id}\tERROR\tInvoke Error \t" in result.tail
    assert "Status: error\tError Type: TypeError" in result.report


@pytest.mark.parametrize(
    ("source", "described"),
    [
        ("callback(new RangeError('no'))", {"errorType": "RangeError", "errorMessage": "no"}),
        ("callback('text')", {"errorType": "string", "errorMessage": "text", "trace": []}),
        ("context.fail(new Error('no'))", {"errorType": "Error", "errorMessage": "no"}),
        ("throw new Error('sync')", {"errorType": "Error", "errorMessage": "sync"}),
        ("Promise.reject(new Error('promised'))", {"errorType": "Error", "errorMessage": "promised"}),
        (
            "const a = {}; a.a = a; Promise.resolve(a)",
            {"errorType": "Error", "errorMessage": "Unable to stringify response body"},
        ),
    ],
)
def test_errors_that_a_handler_reports(
    lambent: Lambent, runner: str, source: str, described: dict[str, object]
) -> None:
    result = lambent.invoke(runner, source)
    assert described.items() <= result.error_object.items()
    assert lambent.call(runner, "Promise.resolve('well')") == "well"


@pytest.mark.parametrize(
    ("source", "error_type", "message"),
    [
        (
            "new Promise(() => { Promise.reject(new Error('nobody')); })",
            "Runtime.UnhandledPromiseRejection",
            "Error: nobody",
        ),
        ("new Promise(() => { setTimeout(() => { throw new Error('thrown'); }, 5); })", "Error", "thrown"),
    ],
)
def test_errors_that_nobody_caught_end_the_runtime(
    lambent: Lambent, runner: str, source: str, error_type: str, message: str
) -> None:
    for _ in range(5):  # the process ends a moment after it has said so: who comes next must not meet it
        result = lambent.invoke(runner, source)
        assert result.error_object["errorType"] == error_type
        assert result.error_object["errorMessage"] == message
        assert lambent.call(runner, "Promise.resolve('well')") == "well"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("process.exit(3)", "Runtime exited with error: exit status 3"),
        ("process.exit(0)", "Runtime exited without providing a reason"),
        ("process.abort()", "Runtime exited with error: signal: aborted"),
        (
            "process.kill(process.pid, 'SIGKILL'); new Promise(() => {})",
            "Runtime exited with error: signal: killed",
        ),
    ],
)
def test_a_runtime_that_ends(lambent: Lambent, runner: str, source: str, message: str) -> None:
    result = lambent.invoke(runner, source)
    assert result.error_object == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {result.request_id} Error: {message}",
    }
    assert lambent.call(runner, "Promise.resolve('well')") == "well"


@pytest.mark.parametrize(
    ("file", "code", "handler", "error_type", "message"),
    [
        ("index.js", "require('nothere');", "index.handler", "Runtime.ImportModuleError", NOT_FOUND),
        (
            "index.mjs",
            "import 'nothere';",
            "index.handler",
            "Error",
            "Cannot find package 'nothere' imported from",
        ),
        (
            "index.js",
            "exports.handler = (",
            "index.handler",
            "Runtime.UserCodeSyntaxError",
            "SyntaxError: Unexpected",
        ),
        (
            "index.js",
            "exports.other = 1;",
            "index.handler",
            "Runtime.HandlerNotFound",
            "index.handler is undefined",
        ),
        (
            "index.js",
            "exports.handler = 1;",
            "index.handler",
            "Runtime.HandlerNotFound",
            "index.handler is not a",
        ),
        ("index.js", "", "index", "Runtime.MalformedHandlerName", "Bad handler"),
        (
            "index.js",
            "",
            "other.handler",
            "Runtime.ImportModuleError",
            "Error: Cannot find module 'other'\nRequire",
        ),
        ("index.js", "throw new Error('at load');", "index.handler", "Error", "at load"),
    ],
)
def test_a_function_that_cannot_be_initialized(
    lambent: Lambent, file: str, code: str, handler: str, error_type: str, message: str
) -> None:
    name = lambent.deploy({file: code}, Runtime=NODE, Handler=handler)
    for _ in range(2):
        result = lambent.invoke(name)
        assert result.error_object["errorType"] == error_type
        assert result.error_object["errorMessage"].startswith(message)
    lines = eventually(lambda: lambent.log_lines(f"/aws/lambda/{name}"))
    assert any(line.startswith("INIT_REPORT ") and f"Error Type: {error_type}" in line for line in lines)


def test_a_timeout(lambent: Lambent) -> None:
    name = lambent.node(
        "export const handler = (event) => new Promise(() => setInterval(() => {}, 10));", Timeout=1
    )
    result = lambent.invoke(name)
    assert result.error_object == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {result.request_id} Error: Task timed out after 1.00 seconds",
    }
    assert "Status: timeout" in result.report


def test_a_handler_that_never_answers(lambent: Lambent, runner: str) -> None:
    """Nothing is left to wait for: null for a callback, and exit status 13 for a promise, on AWS too."""
    assert lambent.call(runner, "undefined") is None


def test_out_of_memory(lambent: Lambent) -> None:
    name = lambent.node(
        "export const handler = async (event) => { const kept = [];"
        " for (let n = 0; n < event; n++) kept.push(Buffer.alloc(1 << 20, 1)); return kept.length; };",
        Timeout=60,
    )
    result = lambent.invoke(name, 400)
    assert result.error_object == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {result.request_id} Error: Runtime exited with error: signal: killed",
    }
    assert lambent.call(name, 3) == 3


def test_awaited_callbacks_and_callback_waits_for_the_event_loop(lambent: Lambent) -> None:
    name = lambent.node(
        "exports.handler = (event, context, callback) => {"
        " context.callbackWaitsForEmptyEventLoop = event.waits;"
        " let late = false; setTimeout(() => { late = true; console.log('late'); }, 200);"
        " callback(null, 'answered'); };"
    )
    waited = lambent.invoke(name, {"waits": True})
    assert waited.value == "answered"
    assert "late" in waited.tail
    at_once = lambent.invoke(name, {"waits": False})
    assert at_once.value == "answered"
    assert "late" not in at_once.tail
