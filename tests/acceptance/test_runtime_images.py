"""Managed runtimes whose root is an image laid out as AWS's base images are."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from base_images import base_image
from botocore.exceptions import ClientError
from images import SHELL_RUNTIME, Entry, Image, shell_layer
from lambent_server import PYTHON, Lambent, eventually, zip_of

from lambent.cli import run

NewServer = Callable[..., Lambent]
OTHER = "python3.14"
"""Which the host may have or not: what is set counts."""
SOURCE = """import os, pathlib, time
print('imported')
def handler(event, context):
    print('handling')
    if event == 'raise':
        raise ValueError('no')
    if event == 'sleep':
        time.sleep(30)
    if event == 'exit':
        os._exit(3)
    if isinstance(event, dict):
        return {path: pathlib.Path(path).read_text() for path in event['read'] if pathlib.Path(path).exists()}
    if event == 'variables':
        return dict(os.environ)
    return {
        'image': pathlib.Path('/etc/image').read_text(),
        'directory': os.getcwd(),
        'task': sorted(os.listdir('/var/task')),
        'name': context.function_name,
        'arn': context.invoked_function_arn,
        'request': context.aws_request_id,
        'memory': context.memory_limit_in_mb,
        'left': 0 < context.get_remaining_time_in_millis() <= 20000,
    }
