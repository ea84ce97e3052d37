"""AWS's texts for requests that break the model's constraints."""

from typing import Any

import orjson
import pytest

from lambent.http.message import Request
from lambent.model.error import ServiceException
from lambent.wire.service import load_service

TAG_KEY = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+"


def refusal(request: Request, service: str) -> tuple[str, str, int | None]:
    wire = load_service(service)
    match = wire.match(request)
    assert match is not None
    with pytest.raises(ServiceException) as caught:
        wire.parse(match, request)
    return caught.value.code, caught.value.message, caught.value.status


def rest(method: str, path: str, body: Any = None, **headers: str) -> Request:
    path, _, query = path.partition("?")
    return Request(method, path, path, query, headers, b"" if body is None else orjson.dumps(body))


def json(target: str, body: Any) -> Request:
    return Request("POST", "/", "/", "", {"x-amz-target": target}, orjson.dumps(body))


def form(text: str) -> Request:
    return Request("POST", "/", "/", "", {"content-type": "application/x-www-form-urlencoded"}, text.encode())


def create_function(**members: Any) -> Request:
    given = {"FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/r", "Code": {}, **members}
    return rest(
        "POST", "/2015-03-31/functions", {key: value for key, value in given.items() if value is not None}
    )


def test_pattern() -> None:
    code, message, status = refusal(rest("GET", "/2015-03-31/functions/a%20b/configuration"), "lambda")
    pattern = (
        load_service("lambda")
        .model.operation_model("GetFunctionConfiguration")
        .input_shape.members["FunctionName"]
    )
    assert (code, status) == ("ValidationException", 400)
    assert message == (
        "1 validation error detected: Value 'a b' at 'functionName' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {pattern.metadata['pattern']}"
    )


def test_elements_may_lack_that_they_must_not_be_null_and_be_told_their_least_length_of_zero() -> None:
    vpc = {"SubnetIds": ["net-1"], "SecurityGroupIds": ["sg-1"]}
    _, message, _ = refusal(create_function(VpcConfig=vpc), "lambda")
    assert message == (
        "1 validation error detected: Value '[net-1]' at 'vpcConfig.subnetIds' failed to satisfy constraint: "
        "Member must satisfy constraint: [Member must have length less than or equal to 1024, "
        "Member must have length greater than or equal to 0, "
        "Member must satisfy regular expression pattern: subnet-[0-9a-z]*]"
    )


def test_runtimes_of_a_layer_are_told_as_one_and_before_its_architectures() -> None:
    asked = {"Content": {}, "CompatibleRuntimes": ["cobol"], "CompatibleArchitectures": ["z80"]}
    _, message, _ = refusal(rest("POST", "/2018-10-31/layers/l/versions", asked), "lambda")
    runtimes, architectures = message.split("; ")
    assert runtimes.startswith(
        "2 validation errors detected: Value '[cobol]' at 'compatibleRuntimes' failed to satisfy constraint: "
        "Member must satisfy enum value set: [nodejs20.x, python3.14, provided.al2023, "
    )
    assert architectures == (
        "Value '[z80]' at 'compatibleArchitectures' failed to satisfy constraint: Member must satisfy constraint: "
        "[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
    )


@pytest.mark.parametrize("runtime", ["nodejs26.x", "ruby2.5"])
def test_values_that_are_not_told_are_taken_all_the_same(runtime: str) -> None:
    wire = load_service("lambda")
    request = create_function(Runtime=runtime)
    match = wire.match(request)
    assert match is not None
    assert wire.parse(match, request)["Runtime"] == runtime


def test_an_error_that_stands_alone_says_whose_it_is() -> None:
    wire = load_service("lambda")
    request = create_function(Runtime="cobol")
    match = wire.match(request)
    assert match is not None
    with pytest.raises(ServiceException) as caught:
        wire.parse(match, request)
    assert (caught.value.code, caught.value.members) == ("InvalidParameterValueException", {"Type": "User"})


def test_member_that_is_missing() -> None:
    _, message, _ = refusal(create_function(Role=None), "lambda")
    assert message == (
        "1 validation error detected: Value null at 'role' failed to satisfy constraint: Member must not be null"
    )


def test_sns_tells_a_missing_parameter_in_its_own_way_and_what_an_entry_lacks_as_others_do() -> None:
    assert refusal(form("Action=Unsubscribe&Version=2010-03-31"), "sns") == (
        "InvalidParameter",
        "Invalid parameter: SubscriptionArn Reason: no value for required parameter",
        400,
    )
    entry = "PublishBatchRequestEntries.member.1"
    attribute = f"{entry}.MessageAttributes.entry.1"
    given = f"{entry}.Id=1&{entry}.Message=m&{attribute}.Name=a&{attribute}.Value.StringValue=x"
    assert refusal(form(f"Action=PublishBatch&Version=2010-03-31&TopicArn=t&{given}"), "sns") == (
        "ValidationError",
        "1 validation error detected: Value null at 'publishBatchRequestEntries.1.member.messageAttributes.a.member."
        "dataType' failed to satisfy constraint: Member must not be null",
        400,
    )


