from typing import Any

import pytest

from lambent.model.error import AccessDeniedException, ValidationException
from lambent.model.lambda_errors import (
    CodeStorageExceededException,
    InvalidParameterValueException,
    PreconditionFailedException,
    RequestEntityTooLargeException,
    ResourceConflictException,
    ResourceNotFoundException,
)

ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"


async def test_a_created_function_is_pending_and_then_active(aws: Any) -> None:
    created = await aws.create(settle=False)
    assert created["FunctionArn"] == ARN
    assert created["Version"] == "$LATEST"
    assert (created["State"], created["StateReasonCode"]) == ("Pending", "Creating")
    assert created["StateReason"] == "The function is being created."
    assert "LastUpdateStatus" not in created
    await aws.settle()
    settled = await aws.call("GetFunctionConfiguration", FunctionName="hello")
    assert (settled["State"], settled["LastUpdateStatus"]) == ("Active", "Successful")
    assert "StateReason" not in settled
    assert settled["RevisionId"] != created["RevisionId"]


async def test_members_and_defaults_are_those_of_aws(aws: Any) -> None:
    created = await aws.create()
    assert list(created) == [
        "FunctionName", "FunctionArn", "Runtime", "Role", "Handler", "CodeSize", "Description", "Timeout",
        "MemorySize", "LastModified", "CodeSha256", "Version", "TracingConfig", "RevisionId", "State",
        "StateReason", "StateReasonCode", "PackageType", "Architectures", "EphemeralStorage", "SnapStart",
        "RuntimeVersionConfig", "LoggingConfig",
    ]  # fmt: skip
    assert (created["Timeout"], created["MemorySize"], created["Description"]) == (3, 128, "")
    assert created["LastModified"] == "2023-11-14T22:13:20.000+0000"
    assert created["TracingConfig"] == {"Mode": "PassThrough"}
    assert created["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
    assert created["EphemeralStorage"] == {"Size": 512}
    assert created["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/hello"}
    arn = created["RuntimeVersionConfig"]["RuntimeVersionArn"]
    assert arn.startswith("arn:aws:lambda:us-east-1::runtime:") and len(arn.rpartition(":")[2]) == 64


async def test_an_answer_is_valid_for_the_service_model(aws: Any) -> None:
    import botocore.session
    from botocore.validate import ParamValidator

    await aws.create(Environment={"Variables": {"KEY": "value"}}, Tags={"a": "b"})
    model = botocore.session.get_session().get_service_model("lambda")
    answer = await aws.call("GetFunction", FunctionName="hello")
    report = ParamValidator().validate(answer, model.operation_model("GetFunction").output_shape)
    assert report.generate_report() == ""
    unknown = set(answer["Configuration"]) - set(model.shape_for("FunctionConfiguration").members)
    assert not unknown


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"Role": "arn:aws:iam::123456789012:role/none"}, InvalidParameterValueException,
         "The role defined for the function cannot be assumed by Lambda."),
        ({"Runtime": "ruby3.4"}, InvalidParameterValueException,
         "The runtime ruby3.4 is not available on this host: nobody has put it here. "
         "Runtimes available here: python3.12, python3.13."),
        ({"Handler": ""}, InvalidParameterValueException,
         "Runtime and Handler are mandatory parameters for functions created with deployment packages."),
        ({"Timeout": 901}, ValidationException, "less than or equal to 900"),
        ({"MemorySize": 10241}, ValidationException, "less than or equal to 10240"),
        ({"EphemeralStorage": {"Size": 10241}}, ValidationException, "less than or equal to 10240"),
        ({"Architectures": ["arm64"]}, InvalidParameterValueException, "architecture x86_64, not arm64"),
        ({"PackageType": "Image"}, InvalidParameterValueException, "^Please don't provide Handler or Runtime or Layer"),
        ({"Code": {"S3Bucket": "b"}}, InvalidParameterValueException, "Please provide a source for function code."),
        ({"Code": {"ImageUri": "i"}}, InvalidParameterValueException,
         "^Please don't provide ImageUri when creating a function with packageType Zip.$"),
        ({"Code": {}}, InvalidParameterValueException, "Please provide a source for function code."),
        ({"Code": {"ZipFile": b""}}, InvalidParameterValueException, "Uploaded file must be a non-empty zip"),
        ({"Code": {"ZipFile": b"PK nonsense"}}, InvalidParameterValueException,
         "Could not unzip uploaded file. Please check your file, then try to upload again."),
        ({"Code": {"ZipFile": b"PK", "S3Key": "k"}}, InvalidParameterValueException, "Please do not provide other"),
        ({"Code": {"ZipFile": bytes(52_428_801)}}, RequestEntityTooLargeException,
         "^Zipped size must be smaller than 52428800 bytes$"),
        ({"Code": {"ZipFile": bytes(52_700_000)}}, RequestEntityTooLargeException,
         "^Request must be smaller than 70167211 bytes for the CreateFunction operation$"),
        ({"FunctionName": "x" * 65}, InvalidParameterValueException, "at 'functionName' .* less than or equal to 64"),
        ({"FunctionName": f"123456789012:function:{'x' * 65}"}, ValidationException, "less than or equal to 64"),
        ({"FunctionName": "hello:prod"}, ValidationException, "'hello:prod' at 'functionName' failed to satisfy"),
        ({"VpcConfig": {"SubnetIds": ["subnet-1"]}}, InvalidParameterValueException,
         "^SubnetIds and SecurityIds must coexist or be both empty list.$"),
        ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}, InvalidParameterValueException,
         "EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: The subnet ID 'subnet-1' does not exist$"),
        ({"FileSystemConfigs": [{"Arn": "arn:x", "LocalMountPath": "/mnt/a"}]}, InvalidParameterValueException,
         "^Function must be configured to execute in a VPC to reference access point: arn:x$"),
        ({"Tags": {f"k{n}": "" for n in range(51)}}, InvalidParameterValueException, "exceeds resource tag limit"),
        ({"SnapStart": {"ApplyOn": "PublishedVersions"}, "Runtime": "nodejs22.x"}, InvalidParameterValueException,
         "^nodejs22.x is not supported for SnapStart enabled functions.$"),
        ({"Tags": {"aws:x": ""}}, InvalidParameterValueException, "reserved for AWS"),
        ({"LoggingConfig": {"LogFormat": "Text", "SystemLogLevel": "WARN"}}, InvalidParameterValueException,
         "LogFormat must be JSON"),
    ],
)  # fmt: skip
async def test_bad_input_is_refused_and_nothing_is_kept(
    aws: Any, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message.replace("(", r"\(")):
        await aws.create(**changes)
    assert not aws.functions.functions
    assert not aws.artifacts.zips


