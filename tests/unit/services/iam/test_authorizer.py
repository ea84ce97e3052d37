import json
from dataclasses import replace

import pytest

from lambent.services.iam.access_denied import AccessDenied
from lambent.services.iam.resource_arn import resource_arn

FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:hello"
ARN_OF_P = "arn:aws:iam::111122223333:policy/p"
SESSION = "arn:aws:sts::111122223333:assumed-role/worker/me"


@pytest.fixture
async def session(iam, trust, root):
    """A caller that has assumed the role `worker`, which may do nothing yet."""
    role = (await iam("CreateRole", RoleName="worker", Path="/x/", AssumeRolePolicyDocument=trust))["Role"]
    return replace(
        root,
        principal_arn=SESSION,
        user_id=f"{role['RoleId']}:me",
        access_key_id="ASIAIOSFODNN7EXAMPLE",
        role_arn=role["Arn"],
    )


async def denial(authorizer, caller, action="lambda:InvokeFunction", resource=FUNCTION, **more):
    with pytest.raises(AccessDenied) as caught:
        await authorizer.authorize(caller, action, resource, **more)
    assert caught.value.status == 403
    return caught.value


async def test_root_may_do_everything_without_a_look_at_the_store(authorizer, root, role_store):
    await authorizer.authorize(root, "iam:DeleteRole", "*")
    assert role_store.reads == 0


async def test_nothing_is_allowed_by_default(authorizer, session):
    error = await denial(authorizer, session)
    assert error.message == (
        f"User: {SESSION} is not authorized to perform: lambda:InvokeFunction on resource: {FUNCTION} "
        "because no identity-based policy allows the lambda:InvokeFunction action"
    )


async def test_inline_and_attached_policies_allow(authorizer, session, iam, allow):
    await iam(
        "PutRolePolicy", RoleName="worker", PolicyName="p", PolicyDocument=allow("lambda:Invoke*", FUNCTION)
    )
    await authorizer.authorize(session, "lambda:InvokeFunction", FUNCTION)
    await denial(authorizer, session, resource=FUNCTION + "2")
    await denial(authorizer, session, "lambda:DeleteFunction")
    await iam("AttachRolePolicy", RoleName="worker", PolicyArn="arn:aws:iam::aws:policy/AWSLambda_FullAccess")
    await authorizer.authorize(session, "lambda:DeleteFunction", FUNCTION)


async def test_an_explicit_deny_wins(authorizer, session, iam, allow):
    await iam("PutRolePolicy", RoleName="worker", PolicyName="a", PolicyDocument=allow("*"))
    await iam("PutRolePolicy", RoleName="worker", PolicyName="d", PolicyDocument=allow("s3:*", effect="Deny"))
    await authorizer.authorize(session, "lambda:InvokeFunction", FUNCTION)
    error = await denial(authorizer, session, "s3:GetObject", "arn:aws:s3:::b/k")
    assert error.message.endswith("arn:aws:s3:::b/k with an explicit deny in an identity-based policy")


async def test_a_boundary_limits_and_does_not_grant(authorizer, session, iam, allow):
    arn = (await iam("CreatePolicy", PolicyName="edge", PolicyDocument=allow("lambda:*")))["Policy"]["Arn"]
    await iam("PutRolePermissionsBoundary", RoleName="worker", PermissionsBoundary=arn)
    assert "no identity-based policy" in (await denial(authorizer, session)).message
    await iam("PutRolePolicy", RoleName="worker", PolicyName="a", PolicyDocument=allow("*"))
    await authorizer.authorize(session, "lambda:InvokeFunction", FUNCTION)
    error = await denial(authorizer, session, "sqs:SendMessage", "*")
    assert error.message.endswith("because no permissions boundary allows the sqs:SendMessage action")


async def test_a_boundary_whose_policy_is_gone_allows_nothing(authorizer, session, iam, allow, role_store):
    arn = (await iam("CreatePolicy", PolicyName="edge", PolicyDocument=allow("*")))["Policy"]["Arn"]
    await iam("PutRolePermissionsBoundary", RoleName="worker", PermissionsBoundary=arn)
    await iam("PutRolePolicy", RoleName="worker", PolicyName="a", PolicyDocument=allow("*"))
    role_store.policies.clear()
    assert "permissions boundary" in (await denial(authorizer, session)).message