def test_several_errors_are_told_together() -> None:
    _, message, _ = refusal(
        create_function(Role=None, Timeout=0, MemorySize=1, Description="d" * 257), "lambda"
    )
    first, *others = message.split("; ")
    assert first.startswith("4 validation errors detected: Value null at 'role'")
    assert others == [
        f"Value '{'d' * 257}' at 'description' failed to satisfy constraint: "
        "Member must have length less than or equal to 256",
        "Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1",
        "Value '1' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128",
    ]


def test_enum() -> None:
    _, message, _ = refusal(create_function(PackageType="Tar"), "lambda")
    assert message == (
        "1 validation error detected: Value 'Tar' at 'packageType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [Zip, Image]"
    )


def test_lambda_tells_an_unknown_runtime_apart() -> None:
    code, message, status = refusal(create_function(Runtime="cobol85"), "lambda")
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message.startswith(
        "Value cobol85 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: ["
    )
    assert message.endswith("] or be a valid ARN")


def test_elements_of_a_list_are_told_with_the_list() -> None:
    _, message, _ = refusal(create_function(Architectures=["mips"]), "lambda")
    assert message == (
        "1 validation error detected: Value '[mips]' at 'architectures' failed to satisfy constraint: Member must "
        "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
    )


def test_length_of_a_list() -> None:
    _, message, _ = refusal(create_function(Architectures=["arm64", "x86_64"]), "lambda")
    assert message == (
        "1 validation error detected: Value '[arm64, x86_64]' at 'architectures' failed to satisfy constraint: "
        "Member must have length less than or equal to 1"
    )


def test_sensitive_values_are_not_repeated() -> None:
    _, message, _ = refusal(create_function(Environment={"Variables": {"1": "secret"}}), "lambda")
    assert message.startswith(
        "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: "
        "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+"
    )
    assert "secret" not in message


def test_keys_of_the_weights_of_versions_are_told_with_what_they_may_not_be() -> None:
    update = {"RoutingConfig": {"AdditionalVersionWeights": {"$LATEST": 0.5}}}
    _, message, _ = refusal(rest("PUT", "/2015-03-31/functions/f/aliases/a", update), "lambda")
    assert message == (
        "1 validation error detected: Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to "
        "satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, "
        "Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, "
        "Member must not be null]"
    )


def test_the_resources_that_may_have_tags_are_told_as_aws_tells_them() -> None:
    resource = "arn:aws:lambda:us-east-1:123456789012:pie:x"
    _, message, _ = refusal(rest("POST", f"/2017-03-31/tags/{resource}", {"Tags": {"a": "b"}}), "lambda")
    assert "|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|" in message


def test_nested_member() -> None:
    _, message, _ = refusal(create_function(Code={"S3Bucket": "a"}), "lambda")
    assert message.startswith(
        "1 validation error detected: Value 'a' at 'code.s3Bucket' failed to satisfy constraint: "
    )


def test_member_of_a_structure_in_a_list_is_numbered_and_iam_repeats_no_value() -> None:
    code, message, status = refusal(
        form("Action=TagRole&RoleName=r&Tags.member.1.Key=*&Tags.member.1.Value="), "iam"
    )
    assert (code, status) == ("ValidationError", 400)
    assert message == (
        "1 validation error detected: Value at 'tags.1.member.key' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {TAG_KEY}"
    )


def test_sts_words_it_as_recorded() -> None:
    name = "s" * 65
    text = f"Action=AssumeRole&RoleArn=arn:aws:iam::000000000000:role/r&RoleSessionName={name}"
    code, message, _ = refusal(form(text), "sts")
    assert code == "ValidationError"
    assert message == (
        f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: "
        "Member must have length less than or equal to 64"
    )


def test_logs_words_it_as_recorded() -> None:
    code, message, status = refusal(
        json("Logs_20140328.CreateLogGroup", {"logGroupName": "service:latest"}), "logs"
    )
    assert (code, status) == ("InvalidParameterException", 400)
    assert message == (
        "1 validation error detected: Value 'service:latest' at 'logGroupName' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+"
    )


