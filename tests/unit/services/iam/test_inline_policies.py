from urllib.parse import unquote

import pytest

from lambent.services.iam.errors import LimitExceeded, MalformedPolicyDocument, NoSuchEntity


@pytest.fixture
async def role(iam, trust):
    await iam("CreateRole", RoleName="r", AssumeRolePolicyDocument=trust)
    return "r"


async def test_put_get_list_delete(iam, role, allow):
    for name, action in (("b", "sqs:*"), ("a", "s3:*"), ("b", "sns:*")):
        await iam("PutRolePolicy", RoleName=role, PolicyName=name, PolicyDocument=allow(action))
    assert (await iam("ListRolePolicies", RoleName=role))["PolicyNames"] == ["a", "b"]
    found = await iam("GetRolePolicy", RoleName=role, PolicyName="b")
    assert unquote(found["PolicyDocument"]) == allow("sns:*")
    await iam("DeleteRolePolicy", RoleName=role, PolicyName="b")
    for operation in ("GetRolePolicy", "DeleteRolePolicy"):
        with pytest.raises(NoSuchEntity, match="The role policy with name b cannot be found"):
            await iam(operation, RoleName=role, PolicyName="b")
    first = await iam("ListRolePolicies", RoleName=role, MaxItems=1)
    assert first == {"PolicyNames": ["a"], "IsTruncated": False}


async def test_a_malformed_document_is_refused(iam, role):
    with pytest.raises(MalformedPolicyDocument, match="Syntax errors in policy"):
        await iam("PutRolePolicy", RoleName=role, PolicyName="a", PolicyDocument="[]")


async def test_the_quota_is_of_all_inline_policies_together(iam, role, allow):
    half = allow("s3:" + "x" * 5000)
    await iam("PutRolePolicy", RoleName=role, PolicyName="a", PolicyDocument=half)
    await iam("PutRolePolicy", RoleName=role, PolicyName="b", PolicyDocument=half)
    with pytest.raises(LimitExceeded, match="Maximum policy size of 10240 bytes exceeded for role r"):
        await iam("PutRolePolicy", RoleName=role, PolicyName="c", PolicyDocument=half)
    await iam("PutRolePolicy", RoleName=role, PolicyName="b", PolicyDocument=half.replace("s3:x", "s3:y"))
