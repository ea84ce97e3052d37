import json
import re
from urllib.parse import unquote

import pytest

from lambent.services.iam.errors import (
    ConcurrentModification,
    DeleteConflict,
    EntityAlreadyExists,
    InvalidInput,
    LimitExceeded,
    MalformedPolicyDocument,
    NoSuchEntity,
    ValidationError,
)


async def test_a_created_role_is_answered_and_found_again(iam, trust, clock):
    created = await iam(
        "CreateRole",
        RoleName="worker",
        Path="/service/",
        AssumeRolePolicyDocument=trust,
        Description="runs things",
        Tags=[{"Key": "team", "Value": "blue"}],
    )
    role = created["Role"]
    assert role["Arn"] == "arn:aws:iam::111122223333:role/service/worker"
    assert re.fullmatch(r"AROA[A-Z0-9]{17}", role["RoleId"])
    assert role["CreateDate"] == clock.now()
    assert role["Tags"] == [{"Key": "team", "Value": "blue"}]
    told_later = {"Description": "runs things", "MaxSessionDuration": 3600, "RoleLastUsed": {}}
    assert told_later.keys().isdisjoint(role)
    assert (await iam("GetRole", RoleName="WORKER"))["Role"] == role | told_later


async def test_documents_are_answered_url_encoded(iam, trust):
    await iam("CreateRole", RoleName="worker", AssumeRolePolicyDocument=trust)
    document = (await iam("GetRole", RoleName="worker"))["Role"]["AssumeRolePolicyDocument"]
    assert "{" not in document and " " not in document and "+" not in document
    assert unquote(document) == trust


@pytest.mark.parametrize("action", ["s3:GetObject", ["sts:AssumeRole", "lambda:InvokeFunction"]])
async def test_a_trust_policy_is_about_sts(iam, trust, action):
    document = json.loads(trust)
    document["Statement"][0]["Action"] = action
    with pytest.raises(MalformedPolicyDocument, match="may only specify STS AssumeRole actions"):
        await iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=json.dumps(document))
    document["Statement"][0]["Action"] = ["sts:AssumeRole", "sts:TagSession"]
    await iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=json.dumps(document))


async def test_role_names_are_taken_whatever_their_case_and_path(iam, trust):
    await iam("CreateRole", RoleName="worker", AssumeRolePolicyDocument=trust)
    with pytest.raises(EntityAlreadyExists, match="Role with name Worker already exists"):
        await iam("CreateRole", RoleName="Worker", Path="/x/", AssumeRolePolicyDocument=trust)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("GetRole", {}),
        ("UpdateRole", {}),
        ("UpdateRoleDescription", {"Description": "x"}),
        ("DeleteRole", {}),
        ("TagRole", {"Tags": []}),
        ("UntagRole", {"TagKeys": []}),
        ("ListRoleTags", {}),
        ("ListRolePolicies", {}),
        ("GetRolePolicy", {"PolicyName": "p"}),
        ("DeleteRolePolicy", {"PolicyName": "p"}),
        ("ListAttachedRolePolicies", {}),
        ("ListInstanceProfilesForRole", {}),
        ("DetachRolePolicy", {"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("AttachRolePolicy", {"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("DeleteRolePermissionsBoundary", {}),
    ],
)
async def test_a_role_that_is_not_there(iam, operation, parameters):
    with pytest.raises(NoSuchEntity, match="The role with name ghost cannot be found"):
        await iam(operation, RoleName="ghost", **parameters)


async def test_a_trust_policy_must_be_one(iam):
    with pytest.raises(MalformedPolicyDocument, match="invalid Json"):
        await iam("CreateRole", RoleName="worker", AssumeRolePolicyDocument="{")
    with pytest.raises(NoSuchEntity):
        await iam("GetRole", RoleName="worker")


async def test_a_trust_policy_has_a_size_that_does_not_count_white_space(iam, trust):
    spaced = trust.replace(" ", " " * 400)
    assert len(spaced) > 2048
    await iam("CreateRole", RoleName="worker", AssumeRolePolicyDocument=spaced)
    document = json.loads(trust)
    document["Statement"][0]["Sid"] = "x" * 2048
    with pytest.raises(LimitExceeded, match="ACLSizePerRole: 2048"):
        await iam("UpdateAssumeRolePolicy", RoleName="worker", PolicyDocument=json.dumps(document))


async def test_updates_change_what_they_name(iam, trust):
    await iam("CreateRole", RoleName="worker", AssumeRolePolicyDocument=trust, Description="old")
    assert await iam("UpdateRole", RoleName="worker", MaxSessionDuration=7200) == {}
    role = (await iam("GetRole", RoleName="worker"))["Role"]
    assert (role["MaxSessionDuration"], role["Description"]) == (7200, "old")
    answer = await iam("UpdateRoleDescription", RoleName="worker", Description="new")
    assert answer["Role"]["Description"] == "new"


