import re
from urllib.parse import unquote

import pytest

from lambent.model.policy import PolicyKind, parse_policy
from lambent.services.iam.aws_managed import aws_managed_policies, find_aws_managed
from lambent.services.iam.errors import (
    DeleteConflict,
    EntityAlreadyExists,
    LimitExceeded,
    MalformedPolicyDocument,
    NoSuchEntity,
)

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture
async def arn(iam, allow):
    created = await iam("CreatePolicy", PolicyName="p", Path="/x/", PolicyDocument=allow("s3:*"))
    return created["Policy"]["Arn"]


async def test_a_created_policy(iam, allow, clock):
    policy = (
        await iam(
            "CreatePolicy",
            PolicyName="p",
            Description="d",
            PolicyDocument=allow("s3:*"),
            Tags=[{"Key": "k", "Value": "v"}],
        )
    )["Policy"]
    assert policy["Arn"] == "arn:aws:iam::111122223333:policy/p"
    assert re.fullmatch(r"ANPA[A-Z0-9]{17}", policy["PolicyId"])
    assert policy["DefaultVersionId"] == "v1"
    assert policy["CreateDate"] == policy["UpdateDate"] == clock.now()
    assert (policy["AttachmentCount"], policy["PermissionsBoundaryUsageCount"]) == (0, 0)
    assert (await iam("GetPolicy", PolicyArn=policy["Arn"]))["Policy"] == policy | {"Description": "d"}
    bare = (await iam("CreatePolicy", PolicyName="q", PolicyDocument=allow("s3:*")))["Policy"]
    assert (await iam("GetPolicy", PolicyArn=bare["Arn"]))["Policy"] == bare | {"Tags": []}


async def test_names_are_unique_and_documents_checked(iam, arn, allow):
    with pytest.raises(EntityAlreadyExists, match="A policy called P already exists"):
        await iam("CreatePolicy", PolicyName="P", PolicyDocument=allow("s3:*"))
    with pytest.raises(MalformedPolicyDocument):
        await iam("CreatePolicy", PolicyName="q", PolicyDocument=allow("s3"))
    with pytest.raises(LimitExceeded, match="PolicySize: 6144"):
        await iam("CreatePolicy", PolicyName="q", PolicyDocument=allow("s3:" + "x" * 6144))


async def test_a_policy_is_found_by_its_whole_arn(iam, arn):
    with pytest.raises(NoSuchEntity, match="was not found"):
        await iam("GetPolicy", PolicyArn="arn:aws:iam::111122223333:policy/p")


async def test_a_policy_in_use_is_not_deleted(iam, arn, trust, allow):
    await iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=trust)
    await iam("AttachRolePolicy", RoleName="r", PolicyArn=arn)
    assert (await iam("GetPolicy", PolicyArn=arn))["Policy"]["AttachmentCount"] == 1
    with pytest.raises(DeleteConflict, match="Cannot delete a policy attached to entities"):
        await iam("DeletePolicy", PolicyArn=arn)
    await iam("DetachRolePolicy", RoleName="r", PolicyArn=arn)
    await iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=allow("sqs:*"))
    with pytest.raises(DeleteConflict, match="more than one version"):
        await iam("DeletePolicy", PolicyArn=arn)
    await iam("DeletePolicyVersion", PolicyArn=arn, VersionId="v2")
    await iam("DeletePolicy", PolicyArn=arn)
    with pytest.raises(NoSuchEntity):
        await iam("GetPolicy", PolicyArn=arn)


async def test_versions(iam, arn, allow, clock):
    clock.advance(60)
    second = await iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=allow("sqs:*"))
    assert second["PolicyVersion"] == {
        "VersionId": "v2",
        "IsDefaultVersion": False,
        "CreateDate": clock.now(),
    }
    await iam("SetDefaultPolicyVersion", PolicyArn=arn, VersionId="v2")
    policy = (await iam("GetPolicy", PolicyArn=arn))["Policy"]
    assert (policy["DefaultVersionId"], policy["UpdateDate"]) == ("v2", clock.now())
    found = (await iam("GetPolicyVersion", PolicyArn=arn, VersionId="v1"))["PolicyVersion"]
    assert unquote(found["Document"]) == allow("s3:*")
    assert found["IsDefaultVersion"] is False
    with pytest.raises(DeleteConflict, match="Cannot delete the default version"):
        await iam("DeletePolicyVersion", PolicyArn=arn, VersionId="v2")
    await iam("DeletePolicyVersion", PolicyArn=arn, VersionId="v1")
    with pytest.raises(NoSuchEntity, match="version v1 does not exist"):
        await iam("GetPolicyVersion", PolicyArn=arn, VersionId="v1")


