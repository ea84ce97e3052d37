"""AWS's own runtime interface client for Python, unmodified, as a custom runtime of ours."""

import platform
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from lambent_server import Lambent, eventually

HOST_PYTHON = Path("/usr/bin/python3")
MARK = f"acceptance-{uuid.uuid4().hex}"
BOOTSTRAP = f'#!/bin/sh\nexec /usr/bin/python3 -m awslambdaric "$_HANDLER" {MARK}\n'
SOURCE = """import os, sys
print('imported')
def handler(event, context):
    print('handling', event)
    if event == 'raise':
        raise ValueError('no')
    if event == 'exit':
        sys.exit(3)
    if event == 'set':
        return {1}
    if event == 'exit after':
        import threading
        threading.Timer(0.05, lambda: os._exit(1)).start()
    return [event, context.function_name, context.aws_request_id, context.get_remaining_time_in_millis() > 1000]
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | bytes]:
    if not HOST_PYTHON.exists():
        pytest.skip("there is no /usr/bin/python3 for the custom runtime to run")
    version = subprocess.run(
        [str(HOST_PYTHON), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    target = tmp_path_factory.mktemp("awslambdaric")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    chosen = ["--only-binary=:all:", "--python-version", version, "--target", str(target)]
    chosen += ["--platform", f"manylinux2014_{platform.machine()}", "--implementation", "cp"]
    installed = subprocess.run(
        [*install, *chosen, "awslambdaric"], capture_output=True, text=True, timeout=120, check=False
    )
    if installed.returncode != 0:
        pytest.skip(f"pip cannot fetch awslambdaric: {installed.stderr.strip().splitlines()[-1:]}")
    files = {str(file.relative_to(target)): file.read_bytes() for file in target.rglob("*") if file.is_file()}
    return {**files, "bootstrap": BOOTSTRAP, "app.py": SOURCE}


@pytest.fixture(scope="module")
def name(lambent: Lambent, package: dict[str, str | bytes]) -> str:
    return lambent.deploy(package, Runtime="provided.al2023", Handler="app.handler", MemorySize=512)


def test_it_answers(lambent: Lambent, name: str) -> None:
    for event in (None, 1, "ü", {"a": ["b"]}):
        result = lambent.invoke(name, event)
        assert result.value == [event, name, result.request_id, True]
    group = f"/aws/lambda/{name}"
    lines = eventually(lambda: (found := lambent.log_lines(group)) and "REPORT" in found[-1] and found)
    assert lines.count("imported\n") == 1


def test_it_tells_of_errors(lambent: Lambent, name: str) -> None:
    raised = lambent.invoke(name, "raise")
    described = raised.error_object
    assert (described["errorType"], described["errorMessage"]) == ("ValueError", "no")
    assert described["requestId"] == raised.request_id
    assert "app.py" in described["stackTrace"][0]
    unserializable = lambent.invoke(name, "set").error_object
    assert unserializable["errorType"] == "Runtime.MarshalError"
    ended = lambent.invoke(name, "exit")
    assert ended.error_object == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {ended.request_id} Error: Runtime exited with error: exit status 3",
    }
    assert lambent.call(name, 1)[0] == 1


def test_one_that_ends_between_two_invocations(lambent: Lambent, name: str) -> None:
    """Is nothing to the next caller."""
    for number in range(3):
        assert lambent.call(name, "exit after")[0] == "exit after"
        eventually(lambda: not processes(), seconds=5)
        assert lambent.call(name, number)[0] == number


def processes() -> list[Path]:
    """Of this module: its environments run nothing else."""
    return [path for path in Path("/proc").glob("[0-9]*/cmdline") if MARK in read(path)]


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended meanwhile
        return ""


@pytest.mark.parametrize(
    ("source", "handler", "error_type"),
    [
        ("import nothere\n", "app.handler", "Runtime.ImportModuleError"),
        ("def handler(event, context) return\n", "app.handler", "Runtime.UserCodeSyntaxError"),
        ("", "app.handler", "Runtime.HandlerNotFound"),
    ],
)
def test_an_init_that_fails(
    lambent: Lambent, package: dict[str, str | bytes], source: str, handler: str, error_type: str
) -> None:
    name = lambent.deploy(
        {**package, "app.py": source}, Runtime="provided.al2023", Handler=handler, MemorySize=512
    )
    assert lambent.invoke(name).error_object["errorType"] == error_type
    assert lambent.invoke(name).error_object["errorType"] == error_type