async def test_a_role_with_policies_is_not_deleted(iam, trust, allow):
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    await iam("CreateRole", RoleName="worker", AssumeRolePolicyDocument=trust)
    await iam("AttachRolePolicy", RoleName="worker", PolicyArn=arn)
    await iam("PutRolePolicy", RoleName="worker", PolicyName="p", PolicyDocument=allow("s3:*"))
    with pytest.raises(DeleteConflict, match="must detach all policies first"):
        await iam("DeleteRole", RoleName="worker")
    await iam("DetachRolePolicy", RoleName="worker", PolicyArn=arn)
    with pytest.raises(DeleteConflict, match="must delete policies first"):
        await iam("DeleteRole", RoleName="worker")
    await iam("DeleteRolePolicy", RoleName="worker", PolicyName="p")
    await iam("DeleteRole", RoleName="worker")
    with pytest.raises(NoSuchEntity):
        await iam("GetRole", RoleName="worker")


async def test_roles_are_listed_by_page_and_path(iam, trust):
    for name in ("c", "a", "e", "b", "d"):
        path = "/odd/" if name in "ace" else "/"
        await iam("CreateRole", RoleName=name, Path=path, AssumeRolePolicyDocument=trust)
    first = await iam("ListRoles", MaxItems=2)
    assert [role["RoleName"] for role in first["Roles"]] == ["a", "b"]
    assert first["IsTruncated"]
    second = await iam("ListRoles", MaxItems=3, Marker=first["Marker"])
    assert [role["RoleName"] for role in second["Roles"]] == ["c", "d", "e"]
    assert second["IsTruncated"] is False and "Marker" not in second
    odd = await iam("ListRoles", PathPrefix="/odd/")
    assert [role["RoleName"] for role in odd["Roles"]] == ["a", "c", "e"]
    with pytest.raises(ValidationError):
        await iam("ListRoles", Marker="!")


async def test_tags_are_merged_without_regard_to_case(iam, trust):
    await iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=trust, Tags=[{"Key": "A", "Value": "1"}])
    await iam("TagRole", RoleName="r", Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    tags = (await iam("ListRoleTags", RoleName="r", MaxItems=1))["Tags"]
    assert tags == [{"Key": "a", "Value": "2"}]
    await iam("UntagRole", RoleName="r", TagKeys=["A", "nothing"])
    assert (await iam("ListRoleTags", RoleName="r"))["Tags"] == [{"Key": "b", "Value": "3"}]


async def test_tags_that_are_refused(iam, trust):
    await iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=trust)
    with pytest.raises(InvalidInput, match="Duplicate tag keys"):
        await iam("TagRole", RoleName="r", Tags=[{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}])
    with pytest.raises(InvalidInput, match="reserved"):
        await iam("TagRole", RoleName="r", Tags=[{"Key": "aws:x", "Value": ""}])
    await iam("TagRole", RoleName="r", Tags=[{"Key": str(n), "Value": ""} for n in range(50)])
    with pytest.raises(LimitExceeded, match="maximum limit"):
        await iam("TagRole", RoleName="r", Tags=[{"Key": "one more", "Value": ""}])


async def test_a_change_is_tried_again_when_another_was_faster(iam, trust, role_store):
    await iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=trust)
    role_store.conflicts = 3
    await iam("UpdateRole", RoleName="r", Description="new")
    assert (await iam("GetRole", RoleName="r"))["Role"]["Description"] == "new"
    role_store.conflicts = 1000
    with pytest.raises(ConcurrentModification):
        await iam("UpdateRole", RoleName="r", Description="newer")


async def test_a_boundary_must_be_a_policy(iam, trust, allow):
    policy = (await iam("CreatePolicy", PolicyName="edge", PolicyDocument=allow("s3:*")))["Policy"]
    await iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=trust, PermissionsBoundary=policy["Arn"])
    role = (await iam("GetRole", RoleName="r"))["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy["Arn"]
    with pytest.raises(DeleteConflict):
        await iam("DeletePolicy", PolicyArn=policy["Arn"])
    with pytest.raises(NoSuchEntity):
        await iam("PutRolePermissionsBoundary", RoleName="r", PermissionsBoundary=policy["Arn"] + "x")
    with pytest.raises(InvalidInput):
        await iam(
            "PutRolePermissionsBoundary", RoleName="r", PermissionsBoundary="arn:aws:s3:::some-bucket-name"
        )
    await iam("DeleteRolePermissionsBoundary", RoleName="r")
    with pytest.raises(NoSuchEntity, match="does not have a permissions boundary"):
        await iam("DeleteRolePermissionsBoundary", RoleName="r")
    assert "PermissionsBoundary" not in (await iam("GetRole", RoleName="r"))["Role"]
    await iam("DeletePolicy", PolicyArn=policy["Arn"])


async def test_a_role_is_in_no_instance_profile(iam, trust):
    await iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=trust)
    answer = await iam("ListInstanceProfilesForRole", RoleName="r")
    assert answer == {"InstanceProfiles": [], "IsTruncated": False}


async def test_the_account_summary_counts(iam, trust, allow):
    await iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=trust)
    arn = (await iam("CreatePolicy", PolicyName="p", PolicyDocument=allow("s3:*")))["Policy"]["Arn"]
    await iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=allow("sqs:*"))
    summary = (await iam("GetAccountSummary"))["SummaryMap"]
    assert (summary["Roles"], summary["Policies"], summary["PolicyVersionsInUse"]) == (1, 1, 2)
