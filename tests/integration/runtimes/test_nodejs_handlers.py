"""Node.js handlers in every style, their errors and ends, as on AWS."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from bootstrap_driver import FAILED, INIT_FAILED, INITIALIZED, RESULT, Start, unstarted

from lambent.runtimes.interpreters import Interpreter


@pytest.fixture
def legacy(node: Interpreter) -> Interpreter:
    if node.version >= (24, 0, 0):
        pytest.skip("Node.js 24 ended callbacks")
    return node


@pytest.fixture
def modern(node: Interpreter) -> Interpreter:
    if node.version < (24, 0, 0):
        pytest.skip("callbacks go on up to Node.js 22")
    return node


def test_hello(node: Interpreter, start: Start) -> None:
    bootstrap = start(node, "exports.handler = async (event) => ({ got: event });\n")
    for number in range(3):
        reply = bootstrap.invoke({"n": number, "text": "é"})
        assert (reply.kind, reply.meta, reply.value) == (RESULT, {}, {"got": {"n": number, "text": "é"}})


def test_events_and_responses_of_many_sizes(node: Interpreter, start: Start) -> None:
    bootstrap = start(node, "exports.handler = async (event) => event;\n")
    for size in (0, 1, 4096, 65_527, 65_536, 6 * 1024 * 1024):
        assert bootstrap.invoke("x" * size).value == "x" * size


def test_frames_may_arrive_in_pieces(node: Interpreter, start: Start) -> None:
    bootstrap = start(node, "exports.handler = async (event) => event;\n")
    frame = bootstrap.next_frame(2, {"request_id": "r", "deadline_ms": 0, "invoked_arn": "a"}, b"42")
    for piece in (frame[:3], frame[3:11], frame[11:40], frame[40:]):
        bootstrap._socket.sendall(piece)
        bootstrap.process.poll()
    assert bootstrap.receive().value == 42


SOURCES: dict[str, tuple[str, dict[str, str]]] = {
    "CommonJS": ("index.handler", {"index.js": "exports.handler = async () => 'ok';"}),
    ".cjs": ("index.handler", {"index.cjs": "exports.handler = async () => 'ok';"}),
    ".mjs": ("index.handler", {"index.mjs": "export const handler = async () => 'ok';"}),
    "top-level await": (
        "index.handler",
        {
            "index.mjs": "const text = await new Promise((r) => setTimeout(r, 5, 'ok'));"
            "export const handler = async () => text;"
        },
    ),
    "type module": (
        "index.handler",
        {"index.js": "export const handler = async () => 'ok';", "package.json": '{"type": "module"}'},
    ),
    "type module of a parent": (
        "src/index.handler",
        {"src/index.js": "export const handler = async () => 'ok';", "package.json": '{"type": "module"}'},
    ),
    "nested": ("a/b.c.handler", {"a/b.js": "exports.c = { handler: async () => 'ok' };"}),
    "default export": ("index.default", {"index.mjs": "export default async () => 'ok';"}),
    "a package": ("shop.handler", {"node_modules/shop/index.js": "exports.handler = async () => 'ok';"}),
}


@pytest.mark.parametrize("name", SOURCES)
def test_where_handlers_are(node: Interpreter, start: Start, task: Path, name: str) -> None:
    handler, files = SOURCES[name]
    for path, text in files.items():
        (task / path).parent.mkdir(parents=True, exist_ok=True)
        (task / path).write_text(text)
    assert start(node, handler=handler).invoke().value == "ok"


def test_a_directory_as_module(legacy: Interpreter, start: Start, task: Path) -> None:
    (task / "app").mkdir()
    (task / "app" / "index.js").write_text("exports.handler = async () => 'ok';")
    assert start(legacy, handler="app.handler").invoke().value == "ok"


def test_the_context_object(node: Interpreter, start: Start) -> None:
    source = """
