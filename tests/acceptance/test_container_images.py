"""Functions of container images: made by hand, pushed to ECR here, invoked."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from images import Directory, File, Image, Link, shell_layer, tar_of
from lambent_cli import aws_text
from lambent_server import Lambent, eventually

NewServer = Callable[..., Lambent]


@pytest.fixture(scope="module")
def userland() -> bytes:
    return shell_layer()


@pytest.fixture(scope="module")
def image(userland: bytes) -> Image:
    return Image(
        [userland, tar_of({"app": Directory(), "app/marker": "here"})],
        {"Entrypoint": ["/entry.sh", "one"], "Cmd": ["two"], "WorkingDir": "/app", "Env": ["FROM_IMAGE=yes"]},
    )


@pytest.fixture(scope="module")
def repository(lambent: Lambent, image: Image) -> str:
    """Named so, with the image as its latest."""
    name = lambent.new_name("images/app")
    lambent.client("ecr").create_repository(repositoryName=name)
    image.push(lambent.client("ecr"), name)
    return name


def aws_uri(lambent: Lambent, repository: str, tag: str = "latest") -> str:
    return f"{lambent.account_id}.dkr.ecr.us-east-1.amazonaws.com/{repository}:{tag}"


def create(lambent: Lambent, uri: str, **settings: Any) -> str:
    name = lambent.new_name("image")
    lambent.lambda_.create_function(
        FunctionName=name,
        Role=lambent.role,
        PackageType="Image",
        Code={"ImageUri": uri},
        **{"Timeout": 10, **settings},
    )
    lambent.lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    return name


def test_an_image_is_run_as_it_says(lambent: Lambent, repository: str, image: Image) -> None:
    ecr = lambent.client("ecr")
    described = ecr.describe_repositories(repositoryNames=[repository])["repositories"][0]
    name = create(lambent, f"{described['repositoryUri']}:latest")
    answer = lambent.call(name, "read -r x </app/marker; echo $x $FROM_IMAGE $LAMBDA_TASK_ROOT")
    assert answer == {"arguments": "one two", "directory": "/app", "output": "here yes /var/task"}
    code = lambent.lambda_.get_function(FunctionName=name)["Code"]
    assert code == {
        "RepositoryType": "ECR",
        "ImageUri": f"{described['repositoryUri']}:latest",
        "ResolvedImageUri": f"{described['repositoryUri']}@{image.digest}",
    }
    policy = json.loads(ecr.get_repository_policy(repositoryName=repository)["policyText"])
    assert policy["Statement"][0]["Sid"] == "LambdaECRImageRetrievalPolicy"


def test_a_function_overrides_what_the_image_says(lambent: Lambent, repository: str) -> None:
    overrides = {"EntryPoint": ["sh", "/entry.sh"], "Command": ["own", "words"], "WorkingDirectory": "/etc"}
    name = create(
        lambent,
        aws_uri(lambent, repository),
        ImageConfig=overrides,
        Environment={"Variables": {"FROM_IMAGE": "no"}},
    )
    answer = lambent.call(name, "echo $FROM_IMAGE")
    assert answer == {"arguments": "own words", "directory": "/etc", "output": "no"}
    lambent.lambda_.update_function_configuration(FunctionName=name, ImageConfig={})
    lambent.lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    assert lambent.call(name, "")["arguments"] == "one two"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"EntryPoint": ["/nothing"]}, "fork/exec /nothing: no such file or directory"),
        ({"EntryPoint": ["nothing"]}, 'exec: "nothing": executable file not found in $PATH'),
        ({"EntryPoint": ["/app/marker"]}, "fork/exec /app/marker: permission denied"),
        ({"WorkingDirectory": "/nowhere"}, "chdir /nowhere: no such file or directory"),
    ],
)
def test_an_entry_point_that_is_none(
    lambent: Lambent, repository: str, overrides: dict[str, Any], message: str
) -> None:
    result = lambent.invoke(create(lambent, aws_uri(lambent, repository), ImageConfig=overrides))
    assert result.error_object == {
        "errorType": "Runtime.InvalidEntrypoint",
        "errorMessage": f"RequestId: {result.request_id} Error: {message}",
    }
    assert "INIT_START" not in result.tail


def test_an_entry_point_that_is_no_runtime(lambent: Lambent, repository: str) -> None:
    config = {"EntryPoint": ["sh", "-c", "exit 3"]}
    result = lambent.invoke(create(lambent, aws_uri(lambent, repository), ImageConfig=config))
    assert result.error_object == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {result.request_id} Error: Runtime exited with error: exit status 3",
    }


EXTENSION = """#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension"
curl -sS -D /tmp/registration -o /tmp/registered -H "Lambda-Extension-Name: watcher" \\
    -d '{"events": ["SHUTDOWN"]}' "$api/register"
