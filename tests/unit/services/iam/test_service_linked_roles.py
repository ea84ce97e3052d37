"""Roles that services make for themselves."""

import json
from urllib.parse import unquote

import pytest

from lambent.services.iam.errors import InvalidInput, NoSuchEntity, UnmodifiableEntity


@pytest.mark.parametrize(
    ("service", "suffix", "name"),
    [
        ("lambda.amazonaws.com", None, "AWSServiceRoleForLambda"),
        ("replicator.lambda.amazonaws.com", None, "AWSServiceRoleForLambdaReplicator"),
        ("autoscaling.amazonaws.com", "mine", "AWSServiceRoleForAutoScaling_mine"),
        ("lex.amazonaws.com", None, "AWSServiceRoleForLex"),
    ],
)
async def test_its_name_is_the_services(iam, root, service, suffix, name) -> None:
    given = {"AWSServiceName": service} | ({"CustomSuffix": suffix} if suffix else {})
    role = (await iam("CreateServiceLinkedRole", **given, Description="d"))["Role"]
    assert role["RoleName"] == name
    assert role["Arn"] == f"arn:aws:iam::{root.account_id}:role/aws-service-role/{service}/{name}"
    assert role["Description"] == "d"
    trust = json.loads(unquote(role["AssumeRolePolicyDocument"]))
    assert trust["Statement"][0]["Principal"] == {"Service": [service]}
    assert (await iam("GetRole", RoleName=name))["Role"]["Path"] == f"/aws-service-role/{service}/"
    with pytest.raises(InvalidInput, match=f"Service role name {name} has been taken in this account"):
        await iam("CreateServiceLinkedRole", **given)


async def test_what_is_no_service_or_has_no_suffix(iam) -> None:
    for given in (
        {"AWSServiceName": "lambda"},
        {"AWSServiceName": "lambda.example.com"},
        {"AWSServiceName": "lambda.amazonaws.com", "CustomSuffix": "x"},
    ):
        with pytest.raises(InvalidInput):
            await iam("CreateServiceLinkedRole", **given)
    assert (await iam("ListRoles"))["Roles"] == []


async def test_only_its_own_operation_deletes_it(iam, trust, allow) -> None:
    await iam("CreateServiceLinkedRole", AWSServiceName="ecs.amazonaws.com")
    role = {"RoleName": "AWSServiceRoleForECS"}
    for operation, parameters in (
        ("DeleteRole", {}),
        ("UpdateAssumeRolePolicy", {"PolicyDocument": trust}),
        ("PutRolePolicy", {"PolicyName": "p", "PolicyDocument": allow("s3:*")}),
        ("AttachRolePolicy", {"PolicyArn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"}),
    ):
        with pytest.raises(UnmodifiableEntity, match="only modifiable by AWS"):
            await iam(operation, **role, **parameters)
    task = (await iam("DeleteServiceLinkedRole", **role))["DeletionTaskId"]
    assert task.startswith("task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/")
    assert await iam("GetServiceLinkedRoleDeletionStatus", DeletionTaskId=task) == {"Status": "SUCCEEDED"}
    with pytest.raises(InvalidInput):
        await iam("GetServiceLinkedRoleDeletionStatus", DeletionTaskId="task/other")
    with pytest.raises(NoSuchEntity):
        await iam("DeleteServiceLinkedRole", **role)
    await iam("CreateRole", RoleName="plain", AssumeRolePolicyDocument=trust)
    with pytest.raises(NoSuchEntity):
        await iam("DeleteServiceLinkedRole", RoleName="plain")
