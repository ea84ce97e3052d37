"""Python handlers, their events, responses and errors, as on AWS."""

import time
from pathlib import Path

from bootstrap_driver import FAILED, INIT_FAILED, RESULT, Start, unstarted

from lambent.runtimes.interpreters import Interpreter

HELLO = "def handler(event, context):\n    return {'got': event}\n"


def test_hello_on_every_interpreter(every_python: Interpreter, start: Start) -> None:
    bootstrap = start(every_python, HELLO)
    for number in range(3):
        reply = bootstrap.invoke({"n": number, "text": "é"})
        assert (reply.kind, reply.meta, reply.value) == (RESULT, {}, {"got": {"n": number, "text": "é"}})


def test_events_and_responses_of_many_sizes(python: Interpreter, start: Start) -> None:
    bootstrap = start(python, "def handler(event, context):\n    return event\n")
    for size in (0, 1, 4096, 65_527, 65_536, 6 * 1024 * 1024):
        assert bootstrap.invoke("x" * size).value == "x" * size


def test_frames_may_arrive_in_pieces(python: Interpreter, start: Start) -> None:
    bootstrap = start(python, HELLO)
    frame = bootstrap.next_frame(2, {"request_id": "r", "deadline_ms": 0, "invoked_arn": "a"}, b"42")
    for start_of_piece in range(0, len(frame), 7):
        bootstrap._socket.sendall(frame[start_of_piece : start_of_piece + 7])
        time.sleep(0.001)
    assert bootstrap.receive().value == {"got": 42}


def test_a_handler_in_a_package(python: Interpreter, start: Start, task: Path) -> None:
    (task / "api").mkdir()
    (task / "api" / "orders.py").write_text("def create(event, context):\n    return __name__\n")
    assert start(python, handler="api/orders.create").invoke().value == "api.orders"


def test_json_as_aws_writes_it(python: Interpreter, start: Start) -> None:
    source = """
from decimal import Decimal
def handler(event, context):
    return {'d': [Decimal('0.10'), Decimal('12345678901234567890.5'), Decimal('NaN')], 'b': b'abc',
            'n': float('nan'), 'i': float('-inf'), 'u': 'é', 'k': {1: None, None: 2.5}}
"""
    text = start(python, source).invoke().payload.decode()
    accent = "é" if python.version >= (3, 12, 0) else "\\u00e9"
    assert text == (
        '{"d": [0.10, 12345678901234567890.5, NaN], "b": "abc", "n": NaN, "i": -Infinity, '
        f'"u": "{accent}", "k": {{"1": null, "null": 2.5}}}}'
    )


def test_bytes_are_sent_as_they_are(python: Interpreter, start: Start) -> None:
    assert start(python, "def handler(e, c):\n    return b'\\x00\\xff'\n").invoke().payload == b"\x00\xff"


def test_what_is_no_json(python: Interpreter, start: Start) -> None:
    source = """
def handler(event, context):
    return {'set': {1}, 'generator': (i for i in ()), 'circle': circle, 'text': 'a\\ud800', 'key': {(1,): 2}}[event]
circle = []
circle.append(circle)
"""
    bootstrap = start(python, source)
    reply = bootstrap.invoke("set")
    assert reply.kind == FAILED
    assert reply.meta == {"error_type": "Runtime.MarshalError"}
    assert reply.value == {
        "errorMessage": "Unable to marshal response: Object of type set is not JSON serializable",
        "errorType": "Runtime.MarshalError",
        "requestId": "request-1",
        "stackTrace": [],
    }
    assert (
        bootstrap.invoke("generator")
        .value["errorMessage"]
        .endswith("Object of type generator is not JSON serializable")
    )
    assert bootstrap.invoke("circle").value["errorType"] == "Runtime.MarshalError"
    assert "keys must be" in bootstrap.invoke("key").value["errorMessage"]
    surrogate = bootstrap.invoke("text")
    assert surrogate.kind == (FAILED if python.version >= (3, 12, 0) else RESULT)


def test_an_event_that_is_no_json(python: Interpreter, start: Start) -> None:
    reply = start(python, HELLO).invoke(payload=b"{")
    assert reply.value["errorType"] == "Runtime.UnmarshalError"
    assert reply.value["errorMessage"].startswith("Unable to unmarshal input: Expecting property name")


