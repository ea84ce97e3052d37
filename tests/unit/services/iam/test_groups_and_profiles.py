import pytest

from lambent.services.iam.errors import DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity


async def test_groups_have_members(iam):
    await iam("CreateUser", UserName="ann")
    group = (await iam("CreateGroup", GroupName="g", Path="/a/"))["Group"]
    assert group["Arn"] == "arn:aws:iam::111122223333:group/a/g"
    with pytest.raises(EntityAlreadyExists, match=r"^Group with name g already exists.$"):
        await iam("CreateGroup", GroupName="g")
    for _ in range(2):
        await iam("AddUserToGroup", GroupName="g", UserName="ann")
    assert [user["UserName"] for user in (await iam("GetGroup", GroupName="g"))["Users"]] == ["ann"]
    assert (await iam("ListGroupsForUser", UserName="ann"))["Groups"] == [group]
    with pytest.raises(DeleteConflict, match="must remove users from group first"):
        await iam("DeleteGroup", GroupName="g")
    for _ in range(2):
        await iam("RemoveUserFromGroup", GroupName="g", UserName="ann")
    assert (await iam("GetGroup", GroupName="g"))["Users"] == []
    await iam("DeleteGroup", GroupName="g")
    assert (await iam("ListGroups"))["Groups"] == []


async def test_of_a_user_and_a_group_that_are_not_there_the_user_is_told(iam):
    with pytest.raises(NoSuchEntity, match=r"^The user with name ann cannot be found.$"):
        await iam("RemoveUserFromGroup", GroupName="g", UserName="ann")
    await iam("CreateUser", UserName="ann")
    with pytest.raises(NoSuchEntity, match=r"^The group with name g cannot be found.$"):
        await iam("AddUserToGroup", GroupName="g", UserName="ann")


async def test_a_policy_knows_who_uses_it(iam, trust, allow):
    arn = (await iam("CreatePolicy", PolicyName="m", PolicyDocument=allow("s3:*")))["Policy"]["Arn"]
    await iam("CreateUser", UserName="ann", PermissionsBoundary=arn)
    await iam("CreateGroup", GroupName="g")
    await iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=trust)
    await iam("AttachGroupPolicy", GroupName="g", PolicyArn=arn)
    await iam("AttachRolePolicy", RoleName="r", PolicyArn=arn)
    policy = (await iam("GetPolicy", PolicyArn=arn))["Policy"]
    assert (policy["AttachmentCount"], policy["PermissionsBoundaryUsageCount"]) == (2, 1)
    using = await iam("ListEntitiesForPolicy", PolicyArn=arn)
    assert [u["UserName"] for u in using["PolicyUsers"]] == ["ann"]
    assert [g["GroupName"] for g in using["PolicyGroups"]] == ["g"]
    assert [r["RoleName"] for r in using["PolicyRoles"]] == ["r"]
    only = await iam("ListEntitiesForPolicy", PolicyArn=arn, EntityFilter="Group")
    assert (only["PolicyUsers"], len(only["PolicyGroups"]), only["PolicyRoles"]) == ([], 1, [])
    with pytest.raises(DeleteConflict, match="attached to entities"):
        await iam("DeletePolicy", PolicyArn=arn)


async def test_an_instance_profile_has_one_role(iam, trust):
    made = (await iam("CreateInstanceProfile", InstanceProfileName="p"))["InstanceProfile"]
    assert made["Arn"] == "arn:aws:iam::111122223333:instance-profile/p"
    assert (made["Roles"], "Tags" in made) == ([], False)
    with pytest.raises(EntityAlreadyExists, match=r"^Instance Profile p already exists.$"):
        await iam("CreateInstanceProfile", InstanceProfileName="p")
    for name in ("r", "other"):
        await iam("CreateRole", RoleName=name, AssumeRolePolicyDocument=trust)
    await iam("AddRoleToInstanceProfile", InstanceProfileName="p", RoleName="r")
    found = (await iam("GetInstanceProfile", InstanceProfileName="p"))["InstanceProfile"]
    assert ([role["RoleName"] for role in found["Roles"]], found["Tags"]) == (["r"], [])
    assert len((await iam("ListInstanceProfilesForRole", RoleName="r"))["InstanceProfiles"]) == 1
    with pytest.raises(LimitExceeded, match="InstanceSessionsPerInstanceProfile: 1"):
        await iam("AddRoleToInstanceProfile", InstanceProfileName="p", RoleName="other")
    with pytest.raises(NoSuchEntity, match=r"^Role other in Instance Profile p cannot be found.$"):
        await iam("RemoveRoleFromInstanceProfile", InstanceProfileName="p", RoleName="other")
    for operation, name in (("DeleteRole", "RoleName"), ("DeleteInstanceProfile", "InstanceProfileName")):
        with pytest.raises(DeleteConflict, match="must remove roles from instance profile first"):
            await iam(operation, **{name: "r" if name == "RoleName" else "p"})
    await iam("RemoveRoleFromInstanceProfile", InstanceProfileName="p", RoleName="r")
    await iam("DeleteRole", RoleName="r")
    await iam("DeleteInstanceProfile", InstanceProfileName="p")
    with pytest.raises(NoSuchEntity, match=r"^Instance Profile p cannot be found.$"):
        await iam("GetInstanceProfile", InstanceProfileName="p")