async def test_errors_say_whose_fault_it_is(aws: Any) -> None:
    with pytest.raises(ResourceNotFoundException) as raised:
        await aws.call("GetFunction", FunctionName="none", Qualifier="prod")
    assert (
        raised.value.message == "Function not found: arn:aws:lambda:us-east-1:123456789012:function:none:prod"
    )
    assert raised.value.members == {"Type": "User"}


@pytest.mark.parametrize(
    ("member", "value"),
    [
        (
            "CapacityProviderConfig",
            {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": "a"}},
        ),
        ("DurableConfig", {"KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1"}),
        ("PublishTo", "LATEST_PUBLISHED"),
        ("RuntimeConfig", {"x": "y"}),
        ("AcceleratorConfig", {"x": 1}),
    ],
)
async def test_settings_that_would_be_ignored_are_refused(aws: Any, member: str, value: Any) -> None:
    with pytest.raises(InvalidParameterValueException, match=f"Lambent does not offer {member}"):
        await aws.create(**{member: value})
    await aws.create()
    with pytest.raises(InvalidParameterValueException, match=f"Lambent does not offer {member}"):
        await aws.call("UpdateFunctionConfiguration", FunctionName="hello", **{member: value})


async def test_every_member_of_the_model_is_acted_on_or_refused() -> None:
    """A botocore upgrade that adds a setting must not make us store and ignore it."""
    import botocore.session

    from lambent.services.lambda_.unsupported import _NEUTRAL

    acted_on = {
        "FunctionName", "Runtime", "Role", "Handler", "Code", "Description", "Timeout", "MemorySize", "Publish",
        "PackageType", "Environment", "Tags", "Layers", "Architectures", "EphemeralStorage", "LoggingConfig",
        "RevisionId", "DryRun", "ZipFile", "S3Bucket", "S3Key", "S3ObjectVersion", "S3ObjectStorageMode",
        "ImageUri", "CodeSha256", "VpcConfig", "FileSystemConfigs", "CodeSigningConfigArn", "TenancyConfig",
        "KMSKeyArn", "TracingConfig", "ImageConfig", "SnapStart",
        "DeadLetterConfig",
        "DurableConfig",
    }  # fmt: skip
    model = botocore.session.get_session().get_service_model("lambda")
    for operation in (
        "CreateFunction",
        "UpdateFunctionCode",
        "UpdateFunctionConfiguration",
        "PublishVersion",
    ):
        members = set(model.operation_model(operation).input_shape.members)
        assert members <= acted_on | set(_NEUTRAL), members - acted_on - set(_NEUTRAL)


async def test_neutral_values_are_accepted(aws: Any) -> None:
    created = await aws.create(
        DeadLetterConfig={"TargetArn": ""},
        FileSystemConfigs=[],
        KMSKeyArn="",
        SnapStart={"ApplyOn": "None"},
        TracingConfig={"Mode": "PassThrough"},
        ImageConfig={},
    )
    assert not {"VpcConfig", "DeadLetterConfig", "KMSKeyArn", "FileSystemConfigs"} & set(created)


async def test_tracing_is_set_and_kept(aws: Any) -> None:
    created = await aws.create(TracingConfig={"Mode": "Active"})
    assert created["TracingConfig"] == {"Mode": "Active"}
    updated = await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Timeout=9)
    assert updated["TracingConfig"] == {"Mode": "Active"}