async def test_the_number_of_a_deleted_version_does_not_come_back(iam, arn, allow):
    await iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=allow("sqs:*"))
    await iam("DeletePolicyVersion", PolicyArn=arn, VersionId="v2")
    third = await iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=allow("sqs:*"))
    assert third["PolicyVersion"]["VersionId"] == "v3"


async def test_five_versions_newest_first(iam, arn, allow):
    for _ in range(4):
        await iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=allow("s3:*"), SetAsDefault=True)
    with pytest.raises(LimitExceeded, match="up to 5 versions"):
        await iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=allow("s3:*"))
    first = await iam("ListPolicyVersions", PolicyArn=arn, MaxItems=2)
    rest = await iam("ListPolicyVersions", PolicyArn=arn, Marker=first["Marker"])
    listed = first["Versions"] + rest["Versions"]
    assert [version["VersionId"] for version in listed] == ["v5", "v4", "v3", "v2", "v1"]
    assert [version["IsDefaultVersion"] for version in listed] == [True, False, False, False, False]


async def test_policies_are_listed_by_scope_use_and_page(iam, arn, trust, allow):
    await iam("CreatePolicy", PolicyName="q", PolicyDocument=allow("s3:*"))
    await iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=trust, PermissionsBoundary=arn)
    await iam("AttachRolePolicy", RoleName="r", PolicyArn=ADMIN)

    async def names(**filters):
        return [policy["PolicyName"] for policy in (await iam("ListPolicies", **filters))["Policies"]]

    ours = sorted(aws_managed_policies())
    assert await names(Scope="Local") == ["p", "q"]
    assert await names(Scope="AWS") == ours
    assert await names(MaxItems=1000) == ["p", "q", *ours]
    assert await names(OnlyAttached=True) == ["p", "AdministratorAccess"]
    assert await names(PolicyUsageFilter="PermissionsBoundary") == ["p"]
    assert await names(PolicyUsageFilter="PermissionsPolicy") == ["AdministratorAccess"]
    assert await names(PathPrefix="/x/") == ["p"]
    seen, marker = [], {}
    while True:
        answer = await iam("ListPolicies", MaxItems=1 if not seen else 20, **marker)
        seen += [policy["PolicyName"] for policy in answer["Policies"]]
        if not answer["IsTruncated"]:
            break
        marker = {"Marker": answer["Marker"]}
    assert seen == ["p", "q", *ours]


async def test_policy_tags(iam, arn):
    await iam("TagPolicy", PolicyArn=arn, Tags=[{"Key": "k", "Value": "v"}])
    assert (await iam("ListPolicyTags", PolicyArn=arn))["Tags"] == [{"Key": "k", "Value": "v"}]
    await iam("UntagPolicy", PolicyArn=arn, TagKeys=["k"])
    assert (await iam("ListPolicyTags", PolicyArn=arn))["Tags"] == []


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("DeletePolicy", {}),
        ("CreatePolicyVersion", {}),
        ("SetDefaultPolicyVersion", {"VersionId": "v1"}),
        ("TagPolicy", {"Tags": []}),
    ],
)
async def test_policies_of_aws_do_not_change(iam, allow, operation, parameters):
    if operation == "CreatePolicyVersion":
        parameters = {"PolicyDocument": allow("s3:*")}
    with pytest.raises(NoSuchEntity):
        await iam(operation, PolicyArn=ADMIN, **parameters)


async def test_policies_of_aws_can_be_read(iam):
    policy = (await iam("GetPolicy", PolicyArn=ADMIN))["Policy"]
    version = await iam("GetPolicyVersion", PolicyArn=ADMIN, VersionId=policy["DefaultVersionId"])
    assert '"Action": "*"' in unquote(version["PolicyVersion"]["Document"])
    assert (await iam("ListPolicyVersions", PolicyArn=ADMIN))["Versions"][0]["IsDefaultVersion"]


@pytest.mark.parametrize("policy", aws_managed_policies().values(), ids=lambda policy: policy.name)
def test_every_policy_of_aws_parses_and_is_found(policy):
    assert parse_policy(policy.document, PolicyKind.IDENTITY).statements
    assert find_aws_managed(policy.arn()) is policy
    assert find_aws_managed(policy.arn("aws-cn")) is policy
    assert re.fullmatch(r"ANPA[A-Z0-9]{17}", policy.id)
    assert policy.path in ("/", "/service-role/")
    assert policy.created_at <= policy.updated_at