exports.handler = async (event, context) => {
  const { getRemainingTimeInMillis, succeed, fail, done, callbackWaitsForEmptyEventLoop, ...rest } = context;
  return [rest, getRemainingTimeInMillis(), typeof succeed, process.env._X_AMZN_TRACE_ID || null];
};
"""
    bootstrap = start(node, source)
    rest, remaining, succeed, trace_id = bootstrap.invoke().value
    assert rest == {
        "functionName": "greeter",
        "functionVersion": "7",
        "memoryLimitInMB": "256",
        "logGroupName": "/aws/lambda/greeter",
        "logStreamName": "2026/11/20/[7]abc",
        "invokedFunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:greeter:live",
        "awsRequestId": "request-1",
    }
    assert 20_000 < remaining <= 30_000
    assert succeed == ("undefined" if node.version >= (24, 0, 0) else "function")
    assert trace_id is None
    identity = {"cognito_identity_id": "i", "cognito_identity_pool_id": "p"}
    rest, _, _, trace_id = bootstrap.invoke(
        client_context='{"custom": {"a": 1}}', identity=identity, tenant_id="blue", trace_id="Root=1"
    ).value
    assert rest["clientContext"] == {"custom": {"a": 1}}
    assert rest["identity"] == {"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"}
    assert (rest["tenantId"], trace_id) == ("blue", "Root=1")


def test_a_client_context_that_is_no_json(node: Interpreter, start: Start) -> None:
    reply = start(node, "exports.handler = async () => 1;").invoke(client_context="{")
    assert reply.kind == FAILED
    assert reply.value["errorMessage"].startswith("Cannot parse ClientContext as json: SyntaxError")


def test_variables_and_directory(node: Interpreter, start: Start, task: Path) -> None:
    source = "exports.handler = async () => [process.env, process.cwd(), new Date(0).getHours()];"
    bootstrap = start(
        node, source, variables={"COLOUR": "blue", "TZ": "Asia/Tokyo", "_LAMBDA_TELEMETRY_LOG_FD": "4"}
    )
    variables, directory, hours = bootstrap.invoke().value
    assert set(variables) == {"LAMBDA_TASK_ROOT", "PATH", "TZ", "COLOUR"}
    assert (directory, hours) == (str(task), 9)


def test_the_styles_of_callbacks(legacy: Interpreter, start: Start) -> None:
    source = """
exports.handler = (event, context, callback) => {
  switch (event) {
    case 'callback': return callback(null, 1);
    case 'callback error': return callback(new TypeError('no'));
    case 'text error': return callback('no');
    case 'late': setTimeout(() => callback(null, 2), 5); return;
    case 'waits': setTimeout(() => { exports.done = true; }, 20); return callback(null, 'early');
    case 'done?': return callback(null, exports.done);
    case 'hurry':
      context.callbackWaitsForEmptyEventLoop = false;
      setInterval(() => {}, 1000).unref;
      return callback(null, 'hurried');
    case 'succeed': return context.succeed(3);
    case 'fail': return context.fail();
    case 'done': return context.done(null, 4);
    case 'twice': callback(null, 5); return callback(null, 6);
    case 'never': return;
    case 'throw': throw new RangeError('thrown');
  }
};
"""
    bootstrap = start(legacy, source)

    def value(event: str) -> Any:
        reply = bootstrap.invoke(event)
        assert reply.kind == RESULT
        return reply.value

    assert [value(event) for event in ("callback", "late", "succeed", "done", "twice")] == [1, 2, 3, 4, 5]
    assert [value("waits"), value("done?")] == ["early", True], "the callback waits for the event loop"
    assert value("never") is None
    error = bootstrap.invoke("callback error")
    assert (error.kind, error.meta) == (FAILED, {"error_type": "TypeError"})
    assert error.value["errorMessage"] == "no" and error.value["trace"][0] == "TypeError: no"
    assert bootstrap.invoke("text error").value == {"errorType": "string", "errorMessage": "no", "trace": []}
    assert bootstrap.invoke("fail").value["errorMessage"] == "handled"
    assert bootstrap.invoke("throw").value["errorType"] == "RangeError"
    assert value("hurry") == "hurried"


def test_callbacks_are_refused_by_node_24(modern: Interpreter, task: Path) -> None:
    with unstarted(modern, task, "exports.handler = (event, context, callback) => callback();") as bootstrap:
        reply = bootstrap.initialize("index.handler")
        assert (reply.kind, reply.meta) == (INIT_FAILED, {"error_type": "Runtime.CallbackHandlerDeprecated"})
        assert "Node.js 24" in reply.value["errorMessage"]
        assert bootstrap.wait() == 1


def test_what_a_handler_returns_is_the_response_in_node_24(modern: Interpreter, start: Start) -> None:
    bootstrap = start(
        modern, "exports.handler = (event) => event === 'hang' ? new Promise(() => {}) : 'plain';"
    )
    assert bootstrap.invoke().value == "plain"
    bootstrap.request("hang")
    assert bootstrap.wait() == 13


def test_timers_of_earlier_invocations_run_on(node: Interpreter, start: Start) -> None:
    source = """