"""


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("skopeo") is None:
        pytest.skip("there is no skopeo here")
    image = base_image(tmp_path_factory.mktemp("client"))
    return image.write_layout(tmp_path_factory.mktemp("images") / "python", "latest")


@pytest.fixture(scope="module")
def server(layout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lambent]:
    source = f"oci:{layout}:latest"
    flags = (
        f"{OTHER}={source}",
        f"{PYTHON}={source}",
        f"provided.al2023={source}",
        "dotnet8=oci:/nowhere:latest",
    )
    arguments = ["--image-sources", f"oci:{layout}"]
    arguments += [word for flag in flags for word in ("--runtime-image", flag)]
    server = Lambent.start(tmp_path_factory.mktemp("runtime-images") / "data", *arguments)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def name(server: Lambent) -> str:
    return deploy(server)


def deploy(server: Lambent, **settings: Any) -> str:
    chosen = {"Runtime": OTHER, "Handler": "app.handler", "Timeout": 20, "MemorySize": 256}
    return server.deploy({"app.py": SOURCE}, **(chosen | settings))


def test_a_function_runs_in_the_image(server: Lambent, name: str) -> None:
    result = server.invoke(name, "context")
    assert result.value == {
        "image": "a base image\n",
        "directory": "/var/task",
        "task": ["app.py"],
        "name": name,
        "arn": f"arn:aws:lambda:us-east-1:{server.account_id}:function:{name}",
        "request": result.request_id,
        "memory": "256",
        "left": True,
    }
    assert f"START RequestId: {result.request_id} Version: $LATEST\nhandling\n" in result.tail
    assert "REPORT" in result.tail
    lines = eventually(
        lambda: (found := server.log_lines(f"/aws/lambda/{name}")) and "REPORT" in found[-1] and found
    )
    assert "imported\n" in lines
    assert lines[0].startswith("INIT_START Runtime Version: python:3.14.v")


def test_the_variables_are_those_of_aws(server: Lambent, name: str) -> None:
    variables = server.call(name, "variables")
    expected = {
        "AWS_EXECUTION_ENV": "AWS_Lambda_of_the_image",  # as its bootstrap says, like those of AWS
        "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:"
        "/var/task:/var/task/lib:/opt/lib",
        "OF_THE_IMAGE": "yes",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "TZ": ":UTC",
        "_HANDLER": "app.handler",
    }
    assert {key: variables.get(key) for key in expected} == expected


def test_what_fails_is_told_as_on_aws(server: Lambent, name: str) -> None:
    raised = server.invoke(name, "raise").error_object
    assert (raised["errorType"], raised["errorMessage"]) == ("ValueError", "no")
    assert "/var/task/app.py" in raised["stackTrace"][0]
    ended = server.invoke(name, "exit")
    assert ended.error_object["errorMessage"].endswith("Runtime exited with error: exit status 3")
    late = deploy(server, Timeout=1)
    timed_out = server.invoke(late, "sleep")
    assert timed_out.error_object["errorMessage"].endswith("Task timed out after 1.00 seconds")
    unknown = deploy(server, Handler="nothing.handler")
    assert server.invoke(unknown).error_object["errorType"] == "Runtime.ImportModuleError"
    wrapped = deploy(server, Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/none"}})
    assert (
        server.invoke(wrapped)
        .error_object["errorMessage"]
        .endswith("Runtime exited with error: exit status 127")
    )


def test_layers_are_at_opt(server: Lambent) -> None:
    layer = server.lambda_.publish_layer_version(
        LayerName=server.new_name("layer"),
        Content={
            "ZipFile": zip_of({"of-the-layer": "here", "bin/wrapper": '#!/bin/sh\nWRAPPED=yes exec "$@"\n'})
        },
        CompatibleRuntimes=[OTHER],
    )
    name = deploy(
        server,
        Layers=[layer["LayerVersionArn"]],
        Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bin/wrapper"}},
    )
    read = server.call(name, {"read": ["/opt/of-the-layer", "/var/task/inside.py"]})
    assert read == {"/opt/of-the-layer": "here"}
    assert server.call(name, "variables")["WRAPPED"] == "yes"


def test_an_image_goes_before_an_interpreter_of_the_host(server: Lambent) -> None:
    assert server.call(deploy(server, Runtime=PYTHON), "context")["image"] == "a base image\n"


def test_a_custom_runtime_gets_the_image_as_its_userland(server: Lambent) -> None:
    client = 'exec /var/lang/bin/python3 -m awslambdaric "$_HANDLER"'
    bootstrap = f"#!/bin/sh\nexport PYTHONPATH=/var/runtime\n{client}\n"
    settings = {"Runtime": "provided.al2023", "Handler": "app.handler", "MemorySize": 256}
    name = server.deploy({"app.py": SOURCE, "bootstrap": bootstrap}, **settings)
    assert server.call(name, "context")["image"] == "a base image\n"
    without = server.invoke(server.deploy({"app.py": SOURCE}, **settings))
    assert without.error_object["errorType"] == "Runtime.InvalidEntrypoint"


def test_the_same_image_is_a_function(server: Lambent, layout: Path) -> None:
    """By its entry point, with its own code."""
    name = server.new_name()
    server.lambda_.create_function(
        FunctionName=name,
        Role=server.role,
        PackageType="Image",
        Code={"ImageUri": f"oci:{layout}:latest"},
        ImageConfig={"Command": ["inside.handler"]},
        MemorySize=256,
        Timeout=20,
    )
    server.wait_active(name)
    assert server.call(name, "x") == "inside"


def test_an_image_that_cannot_be_had(server: Lambent) -> None:
    with pytest.raises(
        ClientError, match="The runtime dotnet8 is not available on this host: its image could not"
    ):
        deploy(server, Runtime="dotnet8")
    with pytest.raises(ClientError, match=r"ruby3\.4=public\.ecr\.aws/lambda/ruby:3\.4"):
        deploy(server, Runtime="ruby3.4")
    assert "functions of dotnet8 cannot run: its image oci:/nowhere:latest is not here: " in server.log


def test_snap_start_is_refused(server: Lambent) -> None:
    name = deploy(server, SnapStart={"ApplyOn": "PublishedVersions"})
    server.lambda_.publish_version(FunctionName=name)

    def settled() -> dict[str, Any] | None:
        found = server.lambda_.get_function_configuration(FunctionName=name, Qualifier="1")
        return found if found["State"] != "Pending" else None

    failed = eventually(settled)
    assert (failed["State"], failed["StateReasonCode"]) == ("Failed", "InvalidConfiguration")


def test_the_command_says_what_is_here(
    server: Lambent, layout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--data-dir", str(server.data_dir), "--runtime-image", f"{OTHER}=oci:{layout}:latest")
    flags += ("--runtime-image", "dotnet8=oci:/nowhere:latest")
    assert run(["runtimes", "--json", *flags]) == 0
    rows = {row["identifier"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows[OTHER]["image"] == f"oci:{layout}:latest"
    assert rows[OTHER]["version"].startswith("3.14.")
    assert rows["dotnet8"]["version"] is None
    assert rows["dotnet8"]["reason"].startswith("its image oci:/nowhere:latest is not here")


def shell_image(**more: Entry) -> Image:
    return Image([shell_layer(var__runtime__bootstrap=SHELL_RUNTIME.encode(), **more)])


def test_what_was_fetched_outlives_its_source(new_server: NewServer, tmp_path: Path) -> None:
    source = tmp_path / "layout"
    shell_image().write_layout(source)
    server = new_server("--runtime-image", f"ruby3.4=oci:{source}:latest")
    name = server.deploy({"app.rb": ""}, Runtime="ruby3.4", Handler="app.handler")
    assert server.call(name, "echo $AWS_EXECUTION_ENV")["output"] == "AWS_Lambda_ruby3.4"
    server.kill()
    shutil.rmtree(source)
    server.start_again()
    assert server.call(name, "echo $_HANDLER")["output"] == "app.handler"
    assert "what was fetched before goes on" in server.log
    server.stop()
    Image([shell_layer()]).write_layout(source)  # it moves on, to what is none
    server.start_again()
    assert server.call(name, "echo $_HANDLER")["output"] == "app.handler"
    assert "it has no directory /var" in server.log


def test_a_tag_of_a_registry_that_wants_a_password(
    lambent: Lambent, new_server: NewServer, tmp_path: Path
) -> None:
    ecr, repository, credentials = (
        lambent.client("ecr"),
        lambent.new_name("base"),
        tmp_path / "registries.json",
    )
    registry = lambent.endpoint.partition("//")[2]
    ecr.create_repository(repositoryName=repository)
    shell_image().push(ecr, repository, "3.4")
    credentials.write_text("{}")
    source = f"{registry}/{repository}:3.4"
    server = new_server("--runtime-image", f"ruby3.4={source}", "--image-credentials-file", str(credentials))
    eventually(lambda: f"its image {source} is not here: " in server.log)
    assert "unauthorized: " in server.log
    server.stop()
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    credentials.write_text(json.dumps({"auths": {registry: {"auth": token}}}))
    server.start_again()
    name = server.deploy({"app.rb": ""}, Runtime="ruby3.4", Handler="app.handler")
    assert server.call(name, "test -e /etc/patch || echo none")["output"] == "none"
    patched = shell_image(etc__patch="1\n")
    patched.push(ecr, repository, "3.4")
    server.stop()
    server.start_again()
    assert server.call(name, "read -r x </etc/patch; echo $x")["output"] == "1"
    assert f"ruby3.4 is taken from {source} ({patched.digest})" in server.log


def test_a_start_that_waits_for_an_image_can_be_ended(tmp_path: Path) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    source = f"127.0.0.1:{silent.getsockname()[1]}/ruby:3.4"
    command = [sys.executable, "-m", "lambent", "start", "--port", "0", "--data-dir", str(tmp_path / "data")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--runtime-image", f"ruby3.4={source}"], stderr=log)
    try:
        eventually(lambda: f"looking up {source}" in (tmp_path / "log").read_text(), seconds=60)
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        silent.close()
    assert "Traceback" not in (tmp_path / "log").read_text()
