"""A function's life on each isolation backend: what a user sees is the same, but for what the backend does not keep."""

import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from images import Image, shell_layer
from lambent_server import Lambent, Result, eventually, zip_of

BACKENDS = ["namespaces", "userns", "userns with one user id", "process"]


@pytest.fixture(scope="module", params=BACKENDS)
def backend(
    request: pytest.FixtureRequest,
) -> Iterator[tuple[str, Lambent]]:
    name: str = request.param
    # Not where pytest has its directories: those are root's alone.
    directory = Path(tempfile.mkdtemp(prefix="lambent-"))
    directory.chmod(0o755)
    if name.startswith("userns"):
        running = Lambent.start_as_user(directory / "data", subordinate=name == "userns")
    else:
        running = Lambent.start(directory / "data", "--isolation", name)
    yield name, running
    assert running.stop() == 0, running.log[-3000:]
    assert not running.leftovers()
    assert "Traceback" not in running.log, running.log[-8000:]
    shutil.rmtree(directory)


@pytest.fixture
def isolated(backend: tuple[str, Lambent]) -> Lambent:
    return backend[1]


@pytest.fixture
def name(backend: tuple[str, Lambent]) -> str:
    return backend[0]


def exit_message(result: Result) -> str:
    described = result.error_object
    assert described["errorType"] == "Runtime.ExitError"
    return str(described["errorMessage"]).removeprefix(f"RequestId: {result.request_id} Error: ")


def test_python_with_a_layer_variables_and_the_sdk(isolated: Lambent) -> None:
    layer = isolated.lambda_.publish_layer_version(LayerName="words", Content={"ZipFile": zip_with_words()})[
        "LayerVersionArn"
    ]
    function = isolated.python(
        "import os, boto3, words\n"
        "def handler(event, context):\n"
        "    me = boto3.client('sts').get_caller_identity()['Arn']\n"
        "    return [event, words.HELLO, os.environ['GREETING'], me.split(':')[2]]\n",
        Layers=[layer],
        Environment={"Variables": {"GREETING": "hi"}},
    )
    assert isolated.call(function, {"a": 1}) == [{"a": 1}, "hello", "hi", "sts"]


def zip_with_words() -> bytes:
    return zip_of({"python/words.py": "HELLO = 'hello'\n"})


def test_nodejs_and_a_custom_runtime(isolated: Lambent) -> None:
    node = isolated.node("exports.handler = async (event) => event.n * 2;\n")
    assert isolated.call(node, {"n": 21}) == 42
    bootstrap = (
        "#!/bin/sh\nset -e\napi=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation\n"
        'while true; do\n  head=$(mktemp)\n  event=$(curl -sS -D "$head" $api/next)\n'
        "  id=$(grep -i request-id \"$head\" | tr -d '[:space:]' | cut -d: -f2)\n"
        '  curl -sS -X POST $api/$id/response -d "$event" >/dev/null\ndone\n'
    )
    custom = isolated.deploy({"bootstrap": bootstrap}, Runtime="provided.al2023", Handler="x")
    assert isolated.call(custom, [1, 2]) == [1, 2]


def test_variables_that_count_at_exec(isolated: Lambent) -> None:
    function = isolated.python(
        "import sys\ndef handler(event, context): return sys.flags.utf8_mode\n",
        Environment={"Variables": {"PYTHONUTF8": "1"}},
    )
    assert isolated.call(function) == 1


def test_tmp_stays_with_its_environment(isolated: Lambent) -> None:
    function = isolated.python(
        "import tempfile, pathlib\nplace = pathlib.Path(tempfile.gettempdir(), 'count')\n"
        "def handler(event, context):\n"
        "    place.write_text(place.read_text() + 'x' if place.exists() else 'x')\n"
        "    return len(place.read_text())\n"
    )
    assert [isolated.call(function) for _ in range(3)] == [1, 2, 3]
    isolated.lambda_.update_function_configuration(FunctionName=function, Description="another environment")
    isolated.wait_active(function)
    assert isolated.call(function) == 1


