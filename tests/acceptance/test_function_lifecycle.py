"""A function's life over the public API: made, run, changed, published, deleted."""

import base64
import hashlib
import urllib.request
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from lambent_server import NODE, PYTHON, Code, Lambent, zip_of

NewServer = Callable[..., Lambent]

ECHO = "def handler(event, context):\n    return {'event': event, 'version': context.function_version}\n"
BOOTSTRAP = r"""#!/bin/bash
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  headers=$(mktemp)
  event=$(curl -sS -D "$headers" "$api/next")
  id=$(grep -i ^lambda-runtime-aws-request-id: "$headers" | tr -d '\r' | cut -d' ' -f2)
  curl -sS -o /dev/null --data-binary "{\"handler\":\"$_HANDLER\",\"event\":$event}" "$api/$id/response"
done
"""


@pytest.mark.parametrize(
    ("runtime", "code"),
    [
        (PYTHON, {"index.py": "def handler(event, context):\n    return {'length': len(event['word'])}\n"}),
        (NODE, {"index.mjs": "export const handler = async (event) => ({length: event.word.length});"}),
    ],
)
def test_create_wait_invoke_delete(lambent: Lambent, runtime: str, code: dict[str, str]) -> None:
    name = lambent.new_name()
    created = lambent.lambda_.create_function(
        FunctionName=name,
        Runtime=runtime,
        Handler="index.handler",
        Role=lambent.role,
        Code={"ZipFile": zip_of(code)},
    )
    assert created["State"] == "Pending"
    assert created["StateReasonCode"] == "Creating"
    lambent.lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    result = lambent.invoke(name, {"word": "lambda"})
    assert result.value == {"length": 6}
    assert result.response["StatusCode"] == 200
    assert result.response["ExecutedVersion"] == "$LATEST"
    assert lambent.lambda_.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(ClientError) as refused:
        lambent.invoke(name)
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
    arn = f"arn:aws:lambda:us-east-1:{lambent.account_id}:function:{name}"
    assert refused.value.response["Error"]["Message"] == f"Function not found: {arn}:$LATEST"


def test_custom_runtime_of_bash_and_curl(lambent: Lambent) -> None:
    name = lambent.deploy({"bootstrap": BOOTSTRAP}, Runtime="provided.al2023", Handler="say.hello")
    for number in range(3):
        assert lambent.call(name, {"n": number}) == {"handler": "say.hello", "event": {"n": number}}


def test_an_update_of_code_serves_the_old_code_until_it_has_succeeded(new_server: NewServer) -> None:
    lambent = new_server("--state-transition-seconds", "3")
    name = lambent.python("def handler(event, context): return 'old'\n")
    updated = lambent.lambda_.update_function_code(
        FunctionName=name, ZipFile=zip_of({"index.py": "def handler(event, context): return 'new'\n"})
    )
    assert updated["LastUpdateStatus"] == "InProgress"
    assert lambent.call(name) == "old"
    for change in (
        lambda: lambent.lambda_.update_function_code(FunctionName=name, ZipFile=zip_of({"index.py": ECHO})),
        lambda: lambent.lambda_.update_function_configuration(FunctionName=name, Timeout=5),
    ):
        with pytest.raises(ClientError) as refused:
            change()
        assert refused.value.response["Error"]["Code"] == "ResourceConflictException"
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
        assert refused.value.response["Error"]["Message"] == (
            "The operation cannot be performed at this time. An update is in progress for resource: "
            + updated["FunctionArn"]
        )
    lambent.lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    assert lambent.call(name) == "new"
    settled = lambent.lambda_.get_function_configuration(FunctionName=name)
    assert settled["CodeSha256"] == updated["CodeSha256"]
    assert settled["RevisionId"] != updated["RevisionId"]


def test_a_pending_function_is_not_invoked(new_server: NewServer) -> None:
    lambent = new_server("--state-transition-seconds", "3")
    name = lambent.new_name()
    lambent.lambda_.create_function(
        FunctionName=name,
        Runtime=PYTHON,
        Handler="index.handler",
        Role=lambent.role,
        Code={"ZipFile": zip_of({"index.py": ECHO})},
    )
    with pytest.raises(ClientError) as refused:
        lambent.invoke(name)
    assert refused.value.response["Error"]["Code"] == "ResourceConflictException"
    assert refused.value.response["Error"]["Message"] == (
        "The operation cannot be performed at this time. The function is currently in the following state: Pending"
    )


