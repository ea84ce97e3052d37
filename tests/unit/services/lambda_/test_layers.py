import json
from typing import Any

import pytest

from lambent.model.error import AccessDeniedException
from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    PolicyLengthExceededException,
    PreconditionFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)

ARN = "arn:aws:lambda:us-east-1:123456789012:layer:tools"


async def publish(aws: Any, new_zip: Any, name: str = "tools", **rest: Any) -> Any:
    return await aws.call(
        "PublishLayerVersion", LayerName=name, Content={"ZipFile": new_zip({"a": name})}, **rest
    )


async def test_a_layer_version_from_publishing_to_deletion(aws: Any, new_zip: Any) -> None:
    published = await publish(
        aws, new_zip, Description="d", CompatibleRuntimes=["python3.13"], LicenseInfo="MIT"
    )
    assert (published["LayerArn"], published["LayerVersionArn"]) == (ARN, f"{ARN}:1")
    assert (published["Version"], published["LicenseInfo"]) == (1, "MIT")
    assert published["CreatedDate"] == "2023-11-14T22:13:20.000+0000"
    assert set(published["Content"]) == {"Location", "CodeSha256", "CodeSize"}
    assert await aws.call("GetLayerVersion", LayerName=ARN, VersionNumber=1) == published
    assert await aws.call("GetLayerVersionByArn", Arn=f"{ARN}:1") == published
    assert (await publish(aws, new_zip))["Version"] == 2
    await aws.call("DeleteLayerVersion", LayerName="tools", VersionNumber=2)
    await aws.call("DeleteLayerVersion", LayerName="tools", VersionNumber=2)
    with pytest.raises(ResourceNotFoundException, match=r"^The resource you requested does not exist\.$"):
        await aws.call("GetLayerVersion", LayerName="tools", VersionNumber=2)
    assert (await publish(aws, new_zip))["Version"] == 3
    for operation in ("GetLayerVersion", "DeleteLayerVersion", "GetLayerVersionPolicy"):
        with pytest.raises(InvalidParameterValueException, match="less than 1"):
            await aws.call(operation, LayerName="tools", VersionNumber=0)
        with pytest.raises(ResourceNotFoundException):
            await aws.call(operation, LayerName="tools", VersionNumber=2**63)


async def test_what_fits_nothing_is_shown_and_what_says_nothing_is_not(aws: Any, new_zip: Any) -> None:
    said = await publish(aws, new_zip, CompatibleRuntimes=[], CompatibleArchitectures=[])
    assert (said["CompatibleRuntimes"], said["CompatibleArchitectures"]) == ([], [])
    assert not {"CompatibleRuntimes", "CompatibleArchitectures"} & set(await publish(aws, new_zip))


async def test_lists_filter_and_page(aws: Any, new_zip: Any) -> None:
    await publish(aws, new_zip, "a", CompatibleRuntimes=["python3.12"], CompatibleArchitectures=["x86_64"])
    await publish(aws, new_zip, "a", CompatibleRuntimes=["python3.13"])
    await publish(aws, new_zip, "b")
    layers = await aws.call("ListLayers")
    assert [(item["LayerName"], item["LatestMatchingVersion"]["Version"]) for item in layers["Layers"]] == [
        ("a", 2), ("b", 1),
    ]  # fmt: skip
    of_one = await aws.call("ListLayers", CompatibleRuntime="python3.12", CompatibleArchitecture="x86_64")
    assert [(item["LayerName"], item["LatestMatchingVersion"]["Version"]) for item in of_one["Layers"]] == [
        ("a", 1)
    ]
    first = await aws.call("ListLayers", MaxItems=1)
    rest = await aws.call("ListLayers", MaxItems=1, Marker=first["NextMarker"])
    assert [item["LayerName"] for item in first["Layers"] + rest["Layers"]] == [
        "a",
        "b",
    ] and "NextMarker" not in rest
    newest = await aws.call("ListLayerVersions", LayerName="a", MaxItems=1)
    older = await aws.call("ListLayerVersions", LayerName="a", MaxItems=1, Marker=newest["NextMarker"])
    assert [item["Version"] for item in newest["LayerVersions"] + older["LayerVersions"]] == [2, 1]
    matching = await aws.call("ListLayerVersions", LayerName="a", CompatibleRuntime="python3.12")
    assert [item["Version"] for item in matching["LayerVersions"]] == [1]
    assert await aws.call("ListLayerVersions", LayerName="none") == {"LayerVersions": []}


async def test_functions_use_layers_even_when_they_are_deleted(aws: Any, new_zip: Any) -> None:
    layer = await publish(aws, new_zip)
    created = await aws.create(Layers=[f"{ARN}:1"])
    assert created["Layers"] == [{"Arn": f"{ARN}:1", "CodeSize": layer["Content"]["CodeSize"]}]
    await aws.call("DeleteLayerVersion", LayerName="tools", VersionNumber=1)
    assert "Layers" in await aws.call("GetFunctionConfiguration", FunctionName="hello")
    updated = await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Layers=[])
    assert "Layers" not in updated


