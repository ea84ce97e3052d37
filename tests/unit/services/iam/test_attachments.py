import pytest

from lambent.services.iam.aws_managed import aws_managed_policies
from lambent.services.iam.errors import LimitExceeded, NoSuchEntity, ValidationError

BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture
async def role(iam, trust):
    await iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=trust)
    return "r"


async def test_attaching_twice_is_once(iam, role):
    await iam("AttachRolePolicy", RoleName=role, PolicyArn=BASIC)
    await iam("AttachRolePolicy", RoleName=role, PolicyArn=BASIC)
    listed = await iam("ListAttachedRolePolicies", RoleName=role)
    assert listed["AttachedPolicies"] == [{"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": BASIC}]


async def test_attached_policies_by_path_and_page(iam, role):
    for arn in (BASIC, ADMIN):
        await iam("AttachRolePolicy", RoleName=role, PolicyArn=arn)
    inner = await iam("ListAttachedRolePolicies", RoleName=role, PathPrefix="/service-role/")
    assert [policy["PolicyArn"] for policy in inner["AttachedPolicies"]] == [BASIC]
    first = await iam("ListAttachedRolePolicies", RoleName=role, MaxItems=1)
    rest = await iam("ListAttachedRolePolicies", RoleName=role, Marker=first["Marker"])
    assert [p["PolicyArn"] for p in first["AttachedPolicies"] + rest["AttachedPolicies"]] == [BASIC, ADMIN]


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole",  # another path
        "arn:aws:iam::aws:policy/service-role/NoSuchPolicy",
        "arn:aws:iam::111122223333:policy/mine",
        "arn:aws:iam::999999999999:policy/service-role/AWSLambdaBasicExecutionRole",
    ],
)
async def test_what_does_not_exist_is_not_attached(iam, role, arn):
    with pytest.raises(NoSuchEntity, match=f"Policy {arn} does not exist or is not attachable"):
        await iam("AttachRolePolicy", RoleName=role, PolicyArn=arn)


async def test_what_is_not_a_policy_arn_is_invalid(iam, role):
    for arn in ("not an arn, but long enough", "arn:aws:iam::111122223333:role/r"):
        with pytest.raises(ValidationError, match="is not valid"):
            await iam("AttachRolePolicy", RoleName=role, PolicyArn=arn)


async def test_detaching_what_is_not_attached(iam, role):
    with pytest.raises(NoSuchEntity, match=f"Policy {BASIC} was not found"):
        await iam("DetachRolePolicy", RoleName=role, PolicyArn=BASIC)


async def test_ten_policies_per_role(iam, role):
    arns = [policy.arn() for policy in aws_managed_policies().values()][:11]
    for arn in arns[:10]:
        await iam("AttachRolePolicy", RoleName=role, PolicyArn=arn)
    await iam("AttachRolePolicy", RoleName=role, PolicyArn=arns[0])
    with pytest.raises(LimitExceeded, match="PoliciesPerRole: 10"):
        await iam("AttachRolePolicy", RoleName=role, PolicyArn=arns[10])


async def test_entities_of_a_policy(iam, role, trust):
    await iam("AttachRolePolicy", RoleName=role, PolicyArn=ADMIN)
    await iam(
        "CreateRole", RoleName="z", Path="/b/", AssumeRolePolicyDocument=trust, PermissionsBoundary=ADMIN
    )

    async def names(**filters):
        answer = await iam("ListEntitiesForPolicy", PolicyArn=ADMIN, **filters)
        assert answer["PolicyUsers"] == answer["PolicyGroups"] == []
        return [found["RoleName"] for found in answer["PolicyRoles"]]

    assert await names() == ["r", "z"]
    assert await names(PolicyUsageFilter="PermissionsPolicy") == ["r"]
    assert await names(PolicyUsageFilter="PermissionsBoundary") == ["z"]
    assert await names(PathPrefix="/b/") == ["z"]
    assert await names(EntityFilter="User") == []
    assert await names(EntityFilter="Role") == ["r", "z"]
