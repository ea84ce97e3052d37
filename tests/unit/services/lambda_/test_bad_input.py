"""Every operation of the model, with input that is nearly right: never our failure, never half a change.

Requests that work, and others made from the service model, are spoilt: one or two members, wherever they are, missing,
empty, too long, of another type, out of the enumeration, or another resource's. They go the way of any request, from
HTTP to HTTP.
"""

import asyncio
import base64
import copy
import functools
import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from botocore.model import OperationModel, Shape
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from lambent.api.chain import Gateway
from lambent.api.dev_credentials import DevCredentials
from lambent.http.message import Request, Response
from lambent.model.lambda_errors import ResourceNotFoundException
from lambent.wire.service import load_service

ACCOUNT, REGION = "123456789012", "us-east-1"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}"
WIRE = load_service("lambda")
SIGNED = f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/{REGION}/lambda/aws4_request"
GOOD: dict[str, Any] = {
    "FunctionName": "hello",
    "Name": "live",
    "FunctionVersion": "1",
    "LayerName": "layer",
    "VersionNumber": 1,
    "StatementId": "statement",
    "Action": "lambda:InvokeFunction",
    "Principal": "s3.amazonaws.com",
    "Resource": f"{ARN}:function:hello",
    "ResourceArn": f"{ARN}:function:hello",
    "Arn": f"{ARN}:layer:layer:1",
    "CodeSigningConfigArn": f"{ARN}:code-signing-config:csc-{'0' * 17}",
    "AllowedPublishers": {
        "SigningProfileVersionArns": ["arn:aws:signer:us-east-1:123456789012:/signing-profiles/p/v"]
    },
    "Role": f"arn:aws:iam::{ACCOUNT}:role/works",
    "Runtime": "python3.13",
    "Handler": "app.handler",
    "Tags": {"a": "b"},
    "TagKeys": ["a"],
    "Payload": b"{}",
    "InvokeArgs": b"{}",
    "UUID": "00000000-0000-0000-0000-000000000000",
}
"""What fits, of members that cannot be made up."""
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "s3",
                "Effect": "Allow",
                "Principal": {"AWS": "999999999999"},
                "Action": "lambda:InvokeFunction",
                "Resource": GOOD["ResourceArn"],
            }
        ],
    }
)
F: dict[str, Any] = {"FunctionName": "hello"}
V = F | {"Qualifier": "1"}
LAYER = {"LayerName": "layer", "VersionNumber": 1}
WORKING: dict[str, dict[str, Any]] = {
    "AddLayerVersionPermission": LAYER | {"StatementId": "s2", "Action": "lambda:GetLayerVersion", "Principal": "*"},
    "AddPermission": F | {"StatementId": "s2", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"},
    "CreateAlias": F | {"Name": "next", "FunctionVersion": "1"},
    "CreateCodeSigningConfig": {"AllowedPublishers": GOOD["AllowedPublishers"]},
    "CreateEventSourceMapping": F | {"EventSourceArn": QUEUE + "2"},
    "CreateFunction": {
        "FunctionName": "new", "Runtime": "python3.13", "Handler": "app.handler", "Role": GOOD["Role"], "Code": {},
    },
    "CreateFunctionUrlConfig": F | {"Qualifier": "live", "AuthType": "NONE"},
    "DeleteAlias": F | {"Name": "live"},
    "DeleteCodeSigningConfig": {"CodeSigningConfigArn": ""},
    "DeleteEventSourceMapping": {"UUID": ""},
    "DeleteFunction": F,
    "DeleteFunctionCodeSigningConfig": F,
    "DeleteFunctionConcurrency": F,
    "DeleteFunctionEventInvokeConfig": F,
    "DeleteFunctionUrlConfig": F,
    "DeleteLayerVersion": LAYER,
    "DeleteProvisionedConcurrencyConfig": V,
    "DeleteResourcePolicy": {"ResourceArn": GOOD["ResourceArn"]},
    "GetAccountSettings": {},
    "GetAlias": F | {"Name": "live"},
    "GetCodeSigningConfig": {"CodeSigningConfigArn": ""},
    "GetEventSourceMapping": {"UUID": ""},
    "GetFunction": V,
    "GetFunctionCodeSigningConfig": F,
    "GetFunctionConcurrency": F,
    "GetFunctionConfiguration": V,
    "GetFunctionEventInvokeConfig": F,
    "GetFunctionRecursionConfig": F,
    "GetFunctionUrlConfig": F,
    "GetLayerVersion": LAYER,
    "GetLayerVersionByArn": {"Arn": f"{ARN}:layer:layer:1"},
    "GetLayerVersionPolicy": LAYER,
    "GetPolicy": F,
    "GetProvisionedConcurrencyConfig": V,
    "GetResourcePolicy": {"ResourceArn": GOOD["ResourceArn"]},
    "GetRuntimeManagementConfig": V,
    "Invoke": V | {"Payload": b"{}"},
    "InvokeAsync": F | {"InvokeArgs": b"{}"},
    "ListAliases": F,
    "ListCapacityProviders": {},
    "ListCodeSigningConfigs": {},
    "ListDurableExecutionsByFunction": F,
    "ListEventSourceMappings": F,
    "ListFunctionEventInvokeConfigs": F,
    "ListFunctionUrlConfigs": F,
    "ListFunctions": {},
    "ListFunctionsByCodeSigningConfig": {"CodeSigningConfigArn": ""},
    "ListLayerVersions": {"LayerName": "layer"},
    "ListLayers": {},
    "ListProvisionedConcurrencyConfigs": F,
    "ListTags": {"Resource": GOOD["Resource"]},
    "ListVersionsByFunction": F,
    "PublishLayerVersion": {"LayerName": "layer", "Content": {}},
    "PublishVersion": F,
    "PutFunctionCodeSigningConfig": F | {"CodeSigningConfigArn": ""},
    "PutFunctionConcurrency": F | {"ReservedConcurrentExecutions": 9},
    "PutFunctionEventInvokeConfig": F | {"MaximumRetryAttempts": 1},
    "PutFunctionRecursionConfig": F | {"RecursiveLoop": "Allow"},
    "PutProvisionedConcurrencyConfig": V | {"ProvisionedConcurrentExecutions": 2},
    "PutResourcePolicy": {"ResourceArn": GOOD["ResourceArn"], "Policy": POLICY},
    "PutRuntimeManagementConfig": F | {"UpdateRuntimeOn": "Auto"},
    "RemoveLayerVersionPermission": LAYER | {"StatementId": "s1"},
    "RemovePermission": F | {"StatementId": "s1"},
    "TagResource": {"Resource": GOOD["Resource"], "Tags": {"a": "b"}},
    "UntagResource": {"Resource": GOOD["Resource"], "TagKeys": ["a"]},
    "UpdateAlias": F | {"Name": "live", "Description": "d"},
    "UpdateCodeSigningConfig": {"CodeSigningConfigArn": "", "Description": "d"},
    "UpdateEventSourceMapping": {"UUID": "", "BatchSize": 3},
    "UpdateFunctionCode": F | {"ZipFile": b""},
    "UpdateFunctionConfiguration": F | {"Timeout": 9},
    "UpdateFunctionEventInvokeConfig": F | {"MaximumRetryAttempts": 1},
    "UpdateFunctionUrlConfig": F | {"AuthType": "AWS_IAM"},
}  # fmt: skip
"""Of what works when `prepared` is done. What is empty is filled in then: ids that are drawn, and zips."""
FITTING = "what fits the member"
ODD: list[Any] = [
    None, "", "x" * 20_000, "\u00fcn\u00efc\u00f6d\u00e9 \U0001f600", "a\u0000b", " ", "..", "/", "%",
    "$LATEST", "1", "0",
    f"{ARN}:function:hello:live", f"{ARN}:function:none", "arn:aws:lambda:eu-west-1:123456789012:function:hello",
    "arn:aws:lambda:us-east-1:999999999999:function:hello", "arn:", "arn:aws:s3:::bucket", "hello:live", "hello:9",
    f"arn:aws:iam::{ACCOUNT}:role/none", "{}", "[]", "nul", "not-in-the-enumeration",
    -1, 0, 1, 2**31, 2**63, 10**40, 1.5, True, False, [], [None], [""], ["x"] * 300, {},
    {"": ""}, {"x": None}, {"x": "y"}, FITTING,
]  # fmt: skip


def example(shape: Shape, name: str, depth: int = 0) -> Any:
    """A value that the shape takes, as far as one can tell."""
    if name in GOOD and depth < 2:
        return GOOD[name]
    metadata = shape.metadata
    match shape.type_name:
        case "structure":
            required = shape.required_members if depth else shape.members
            return {key: example(shape.members[key], key, depth + 1) for key in required if depth < 4}
        case "list":
            return [example(shape.member, name, depth + 1)] if metadata.get("min") else []
        case "map":
            return {}
        case "string":
            return metadata["enum"][0] if metadata.get("enum") else "x" * max(1, metadata.get("min", 1))
        case "integer" | "long" | "float" | "double":
            return metadata.get("min", 1)
        case "boolean":
            return False
        case "blob":
            return b"{}"
        case _:
            return "2026-01-01T00:00:00Z" if shape.serialization.get("location") else 1_800_000_000


def request_of(operation: OperationModel, values: dict[str, Any]) -> Request:
    """As a client that checks nothing would send it."""
    shape = operation.input_shape
    path, _, fixed = operation.http["requestUri"].partition("?")
    query, headers, document = [fixed] if fixed else [], {}, {}
    body = b""
    payload = shape.serialization.get("payload")
    for name, value in values.items():
        member = shape.members.get(name)
        place = member.serialization if member is not None else {}
        text = value if isinstance(value, str) else json.dumps(value, default=_blob)
        match place.get("location"):
            case "uri":
                for label in ("{" + place["name"] + "}", "{" + place["name"] + "+}"):
                    path = path.replace(label, quote(text, safe=""))
            case "querystring":
                for item in value if isinstance(value, list) else [text]:
                    told = item if isinstance(item, str) else json.dumps(item, default=_blob)
                    query.append(f"{place['name']}={quote(told, safe='')}")
            case "header":
                headers[place["name"].lower()] = text.encode("ascii", "ignore").decode()
            case None if name == payload:
                body = value if isinstance(value, bytes) else text.encode()
            case _:
                document[place.get("name", name)] = value
    if payload is None:
        body = json.dumps(document, default=_blob).encode()
    target = f"{path}?{'&'.join(query)}" if query else path
    headers |= {"authorization": SIGNED, "host": "127.0.0.1", "content-type": "application/json"}
    return Request(operation.http["method"], target, path, "&".join(query), headers, body, "127.0.0.1")


def _blob(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


class Anybody:
    async def authorize(self, *asked: Any) -> None:
        return None


def state(aws: Any) -> dict[str, Any]:
    """Everything that the stores hold."""
    return {
        f"{name}.{member}": copy.copy(value)
        for name, store in vars(aws).items()
        if hasattr(store, "__dict__") and type(store).__name__.startswith("Memory")
        for member, value in vars(store).items()
        if isinstance(value, dict | list | set)
    }


async def prepared(new_aws: Any) -> Any:
    aws = new_aws()
    await aws.create(Publish=True)
    await aws.call("CreateAlias", FunctionName="hello", Name="live", FunctionVersion="1")
    aws.invoker.version = next(iter(aws.functions.functions.values())).latest
    aws.invoker.stream = _nothing_streams
    packed = next(iter(aws.artifacts.zips.values()))
    await aws.call("PublishLayerVersion", LayerName="layer", Content={"ZipFile": packed})
    GOOD["Code"], GOOD["Content"], GOOD["ZipFile"] = {"ZipFile": packed}, {"ZipFile": packed}, packed
    aws.sqs.queues = {QUEUE: 30, QUEUE + "2": 30}
    signing = await aws.call("CreateCodeSigningConfig", AllowedPublishers=GOOD["AllowedPublishers"])
    GOOD["CodeSigningConfigArn"] = signing["CodeSigningConfig"]["CodeSigningConfigArn"]
    GOOD["UUID"] = (await aws.call("CreateEventSourceMapping", **F, EventSourceArn=QUEUE))["UUID"]
    for key, mapping in aws.mappings.mappings.items():
        aws.mappings.mappings[key] = replace(mapping, state="Enabled")
    await aws.call("CreateFunctionUrlConfig", **F, AuthType="NONE")
    await aws.call("PutFunctionEventInvokeConfig", **F, MaximumRetryAttempts=0)
    await aws.call("PutProvisionedConcurrencyConfig", **V, ProvisionedConcurrentExecutions=1)
    await aws.call("AddPermission", **WORKING["AddPermission"] | {"StatementId": "s1"})
    await aws.call(
        "AddLayerVersionPermission", **WORKING["AddLayerVersionPermission"] | {"StatementId": "s1"}
    )
    return aws


def working(name: str) -> dict[str, Any]:
    """The request of that operation that works. Of what is prepared only: ids are those that were drawn."""
    return {key: value or GOOD.get(key, value) for key, value in copy.deepcopy(WORKING[name]).items()}


async def _nothing_streams(invocation: Any) -> Any:
    raise ResourceNotFoundException("There is no data plane here.")


async def send(
    new_aws: Any, name: str, mutate: Any, *, base: Any = None
) -> tuple[Response, dict[str, Any], dict[str, Any]]:
    aws = await prepared(new_aws)
    operation = WIRE.model.operation_model(name)
    make = base or functools.partial(example, operation.input_shape)
    values = {} if operation.input_shape is None else make(name)
    gateway = Gateway([aws.lambda_.service], DevCredentials(), Anybody(), aws.clock)
    before = state(aws)
    response = await gateway.handle(request_of(operation, mutate(values)))
    await asyncio.sleep(0)
    after = state(aws)
    await aws.lambda_.activation.close()
    return response, before, after


OFFERED = sorted(name for name in WIRE.model.operation_names)
mutations = st.lists(
    st.tuples(st.integers(0, 9999), st.sampled_from(ODD), st.integers(0, 9)), min_size=1, max_size=2
)
EXAMPLES = settings(
    max_examples=1000,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def spoilt(shape: Shape, values: dict[str, Any], pick: int, odd: Any, deeper: int) -> dict[str, Any]:
    """With another value of one member, which the request need not have had; of a structure mostly within it."""
    names = sorted(shape.members)
    if not names:
        return values
    pick, index = divmod(pick, len(names))
    name, value = names[index], copy.deepcopy(odd)
    member = shape.members[name]
    if member.type_name == "structure" and deeper < 8:
        inner = values.get(name)
        value = spoilt(member, inner if isinstance(inner, dict) else {}, pick, odd, deeper)
    elif value is FITTING:
        value = example(member, name)
    changed = values | {name: value}
    return {key: item for key, item in changed.items() if item is not None}


def spoil(name: str, changes: list[tuple[int, Any, int]]) -> Any:
    def change(values: dict[str, Any]) -> dict[str, Any]:
        for pick, odd, deeper in changes:
            values = spoilt(WIRE.model.operation_model(name).input_shape, values, pick, odd, deeper)
        return values

    return change


def check(response: Response, before: dict[str, Any], after: dict[str, Any], told: Any) -> None:
    assert response.status < 500, (*told, response.body)
    if response.status >= 400:
        assert response.body, "an error has a text"
        assert before == after, (*told, response.body)


@pytest.mark.filterwarnings("ignore")
@seed(20261127)
@EXAMPLES
@given(name=st.sampled_from(OFFERED), changes=mutations)
def test_bad_input_is_never_our_failure_and_changes_nothing(
    new_aws: Any, name: str, changes: list[tuple[int, Any, int]]
) -> None:
    check(*asyncio.run(send(new_aws, name, spoil(name, changes))), (name, changes))


@pytest.mark.filterwarnings("ignore")
@seed(20261128)
@EXAMPLES
@given(name=st.sampled_from(sorted(WORKING)), changes=mutations)
def test_what_works_is_spoilt_without_failure_or_half_a_change(
    new_aws: Any, name: str, changes: list[tuple[int, Any, int]]
) -> None:
    check(*asyncio.run(send(new_aws, name, spoil(name, changes), base=working)), (name, changes))


@pytest.mark.parametrize("name", sorted(WORKING))
async def test_what_is_spoilt_works_otherwise(new_aws: Any, name: str) -> None:
    response, _, _ = await send(new_aws, name, lambda values: values, base=working)
    assert response.status < 300, response.body


def _violations(shape: Shape) -> list[tuple[str, Any]]:
    """Members at the top, each with a value that the model alone refuses."""
    found: list[tuple[str, Any]] = []
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        if (
            member.type_name == "string"
            and member.metadata.get("enum")
            and name != "Runtime"
            and location != "uri"
        ):
            found.append((name, "not-in-the-enumeration"))
        if member.type_name in ("integer", "long") and member.metadata.get("max") is not None:
            found.append((name, member.metadata["max"] + 1))
        if name in shape.required_members and location is None and name != shape.serialization.get("payload"):
            found.append((name, None))
    return found


@pytest.mark.parametrize("name", OFFERED)
async def test_a_violation_of_the_model_names_its_member(new_aws: Any, name: str) -> None:
    operation = WIRE.model.operation_model(name)
    if operation.input_shape is None:
        return
    for member, value in _violations(operation.input_shape):

        def mutate(values: dict[str, Any], member: str = member, value: Any = value) -> dict[str, Any]:
            return mutated_one(values, member, value)

        response, before, after = await send(new_aws, name, mutate)
        written = json.loads(response.body)
        message = written.get("message") or written.get("Message") or ""
        if response.status == 404 and "does not offer" in message:
            return
        assert response.status == 400, (member, message)
        assert f"'{member[0].lower()}{member[1:]}'" in message, (member, message)
        assert before == after


def mutated_one(values: dict[str, Any], member: str, value: Any) -> dict[str, Any]:
    return {key: item for key, item in (values | {member: value}).items() if item is not None}