def test_an_update_of_the_configuration_reaches_the_next_invocation(lambent: Lambent) -> None:
    name = lambent.python(
        "import os\ndef handler(event, context): return [os.environ.get('COLOUR'), context.memory_limit_in_mb]\n",
        Environment={"Variables": {"COLOUR": "red"}},
    )
    assert lambent.call(name) == ["red", "128"]
    lambent.lambda_.update_function_configuration(
        FunctionName=name, MemorySize=256, Environment={"Variables": {"COLOUR": "blue"}}
    )
    lambent.wait_active(name)
    assert lambent.call(name) == ["blue", "256"]


def test_revision_ids_guard_against_lost_updates(lambent: Lambent) -> None:
    name = lambent.python(ECHO)
    revision = lambent.lambda_.get_function_configuration(FunctionName=name)["RevisionId"]
    lambent.lambda_.update_function_configuration(FunctionName=name, Description="1", RevisionId=revision)
    lambent.wait_active(name)
    with pytest.raises(ClientError) as refused:
        lambent.lambda_.update_function_configuration(FunctionName=name, Description="2", RevisionId=revision)
    assert refused.value.response["Error"]["Code"] == "PreconditionFailedException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412


def test_a_published_version_stays_what_it_was(lambent: Lambent) -> None:
    name = lambent.python("def handler(event, context): return ['one', context.function_version]\n")
    first = lambent.lambda_.publish_version(FunctionName=name, Description="first")
    assert first["Version"] == "1"
    assert first["FunctionArn"].endswith(f":function:{name}:1")
    assert lambent.lambda_.publish_version(FunctionName=name)["Version"] == "1", "nothing changed since"
    lambent.wait_active(name, "1")
    lambent.update_code(
        name, {"index.py": "def handler(event, context): return ['two', context.function_version]\n"}
    )
    assert lambent.call(name) == ["two", "$LATEST"]
    old = lambent.invoke(name, Qualifier="1")
    assert old.value == ["one", "1"]
    assert old.response["ExecutedVersion"] == "1"
    lambent.lambda_.delete_function(FunctionName=name, Qualifier="1")
    with pytest.raises(ClientError) as refused:
        lambent.invoke(name, Qualifier="1")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_an_alias_with_weights_reaches_both_versions(lambent: Lambent) -> None:
    name = lambent.python("def handler(event, context): return context.function_version\n")
    lambent.lambda_.publish_version(FunctionName=name)
    lambent.update_code(name, {"index.py": "def handler(e, context): return context.function_version\n"})
    lambent.lambda_.publish_version(FunctionName=name)
    for version in "12":
        lambent.wait_active(name, version)
    alias = lambent.lambda_.create_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    assert alias["AliasArn"].endswith(f":function:{name}:live")
    executed = set()
    for _ in range(60):  # all on one side: once in 2**59 runs
        result = lambent.invoke(name, Qualifier="live")
        assert result.value == result.response["ExecutedVersion"]
        executed.add(result.value)
        if len(executed) == 2:
            break
    assert executed == {"1", "2"}
    lambent.lambda_.update_alias(
        FunctionName=name, Name="live", FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}}
    )
    assert {lambent.call(name, Qualifier="live") for _ in range(10)} == {"2"}
    with pytest.raises(ClientError) as refused:
        lambent.lambda_.delete_function(FunctionName=name, Qualifier="2")
    assert refused.value.response["Error"]["Code"] == "ResourceConflictException"


def test_layers_are_merged_in_their_order(lambent: Lambent) -> None:
    def publish(code: Code) -> str:
        return str(
            lambent.lambda_.publish_layer_version(
                LayerName=lambent.new_name("layer"), Content={"ZipFile": zip_of(code)}
            )["LayerVersionArn"]
        )

    below = publish({"python/greeting.py": "TEXT = 'below'\n", "python/only_below.py": "HERE = True\n"})
    above = publish(
        {"python/greeting.py": "TEXT = 'above'\n", "bin/say": "#!/bin/sh\necho said $1\n", "data.txt": "42"}
    )
    name = lambent.python(
        "import greeting, only_below, subprocess, pathlib\n"
        "def handler(event, context):\n"
        "    said = subprocess.run(['say', 'it'], capture_output=True, text=True).stdout\n"
        "    return [greeting.TEXT, only_below.HERE, said, pathlib.Path('/opt/data.txt').read_text()]\n",
        Layers=[below, above],
    )
    assert lambent.call(name) == ["above", True, "said it\n", "42"]
    lambent.lambda_.update_function_configuration(FunctionName=name, Layers=[above, below])
    lambent.wait_active(name)
    assert lambent.call(name)[0] == "below"


