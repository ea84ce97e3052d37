"""Functions that misbehave: each gets AWS's error, none hurts another function, and none survives its environment."""

import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import Bystander
from lambent_server import Lambent, Result, eventually

RUN = """def handler(event, context):
    scope = {'context': context}
    exec(event, scope)
    return scope.get('answer')
"""
SOCKETS = """import os, stat
def descriptors(test):
    found = []
    for name in os.listdir('/proc/self/fd'):
        try:
            if test(os.fstat(int(name)).st_mode): found.append(int(name))
        except OSError: pass
    return found
"""
FORGED = (
    SOCKETS
    + """import gc, select
[channel] = [one for one in gc.get_objects() if type(one).__name__ == 'Channel']
open_request = channel._sequence.to_bytes(4, 'little')
def frame(kind, payload=b'', meta=b''):
    lengths = len(meta).to_bytes(4, 'little') + len(payload).to_bytes(4, 'little')
    return bytes([kind]) + open_request + lengths + meta + payload
def write(data):
    for one in descriptors(stat.S_ISSOCK): os.write(one, data)
def wait_for_the_next():
    select.select(descriptors(stat.S_ISSOCK), [], [])
"""
)
"""With what a handler writes frames on its own channel."""


@pytest.fixture(scope="module")
def runner(lambent: Lambent) -> str:
    """Runs the source that is its event."""
    return lambent.python(RUN, Timeout=3, MemorySize=256)


@pytest.fixture(autouse=True)
def undisturbed(lambent: Lambent, bystander: Bystander, runner: str) -> Iterator[None]:
    with bystander.watching():
        yield
    assert lambent.call(runner, "answer = 'well again'") == "well again"


def timed_out(result: Result) -> bool:
    return result.error_object == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {result.request_id} Error: Task timed out after 3.00 seconds",
    }


def exit_message(result: Result) -> str:
    described = result.error_object
    assert described["errorType"] == "Runtime.ExitError"
    prefix = f"RequestId: {result.request_id} Error: "
    assert described["errorMessage"].startswith(prefix)
    return str(described["errorMessage"]).removeprefix(prefix)


@pytest.mark.parametrize(
    "source",
    [
        "while True: pass",
        "import time; time.sleep(3600)",
        "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
        "import signal, time\nfor n in {*range(1, 32)} - {9, 19}: signal.signal(n, signal.SIG_IGN)\ntime.sleep(3600)",
    ],
)
def test_one_that_never_returns(lambent: Lambent, runner: str, source: str) -> None:
    assert timed_out(lambent.invoke(runner, source))


@pytest.mark.every_backend
def test_a_fork_bomb(lambent: Lambent, runner: str) -> None:
    source = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass\n"
    assert timed_out(lambent.invoke(runner, source))


@pytest.mark.every_backend
def test_threads_without_end(lambent: Lambent) -> None:
    runner = lambent.python(RUN, Timeout=30)
    source = (
        "import threading, time\n"
        "threading.stack_size(65536)\n"
        "answer = 0\n"
        "try:\n"
        "    for answer in range(5000): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
        "except RuntimeError as error: answer = [answer, str(error)]\n"
    )
    count, error = lambent.call(runner, source)
    assert error == "can't start new thread"
    assert count <= 1024


@pytest.mark.every_backend
def test_children_outlive_no_environment(lambent: Lambent, runner: str) -> None:
    mark = f"86399.{uuid.uuid4().int % 10**9}"
    source = (
        "import os, subprocess, time\n"
        f"print('begun')\nfor _ in range(3): subprocess.Popen(['setsid', 'sleep', '{mark}'])\n"
        "if os.fork() == 0:\n    os.setsid()\n    while True: time.sleep(1)\n"
        "time.sleep(3600)\n"
    )
    assert timed_out(lambent.invoke(runner, source))
    eventually(lambda: not [path for path in Path("/proc").glob("[0-9]*/cmdline") if mark in read(path)])


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


@pytest.mark.every_backend
@pytest.mark.parametrize(
    "source",
    [
        "kept = []\nwhile True: kept.append(bytearray(8 << 20))",
        "import os\nif os.fork():\n    os.wait()\nkept = []\nwhile True: kept.append(bytearray(8 << 20))",
    ],
)
def test_memory_without_end(lambent: Lambent, source: str) -> None:
    runner = lambent.python(RUN, Timeout=60, MemorySize=512)
    assert exit_message(lambent.invoke(runner, source)) == "Runtime exited with error: signal: killed"


