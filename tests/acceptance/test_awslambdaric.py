"""AWS's own runtime interface client for Python, unmodified, as a custom runtime of ours."""

import uuid
from pathlib import Path

import pytest
from base_images import fetch_client, python_userland
from images import File, Image, tar_of
from lambent_server import Lambent, eventually

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
    files = fetch_client(tmp_path_factory.mktemp("awslambdaric"))
    return {**files, "bootstrap": BOOTSTRAP, "app.py": SOURCE}


@pytest.fixture(scope="module")
def name(lambent: Lambent, package: dict[str, str | bytes]) -> str:
    return lambent.deploy(package, Runtime="provided.al2023", Handler="app.handler", MemorySize=512)


@pytest.fixture(scope="module")
def image_name(
    lambent: Lambent, package: dict[str, str | bytes], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The same in a container image: the client on the host's Python, copied into it."""
    native = []
    for number, (_, content) in enumerate(
        (name, content) for name, content in package.items() if ".so" in name
    ):
        native.append(tmp_path_factory.mktemp("native") / f"{number}.so")
        native[-1].write_bytes(_bytes(content))
    userland = python_userland(native, at="/usr/local/bin/python")
    own = {f"var/task/{name}": File(_bytes(content)) for name, content in package.items()}
    config = {
        "Entrypoint": ["python", "-m", "awslambdaric"],
        "Cmd": ["app.handler"],
        "WorkingDir": "/var/task",
    }
    ecr, repository = lambent.client("ecr"), lambent.new_name("ric")
    ecr.create_repository(repositoryName=repository)
    Image([tar_of(userland), tar_of(own)], config).push(ecr, repository)
    uri = f"{lambent.account_id}.dkr.ecr.us-east-1.amazonaws.com/{repository}:latest"
    name = lambent.new_name()
    settings = {"Role": lambent.role, "MemorySize": 512, "PackageType": "Image", "Code": {"ImageUri": uri}}
    lambent.lambda_.create_function(FunctionName=name, **settings)
    lambent.lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
    return name


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def test_it_answers_in_a_container_image(lambent: Lambent, image_name: str) -> None:
    for event in (1, {"a": ["ü"]}):
        result = lambent.invoke(image_name, event)
        assert result.value == [event, image_name, result.request_id, True]
    raised = lambent.invoke(image_name, "raise").error_object
    assert (raised["errorType"], raised["errorMessage"]) == ("ValueError", "no")
    lambent.lambda_.update_function_configuration(
        FunctionName=image_name, ImageConfig={"Command": ["nothing.handler"]}
    )
    lambent.lambda_.get_waiter("function_updated_v2").wait(
        FunctionName=image_name, WaiterConfig={"Delay": 0.1}
    )
    assert lambent.invoke(image_name).error_object["errorType"] == "Runtime.ImportModuleError"


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
        lambent.call(name, "stay")
        running = [path.parent for path in processes()]
        assert running
        assert lambent.call(name, "exit after")[0] == "exit after"
        # Not until its command line is gone, which an exit begins with: its connections are closed later.
        eventually(lambda: not any(process.exists() for process in running), seconds=5)  # noqa: B023
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