async def test_a_vpc_is_left_by_naming_no_subnets(aws: Any) -> None:
    await aws.create()
    left = await aws.call(
        "UpdateFunctionConfiguration",
        FunctionName="hello",
        VpcConfig={"SubnetIds": [], "SecurityGroupIds": []},
    )
    assert left["VpcConfig"] == {
        "SubnetIds": [],
        "SecurityGroupIds": [],
        "VpcId": "",
        "Ipv6AllowedForDualStack": False,
    }


async def test_reserved_and_too_large_variables_are_refused(aws: Any) -> None:
    with pytest.raises(
        InvalidParameterValueException, match=r"in this request: AWS_REGION, LAMBDA_TASK_ROOT$"
    ):
        await aws.create(Environment={"Variables": {"AWS_REGION": "x", "OK": "y", "LAMBDA_TASK_ROOT": "z"}})
    fits = {"KEY": "v" * (4096 - len('{"KEY":""}'))}
    created = await aws.create(Environment={"Variables": fits})
    assert created["Environment"] == {"Variables": fits}
    with pytest.raises(InvalidParameterValueException, match=r"exceeded the 4KB limit. String measured:"):
        await aws.create("other", Environment={"Variables": {"KEY": fits["KEY"] + "v"}})


async def test_a_name_is_taken_once(aws: Any) -> None:
    await aws.create()
    with pytest.raises(ResourceConflictException, match=r"^Function already exist: hello$"):
        await aws.create()
    await aws.by(region="eu-west-1").create()


async def test_code_storage_is_limited(aws: Any, new_zip: Any) -> None:
    aws.options["code_storage_most"] = 250
    aws.start()
    await aws.create()
    with pytest.raises(CodeStorageExceededException):
        await aws.create("second")


