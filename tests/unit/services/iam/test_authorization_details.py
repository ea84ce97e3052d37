"""Everybody in the account with all their policies."""


async def test_each_kind_in_its_list(iam, trust, allow, root) -> None:
    policy = (await iam("CreatePolicy", PolicyName="p", PolicyDocument=allow("s3:*")))["Policy"]["Arn"]
    await iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=trust, Tags=[{"Key": "k", "Value": "v"}])
    await iam("CreateInstanceProfile", InstanceProfileName="i")
    await iam("AddRoleToInstanceProfile", InstanceProfileName="i", RoleName="r")
    await iam("AttachRolePolicy", RoleName="r", PolicyArn=policy)
    await iam("AttachRolePolicy", RoleName="r", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    await iam("PutRolePolicy", RoleName="r", PolicyName="inline", PolicyDocument=allow("sqs:*"))
    await iam("CreateGroup", GroupName="g")
    await iam("CreateUser", UserName="u")
    await iam("AddUserToGroup", GroupName="g", UserName="u")

    found = await iam("GetAccountAuthorizationDetails")
    assert found["IsTruncated"] is False
    (role,) = found["RoleDetailList"]
    assert [one["PolicyName"] for one in role["AttachedManagedPolicies"]] == ["p", "AmazonS3FullAccess"]
    assert [one["PolicyName"] for one in role["RolePolicyList"]] == ["inline"]
    assert [one["InstanceProfileName"] for one in role["InstanceProfileList"]] == ["i"]
    assert role["Tags"] == [{"Key": "k", "Value": "v"}]
    assert role["RoleLastUsed"] == {}
    assert "MaxSessionDuration" not in role
    (user,) = found["UserDetailList"]
    assert user["GroupList"] == ["g"]
    (group,) = found["GroupDetailList"]
    assert group["GroupPolicyList"] == group["AttachedManagedPolicies"] == []
    names = [one["PolicyName"] for one in found["Policies"]]
    assert names == ["AmazonS3FullAccess", "p"]
    assert found["Policies"][1]["AttachmentCount"] == 1
    (version,) = found["Policies"][1]["PolicyVersionList"]
    assert (version["VersionId"], version["IsDefaultVersion"]) == ("v1", True)

    only = await iam("GetAccountAuthorizationDetails", Filter=["LocalManagedPolicy"])
    assert [one["PolicyName"] for one in only["Policies"]] == ["p"]
    assert only["UserDetailList"] == only["RoleDetailList"] == only["GroupDetailList"] == []


async def test_pages_have_everybody_once(iam, trust) -> None:
    for name in ("b", "a", "c"):
        await iam("CreateRole", RoleName=name, AssumeRolePolicyDocument=trust)
        await iam("CreateUser", UserName=name)
    seen: list[str] = []
    marker: dict[str, str] = {}
    while True:
        page = await iam("GetAccountAuthorizationDetails", MaxItems=2, **marker)
        seen += [role["RoleName"] for role in page["RoleDetailList"]]
        seen += [user["UserName"] for user in page["UserDetailList"]]
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    assert seen == ["a", "b", "c"] * 2