@pytest.mark.every_backend
def test_a_full_tmp(lambent: Lambent) -> None:
    runner = lambent.python(RUN, Timeout=60, MemorySize=1769)
    source = (
        "with open('/tmp/fill', 'wb', buffering=0) as file:\n"
        "    try:\n        while file.write(bytes(8 << 20)): pass\n    except OSError as error: answer = error.errno\n"
    )
    assert lambent.call(runner, source) == 28
    assert lambent.call(runner, "import os; answer = os.path.getsize('/tmp/fill') >= 500 << 20") is True


@pytest.mark.every_backend
def test_a_million_files(lambent: Lambent, runner: str) -> None:
    source = (
        "import os\nos.mkdir('/tmp/m')\nanswer = 0\n"
        "try:\n    for answer in range(1_000_000): os.mknod(f'/tmp/m/{answer}')\n"
        "except OSError as error: answer = error.errno\n"
    )
    result = lambent.invoke(runner, source)
    assert (result.error is None and result.value == 28) or timed_out(result)


@pytest.mark.every_backend
def test_ten_thousand_descriptors(lambent: Lambent, runner: str) -> None:
    source = (
        "import os\nopened = []\n"
        "try:\n    while len(opened) < 10_000: opened.append(os.open('/dev/null', os.O_RDONLY))\n"
        "except OSError as error: answer = [len(opened), error.errno]\n"
        "for descriptor in opened: os.close(descriptor)\n"
    )
    count, error = lambent.call(runner, source)
    assert error == 24
    assert 900 < count <= 1024


def test_low_descriptors_closed(lambent: Lambent, runner: str) -> None:
    """As daemons do, and those who think that they tidy up."""
    assert lambent.call(runner, "import os; os.closerange(0, 256); answer = 'closed'") == "closed"


def test_every_descriptor_closed(lambent: Lambent, runner: str) -> None:
    result = lambent.invoke(runner, "import os; os.closerange(0, 4096); answer = 'closed'")
    assert exit_message(result).startswith("Runtime exited")


def test_nodejs_closes_its_descriptors(lambent: Lambent) -> None:
    name = lambent.node(
        "const fs = require('fs'); exports.handler = async () => {"
        " for (let n = 0; n < 256; n++) { try { fs.closeSync(n); } catch {} } return 'closed'; };",
        Timeout=3,
    )
    result = lambent.invoke(name)
    assert result.error_object["errorType"] in ("Runtime.ExitError", "Sandbox.Timedout")


@pytest.mark.parametrize(
    "garbage",
    [
        "os.urandom(65536)",
        "b'\\0' * 13",
        "b'\\x13' + b'\\xff' * 12",
        "b'\\x13' + open_request + b'\\0\\0\\0\\0\\xff\\xff\\xff\\x7f' + b'x' * 100_000",
        "frame(0x10)",
        "frame(0x63)",
    ],
)
def test_garbage_on_the_channel(lambent: Lambent, runner: str, garbage: str) -> None:
    source = FORGED + f"write({garbage})\nselect.select([], [], [], 0.2)\n"
    result = lambent.invoke(runner, source)
    assert result.error == "Unhandled"
    assert result.response["StatusCode"] == 200


def test_an_answer_of_its_own_making_is_only_its_own(lambent: Lambent) -> None:
    """It may answer itself. The second answer, the bootstrap's, comes when the next invocation is open already."""
    name = lambent.python(RUN)
    afterwards = "wait_for_the_next()\nanswer = 'late'\n"
    assert lambent.call(name, FORGED + "write(frame(0x13, b'\"forged\"'))\n" + afterwards) == "forged"
    assert lambent.invoke(name, "answer = 'next'").error_object["errorType"] == "Runtime.Unknown"
    assert lambent.call(name, "answer = 'next'") == "next"


def test_answers_in_numbers_are_one(lambent: Lambent) -> None:
    name = lambent.python(RUN)
    assert lambent.call(name, FORGED + "write(frame(0x13, b'1') * 50)\n") == 1
    for number in range(5):  # in whatever way the rest of them arrives
        result = lambent.invoke(name, f"answer = {number}")
        assert result.value == number if result.error is None else number == 0


def test_a_failure_that_is_no_error_object(lambent: Lambent, runner: str) -> None:
    result = lambent.invoke(runner, FORGED + "write(frame(0x14, b'{}', b'[1,2]'))\nwait_for_the_next()\n")
    assert result.error_object == {}
    lambent.invoke(runner, "answer = 'next'")


def test_garbage_on_the_telemetry_pipe(lambent: Lambent, runner: str) -> None:
    source = SOCKETS + (
        "for fd in descriptors(stat.S_ISFIFO):\n"
        "    os.write(fd, os.urandom(4096)); os.write(fd, bytes([0xa5, 0x5a, 0, 3]) + b'\\xff' * 12)\n"
        "answer = 'written'\n"
    )
    assert lambent.call(runner, source) == "written"


