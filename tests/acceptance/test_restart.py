"""The server ends, by a signal or by a kill: everything is there afterwards, and nothing is left over before."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from lambent_server import PYTHON, Lambent, eventually, zip_of

NewServer = Callable[..., Lambent]
SLEEP = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return event\n"


def deploy_one_of_everything(lambent: Lambent) -> str:
    layer = lambent.lambda_.publish_layer_version(
        LayerName="words", Content={"ZipFile": zip_of({"python/words.py": "TEXT = 'from the layer'\n"})}
    )["LayerVersionArn"]
    name = lambent.python(
        "import words\ndef handler(event, context):\n    print('line of', event)\n    return [words.TEXT, event]\n",
        Layers=[layer],
        Tags={"kept": "yes"},
    )
    lambent.lambda_.publish_version(FunctionName=name)
    lambent.wait_active(name, "1")
    lambent.lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def snapshot(lambent: Lambent, name: str) -> list[object]:
    answers = [
        lambent.lambda_.get_function_configuration(FunctionName=name),
        lambent.lambda_.list_versions_by_function(FunctionName=name),
        lambent.lambda_.list_aliases(FunctionName=name),
        lambent.lambda_.list_layers(),
        lambent.lambda_.get_layer_version(LayerName="words", VersionNumber=1)["LayerVersionArn"],
        lambent.lambda_.get_function(FunctionName=name)["Tags"],
        lambent.iam.list_roles()["Roles"],
        lambent.account_id,
    ]
    for answer in answers:
        if isinstance(answer, dict):
            answer.pop("ResponseMetadata", None)
    return answers


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_everything_is_there_after_a_restart(new_server: NewServer, end: str) -> None:
    lambent = new_server()
    name = deploy_one_of_everything(lambent)
    before = snapshot(lambent, name)
    group = f"/aws/lambda/{name}"
    for round_ in range(3):
        assert lambent.call(name, round_) == ["from the layer", round_]
        assert lambent.call(name, round_, Qualifier="live") == ["from the layer", round_]
        eventually(lambda round_=round_: lambent.log_lines(group).count(f"line of {round_}\n") == 2)
        if end == "kill":
            lambent.kill()
            eventually(lambda: not processes_of(lambent))
        else:
            assert lambent.stop() == 0
            assert not lambent.leftovers()
        lambent.start_again()
        assert snapshot(lambent, name) == before
        assert lambent.log_lines(group).count(f"line of {round_}\n") == 2


def processes_of(lambent: Lambent) -> list[str]:
    return [left for left in lambent.leftovers() if left.startswith("process ")]


def test_a_kill_under_load_leaves_no_process_and_the_next_start_nothing_else(new_server: NewServer) -> None:
    lambent = new_server()
    name = lambent.python(SLEEP)
    for _ in range(3):
        stop = threading.Event()

        def call(stop: threading.Event = stop) -> None:
            while not stop.is_set():
                try:
                    lambent.call(name, 0.05)
                except (BotoCoreError, ClientError):
                    return  # the server is gone

        with ThreadPoolExecutor(8) as callers:
            loading = [callers.submit(call) for _ in range(8)]
            for _ in range(5):
                lambent.call(name, 0)
            lambent.kill()
            stop.set()
            for future in loading:
                future.result()
        eventually(lambda: not processes_of(lambent))
        lambent.start_again()
        assert lambent.call(name, 0.01) == 0.01
    assert lambent.stop() == 0
    assert not lambent.leftovers()


def test_a_function_that_was_pending_becomes_active(new_server: NewServer) -> None:
    lambent = new_server("--state-transition-seconds", "1")
    lambent.lambda_.create_function(
        FunctionName="early",
        Runtime=PYTHON,
        Handler="index.handler",
        Role=lambent.role,
        Code={"ZipFile": zip_of({"index.py": SLEEP})},
    )
    lambent.kill()
    lambent.start_again()
    lambent.wait_active("early")
    assert lambent.call("early", 0) == 0


def test_what_is_running_is_answered_before_a_graceful_end(new_server: NewServer) -> None:
    lambent = new_server()
    name = lambent.python(
        "import time\ndef handler(event, context):\n    print('in')\n    time.sleep(1)\n    return 'out'\n"
    )
    with ThreadPoolExecutor(1) as callers:
        running = callers.submit(lambent.call, name)
        eventually(lambda: "in\n" in lambent.log_lines(f"/aws/lambda/{name}"))
        assert lambent.stop() == 0
        assert running.result() == "out"


def start_by_hand(data_dir: Path, port: int) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "lambent", "start", "--data-dir", str(data_dir), "--port", str(port)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_a_second_server_on_the_same_data(new_server: NewServer) -> None:
    lambent = new_server()
    second = start_by_hand(lambent.data_dir, 0)
    assert second.returncode != 0
    assert str(lambent.data_dir) in second.stderr
    assert str(lambent.server.pid) in second.stderr
    assert "Traceback" not in second.stderr
    assert lambent.account_id


def test_a_port_in_use(new_server: NewServer, tmp_path: Path) -> None:
    lambent = new_server()
    port = lambent.endpoint.rsplit(":", 1)[1]
    data_dir = tmp_path / "other"
    second = start_by_hand(data_dir, int(port))
    assert second.returncode != 0
    assert port in second.stderr
    assert "is taken" in second.stderr
    assert "Traceback" not in second.stderr
    left = [status for status in Path("/proc").glob("[0-9]*/cmdline") if str(data_dir) in read(status)]
    assert not left
    assert str(data_dir) not in Path("/proc/self/mounts").read_text()


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # a process that has ended meanwhile
        return ""