def test_blobs_are_shown_as_java_shows_them() -> None:
    body = {"StreamName": "s", "Data": "AAAA", "PartitionKey": ""}
    _, message, _ = refusal(json("Kinesis_20131202.PutRecord", body), "kinesis")
    assert message == (
        "1 validation error detected: Value '' at 'partitionKey' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    )
    limit = load_service("kinesis").model.shape_for("Data").metadata["max"]
    big = {**body, "PartitionKey": "p", "Data": "AAAA" * (limit // 3 + 1)}
    size = 3 * (limit // 3 + 1)
    _, message, _ = refusal(json("Kinesis_20131202.PutRecord", big), "kinesis")
    assert f"Value 'java.nio.HeapByteBuffer[pos=0 lim={size} cap={size}]' at 'data'" in message


def test_null_in_a_list() -> None:
    _, message, _ = refusal(json("Logs_20140328.PutLogEvents", PUT_NULL), "logs")
    assert message == (
        "1 validation error detected: Value null at 'logEvents.1.member' failed to satisfy constraint: "
        "Member must not be null"
    )


PUT_NULL = {"logGroupName": "g", "logStreamName": "s", "logEvents": [None]}


def test_members_of_maps_of_structures_are_named_by_key() -> None:
    body = {"RequestItems": {"table": [{"PutRequest": {}}]}}
    code, message, _ = refusal(json("DynamoDB_20120810.BatchWriteItem", body), "dynamodb")
    assert code == "ValidationException"
    assert message == (
        "1 validation error detected: Value null at 'requestItems.table.member.1.member.putRequest.item' "
        "failed to satisfy constraint: Member must not be null"
    )


def test_constraints_hold_inside_recursive_shapes() -> None:
    body = {"TableName": "table", "Item": {"a": {"L": [{"M": {"b": {"L": [None]}}}]}}}
    _, message, _ = refusal(json("DynamoDB_20120810.PutItem", body), "dynamodb")
    assert "'item.a.member.l.1.member.m.b.member.l.1.member'" in message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"FunctionName": 5}, "NUMBER_VALUE can not be converted to a String"),
        ({"FunctionName": True}, "TRUE_VALUE can not be converted to a String"),
        ({"FunctionName": ["f"]}, "Start of list found where not expected"),
        ({"FunctionName": {}}, "Start of structure or map found where not expected."),
        ({"Timeout": "3"}, "STRING_VALUE can not be converted to an Integer"),
        ({"Publish": 1}, "NUMBER_VALUE can not be converted to a Boolean"),
        ({"Environment": {"Variables": {"A": 1}}}, "NUMBER_VALUE can not be converted to a String"),
        ({"Environment": {"Variables": "A"}}, "Expected map or null"),
        ({"Layers": "A"}, "Expected list or null"),
        ({"Code": "A"}, "Expected null"),
        ({"Code": {"ZipFile": 5}}, "NUMBER_VALUE can not be converted to a Blob"),
        ({"Code": []}, "Start of list found where not expected"),
        ([], "Start of list found where not expected"),
    ],
)
def test_values_of_other_types(body: Any, message: str) -> None:
    assert refusal(rest("POST", "/2015-03-31/functions", body), "lambda") == (
        "SerializationException",
        message,
        400,
    )


def test_bad_base64() -> None:
    code, message, _ = refusal(create_function(Code={"ZipFile": "a*b="}), "lambda")
    assert code == "SerializationException"
    assert message.startswith("'a*b=' can not be converted to a Blob: ")


def test_body_that_is_not_json() -> None:
    request = Request("POST", "/2015-03-31/functions", "/2015-03-31/functions", "", {}, b"{nope")
    code, message, status = refusal(request, "lambda")
    assert (code, status) == ("SerializationException", 400)
    assert message.startswith("Could not parse request body into json: ")


def test_numbers_in_the_query_string() -> None:
    code, message, _ = refusal(rest("GET", "/2015-03-31/functions/?MaxItems=many"), "lambda")
    assert (code, message) == ("SerializationException", "'many' can not be converted to an Integer")
    _, message, _ = refusal(rest("GET", "/2015-03-31/functions/?MaxItems=99999999999"), "lambda")
    assert "Value '2147483647' at 'maxItems'" in message


def test_events_are_repeated_as_records() -> None:
    entry = {"Source": "s", "Detail": "{}"}
    _, message, _ = refusal(json("AWSEvents.PutEvents", {"Entries": [entry] * 11}), "events")
    shown = (
        "PutEventsRequestEntry(time=null, source=s, resources=null, detailType=null, detail={}, "
        "eventBusName=null, traceHeader=null, kmsKeyIdentifier=null, internalMetadata=null)"
    )
    assert message == (
        f"1 validation error detected: Value '[{', '.join([shown] * 11)}]' at 'entries' failed to satisfy "
        "constraint: Member must have length less than or equal to 10"
    )


def test_an_enums_values_are_told_in_awss_order() -> None:
    given = {"Name": "n", "HttpMethod": "GO"}
    _, message, _ = refusal(json("AWSEvents.UpdateApiDestination", given), "events")
    assert message.endswith("[HEAD, POST, PATCH, DELETE, PUT, GET, OPTIONS]")
