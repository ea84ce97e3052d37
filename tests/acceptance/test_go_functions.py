"""Functions on the real aws-lambda-go as a custom runtime, and an extension in Go beside them."""

import base64
import json

import pytest
from compiled_functions import go_program
from images import File, Image, tar_of
from lambent_server import Lambent, eventually, zip_of


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return go_program("go_function", tmp_path_factory.mktemp("go"))


@pytest.fixture(scope="module")
def name(lambent: Lambent, bootstrap: bytes) -> str:
    return lambent.deploy({"bootstrap": bootstrap}, Runtime="provided.al2023", Handler="main", MemorySize=256)


def test_it_answers_and_is_reused(lambent: Lambent, name: str) -> None:
    for count in (1, 2):
        context = base64.b64encode(json.dumps({"custom": {"a": "b"}}).encode()).decode()
        response = lambent.lambda_.invoke(FunctionName=name, Payload=b'"hello"', ClientContext=context)
        found = json.loads(response["Payload"].read())
        trace = found.pop("trace")
        assert trace.startswith("Root=1-")
        assert found == {
            "event": "hello",
            "requestId": response["ResponseMetadata"]["RequestId"],
            "arn": f"arn:aws:lambda:us-east-1:{lambent.account_id}:function:{name}",
            "name": name,
            "memoryMb": 256,
            "deadline": True,
            "custom": "b",
            "count": count,
        }
    eventually(lambda: "handling hello\n" in lambent.log_lines(f"/aws/lambda/{name}"))


def test_errors_are_the_clients(lambent: Lambent, name: str) -> None:
    assert lambent.invoke(name, "fail").error_object == {
        "errorMessage": "no such name",
        "errorType": "errorString",
    }
    assert lambent.invoke(name, "custom").error_object["errorType"] == "customError"
    panicked = lambent.invoke(name, "panic").error_object
    assert (panicked["errorMessage"], panicked["errorType"]) == ("at the disco", "string")
    assert panicked["stackTrace"]
    ended = lambent.invoke(name, "exit").error_object
    assert ended["errorType"] == "Runtime.ExitError"
    assert ended["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    assert lambent.invoke(name, "again").value["count"] == 1


def test_it_streams(lambent: Lambent, name: str) -> None:
    response = lambent.lambda_.invoke_with_response_stream(FunctionName=name, Payload=b'"stream"')
    pieces = [
        event["PayloadChunk"]["Payload"] for event in response["EventStream"] if "PayloadChunk" in event
    ]
    assert b"".join(pieces).endswith(b"in pieces")


@pytest.fixture(scope="module")
def extension(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return go_program("go_extension", tmp_path_factory.mktemp("go-extension"))


def told_in_go(lambent: Lambent, name: str) -> set[str]:
    """Types of the events that the extension in Go was sent, when the report is among them."""
    told = "go extension was told "

    def types() -> set[str]:
        lines = lambent.log_lines(f"/aws/lambda/{name}")
        return {line.removeprefix(told).strip() for line in lines if line.startswith(told)}

    return eventually(lambda: (found := types()) and "platform.report" in found and found) or set()


def test_an_extension_in_go(lambent: Lambent, bootstrap: bytes, extension: bytes) -> None:
    content = {"ZipFile": zip_of({"extensions/goagent": extension})}
    layer = lambent.lambda_.publish_layer_version(LayerName=lambent.new_name("goagent"), Content=content)
    name = lambent.deploy(
        {"bootstrap": bootstrap},
        Runtime="provided.al2023",
        Handler="main",
        Layers=[layer["LayerVersionArn"]],
        MemorySize=256,
    )
    assert lambent.invoke(name, "hello").value["event"] == "hello"
    expected = {"platform.initStart", "platform.telemetrySubscription", "platform.runtimeDone", "function"}
    assert expected <= told_in_go(lambent, name)
    lambent.lambda_.update_function_configuration(FunctionName=name, Description="another")
    eventually(lambda: "go extension ends: SPINDOWN\n" in lambent.log_lines(f"/aws/lambda/{name}"))


def test_an_image_of_nothing_but_two_programs(lambent: Lambent, bootstrap: bytes, extension: bytes) -> None:
    layer = tar_of({"main": File(bootstrap, 0o755), "opt/extensions/goagent": File(extension, 0o755)})
    repository = lambent.new_name("go")
    lambent.client("ecr").create_repository(repositoryName=repository)
    Image([layer], {"Entrypoint": ["/main"]}).push(lambent.client("ecr"), repository)
    name = lambent.new_name("go-image")
    uri = f"{lambent.account_id}.dkr.ecr.us-east-1.amazonaws.com/{repository}:latest"
    lambent.lambda_.create_function(
        FunctionName=name, Role=lambent.role, PackageType="Image", Code={"ImageUri": uri}, Timeout=10
    )
    lambent.lambda_.get_waiter("function_active_v2").wait(FunctionName=name)
    assert lambent.invoke(name, "hello").value["event"] == "hello"
    assert {"platform.initStart", "platform.runtimeDone", "function"} <= told_in_go(lambent, name)