async def test_session_policies_limit(authorizer, session, iam, allow):
    await iam("PutRolePolicy", RoleName="worker", PolicyName="a", PolicyDocument=allow("lambda:*"))
    limited = replace(
        session,
        session_policies=(allow("lambda:Get*"), "arn:aws:iam::aws:policy/AmazonS3FullAccess"),
    )
    await authorizer.authorize(limited, "lambda:GetFunction", FUNCTION)
    assert "no session policy allows" in (await denial(authorizer, limited)).message
    assert "no identity-based" in (await denial(authorizer, limited, "s3:GetObject", "*")).message


async def test_a_session_policy_that_names_no_policy_allows_nothing(authorizer, session, iam, allow):
    await iam("PutRolePolicy", RoleName="worker", PolicyName="a", PolicyDocument=allow("*"))
    limited = replace(session, session_policies=("arn:aws:iam::111122223333:policy/ghost",))
    assert "session policy" in (await denial(authorizer, limited)).message


async def test_changes_are_seen_at_once(authorizer, session, iam, allow):
    await denial(authorizer, session)
    arn = (await iam("CreatePolicy", PolicyName="p", PolicyDocument=allow("lambda:*")))["Policy"]["Arn"]
    await iam("AttachRolePolicy", RoleName="worker", PolicyArn=arn)
    await authorizer.authorize(session, "lambda:InvokeFunction", FUNCTION)
    await iam("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=allow("s3:*"), SetAsDefault=True)
    await denial(authorizer, session)
    await iam("SetDefaultPolicyVersion", PolicyArn=arn, VersionId="v1")
    await authorizer.authorize(session, "lambda:InvokeFunction", FUNCTION)
    await iam("DetachRolePolicy", RoleName="worker", PolicyArn=arn)
    await denial(authorizer, session)


async def test_another_servers_changes_are_seen_after_seconds(authorizer, session, role_store, allow, clock):
    await denial(authorizer, session)
    (key,) = role_store.roles
    role_store.roles[key] = replace(role_store.roles[key], inline_policies={"p": allow("*")})
    await denial(authorizer, session)
    clock.advance(6)
    await authorizer.authorize(session, "lambda:InvokeFunction", FUNCTION)


async def test_policies_are_read_once(authorizer, session, iam, allow, role_store):
    await iam("PutRolePolicy", RoleName="worker", PolicyName="a", PolicyDocument=allow("*"))
    role_store.reads = 0
    for _ in range(5):
        await authorizer.authorize(session, "lambda:InvokeFunction", FUNCTION)
    assert role_store.reads == 1


async def test_what_is_read_while_it_changes_is_not_kept(authorizer, session, role_store, allow):
    read = role_store.get
    (key,) = role_store.roles

    async def changed_meanwhile(account_id, name):
        found = await read(account_id, name)
        role_store.roles[key] = replace(role_store.roles[key], inline_policies={"p": allow("*")})
        authorizer.forget(account_id)
        role_store.get = read
        return found

    role_store.get = changed_meanwhile
    await denial(authorizer, session)
    await authorizer.authorize(session, "lambda:InvokeFunction", FUNCTION)


async def test_a_session_of_a_deleted_role_may_do_nothing_even_if_the_name_comes_back(
    authorizer, session, iam, trust, allow
):
    await iam("DeleteRole", RoleName="worker")
    await denial(authorizer, session)
    await iam("CreateRole", RoleName="worker", Path="/x/", AssumeRolePolicyDocument=trust)
    await iam("PutRolePolicy", RoleName="worker", PolicyName="a", PolicyDocument=allow("*"))
    await denial(authorizer, session)


async def test_a_role_is_seen_at_once_though_it_was_missing_a_moment_ago(
    authorizer, session, iam, trust, allow
):
    await iam("DeleteRole", RoleName="worker")
    await denial(authorizer, session)
    role = (await iam("CreateRole", RoleName="worker", Path="/x/", AssumeRolePolicyDocument=trust))["Role"]
    renewed = replace(session, user_id=f"{role['RoleId']}:me", session_policies=(ARN_OF_P,))
    await denial(authorizer, renewed)
    await iam("PutRolePolicy", RoleName="worker", PolicyName="a", PolicyDocument=allow("*"))
    assert "session policy" in (await denial(authorizer, renewed)).message
    await iam("CreatePolicy", PolicyName="p", PolicyDocument=allow("lambda:*"))
    await authorizer.authorize(renewed, "lambda:InvokeFunction", FUNCTION)


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("lambda:InvokeFunction", "AccessDeniedException"),
        ("logs:PutLogEvents", "AccessDeniedException"),
        ("iam:GetRole", "AccessDenied"),
        ("s3:GetObject", "AccessDenied"),
        ("sns:Publish", "AuthorizationError"),
    ],
)
async def test_the_error_has_the_services_name_for_it(authorizer, session, action, code):
    assert (await denial(authorizer, session, action, "*")).code == code


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, True),
        ({"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x/worker"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "blue"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "red"}}, False),
        ({"StringLike": {"aws:userid": "AROA*:me"}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, False),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2023-01-01T00:00:00Z"}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}, False),
        ({"NumericGreaterThan": {"aws:EpochTime": "1600000000"}}, True),
        ({"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}, True),
    ],
)
async def test_conditions_see_the_request(authorizer, session, iam, allow, condition, allowed):
    await iam("TagRole", RoleName="worker", Tags=[{"Key": "Team", "Value": "blue"}])
    document = allow("iam:PassRole", Condition=condition)
    await iam("PutRolePolicy", RoleName="worker", PolicyName="p", PolicyDocument=document)
    resource = "arn:aws:iam::111122223333:role/other"
    context = {"iam:PassedToService": "lambda.amazonaws.com"}
    outcome = await authorizer.decide(session, "iam:PassRole", resource, context)
    assert outcome.allowed is allowed


async def test_asking_who_one_is_needs_no_permission(authorizer, session, iam, allow):
    await iam("PutRolePolicy", RoleName="worker", PolicyName="p", PolicyDocument=allow("*", effect="Deny"))
    await authorizer.authorize(session, "sts:GetCallerIdentity", "*")


async def test_a_root_session_may_do_what_its_session_policies_allow(authorizer, root, allow):
    temporary = replace(root, access_key_id="ASIAIOSFODNN7EXAMPLE")
    await authorizer.authorize(temporary, "iam:ListRoles", "*")
    limited = replace(temporary, session_policies=(allow("lambda:*"),))
    await authorizer.authorize(limited, "lambda:InvokeFunction", FUNCTION)
    assert "no session policy allows" in (await denial(authorizer, limited, "iam:ListRoles", "*")).message


async def test_documents_with_several_statements(authorizer, session, iam):
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "*", "NotResource": FUNCTION},
        ],
    }
    await iam("PutRolePolicy", RoleName="worker", PolicyName="p", PolicyDocument=json.dumps(document))
    await authorizer.authorize(session, "lambda:InvokeFunction", FUNCTION)
    await denial(authorizer, session, "iam:GetRole", FUNCTION)
    await denial(authorizer, session, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q")


@pytest.mark.parametrize("written", ["prod-admin", "PROD-Admin"])
async def test_a_denial_by_path_holds_however_the_role_is_written(
    authorizer, session, iam, allow, trust, written
):
    await iam("CreateRole", RoleName="prod-admin", Path="/guarded/", AssumeRolePolicyDocument=trust)
    await iam("PutRolePolicy", RoleName="worker", PolicyName="all", PolicyDocument=allow("iam:*"))
    guarded = allow("iam:*", "arn:aws:iam::111122223333:role/guarded/*", effect="Deny")
    await iam("PutRolePolicy", RoleName="worker", PolicyName="guard", PolicyDocument=guarded)
    asked = resource_arn("DeleteRole", session, {"RoleName": written})
    with pytest.raises(AccessDenied, match=r"role/guarded/prod-admin with an explicit deny"):
        await authorizer.authorize(session, "iam:DeleteRole", asked)
    await authorizer.authorize(
        session, "iam:GetRole", resource_arn("GetRole", session, {"RoleName": "worker"})
    )