def test_an_exception(python: Interpreter, start: Start, task: Path) -> None:
    source = "def inner():\n    raise ValueError('boom')\n\ndef handler(event, context):\n    inner()\n"
    bootstrap = start(python, source)
    reply = bootstrap.invoke()
    assert (reply.kind, reply.meta) == (FAILED, {"error_type": "ValueError"})
    trace = [
        f'  File "{task}/app.py", line 5, in handler\n    inner()\n',
        f"  File \"{task}/app.py\", line 2, in inner\n    raise ValueError('boom')\n",
    ]
    assert reply.value == {
        "errorMessage": "boom",
        "errorType": "ValueError",
        "requestId": "request-1",
        "stackTrace": trace,
    }
    (logged,) = bootstrap.logs()
    shown = "".join(trace).rstrip("\n").replace("    ", "\xa0" * 4).replace("  File", "\xa0\xa0File")
    assert logged.text == f"[ERROR] ValueError: boom\nTraceback (most recent call last):\n{shown}"
    assert logged.kind == 0xA55A0017
    assert bootstrap.invoke().kind == FAILED, "and it goes on"


def test_errors_at_init(python: Interpreter, task: Path) -> None:
    def fail(handler: str, source: str = HELLO) -> tuple[str, str, list[str], list[str]]:
        with unstarted(python, task, source) as bootstrap:
            reply = bootstrap.initialize(handler)
            assert reply.kind == INIT_FAILED
            assert reply.meta == {"error_type": reply.value["errorType"]}
            assert reply.value["requestId"] == ""
            assert bootstrap.wait() == 1
            error = reply.value
            return error["errorType"], error["errorMessage"], error["stackTrace"], bootstrap.texts()

    kind, message, trace, logs = fail("missing.handler")
    assert (kind, message) == (
        "Runtime.ImportModuleError",
        "Unable to import module 'missing': No module named 'missing'",
    )
    assert trace == []
    assert logs[0].startswith("[WARNING]\t") and "\t\tLAMBDA_WARNING: Unhandled exception." in logs[0]
    assert logs[1] == f"[ERROR] {kind}: {message}\nTraceback (most recent call last):"

    kind, message, *_ = fail("app.handler", "import nowhere\n")
    assert message == "Unable to import module 'app': No module named 'nowhere'"

    kind, message, *_ = fail("app.absent")
    assert (kind, message) == ("Runtime.HandlerNotFound", "Handler 'absent' missing on module 'app'")

    kind, message, *_ = fail("app")
    assert kind == "Runtime.MalformedHandlerName"
    assert message == "Bad handler 'app': not enough values to unpack (expected 2, got 1)"

    kind, message, *_ = fail("sys.exit")
    assert kind == "Runtime.BuiltInModuleConflict"

    kind, message, trace, _ = fail("app.handler", "def handler(:\n")
    assert kind == "Runtime.UserCodeSyntaxError"
    assert message.startswith("Syntax error in module 'app': ") and message.endswith("(app.py, line 1)")
    assert trace == [f'  File "{task}/app.py" Line 1\n    def handler(:\n']

    kind, message, trace, _ = fail("app.handler", "def f():\n    raise KeyError('x')\nf()\n")
    assert (kind, message) == ("KeyError", "'x'")
    assert trace[-1] == f"  File \"{task}/app.py\", line 2, in f\n    raise KeyError('x')\n"
    assert not any("lambent_runtime" in frame for frame in trace)


def test_leaving_by_sys_exit(python: Interpreter, start: Start) -> None:
    source = (
        "import sys\ndef handler(event, context):\n    print('last words', end='')\n    sys.exit(event)\n"
    )
    bootstrap = start(python, source)
    bootstrap.request(3)
    assert bootstrap.wait() == 3
    assert bootstrap.texts() == ["last words"]


def test_exit_is_there_without_the_site_module(python: Interpreter, start: Start) -> None:
    bootstrap = start(python, "def handler(event, context):\n    exit(4)\n")
    bootstrap.request()
    assert bootstrap.wait() == 4
