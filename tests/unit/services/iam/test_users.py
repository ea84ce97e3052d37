from dataclasses import replace

import pytest

from lambent.model.credential import SessionFacts
from lambent.services.iam.errors import (
    DeleteConflict,
    EntityAlreadyExists,
    LimitExceeded,
    NoSuchEntity,
    ValidationError,
)

ACCOUNT = "111122223333"


@pytest.fixture
async def ann(iam) -> str:
    await iam("CreateUser", UserName="ann", Path="/staff/")
    return "ann"


async def test_a_user_is_found_whatever_the_case_and_listed_by_path(iam, ann, clock):
    user = (await iam("GetUser", UserName="ANN"))["User"]
    assert user["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/staff/ann"
    assert user["UserId"].startswith("AIDA") and len(user["UserId"]) == 21
    assert user["CreateDate"] == clock.now()
    await iam("CreateUser", UserName="bob", Tags=[{"Key": "k", "Value": "v"}])
    assert (await iam("GetUser", UserName="bob"))["User"]["Tags"] == [{"Key": "k", "Value": "v"}]
    assert [u["UserName"] for u in (await iam("ListUsers", PathPrefix="/st"))["Users"]] == ["ann"]
    first = await iam("ListUsers", MaxItems=1)
    rest = await iam("ListUsers", Marker=first["Marker"])
    assert [u["UserName"] for u in (*first["Users"], *rest["Users"])] == ["ann", "bob"]
    assert "Tags" not in rest["Users"][0]


async def test_what_is_taken_and_what_is_not_there(iam, ann):
    with pytest.raises(EntityAlreadyExists, match=r"^User with name Ann already exists.$"):
        await iam("CreateUser", UserName="Ann")
    for operation in ("GetUser", "UpdateUser", "DeleteUser", "CreateAccessKey", "ListUserTags"):
        with pytest.raises(NoSuchEntity, match=r"^The user with name nobody cannot be found.$"):
            await iam(operation, UserName="nobody")


async def test_a_renamed_user_stays_itself(iam, ann, credentials):
    key = (await iam("CreateAccessKey", UserName=ann))["AccessKey"]
    before = (await iam("GetUser", UserName=ann))["User"]
    await iam("CreateUser", UserName="taken")
    with pytest.raises(EntityAlreadyExists, match="User with name taken already exists"):
        await iam("UpdateUser", UserName=ann, NewUserName="taken")
    await iam("UpdateUser", UserName=ann, NewUserName="anna", NewPath="/")
    after = (await iam("GetUser", UserName="anna"))["User"]
    assert (after["UserId"], after["Arn"]) == (before["UserId"], f"arn:aws:iam::{ACCOUNT}:user/anna")
    with pytest.raises(NoSuchEntity):
        await iam("GetUser", UserName=ann)
    assert credentials.find(key["AccessKeyId"], None).principal_arn == after["Arn"]


async def test_access_keys_sign_while_they_are_active(iam, ann, credentials, people):
    key = (await iam("CreateAccessKey", UserName=ann))["AccessKey"]
    id = key["AccessKeyId"]
    assert (len(id), len(key["SecretAccessKey"]), key["Status"]) == (20, 40, "Active")
    assert credentials.find(id, None).secret_access_key == key["SecretAccessKey"]
    assert credentials.find(id, "token") is None
    stored = next(iter(people.users.values.values())).access_keys[0]
    assert key["SecretAccessKey"] not in stored.sealed_secret
    await iam("UpdateAccessKey", UserName=ann, AccessKeyId=id, Status="Inactive")
    assert credentials.find(id, None) is None
    await iam("UpdateAccessKey", UserName=ann, AccessKeyId=id, Status="Active")
    await credentials.open()  # as another server on this database does
    assert credentials.find(id, None).user_id == (await iam("GetUser", UserName=ann))["User"]["UserId"]
    listed = (await iam("ListAccessKeys", UserName=ann))["AccessKeyMetadata"]
    assert listed == [{name: key[name] for name in ("UserName", "AccessKeyId", "Status", "CreateDate")}]
    await iam("DeleteAccessKey", UserName=ann, AccessKeyId=id)
    assert credentials.find(id, None) is None
    with pytest.raises(NoSuchEntity, match=f"^The Access Key with id {id} cannot be found.$"):
        await iam("DeleteAccessKey", UserName=ann, AccessKeyId=id)


async def test_a_user_has_two_access_keys_at_most(iam, ann):
    await iam("CreateAccessKey", UserName=ann)
    await iam("CreateAccessKey", UserName=ann)
    with pytest.raises(LimitExceeded, match=r"^Cannot exceed quota for AccessKeysPerUser: 2$"):
        await iam("CreateAccessKey", UserName=ann)


async def test_a_user_that_calls_need_not_name_itself(iam, ann, root):
    arn = (await iam("GetUser", UserName=ann))["User"]["Arn"]
    caller = replace(root, principal_arn=arn)
    assert (await iam("GetUser", caller))["User"]["Arn"] == arn
    assert (await iam("CreateAccessKey", caller))["AccessKey"]["UserName"] == ann
    assert (await iam("GetUser"))["User"]["Arn"] == root.principal_arn
    with pytest.raises(
        ValidationError, match=r"^Must specify userName when calling with non-User credentials$"
    ):
        await iam("CreateAccessKey")


async def test_what_keeps_a_user_from_being_deleted(iam, ann, allow):
    await iam("CreateGroup", GroupName="g")
    arn = (await iam("CreatePolicy", PolicyName="m", PolicyDocument=allow("s3:*")))["Policy"]["Arn"]
    having = [
        ("AddUserToGroup", "RemoveUserFromGroup", {"GroupName": "g"}, "remove users from group"),
        ("AttachUserPolicy", "DetachUserPolicy", {"PolicyArn": arn}, "detach all policies"),
        ("PutUserPolicy", "DeleteUserPolicy", {"PolicyName": "p"}, "delete policies"),
    ]
    for get, rid, what, message in having:
        document = {"PolicyDocument": allow("s3:*")} if get == "PutUserPolicy" else {}
        await iam(get, UserName=ann, **what, **document)
        with pytest.raises(DeleteConflict, match=f"^Cannot delete entity, must {message} first.$"):
            await iam("DeleteUser", UserName=ann)
        await iam(rid, UserName=ann, **what)
    key = (await iam("CreateAccessKey", UserName=ann))["AccessKey"]
    with pytest.raises(DeleteConflict, match="must delete access keys first"):
        await iam("DeleteUser", UserName=ann)
    await iam("DeleteAccessKey", UserName=ann, AccessKeyId=key["AccessKeyId"])
    await iam("DeleteUser", UserName=ann)
    assert (await iam("ListUsers"))["Users"] == []


async def test_a_user_may_what_its_own_and_its_groups_policies_allow(iam, ann, allow, authorizer, root):
    user = (await iam("GetUser", UserName=ann))["User"]
    caller = replace(root, principal_arn=user["Arn"], user_id=user["UserId"])

    async def may(action: str) -> bool:
        return (await authorizer.decide(caller, action, "*")).allowed

    assert not await may("s3:GetObject")
    await iam("PutUserPolicy", UserName=ann, PolicyName="p", PolicyDocument=allow("s3:*"))
    assert await may("s3:GetObject")
    await iam("CreateGroup", GroupName="g")
    await iam("PutGroupPolicy", GroupName="g", PolicyName="p", PolicyDocument=allow("sqs:*"))
    assert not await may("sqs:SendMessage")
    await iam("AddUserToGroup", GroupName="g", UserName=ann)
    assert await may("sqs:SendMessage")
    await iam("UpdateGroup", GroupName="g", NewGroupName="h")
    assert await may("sqs:SendMessage"), "a group's members outlive its renaming"
    arn = (await iam("CreatePolicy", PolicyName="m", PolicyDocument=allow("s3:*")))["Policy"]["Arn"]
    await iam("PutUserPermissionsBoundary", UserName=ann, PermissionsBoundary=arn)
    assert await may("s3:GetObject") and not await may("sqs:SendMessage")
    await iam("DeleteUserPermissionsBoundary", UserName=ann)
    await iam("RemoveUserFromGroup", GroupName="h", UserName=ann)
    assert not await may("sqs:SendMessage")
    assert not (await authorizer.decide(replace(caller, user_id="AIDAFORMER"), "s3:GetObject", "*")).allowed


async def test_a_federated_user_may_what_its_issuer_may_and_was_given(iam, ann, allow, authorizer, root):
    user = (await iam("GetUser", UserName=ann))["User"]
    await iam("PutUserPolicy", UserName=ann, PolicyName="p", PolicyDocument=allow(["s3:*", "sqs:*"]))
    visitor = replace(
        root,
        principal_arn="arn:aws:sts::111122223333:federated-user/visitor",
        user_id="111122223333:visitor",
        session_policies=(allow(["s3:*", "sns:*"]),),
        session=SessionFacts(issuer_arn=user["Arn"], issuer_id=user["UserId"]),
    )
    may = {
        action: (await authorizer.decide(visitor, action, "*")).allowed
        for action in ("s3:GetObject", "sqs:SendMessage", "sns:Publish")
    }
    assert may == {"s3:GetObject": True, "sqs:SendMessage": False, "sns:Publish": False}
    gone = replace(visitor, session=SessionFacts(issuer_arn=user["Arn"], issuer_id="AIDAFORMER"))
    assert not (await authorizer.decide(gone, "s3:GetObject", "*")).allowed


async def test_conditions_ask_about_the_tags_of_a_session(iam, trust, allow, authorizer, root):
    await iam(
        "CreateRole", RoleName="r", AssumeRolePolicyDocument=trust, Tags=[{"Key": "team", "Value": "red"}]
    )
    role = (await iam("GetRole", RoleName="r"))["Role"]
    condition = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}
    policy = allow("s3:*", Condition=condition)
    await iam("PutRolePolicy", RoleName="r", PolicyName="p", PolicyDocument=policy)
    session = replace(
        root,
        principal_arn="arn:aws:sts::111122223333:assumed-role/r/me",
        role_arn=role["Arn"],
        user_id=f"{role['RoleId']}:me",
    )
    assert not (await authorizer.decide(session, "s3:GetObject", "*")).allowed
    tagged = replace(session, session=SessionFacts(tags={"Team": "blue"}))
    assert (await authorizer.decide(tagged, "s3:GetObject", "*")).allowed