let ticks = 0;
exports.handler = async (event) => {
  if (event === 'start') setTimeout(() => { ticks += 1; }, 1);
  if (event === 'wait') await new Promise((resolve) => setTimeout(resolve, 20));
  return ticks;
};
"""
    bootstrap = start(node, source)
    bootstrap.invoke("start")
    assert bootstrap.invoke("wait").value == 1


def test_a_rejected_promise(node: Interpreter, start: Start) -> None:
    source = """
class OutOfStock extends Error { constructor(m) { super(m); this.name = 'OutOfStock'; this.sku = 'a'; } }
exports.handler = async () => { throw new OutOfStock('sold out'); };
"""
    bootstrap = start(node, source)
    reply = bootstrap.invoke()
    assert (reply.kind, reply.meta) == (FAILED, {"error_type": "OutOfStock"})
    assert reply.value["errorMessage"] == "sold out"
    assert reply.value["trace"][0] == "OutOfStock: sold out"
    assert "index.js" in reply.value["trace"][1]
    (logged,) = bootstrap.texts()
    _, request_id, level, text, described = logged.rstrip("\n").split("\t")
    assert (request_id, level, text) == ("request-1", "ERROR", "Invoke Error ")
    assert json.loads(described) | {"stack": []} == {
        "errorType": "OutOfStock",
        "errorMessage": "sold out",
        "name": "OutOfStock",
        "sku": "a",
        "stack": [],
    }
    assert bootstrap.invoke().kind == FAILED, "and it goes on"


def test_responses_that_are_no_json(node: Interpreter, start: Start) -> None:
    source = """