def test_time_out_exit_and_failure(isolated: Lambent) -> None:
    function = isolated.python(
        "import os, sys, time\ndef handler(event, context):\n"
        "    if event == 'spin': time.sleep(60)\n"
        "    if event == 'exit': sys.exit(3)\n"
        "    if event == 'kill': os.kill(os.getpid(), 9)\n"
        "    raise ValueError(event)\n",
        Timeout=1,
    )
    assert isolated.invoke(function, "spin").error_object["errorType"] == "Sandbox.Timedout"
    assert exit_message(isolated.invoke(function, "exit")) == "Runtime exited with error: exit status 3"
    assert exit_message(isolated.invoke(function, "kill")) == "Runtime exited with error: signal: killed"
    assert isolated.invoke(function, "raised").error_object["errorType"] == "ValueError"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is seen in /proc")
def test_more_memory_than_there_is(isolated: Lambent) -> None:
    function = isolated.python(
        "import time\ndef handler(event, context):\n"
        "    hoard = bytearray(event << 20)\n    if event > 128: time.sleep(5)\n",
        MemorySize=128,
    )
    assert isolated.invoke(function, 30).error is None
    message = exit_message(isolated.invoke(function, 300))
    assert message == "Runtime exited with error: signal: killed"


def test_what_stands_still_between_invocations(isolated: Lambent) -> None:
    """A thread that ticks is frozen with its environment: afterwards its clock has gone on, and its count has not."""
    function = isolated.python(
        "import threading, time\nticks, started = 0, time.monotonic()\n"
        "def tick():\n    global ticks\n    while True:\n        time.sleep(0.02)\n        ticks += 1\n"
        "threading.Thread(target=tick, daemon=True).start()\n"
        "def handler(event, context): return [ticks, time.monotonic() - started]\n"
    )

    def missed() -> bool:
        ticks, seconds = isolated.call(function)
        return bool(ticks < seconds / 0.02 / 2)

    isolated.call(function)
    eventually(lambda: time.sleep(0.5) or missed())


def test_what_a_backend_does_not_keep_is_not_kept(isolated: Lambent, name: str) -> None:
    """The host's files, processes and network: none of them with isolation, all of them without."""
    secret = isolated.data_dir / "root-key.json"
    function = isolated.python(
        "import os, socket\n"
        "def possible(action):\n"
        "    try: action()\n"
        "    except OSError: return False\n"
        "    return True\n"
        "def handler(event, context):\n"
        "    return [possible(lambda: open(event['file']).read()),\n"
        "            possible(lambda: os.kill(event['pid'], 0)),\n"
        "            possible(lambda: socket.create_connection(event['address'], 2).close())]\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        event = {"file": str(secret), "pid": isolated.server.pid, "address": listening.getsockname()}
        assert isolated.call(function, event) == [name == "process"] * 3


def test_the_server_says_which_it_is(isolated: Lambent, name: str) -> None:
    assert f"isolation: {name.split(maxsplit=1)[0]}" in isolated.log
    assert ("all environments are one user" in isolated.log) is name.endswith("one user id")
    assert ("functions are not isolated" in isolated.log) is (name == "process")


def test_a_container_image(isolated: Lambent, name: str) -> None:
    ecr = isolated.client("ecr")
    ecr.create_repository(repositoryName="app")
    image = Image([shell_layer(marker="here")], {"Entrypoint": ["sh", "/entry.sh"], "WorkingDir": "/etc"})
    image.push(ecr, "app")
    uri = f"{isolated.account_id}.dkr.ecr.us-east-1.amazonaws.com/app:latest"
    settings = {"Role": isolated.role, "PackageType": "Image", "Code": {"ImageUri": uri}, "Timeout": 10}
    if name == "process":  # which would show it the host's files for the image's
        with pytest.raises(ClientError, match="--isolation process does not give"):
            isolated.lambda_.create_function(FunctionName="image", **settings)
        return
    isolated.lambda_.create_function(FunctionName="image", **settings)
    isolated.wait_active("image")
    answer = isolated.call("image", "read -r x </marker; echo $x")
    assert answer == {"arguments": "", "directory": "/etc", "output": "here"}
