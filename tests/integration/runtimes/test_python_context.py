"""What Python handlers see around them: the context object, variables, the module path, descriptors."""

import json
import time
from pathlib import Path

from bootstrap_driver import INITIALIZED, RESULT, Start, unstarted

from lambent.runtimes.interpreters import Interpreter

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:greeter:live"


def test_the_context_object(every_python: Interpreter, start: Start) -> None:
    source = """
def handler(event, context):
    names = ['aws_request_id', 'function_name', 'function_version', 'invoked_function_arn', 'memory_limit_in_mb',
             'log_group_name', 'log_stream_name', 'client_context', 'tenant_id']
    context.log('hi\\n')
    return [{n: getattr(context, n) for n in names}, context.identity.cognito_identity_id,
            context.get_remaining_time_in_millis(), repr(context), context.w3c()]
"""
    bootstrap = start(every_python, source)
    attributes, identity, remaining, text, w3c = bootstrap.invoke().value
    assert attributes == {
        "aws_request_id": "request-1",
        "function_name": "greeter",
        "function_version": "7",
        "invoked_function_arn": ARN,
        "memory_limit_in_mb": "256",
        "log_group_name": "/aws/lambda/greeter",
        "log_stream_name": "2026/11/20/[7]abc",
        "client_context": None,
        "tenant_id": None,
    }
    assert identity is None
    assert 20_000 < remaining <= 30_000
    assert w3c == {}
    assert text == (
        "LambdaContext([aws_request_id=request-1,log_group_name=/aws/lambda/greeter,"
        "log_stream_name=2026/11/20/[7]abc,function_name=greeter,memory_limit_in_mb=256,function_version=7,"
        f"invoked_function_arn={ARN},client_context=None,"
        "identity=CognitoIdentity([cognito_identity_id=None,cognito_identity_pool_id=None]),tenant_id=None])"
    )
    assert bootstrap.texts() == ["hi\n"]


def test_client_context_identity_and_tenant(python: Interpreter, start: Start) -> None:
    source = """
def handler(event, context):
    c = context.client_context
    return [c.custom, c.env, c.client.app_title, c.client.installation_id, context.identity.cognito_identity_pool_id,
            context.tenant_id, context.w3c(), hasattr(c, 'w3c'), context.get_remaining_time_in_millis()]
"""
    client = {
        "custom": {"a": 1},
        "env": {"locale": "de"},
        "client": {"app_title": "shop"},
        "w3c": {"traceparent": "00-1", "other": "x"},
    }
    reply = start(python, source).invoke(
        client_context=json.dumps(client),
        identity={"cognito_identity_id": "i", "cognito_identity_pool_id": "p"},
        tenant_id="blue",
        deadline_ms=1,
    )
    assert reply.value == [
        {"a": 1},
        {"locale": "de"},
        "shop",
        None,
        "p",
        "blue",
        {"traceparent": "00-1"},
        False,
        0,
    ]


def test_a_client_context_that_is_no_json(python: Interpreter, start: Start) -> None:
    reply = start(python, "def handler(e, c):\n    return 1\n").invoke(client_context="{")
    assert reply.value["errorType"] == "Runtime.LambdaContextUnmarshalError"
    assert reply.value["errorMessage"].startswith("Unable to parse Client Context JSON: ")


def test_variables_are_the_functions_and_no_others(python: Interpreter, start: Start, task: Path) -> None:
    source = """
import os, time
def handler(event, context):
    return [dict(os.environ), time.tzname[0], os.getcwd()]
"""
    bootstrap = start(
        python, source, variables={"COLOUR": "blue", "TZ": "Asia/Tokyo", "_LAMBDA_TELEMETRY_LOG_FD": "4"}
    )
    variables, zone, directory = bootstrap.invoke(trace_id="Root=1").value
    assert variables.pop("_X_AMZN_TRACE_ID") == "Root=1"
    variables.pop("LC_CTYPE", None)  # set by the interpreter itself, in the C locale
    assert set(variables) == {"LAMBDA_TASK_ROOT", "PATH", "TZ", "COLOUR"}
    assert (zone, directory) == ("JST", str(task))
    assert "_X_AMZN_TRACE_ID" not in bootstrap.invoke().value[0]


def test_the_module_path(python: Interpreter, start: Start, task: Path) -> None:
    source = "import sys\ndef handler(event, context):\n    return sys.path\n"
    path = start(python, source, variables={"PYTHONPATH": "/opt/extra:/opt/more"}).invoke().value
    name = "python{}.{}".format(*python.version)
    assert path[:5] == [
        str(task),
        f"/opt/python/lib/{name}/site-packages",
        "/opt/python",
        "/opt/extra",
        "/opt/more",
    ]
    assert path[5].endswith("runtimes/python")
    assert any(entry.endswith(f"/{name}") for entry in path[6:])
    assert not any(entry.endswith(("-packages", "dist-packages")) for entry in path[5:])


def test_code_that_appears_between_ready_and_init(python: Interpreter, task: Path) -> None:
    with unstarted(python, task) as bootstrap:
        bootstrap.receive()
        (task / "late.py").write_text("def handler(event, context):\n    return 'in time'\n")
        assert bootstrap.send_init("late.handler").kind == INITIALIZED
        assert bootstrap.invoke().value == "in time"


def test_handlers_cannot_reach_the_channel_by_accident(python: Interpreter, start: Start) -> None:
    source = """
import os, subprocess, sys
def handler(event, context):
    child = subprocess.run(['ls', '-l', '/proc/self/fd'], stdout=subprocess.PIPE, close_fds=False)
    for number in range(3, 256):
        try: os.close(number)
        except OSError: pass
    os.write(1, b'garbage \\x00\\n')
    return child.stdout.decode().count('socket:')
"""
    bootstrap = start(python, source)
    assert bootstrap.invoke().value == 0, "no child inherits it"
    assert bootstrap.invoke().kind == RESULT
    assert "garbage" in bootstrap.raw_output()


def test_only_the_parent_of_a_fork_answers(python: Interpreter, start: Start) -> None:
    source = """
import os, time
def handler(event, context):
    child = os.fork()
    if child:
        return [child, os.waitpid(child, 0)[1]]
    return 'the child'
"""
    bootstrap = start(python, source)
    assert bootstrap.invoke().value[1] == 0
    assert bootstrap.invoke().value[1] == 0


def test_threads_live_on_between_invocations(python: Interpreter, start: Start) -> None:
    source = """
import threading
first, second = threading.Event(), threading.Event()
def wait():
    first.wait()
    second.set()
def handler(event, context):
    if event == 1:
        threading.Thread(target=wait, daemon=True).start()
        return None
    first.set()
    return second.wait(10)
"""
    bootstrap = start(python, source)
    bootstrap.invoke(1)
    assert bootstrap.invoke(2).value is True


def test_it_ends_with_the_channel(python: Interpreter, start: Start) -> None:
    source = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n" + (
        "def handler(event, context):\n    return None\n"
    )
    bootstrap = start(python, source)
    bootstrap.invoke()
    bootstrap._socket.shutdown(2)
    began = time.monotonic()
    assert bootstrap.process.wait(10) == 0
    assert time.monotonic() - began < 5


def test_a_blank_ends_with_the_channel(python: Interpreter, task: Path) -> None:
    with unstarted(python, task) as bootstrap:
        bootstrap.receive()
    assert bootstrap.process.returncode == 0