def test_a_layer_of_node_modules(lambent: Lambent) -> None:
    layer = lambent.lambda_.publish_layer_version(
        LayerName=lambent.new_name("layer"),
        CompatibleRuntimes=[NODE],
        Content={
            "ZipFile": zip_of(
                {
                    "nodejs/node_modules/shout/index.js": "module.exports = (text) => text.toUpperCase();",
                    "nodejs/node_modules/shout/package.json": '{"name": "shout", "main": "index.js"}',
                }
            )
        },
    )
    name = lambent.node(
        "const shout = require('shout'); exports.handler = async (event) => shout(event);",
        Layers=[layer["LayerVersionArn"]],
    )
    assert lambent.call(name, "hello") == "HELLO"


def test_dry_run_of_an_update_changes_nothing(lambent: Lambent) -> None:
    name = lambent.python("def handler(event, context): return 'kept'\n")
    before = lambent.lambda_.get_function_configuration(FunctionName=name)
    tried = lambent.lambda_.update_function_code(
        FunctionName=name, ZipFile=zip_of({"index.py": "raise Exception\n"}), DryRun=True
    )
    assert tried["CodeSha256"] != before["CodeSha256"]
    assert lambent.lambda_.get_function_configuration(FunctionName=name) | {
        "ResponseMetadata": None
    } == before | {"ResponseMetadata": None}
    assert lambent.call(name) == "kept"


def test_tags(lambent: Lambent) -> None:
    name = lambent.python(ECHO, Tags={"team": "data"})
    arn = lambent.lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    lambent.lambda_.tag_resource(Resource=arn, Tags={"stage": "test"})
    assert lambent.lambda_.list_tags(Resource=arn)["Tags"] == {"team": "data", "stage": "test"}
    lambent.lambda_.untag_resource(Resource=arn, TagKeys=["team"])
    assert lambent.lambda_.get_function(FunctionName=name)["Tags"] == {"stage": "test"}


def test_paginators_meet_everything_once(lambent: Lambent) -> None:
    prefix = lambent.new_name("page")
    names = [f"{prefix}-{number}" for number in range(5)]
    for name in names:
        lambent.deploy({"index.py": ECHO}, FunctionName=name)
    pages = lambent.lambda_.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    listed = [function["FunctionName"] for page in pages for function in page["Functions"]]
    assert [name for name in listed if name.startswith(prefix)] == names
    for number in range(3):
        lambent.update_code(names[0], {"index.py": ECHO + f"# {number}\n"})
        lambent.lambda_.publish_version(FunctionName=names[0])
        lambent.wait_active(names[0], str(number + 1))
        lambent.lambda_.create_alias(
            FunctionName=names[0], Name=f"a{number}", FunctionVersion=str(number + 1)
        )
    pages = lambent.lambda_.get_paginator("list_versions_by_function").paginate(
        FunctionName=names[0], PaginationConfig={"PageSize": 2}
    )
    assert [version["Version"] for page in pages for version in page["Versions"]] == [
        "$LATEST",
        "1",
        "2",
        "3",
    ]
    pages = lambent.lambda_.get_paginator("list_aliases").paginate(
        FunctionName=names[0], PaginationConfig={"PageSize": 2}
    )
    assert [alias["Name"] for page in pages for alias in page["Aliases"]] == ["a0", "a1", "a2"]


def test_the_code_that_is_offered_for_download_is_what_was_uploaded(lambent: Lambent) -> None:
    packed = zip_of({"index.py": ECHO})
    name = lambent.deploy(packed)
    found = lambent.lambda_.get_function(FunctionName=name)
    with urllib.request.urlopen(found["Code"]["Location"]) as download:
        assert download.read() == packed
    digest = base64.b64encode(hashlib.sha256(packed).digest()).decode()
    assert found["Configuration"]["CodeSha256"] == digest
    assert found["Configuration"]["CodeSize"] == len(packed)


def test_two_creations_of_one_name(lambent: Lambent) -> None:
    name = lambent.python(ECHO)
    with pytest.raises(ClientError) as refused:
        lambent.python(ECHO, FunctionName=name)
    assert refused.value.response["Error"]["Code"] == "ResourceConflictException"
    assert refused.value.response["Error"]["Message"] == f"Function already exist: {name}"


def test_a_custom_runtime_that_ends_after_each_answer(lambent: Lambent) -> None:
    """As runtime clients do after an error that nobody caught: the next invocation gets a new one."""
    once = BOOTSTRAP.replace("while true; do", "for only in once; do")
    name = lambent.deploy({"bootstrap": once}, Runtime="provided.al2023", Handler="x", MemorySize=512)
    for number in range(6):
        assert lambent.call(name, number) == {"handler": "x", "event": number}


def test_a_custom_runtime_without_a_bootstrap(lambent: Lambent) -> None:
    name = lambent.deploy({"other": "x"}, Runtime="provided.al2023", Handler="x")
    result = lambent.invoke(name)
    assert result.error_object["errorType"] == "Runtime.InvalidEntrypoint"
