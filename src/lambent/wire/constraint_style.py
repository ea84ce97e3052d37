"""How each service words a request that breaks its model's constraints.

The texts come from one framework at AWS, but services differ in the name of the error and in whether the
offending value is repeated. Sources: errors that users recorded from AWS in public issue threads (Lambda
2017-2026, CloudWatch Logs 2020-2023, STS 2016-2025, IAM, DynamoDB, Kinesis), and the error lists of the
models for the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintStyle:
    """`code` is the error's name. `repeats_value`: "Value 'x' at 'y'" rather than "Value at 'y'", but for the shapes
    `not_repeated`.
    `elements_not_null`: lists of scalars end their constraints with "Member must not be null", but those of the shapes
    `elements_nullable`. `keys_not_null`: maps whose keys' constraints end so. `elements_bare`: lists whose elements'
    constraint is told as if it were the list's own.
    `nested`: code and text for whatever is wrong inside a body, where the service says no more of it.
    `apart`: members (by path, or by the shape that they are of) whose error stands alone, with its code, its
    text, and its own members.
    `told_first`: members whose violations come before those of the others, against the model's order.
    `missing`: code and text of a missing parameter, where that is said by itself; what entries of lists lack is then
    for the service to say, but where `missing_nested`. `enums`: whether the model's enums are checked at all.
    `records`: structures that are written as records when a list of them is repeated, with their members as AWS has
    them. `orders`: the order in which AWS tells an enum's values, where it is not the model's: those alone that it
    tells, among others that it takes. `unchecked`: shapes whose enums and patterns the service checks itself.
    `too_long`: shapes with a text of their own, told alone, for values that are too long."""

    code: str = "ValidationException"
    repeats_value: bool = True
    not_repeated: frozenset[str] = frozenset()
    elements_not_null: bool = False
    elements_nullable: frozenset[str] = frozenset()
    keys_not_null: frozenset[str] = frozenset()
    elements_bare: frozenset[str] = frozenset()
    nested: tuple[str, str] | None = None
    apart: Mapping[str, tuple[str, str, Mapping[str, str]]] = field(default_factory=dict)
    told_first: frozenset[str] = frozenset()
    missing: tuple[str, str] | None = None
    missing_nested: bool = False
    enums: bool = True
    records: Mapping[str, Sequence[str]] = field(default_factory=dict)
    orders: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unchecked: frozenset[str] = frozenset()
    too_long: Mapping[str, str] = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)


_LAMBDA_RUNTIME: tuple[str, str, Mapping[str, str]] = (
    "InvalidParameterValueException",
    "Value {value} at '{path}' failed to satisfy constraint: "
    "Member must satisfy enum value set: {values} or be a valid ARN",
    {"Type": "User"},
)
_LAMBDA_TAGGABLE = (
    r"arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:"
    r"(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|"
    r"event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|"
    r"capacity-provider:[a-zA-Z0-9-_]+)"
)
"""As AWS tells it, with layers, which have no tags."""
_LONG_LOG_NAME = "Invalid LogGroup or LogStream, both must have length less than or equal to 512."
_LOG_OUTPUT_FORMAT: tuple[str, str, Mapping[str, str]] = (
    "ValidationException",
    "1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: "
    "Member must satisfy enum value set: [w3c, raw, json, plain, parquet]",
    {},
)
_QUERY = ConstraintStyle(code="ValidationError")
_STYLES = {
    "lambda": ConstraintStyle(
        elements_not_null=True,
        apart={"runtime": _LAMBDA_RUNTIME},
        told_first=frozenset({"CompatibleRuntimes", "Qualifier"}),
        elements_nullable=frozenset({"SecurityGroupIds", "SubnetIds"}),
        keys_not_null=frozenset({"AdditionalVersionWeights"}),
        elements_bare=frozenset({"CompatibleRuntimes"}),
        patterns={"TaggableResource": _LAMBDA_TAGGABLE},
        orders={
            "EventSourcePosition": ("LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"),
            "InvokeMode": ("RESPONSE_STREAM", "BUFFERED"),
            "RecursiveLoop": ("Terminate", "Allow"),
            "Runtime": (
                *("nodejs20.x", "python3.14", "provided.al2023", "python3.12", "python3.13", "nodejs24.x"),
                *(
                    "nodejs22.x",
                    "java25",
                    "python3.10",
                    "python3.11",
                    "java21",
                    "ruby3.3",
                    "ruby3.4",
                    "ruby3.2",
                ),
                *(
                    "python3.8",
                    "python3.9",
                    "java17",
                    "nodejs16.x",
                    "dotnet10",
                    "dotnet8",
                    "java11",
                    "dotnet6",
                ),
                *("nodejs18.x", "provided.al2", "java8.al2"),
            ),
        },
    ),
    "logs": ConstraintStyle(
        code="InvalidParameterException",
        records={
            "MetricTransformation": [
                "metricName",
                "metricNamespace",
                "metricValue",
                "defaultValue",
                "unit",
                "dimensions",
            ]
        },
        not_repeated=frozenset({"LogGroupIdentifier"}),
        apart={"outputFormat": _LOG_OUTPUT_FORMAT},
        too_long={"LogGroupName": _LONG_LOG_NAME, "LogStreamName": _LONG_LOG_NAME},
        patterns={"MetricNamespace": "[^*$]*"},
    ),
    "iam": ConstraintStyle(code="ValidationError", repeats_value=False, elements_not_null=True),
    "sts": _QUERY,
    "sns": ConstraintStyle(
        code="ValidationError",
        missing=("InvalidParameter", "Invalid parameter: {name} Reason: no value for required parameter"),
        missing_nested=True,
    ),
    "cloudwatch": ConstraintStyle(
        code="ValidationError", orders={"StateValue": ("INSUFFICIENT_DATA", "ALARM", "OK")}
    ),
    "cloudformation": _QUERY,
    "sqs": ConstraintStyle(
        code="InvalidParameterValueException",
        missing=("MissingRequiredParameterException", "The request must contain the parameter {name}."),
        enums=False,
    ),
    "s3": ConstraintStyle(
        code="InvalidArgument",
        unchecked=frozenset(
            {
                *("BucketLocationConstraint", "BucketLogsPermission", "ChecksumMode", "CopySource"),
                *("FilterRuleName", "Permission"),
            }
        ),
        nested=(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        ),
        apart={
            "storageClass": (
                "InvalidStorageClass",
                "The storage class you specified is not valid",
                {"StorageClassRequested": "{value}"},
            ),
            "serverSideEncryption": (
                "InvalidArgument",
                "The encryption method specified is not supported",
                {"ArgumentName": "x-amz-server-side-encryption", "ArgumentValue": "{value}"},
            ),
            "aCL": (
                "InvalidArgument",
                "",
                {"ArgumentName": "x-amz-acl", "ArgumentValue": "{value}"},
            ),
            "objectOwnership": (
                "InvalidArgument",
                "Invalid x-amz-object-ownership header: {value}",
                {"ArgumentName": "x-amz-object-ownership"},
            ),
            "transitionDefaultMinimumObjectSize": (
                "InvalidRequest",
                "Invalid TransitionDefaultMinimumObjectSize found: {value}",
                {},
            ),
            "objectAttributes": (
                "InvalidArgument",
                "Invalid attribute name specified.",
                {"ArgumentName": "x-amz-object-attributes"},
            ),
            "encodingType": (
                "InvalidArgument",
                "Invalid Encoding Method specified in Request",
                {"ArgumentName": "encoding-type", "ArgumentValue": "{value}"},
            ),
            "metadataDirective": (
                "InvalidArgument",
                "Unknown metadata directive.",
                {"ArgumentName": "x-amz-metadata-directive", "ArgumentValue": "{value}"},
            ),
            "taggingDirective": (
                "InvalidArgument",
                "Unknown tagging directive.",
                {"ArgumentName": "x-amz-tagging-directive", "ArgumentValue": "{value}"},
            ),
            "objectLockMode": (
                "InvalidArgument",
                "Unknown wormMode directive.",
                {"ArgumentName": "x-amz-object-lock-mode", "ArgumentValue": "{value}"},
            ),
            "objectLockLegalHoldStatus": (
                "InvalidArgument",
                "Legal Hold must be either of 'ON' or 'OFF'",
                {"ArgumentName": "x-amz-object-lock-legal-hold", "ArgumentValue": "{value}"},
            ),
            "checksumAlgorithm": (
                "InvalidRequest",
                "Checksum algorithm provided is unsupported. Please try again with any of the valid types:"
                " [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
                {},
            ),
        },
    ),
    "events": ConstraintStyle(
        records={
            "PutEventsRequestEntry": (
                *("time", "source", "resources", "detailType", "detail", "eventBusName", "traceHeader"),
                *("kmsKeyIdentifier", "internalMetadata"),
            )
        },
        orders={"ApiDestinationHttpMethod": ("HEAD", "POST", "PATCH", "DELETE", "PUT", "GET", "OPTIONS")},
    ),
    "ecr": ConstraintStyle(code="InvalidParameterException"),
    "apigatewayv2": ConstraintStyle(code="BadRequestException"),
}


def constraint_style(service: str) -> ConstraintStyle:
    """The style of a service by botocore's name; ValidationException where nothing else is known."""
    return _STYLES.get(service, ConstraintStyle())