async def test_updates_go_through_in_progress_while_the_old_version_serves(aws: Any, new_zip: Any) -> None:
    created = await aws.create()
    updated = await aws.call("UpdateFunctionCode", FunctionName="hello", ZipFile=new_zip({"app.py": "x = 1"}))
    assert (updated["State"], updated["LastUpdateStatus"]) == ("Active", "InProgress")
    assert updated["LastUpdateStatusReasonCode"] == "Creating"
    assert updated["CodeSha256"] != created["CodeSha256"]
    (function,) = aws.functions.functions.values()
    assert function.serving.code.sha256 == created["CodeSha256"]
    with pytest.raises(ResourceConflictException, match=f"An update is in progress for resource: {ARN}$"):
        await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Timeout=5)
    await aws.settle()
    (function,) = aws.functions.functions.values()
    assert function.serving.code.sha256 == updated["CodeSha256"]
    assert function.serving == function.latest


async def test_a_pending_function_is_not_updated(aws: Any, new_zip: Any) -> None:
    await aws.create(settle=False)
    with pytest.raises(ResourceConflictException, match=r"currently in the following state: Pending$"):
        await aws.call("UpdateFunctionCode", FunctionName="hello", ZipFile=new_zip({"a": "b"}))


async def test_an_update_changes_what_it_names_and_nothing_else(aws: Any) -> None:
    await aws.create(Timeout=7, Environment={"Variables": {"AB": "1"}})
    changes = {
        "MemorySize": 256,
        "Description": "new",
        "Runtime": "python3.12",
        "Environment": {"Variables": {}},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "own"},
    }
    updated = await aws.call("UpdateFunctionConfiguration", FunctionName="hello", **changes)
    assert (updated["MemorySize"], updated["Timeout"], updated["Description"]) == (256, 7, "new")
    assert updated["Environment"] == {"Variables": {}}
    assert updated["LoggingConfig"] == {
        "LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", "LogGroup": "own",
    }  # fmt: skip
    await aws.settle()
    text = {"LogFormat": "Text"}
    updated = await aws.call("UpdateFunctionConfiguration", FunctionName="hello", LoggingConfig=text)
    assert updated["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "own"}


async def test_a_stale_revision_is_refused(aws: Any) -> None:
    created = await aws.create()
    with pytest.raises(PreconditionFailedException, match=r"^The Revision Id provided does not match"):
        await aws.call(
            "UpdateFunctionConfiguration", FunctionName="hello", Timeout=4, RevisionId=created["RevisionId"]
        )
    current = await aws.call("GetFunctionConfiguration", FunctionName="hello")
    await aws.call(
        "UpdateFunctionConfiguration", FunctionName="hello", Timeout=4, RevisionId=current["RevisionId"]
    )


async def test_a_dry_run_keeps_nothing(aws: Any, new_zip: Any) -> None:
    created = await aws.create()
    before = await aws.call("GetFunctionConfiguration", FunctionName="hello")
    tried = await aws.call(
        "UpdateFunctionCode", FunctionName="hello", ZipFile=new_zip({"z": "z"}), DryRun=True
    )
    assert tried["CodeSha256"] != created["CodeSha256"]
    assert await aws.call("GetFunctionConfiguration", FunctionName="hello") == before
    assert len(aws.artifacts.zips) == 1


async def test_an_unqualified_delete_takes_everything(aws: Any) -> None:
    await aws.create(Publish=True)
    await aws.call("CreateAlias", FunctionName="hello", Name="live", FunctionVersion="1")
    assert await aws.call("DeleteFunction", FunctionName=ARN) == {"StatusCode": 204}
    assert not aws.functions.functions and not aws.functions.versions and not aws.functions.aliases
    with pytest.raises(ResourceNotFoundException):
        await aws.call("DeleteFunction", FunctionName="hello")


async def test_what_a_qualified_delete_refuses(aws: Any) -> None:
    await aws.create(Publish=True)
    await aws.call("CreateAlias", FunctionName="hello", Name="live", FunctionVersion="1")
    with pytest.raises(ResourceConflictException, match=r"following aliases reference it: \[live\]$"):
        await aws.call("DeleteFunction", FunctionName="hello", Qualifier="1")
    with pytest.raises(InvalidParameterValueException, match=r"^\$LATEST version cannot be deleted"):
        await aws.call("DeleteFunction", FunctionName="hello:$LATEST")
    with pytest.raises(InvalidParameterValueException, match=r"^Deletion of aliases"):
        await aws.call("DeleteFunction", FunctionName="hello", Qualifier="live")
    with pytest.raises(ResourceNotFoundException, match=r"^Function not found: .*:function:none$"):
        await aws.call("DeleteFunction", FunctionName="none", Qualifier="$latest")
    await aws.call("DeleteFunction", FunctionName="hello", Qualifier="$latest")
    await aws.call("DeleteAlias", FunctionName="hello", Name="live")
    await aws.call("DeleteFunction", FunctionName="hello", Qualifier="1")
    assert not aws.functions.versions and aws.functions.functions


async def test_lists_come_in_pages_without_states(aws: Any) -> None:
    for name in ("a", "b", "c"):
        await aws.create(name)
    first = await aws.call("ListFunctions", MaxItems=2)
    assert [function["FunctionName"] for function in first["Functions"]] == ["a", "b"]
    rest = await aws.call("ListFunctions", MaxItems=2, Marker=first["NextMarker"])
    assert [function["FunctionName"] for function in rest["Functions"]] == ["c"]
    assert "NextMarker" not in rest
    assert not {"State", "LastUpdateStatus", "RuntimeVersionConfig"} & set(rest["Functions"][0])
    assert (await aws.by(account_id="999999999999").call("ListFunctions"))["Functions"] == []
    with pytest.raises(InvalidParameterValueException, match="Marker"):
        await aws.call("ListFunctions", Marker="made up")


async def test_all_versions_of_all_functions_in_pages_of_any_size(aws: Any) -> None:
    for name in ("a", "b"):
        await aws.create(name, Publish=True)
        await aws.call("UpdateFunctionConfiguration", FunctionName=name, Timeout=9)
        await aws.settle()
        await aws.call("PublishVersion", FunctionName=name)
    await aws.create("c")
    expected = ["a:$LATEST", "a:1", "a:2", "b:$LATEST", "b:1", "b:2", "c:$LATEST"]
    for size in (1, 2, 3, 50):
        found: list[str] = []
        more: dict[str, str] = {}
        while True:
            page = await aws.call("ListFunctions", FunctionVersion="ALL", MaxItems=size, **more)
            found += [function["FunctionArn"].partition("function:")[2] for function in page["Functions"]]
            if "NextMarker" not in page:
                break
            more = {"Marker": page["NextMarker"]}
        assert found == expected
    only_replicas = await aws.call("ListFunctions", FunctionVersion="ALL", MasterRegion="us-east-1")
    assert only_replicas == {"Functions": []}


async def test_what_no_policy_can_allow_is_closed_to_other_accounts(aws: Any) -> None:
    await aws.create()
    other = aws.by(account_id="999999999999")
    for operation in ("CreateFunction", "UpdateFunctionConfiguration", "RemovePermission"):
        with pytest.raises(AccessDeniedException, match=f"not authorized to perform: lambda:{operation}"):
            await other.call(operation, FunctionName=ARN)


async def test_a_runtime_that_aws_has_closed_is_refused_where_that_is_set(aws: Any) -> None:
    aws.runtimes.refusals["python3.12", True] = "no longer supported"
    with pytest.raises(InvalidParameterValueException, match="no longer supported"):
        await aws.create(Runtime="python3.12")
    await aws.create(Runtime="python3.13")
    await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Runtime="python3.12")