@pytest.mark.parametrize(
    ("arns", "message"),
    [
        ([f"{ARN}:9"], f"^Layer version {ARN}:9 does not exist"),
        ([f"{ARN}:1", f"{ARN}:2"], f"{ARN}:1 and {ARN}:2 are versions of the same layer"),
        ([f"{ARN}{n}:1" for n in range(6)], "^Cannot reference more than 5 layers"),
        ([f"{ARN}:1".replace("us-east-1", "eu-west-1")], "expected to be in region us-east-1"),
        ([ARN], "is not the ARN of a layer version"),
        (["arn:aws:lambda:::awslayer:x"], "is not the ARN of a layer version"),
    ],
)
async def test_layers_that_a_function_cannot_have(aws: Any, arns: list[str], message: str) -> None:
    with pytest.raises(InvalidParameterValueException, match=message):
        await aws.create(Layers=arns)


async def test_code_and_layers_together_have_a_limit(
    aws: Any, new_zip: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lambent.services.lambda_ import code

    await publish(aws, new_zip)
    monkeypatch.setattr(code, "UNZIPPED_LARGEST", 45)
    await aws.create("alone")
    with pytest.raises(
        InvalidParameterValueException, match=r"maximum allowed size of 45 bytes\. The actual size is 4\d"
    ):
        await aws.create("together", Layers=[f"{ARN}:1"])
    with pytest.raises(InvalidParameterValueException, match="combined with layers"):
        await aws.call("UpdateFunctionConfiguration", FunctionName="alone", Layers=[f"{ARN}:1"])


async def grant(aws: Any, id: str = "s", principal: str = "999999999999", **rest: Any) -> Any:
    return await aws.call(
        "AddLayerVersionPermission", LayerName="tools", VersionNumber=1, StatementId=id,
        Action="lambda:GetLayerVersion", Principal=principal, **rest,
    )  # fmt: skip


@pytest.mark.parametrize("principal", ["999999999999", "*", "arn:aws:iam::999999999999:root"])
async def test_a_permission_opens_a_layer_to_another_account(aws: Any, new_zip: Any, principal: str) -> None:
    await publish(aws, new_zip)
    other = aws.by(account_id="999999999999")
    layer = {"LayerName": ARN, "VersionNumber": 1}
    with pytest.raises(AccessDeniedException, match="not authorized to perform: lambda:GetLayerVersion"):
        await other.call("GetLayerVersion", **layer)
    with pytest.raises(AccessDeniedException):
        await other.create("theirs", Layers=[f"{ARN}:1"])
    await grant(aws, principal=principal)
    assert (await other.call("GetLayerVersion", **layer))["Version"] == 1
    await other.create("theirs", Layers=[f"{ARN}:1"])
    for operation, rest in (("DeleteLayerVersion", {}), ("GetLayerVersionPolicy", {})):
        with pytest.raises(AccessDeniedException):
            await other.call(operation, **layer, **rest)
    with pytest.raises(AccessDeniedException):
        await other.call("PublishLayerVersion", LayerName=ARN, Content={"ZipFile": new_zip({"evil": "x"})})
    await aws.call("RemoveLayerVersionPermission", **layer, StatementId="s")
    with pytest.raises(AccessDeniedException):
        await other.call("GetLayerVersionByArn", Arn=f"{ARN}:1")


async def test_an_organization_opens_nothing_to_strangers(aws: Any, new_zip: Any) -> None:
    await publish(aws, new_zip)
    await grant(aws, principal="*", OrganizationId="o-abcdefghij")
    with pytest.raises(AccessDeniedException):
        await aws.by(account_id="999999999999").call("GetLayerVersion", LayerName=ARN, VersionNumber=1)


async def test_the_policy_reads_as_at_aws(aws: Any, new_zip: Any) -> None:
    await publish(aws, new_zip)
    layer = {"LayerName": "tools", "VersionNumber": 1}
    with pytest.raises(
        ResourceNotFoundException, match=r"^No policy is associated with the given resource\.$"
    ):
        await aws.call("GetLayerVersionPolicy", **layer)
    first = await grant(aws)
    expected = {
        "Sid": "s", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
        "Action": "lambda:GetLayerVersion", "Resource": f"{ARN}:1",
    }  # fmt: skip
    assert json.loads(first["Statement"]) == expected
    await grant(aws, "all", "*", OrganizationId="o-abcdefghij", RevisionId=first["RevisionId"])
    policy = await aws.call("GetLayerVersionPolicy", **layer)
    assert json.loads(policy["Policy"]) == {
        "Version": "2012-10-17",
        "Id": "default",
        "Statement": [
            expected,
            expected | {
                "Sid": "all", "Principal": "*",
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}},
            },
        ],
    }  # fmt: skip
    with pytest.raises(PreconditionFailedException, match="GetLayerPolicy"):
        await aws.call(
            "RemoveLayerVersionPermission", **layer, StatementId="s", RevisionId=first["RevisionId"]
        )
    with pytest.raises(ResourceConflictException, match=r"^The statement id \(s\) provided already exists"):
        await grant(aws)
    with pytest.raises(ResourceNotFoundException, match=r"^Statement x is not found in resource policy\.$"):
        await aws.call("RemoveLayerVersionPermission", **layer, StatementId="x")


async def test_a_policy_has_a_largest_size(aws: Any, new_zip: Any) -> None:
    await publish(aws, new_zip)
    with pytest.raises(PolicyLengthExceededException):
        for n in range(200):
            await grant(aws, f"{n:0100}")
    with pytest.raises(ResourceNotFoundException, match=f"^Layer version {ARN}2:1 does not exist"):
        await aws.call("GetLayerVersionPolicy", LayerName="tools2", VersionNumber=1)
