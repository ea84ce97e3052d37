"""Extensions in layers: one in Python beside a Python function, one in bash beside a Node.js function."""

import json

from lambent_server import PYTHON, Lambent, eventually, zip_of

AGENT = """#!/usr/bin/python3
import json, os, urllib.request
base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2020-01-01/extension"

def call(path, data=None, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(f"{base}/{path}", data, named)) as answer:
        return answer.headers, json.loads(answer.read())

name = os.path.basename(__file__)
events = json.dumps({"events": ["INVOKE", "SHUTDOWN"]}).encode()
headers, told = call("register", events, Lambda_Extension_Name=name)
print("agent registered for", told["functionName"], "_HANDLER" in os.environ, flush=True)
while True:
    _, event = call("event/next", Lambda_Extension_Identifier=headers["Lambda-Extension-Identifier"])
    print("agent was told", event["eventType"], event.get("requestId", event.get("shutdownReason")), flush=True)
    if event["eventType"] == "SHUTDOWN":
        break
"""
CRASHES = "#!/bin/sh\necho going\nexit 3\n"
SOURCE = "def handler(event, context):\n    print('handling')\n    return context.aws_request_id\n"


def layer(lambent: Lambent, name: str, files: dict[str, str]) -> str:
    content = {"ZipFile": zip_of({path: text.encode() for path, text in files.items()})}
    arn: str = lambent.client("lambda").publish_layer_version(LayerName=name, Content=content)[
        "LayerVersionArn"
    ]
    return arn


def test_an_extension_sees_every_invocation_and_the_end(lambent: Lambent) -> None:
    arn = layer(lambent, lambent.new_name("agent"), {"extensions/agent": AGENT})
    name = lambent.deploy(
        {"app.py": SOURCE}, Runtime=PYTHON, Handler="app.handler", Layers=[arn], MemorySize=512
    )
    ids = [lambent.call(name, {}) for _ in range(2)]
    group = f"/aws/lambda/{name}"
    lines = eventually(
        lambda: (found := lambent.log_lines(group)) and f"agent was told INVOKE {ids[1]}\n" in found and found
    )
    assert f"agent registered for {name} False\n" in lines
    assert "EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n" in lines
    assert lines.count("handling\n") == 2
    assert [line for line in lines if line.startswith("agent was told")] == [
        f"agent was told INVOKE {id}\n" for id in ids
    ]
    lambent.client("lambda").update_function_configuration(FunctionName=name, Description="another")
    eventually(lambda: "agent was told SHUTDOWN SPINDOWN\n" in lambent.log_lines(group))


def test_an_extension_is_told_that_the_runtime_has_ended(lambent: Lambent) -> None:
    arn = layer(lambent, lambent.new_name("agent"), {"extensions/agent": AGENT})
    name = lambent.deploy(
        {"app.py": "import os\ndef handler(event, context):\n    os._exit(7)\n"},
        Runtime=PYTHON,
        Handler="app.handler",
        Layers=[arn],
        MemorySize=512,
    )
    failed = lambent.invoke(name, {})
    assert failed.error_object["errorMessage"].endswith("Runtime exited with error: exit status 7")
    eventually(lambda: "agent was told SHUTDOWN FAILURE\n" in lambent.log_lines(f"/aws/lambda/{name}"))


def test_an_extension_that_ends_is_the_functions_error(lambent: Lambent) -> None:
    arn = layer(lambent, lambent.new_name("crashes"), {"extensions/crashes": CRASHES})
    name = lambent.deploy(
        {"app.py": SOURCE}, Runtime=PYTHON, Handler="app.handler", Layers=[arn], MemorySize=512
    )
    failed = lambent.invoke(name, {})
    assert failed.error_object["errorType"] == "Extension.Crash"
    assert failed.error_object["errorMessage"].endswith("Error: extension crashes has ended")
    said = "EXTENSION\tName: crashes\tState: Exited\tEvents: []\tError Type: Extension.Crash\n"
    eventually(lambda: said in lambent.log_lines(f"/aws/lambda/{name}"))


def test_an_extension_that_cannot_be_executed(lambent: Lambent) -> None:
    arn = layer(lambent, lambent.new_name("broken"), {"extensions/broken": "#!/no/such/interpreter\n"})
    name = lambent.deploy(
        {"app.py": SOURCE}, Runtime=PYTHON, Handler="app.handler", Layers=[arn], MemorySize=512
    )
    failed = lambent.invoke(name, {})
    assert failed.error_object["errorType"] == "Extension.LaunchError"
    assert json.dumps(failed.error_object).count("/opt/extensions/broken") == 1
    said = "EXTENSION\tName: broken\tState: LaunchError\tEvents: []\tError Type: UnknownError\n"
    eventually(lambda: said in lambent.log_lines(f"/aws/lambda/{name}"))


def test_a_handler_that_cannot_be_imported_is_not_the_extensions_fault(lambent: Lambent) -> None:
    arn = layer(lambent, lambent.new_name("agent"), {"extensions/agent": AGENT})
    name = lambent.deploy(
        {"app.py": "import nothing_like_it\n"},
        Runtime=PYTHON,
        Handler="app.handler",
        Layers=[arn],
        MemorySize=512,
    )
    for _ in range(2):
        assert lambent.invoke(name, {}).error_object["errorType"] == "Runtime.ImportModuleError"