exports.handler = async (event) => {
  if (event === 'circle') { const a = {}; a.a = a; return a; }
  return { big: 1n, nothing: undefined, function: () => {} }[event];
};
"""
    bootstrap = start(node, source)
    modern = node.version >= (24, 0, 0)
    for event in ("circle", "big"):
        reply = bootstrap.invoke(event)
        assert reply.value["errorMessage"] == "Unable to stringify response body"
        assert reply.value["errorType"] == ("Runtime.JSONStringifyError" if modern else "Error")
    assert bootstrap.invoke("nothing").payload == b"null"
    assert bootstrap.invoke("function").payload == b"null"


@pytest.mark.parametrize(
    ("body", "error_type", "message", "status"),
    [
        ("setTimeout(() => { throw new TypeError('late'); }, 1);", "TypeError", "late", 129),
        ("Promise.reject(new Error('lost'));", "Runtime.UnhandledPromiseRejection", "Error: lost", 128),
    ],
)
def test_errors_that_nothing_catches(
    node: Interpreter, start: Start, body: str, error_type: str, message: str, status: int
) -> None:
    bootstrap = start(
        node, f"exports.handler = () => {{ {body} return new Promise((r) => setTimeout(r, 500)); }};"
    )
    reply = bootstrap.invoke()
    assert (reply.kind, reply.meta) == (FAILED, {"error_type": error_type, "ends": True})
    assert reply.value["errorMessage"] == message
    assert bootstrap.wait() == status
    (logged,) = bootstrap.texts()
    assert ("Uncaught Exception" if status == 129 else "Unhandled Promise Rejection") in logged


def test_an_error_between_invocations_ends_the_process_unasked(node: Interpreter, start: Start) -> None:
    source = "exports.handler = async () => { setTimeout(() => { throw new Error('x'); }, 30); return 1; };"
    bootstrap = start(node, source)
    assert bootstrap.invoke().value == 1
    assert bootstrap.wait() == 129


def test_ends(node: Interpreter, start: Start) -> None:
    source = "exports.handler = async (e) => e.signal ? process.kill(process.pid, 9) : process.exit(e.code);"
    bootstrap = start(node, source)
    bootstrap.request({"code": 3})
    assert bootstrap.wait() == 3
    bootstrap = start(node, source)
    bootstrap.request({"signal": True})
    assert bootstrap.wait() == -signal.SIGKILL


def test_errors_at_init(node: Interpreter, task: Path) -> None:
    def fail(
        handler: str, source: str = "exports.handler = async () => 1; exports.text = 'x';"
    ) -> tuple[str, str, str]:
        with unstarted(node, task, source) as bootstrap:
            reply = bootstrap.initialize(handler)
            assert reply.kind == INIT_FAILED
            assert reply.meta == {"error_type": reply.value["errorType"]}
            assert bootstrap.wait() == 1
            return reply.value["errorType"], reply.value["errorMessage"], "".join(bootstrap.texts())

    kind, message, log = fail("missing.handler")
    assert kind == "Runtime.ImportModuleError"
    assert message.startswith("Error: Cannot find module 'missing'\nRequire stack:\n- ") and message.endswith(
        "index.mjs"
    )
    title = "Init Error" if node.version >= (24, 0, 0) else "Uncaught Exception"
    assert f"\tundefined\tERROR\t{title} \t{{" in log

    assert fail("index.handler", "require('nowhere');")[0] == "Runtime.ImportModuleError"
    assert fail("index.absent")[:2] == (
        "Runtime.HandlerNotFound",
        "index.absent is undefined or not exported",
    )
    assert fail("index.text")[:2] == ("Runtime.HandlerNotFound", "index.text is not a function")
    assert fail("index")[:2] == ("Runtime.MalformedHandlerName", "Bad handler")
    assert fail("../index.handler")[0] == "Runtime.MalformedHandlerName"
    assert fail("index.handler", "const = 1;")[0] == "Runtime.UserCodeSyntaxError"
    assert fail("index.handler", "throw new RangeError('at start');")[:2] == ("RangeError", "at start")
    late = "setTimeout(() => { throw new Error('x'); }, 0);"
    (task / "slow.mjs").write_text(late + "await new Promise((r) => setTimeout(r, 500));")
    assert fail("slow.handler")[:2] == ("Error", "x")


def test_code_that_appears_between_ready_and_init(node: Interpreter, task: Path) -> None:
    with unstarted(node, task) as bootstrap:
        bootstrap.receive()
        (task / "late.js").write_text("exports.handler = async () => 'in time';")
        assert bootstrap.send_init("late.handler").kind == INITIALIZED
        assert bootstrap.invoke().value == "in time"


def test_children_inherit_neither_channel_nor_telemetry(node: Interpreter, start: Start) -> None:
    source = """
const { execFileSync } = require('child_process');
const script = 'test -S /proc/self/fd/3 || test -p /proc/self/fd/4; echo $?';
exports.handler = async () => execFileSync('/bin/sh', ['-c', script]).toString();
"""
    assert start(node, source).invoke().value == "1\n"


def test_it_ends_with_the_channel(node: Interpreter, start: Start) -> None:
    bootstrap = start(node, "setInterval(() => {}, 1000); exports.handler = async () => 1;")
    bootstrap.invoke()
    bootstrap._socket.shutdown(2)
    assert bootstrap.process.wait(10) == 0