def test_a_hundred_megabytes_of_output(lambent: Lambent) -> None:
    name = lambent.python(
        "import os\nline = b'x' * 1023 + b'\\n'\n"
        "def handler(event, context):\n"
        "    for _ in range(100):\n"
        "        block = line * 1024\n"
        "        while block: block = block[os.write(1, block):]\n"
        "    return 'written'\n",
        Timeout=60,
        MemorySize=1769,
    )
    before = resident_mib(lambent)
    result = lambent.invoke(name)
    assert result.value == "written"
    assert len(result.tail) <= 4096
    assert resident_mib(lambent) - before < 250, "what is printed waits for the disk, not in memory"
    lambent.logs.delete_log_group(logGroupName=eventually(lambda: group_of(lambent, name)))


def group_of(lambent: Lambent, name: str) -> str | None:
    groups = lambent.logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
    return groups[0]["logGroupName"] if groups else None


def resident_mib(lambent: Lambent) -> int:
    pages = int(Path(f"/proc/{lambent.server.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


@pytest.mark.every_backend
@pytest.mark.parametrize(
    "targets", ["[-1]", "[0]", "[1, os.getppid()]", "[pid for pid in range(2, 40000) if pid != os.getpid()]"]
)
def test_one_that_kills(lambent: Lambent, runner: str, targets: str) -> None:
    source = (
        "import os\n"
        f"for pid in {targets}:\n    try: os.kill(pid, 9)\n    except OSError: pass\n"
        "answer = 'tried'\n"
    )
    result = lambent.invoke(runner, source)
    if result.error is None:
        assert result.value == "tried"
    else:
        assert result.error_object["errorType"] in ("Runtime.ExitError", "Sandbox.Timedout")


def test_a_busy_thread_left_behind(lambent: Lambent, runner: str) -> None:
    source = "import threading\ndef spin():\n    while True: pass\nthreading.Thread(target=spin, daemon=True).start()\n"
    lambent.call(runner, source)
    for number in range(3):
        assert lambent.call(runner, f"answer = {number}") == number
    lambent.invoke(runner, "import os; os._exit(1)")


@pytest.mark.every_backend
def test_frozen_while_holding_a_lock(lambent: Lambent) -> None:
    name = lambent.python(
        "import logging, threading, time\nlock = threading.Lock()\n"
        "def hold():\n    with lock: time.sleep(0.3)\n"
        "def handler(event, context):\n"
        "    if event == 'hold':\n"
        "        threading.Thread(target=hold).start()\n"
        "        time.sleep(0.05)\n"
        "        return 'held'\n"
        "    with lock: return 'got it'\n"
    )
    assert lambent.call(name, "hold") == "held"
    streams = lambent.logs.describe_log_streams
    eventually(lambda: group_of(lambent, name))  # by then it has long been frozen
    assert lambent.call(name, "take") == "got it"
    assert len(streams(logGroupName=f"/aws/lambda/{name}")["logStreams"]) == 1


@pytest.mark.every_backend
def test_other_functions_cannot_be_seen(lambent: Lambent, runner: str) -> None:
    secret = uuid.uuid4().hex
    other = lambent.python(f"# {secret}\n" + RUN, Environment={"Variables": {"SECRET": secret}})
    assert lambent.call(other, "answer = 1") == 1
    source = (
        "import os, re\n"
        "seen = []\n"
        "for root, folders, files in os.walk('/proc'):\n"
        "    if root.count('/') > 2: folders.clear()\n"
        "    for file in files:\n"
        "        if file in ('environ', 'cmdline', 'mountinfo', 'maps'):\n"
        "            try: seen.append(open(os.path.join(root, file), 'rb').read())\n"
        "            except OSError: pass\n"
        "for folder in ('/var/task', '/opt', '/tmp', '/dev/shm'):\n"
        "    for root, _, files in os.walk(folder):\n"
        "        for file in files: seen.append(open(os.path.join(root, file), 'rb').read())\n"
        f"answer = [len(seen), any({secret.encode()!r} in text for text in seen)]\n"
    )
    # The source names the secret itself; it is split so that only another's copy can be found.
    source = source.replace(repr(secret.encode()), f"({secret[:16].encode()!r} + {secret[16:].encode()!r})")
    count, found = lambent.call(runner, source)
    assert count > 2
    assert found is False


@pytest.mark.every_backend
def test_the_hosts_network_cannot_be_reached(lambent: Lambent, runner: str) -> None:
    outside = int(lambent.endpoint.rsplit(":", 1)[1])
    with socket.create_server(("0.0.0.0", 0)) as listening:  # to see whether a function reaches it
        addresses = [("127.0.0.1", outside), ("127.0.0.1", listening.getsockname()[1])]
        addresses += [(address, listening.getsockname()[1]) for address in host_addresses()]
        source = (
            "import socket\nanswer = []\n"
            f"for address in {addresses!r}:\n"
            "    try: socket.create_connection(address, timeout=0.5).close(); answer.append(address)\n"
            "    except OSError: pass\n"
        )
        assert lambent.call(runner, source) == []


def host_addresses() -> list[str]:
    found = {entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; only asks which address would be used
            found.add(probe.getsockname()[0])
        except OSError:
            pass
    return sorted(address for address in map(str, found) if not address.startswith("127."))


@pytest.mark.every_backend
def test_the_gateway_inside_knows_nobody_without_a_signature(lambent: Lambent, runner: str) -> None:
    source = (
        "import http.client\nanswer = []\n"
        "for headers in ({}, {'Authorization': 'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261127/us-east-1/"
        "lambda/aws4_request, SignedHeaders=host, Signature=00', 'X-Amz-Date': '20261127T000000Z'}):\n"
        "    connection = http.client.HTTPConnection('127.0.0.1', 9000, timeout=2)\n"
        "    connection.request('GET', '/2015-03-31/functions/', headers=headers)\n"
        "    answer.append(connection.getresponse().status)\n"
    )
    assert lambent.call(runner, source) == [403, 403]


@pytest.mark.every_backend
def test_keys_of_the_server_are_nowhere(lambent: Lambent) -> None:
    """Neither root's key nor what tokens are made with, in no file, variable or process that can be seen."""
    secret = lambent.server.secret_access_key
    source = (
        f"import os\nsecret = ''.join(({secret[:20]!r}, {secret[20:]!r})).encode()\nread, found = 0, []\n"
        "for top in '/etc /opt /tmp /dev /var /proc/self /proc/1 /run /root /home /srv'.split():\n"
        "    for folder, folders, files in os.walk(top):\n"
        "        folders[:] = [name for name in folders if name != 'runtime' and folder.count('/') < 4]\n"
        "        for name in files:\n"
        "            try:\n"
        "                descriptor = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NONBLOCK)\n"
        "                text = os.read(descriptor, 1 << 20)\n"
        "                os.close(descriptor)\n"
        "            except OSError: continue\n"
        "            read += 1\n"
        "            if secret in text or name in ('root-key.json', 'master-key', 'lambent.db'): found.append(name)\n"
        "answer = [read > 30, found]\n"
    )
    assert lambent.call(lambent.python(RUN, Timeout=30, MemorySize=256), source) == [True, []]


@pytest.mark.every_backend
def test_the_runtime_api_is_ones_own(lambent: Lambent, runner: str) -> None:
    source = (
        "import http.client\nanswer = []\n"
        "for method, path in [('GET', 'invocation/next'), ('POST', 'invocation/x/response'), ('POST', 'init/error')]:\n"
        "    connection = http.client.HTTPConnection('127.0.0.1', 9001, timeout=2)\n"
        "    connection.request(method, '/2018-06-01/runtime/' + path, body=b'{}')\n"
        "    answer.append(connection.getresponse().status)\n"
    )
    assert lambent.call(runner, source) == [403, 403, 403]


BOOTSTRAP = """#!/usr/bin/python3
import http.client, json, os
host = os.environ['AWS_LAMBDA_RUNTIME_API']
def call(method, path, body=None):
    connection = http.client.HTTPConnection(host)
    connection.request(method, '/2018-06-01/runtime/' + path, body=body)
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers
second = None
while True:
    _, event, headers = call('GET', 'invocation/next')
    request_id = headers['Lambda-Runtime-Aws-Request-Id']
    wrong, _, _ = call('POST', 'invocation/00000000-0000-0000-0000-000000000000/response', b'"wrong id"')
    call('POST', f'invocation/{request_id}/response', json.dumps([json.loads(event), second, wrong]).encode())
    second, _, _ = call('POST', f'invocation/{request_id}/response', b'"again"')
    call('POST', f'invocation/{request_id}/error', b'{}')
    call('POST', 'init/error', b'{}')
    call('DELETE', 'nothing/like/this')
"""


@pytest.mark.skipif(
    not Path("/usr/bin/python3").exists(), reason="the custom runtime is a /usr/bin/python3 script"
)
def test_one_that_answers_twice(lambent: Lambent) -> None:
    name = lambent.deploy({"bootstrap": BOOTSTRAP}, Runtime="provided.al2023", Handler="x")
    assert lambent.call(name, 1) == [1, None, 400]
    for number in range(2, 5):
        event, status_of_the_second_answer, _ = lambent.call(name, number)
        assert event == number
        assert status_of_the_second_answer in (400, 403)