while IFS=': ' read -r name value; do
    case $name in [Ll]ambda-[Ee]xtension-[Ii]dentifier) id=${value%?} ;; esac
done </tmp/registration
echo watching >/tmp/watching
exec curl -sS -H "Lambda-Extension-Identifier: $id" "$api/event/next"
"""


def test_an_extension_comes_with_an_image(lambent: Lambent, userland: bytes) -> None:
    ecr, repository = lambent.client("ecr"), lambent.new_name("extended")
    ecr.create_repository(repositoryName=repository)
    extended = tar_of({"opt/extensions/watcher": EXTENSION.encode()})
    Image([userland, extended], {"Entrypoint": ["/entry.sh"]}).push(ecr, repository)
    name = create(lambent, aws_uri(lambent, repository))
    assert lambent.call(name, "read -r x </tmp/watching; echo $x")["output"] == "watching"
    group = f"/aws/lambda/{name}"
    eventually(lambda: any("EXTENSION\tName: watcher" in line for line in lambent.log_lines(group)))


def test_versions_keep_the_image_that_they_were_published_with(
    lambent: Lambent, userland: bytes, image: Image
) -> None:
    ecr, repository = lambent.client("ecr"), lambent.new_name("versions")
    ecr.create_repository(repositoryName=repository)
    image.push(ecr, repository)
    uri = aws_uri(lambent, repository)
    name = create(lambent, uri, Publish=True)
    newer = Image([userland], {"Entrypoint": ["/entry.sh", "newer"]})
    newer.push(ecr, repository)
    assert lambent.call(name, "")["arguments"] == "one two"
    lambent.lambda_.update_function_code(FunctionName=name, ImageUri=uri)
    lambent.lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    assert lambent.call(name, "")["arguments"] == "newer"
    lambent.lambda_.create_alias(FunctionName=name, Name="old", FunctionVersion="1")
    lambent.lambda_.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="old", ProvisionedConcurrentExecutions=1
    )
    eventually(
        lambda: (
            lambent.lambda_.get_provisioned_concurrency_config(FunctionName=name, Qualifier="old")["Status"]
            == "READY"
        )
    )
    answer = lambent.lambda_.invoke(FunctionName=name, Qualifier="old", Payload=b'"echo"')
    assert json.loads(answer["Payload"].read())["arguments"] == "one two"


def test_functions_survive_a_restart_and_the_end_of_their_repository(
    new_server: NewServer, image: Image
) -> None:
    lambent = new_server()
    ecr = lambent.client("ecr")
    ecr.create_repository(repositoryName="app")
    image.push(ecr, "app")
    name = create(lambent, aws_uri(lambent, "app"))
    ecr.delete_repository(repositoryName="app", force=True)
    lambent.kill()
    lambent.start_again()
    assert lambent.call(name, "")["arguments"] == "one two"
    with pytest.raises(ClientError, match=r"Source image .* does not exist. Provide a valid source image."):
        lambent.lambda_.update_function_code(FunctionName=name, ImageUri=aws_uri(lambent, "app"))


def test_an_image_that_is_refused_fails_its_function(lambent: Lambent, userland: bytes) -> None:
    ecr, repository = lambent.client("ecr"), lambent.new_name("hostile")
    ecr.create_repository(repositoryName=repository)
    Image([userland, tar_of({"../../out": "x"})]).push(ecr, repository)
    name = lambent.new_name()
    created = {"FunctionName": name, "Role": lambent.role, "PackageType": "Image"}
    lambent.lambda_.create_function(**created, Code={"ImageUri": aws_uri(lambent, repository)})

    def settled() -> dict[str, Any] | None:
        found = lambent.lambda_.get_function_configuration(FunctionName=name)
        return found if found["State"] != "Pending" else None

    failed = eventually(settled)
    assert (failed["State"], failed["StateReasonCode"]) == ("Failed", "InvalidImage")
    assert "'..'" in failed["StateReason"]


def test_a_session_with_skopeo_and_the_aws_cli(lambent: Lambent, image: Image, tmp_path: Path) -> None:
    if shutil.which("skopeo") is None:
        pytest.skip("there is no skopeo here")
    registry, repository = lambent.endpoint.partition("//")[2], lambent.new_name("pushed")
    aws_text(lambent, "ecr", "create-repository", "--repository-name", repository)
    password = aws_text(lambent, "ecr", "get-login-password")
    auth, layout = f"--authfile={tmp_path / 'auth.json'}", image.write_layout(tmp_path / "layout")

    def skopeo(*arguments: str, given: str = "") -> str:
        finished = subprocess.run(
            ["skopeo", "--insecure-policy", *arguments],
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    skopeo("login", auth, "--tls-verify=false", "-uAWS", "--password-stdin", registry, given=password)
    pushed = f"docker://{registry}/{repository}"
    skopeo("copy", "--dest-tls-verify=false", f"--dest-{auth[2:]}", f"oci:{layout}:latest", f"{pushed}:v1")
    copied = f"docker://{registry}/{repository}:v2"
    skopeo("copy", "--src-tls-verify=false", "--dest-tls-verify=false", auth, f"{pushed}:v1", copied)
    assert json.loads(skopeo("inspect", auth, "--tls-verify=false", f"{pushed}:v2"))["Digest"] == image.digest
    tags = json.loads(skopeo("list-tags", auth, "--tls-verify=false", pushed))["Tags"]
    assert tags == ["v1", "v2"]
    name = lambent.new_name()
    uri = f"ImageUri={registry}/{repository}:v2"
    made = ("--function-name", name, "--role", lambent.role, "--package-type", "Image", "--code", uri)
    aws_text(lambent, "lambda", "create-function", *made)
    aws_text(lambent, "lambda", "wait", "function-active-v2", "--function-name", name)
    assert lambent.call(name, "")["arguments"] == "one two"
    skopeo("delete", auth, "--tls-verify=false", f"{pushed}:v1")
    assert not lambent.client("ecr").list_images(repositoryName=repository)["imageIds"]


def test_images_of_elsewhere_where_the_server_allows_it(
    new_server: NewServer, image: Image, tmp_path: Path
) -> None:
    if shutil.which("skopeo") is None:
        pytest.skip("there is no skopeo here")
    allowed, other = tmp_path / "images", tmp_path / "other"
    image.write_layout(allowed / "app")
    image.write_layout(other / "app")
    (allowed / "led").symlink_to(other)
    lambent = new_server("--image-sources", f"oci:{allowed}")
    uri = f"oci:{allowed}/app:latest"
    name = create(lambent, uri)
    assert lambent.call(name, "")["arguments"] == "one two"
    code = lambent.lambda_.get_function(FunctionName=name)["Code"]
    assert code["ResolvedImageUri"] == f"{uri}@{image.digest}"
    for refused in (
        f"oci:{other}/app:latest",
        f"oci:{allowed}/led/app:latest",
        f"oci:{allowed}/../other/app",
    ):
        with pytest.raises(ClientError, match=r"is not valid. Provide a valid source image."):
            create(lambent, refused)
    with pytest.raises(ClientError, match=r"does not exist. Provide a valid source image."):
        create(lambent, f"oci:{allowed}/nothing:latest")


def test_what_an_image_brings_along_opens_nothing(lambent: Lambent, userland: bytes) -> None:
    """Its root is read-only, its links lead nowhere but into itself, and what it calls /proc, /dev and /tmp is not
    shown."""
    hostile = tar_of(
        {
            "tmp": Link("/etc"),
            "proc": Link("/app"),
            "dev/null": File(b"not the device"),
            "app": Directory(0o777),
            "app/host": Link("/../../../../../../../../etc/shadow"),
            "suid": File(b"x", 0o6755),
        }
    )
    ecr, repository = lambent.client("ecr"), lambent.new_name("odd")
    ecr.create_repository(repositoryName=repository)
    Image([userland, hostile], {"Entrypoint": ["/entry.sh"]}).push(ecr, repository)
    name = create(lambent, aws_uri(lambent, repository))

    def says(commands: str) -> str:
        return str(lambent.call(name, commands)["output"])

    assert "Read-only" in says("echo x >/app/new")
    assert says("echo x >/tmp/new && echo made") == "made"
    assert says("read -r x </tmp/new; echo $x") == "x"
    assert "No such file" in says("read -r x </app/host")
    assert says("test -c /dev/null && test -r /proc/self/stat && echo own") == "own"
    assert says("test -u /suid || echo plain") == "plain"
    own = {"/app", "/bin", "/dev", "/entry.sh", "/etc", "/lib", "/lib64", "/proc", "/suid", "/tmp", "/usr"}
    assert set(says("echo /*").split()) <= own
    pids = [int(path.rpartition("/")[2]) for path in says("echo /proc/[0-9]*").split()]
    assert max(pids) < 300, "it sees processes of others"
    port = lambent.endpoint.rpartition(":")[2]
    for address in (f"127.0.0.1:{port}", "169.254.169.254"):
        assert "curl: (7)" in says(f"curl -sS -o /dev/null -m 3 http://{address}/")
    assert "curl: (7)" not in says("curl -sS -o /dev/null -m 3 http://127.0.0.1:9000/")
