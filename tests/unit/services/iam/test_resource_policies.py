"""The policy of a resource beside the caller's own: within an account, across accounts, and for AWS services."""

import json
from dataclasses import replace

import pytest

from lambent.model.caller import service_caller
from lambent.model.resource_policy import ResourcePolicy
from lambent.services.iam.access_denied import AccessDenied

OWNER = "123456789012"
QUEUE = f"arn:aws:sqs:us-east-1:{OWNER}:orders"
TOPIC = f"arn:aws:sns:us-east-1:{OWNER}:news"


def policy(*statements, account_id=OWNER):
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)}) if statements else None
    return ResourcePolicy(account_id=account_id, document=document)


def statement(principal, effect="Allow", **members):
    return {
        "Effect": effect,
        "Principal": principal,
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        **members,
    }


@pytest.fixture
async def session(iam, root, trust):
    role = (await iam("CreateRole", RoleName="worker", AssumeRolePolicyDocument=trust))["Role"]
    return replace(
        root,
        principal_arn=f"arn:aws:sts::{root.account_id}:assumed-role/worker/me",
        user_id=f"{role['RoleId']}:me",
        access_key_id="ASIAIOSFODNN7EXAMPLE",
        role_arn=role["Arn"],
    )


async def send(authorizer, caller, attached):
    await authorizer.authorize(caller, "sqs:SendMessage", QUEUE, None, attached)


async def refusal(authorizer, caller, attached):
    with pytest.raises(AccessDenied) as caught:
        await send(authorizer, caller, attached)
    return caught.value.message


async def test_within_the_account_the_resources_policy_is_enough_where_it_names_the_role(authorizer, session):
    own = session.account_id
    await send(authorizer, session, policy(statement({"AWS": session.role_arn}), account_id=own))
    await send(authorizer, session, policy(statement("*"), account_id=own))
    message = await refusal(authorizer, session, policy(statement({"AWS": own}), account_id=own))
    assert message.endswith("because no identity-based policy allows the sqs:SendMessage action")


async def test_an_explicit_deny_of_the_resource_wins_over_the_root(authorizer, root):
    denying = policy(statement("*", effect="Deny"), account_id=root.account_id)
    assert (await refusal(authorizer, root, denying)).endswith(
        "with an explicit deny in a resource-based policy"
    )


async def test_across_accounts_it_takes_both(authorizer, session, iam, allow):
    stranger = policy(statement({"AWS": session.account_id}), account_id="999999999999")
    assert "no identity-based policy" in await refusal(authorizer, session, stranger)
    await iam("PutRolePolicy", RoleName="worker", PolicyName="p", PolicyDocument=allow("sqs:*"))
    await send(authorizer, session, stranger)
    closed = policy(account_id="999999999999")
    assert "no resource-based policy allows" in await refusal(authorizer, session, closed)


async def test_another_accounts_root_needs_the_resources_policy(authorizer, root):
    assert "no resource-based policy" in await refusal(authorizer, root, policy(account_id="999999999999"))


async def test_a_service_has_nothing_but_the_resources_policy(authorizer):
    sns = service_caller("sns.amazonaws.com", account_id=OWNER, region="us-east-1", source_arn=TOPIC)
    for condition in (
        {},
        {"ArnEquals": {"aws:SourceArn": TOPIC}},
        {"StringEquals": {"aws:SourceAccount": OWNER}},
    ):
        await send(authorizer, sns, policy(statement({"Service": "sns.amazonaws.com"}, Condition=condition)))
    for wrong in (
        policy(),
        policy(statement({"Service": "s3.amazonaws.com"})),
        policy(statement({"AWS": OWNER})),
        policy(
            statement(
                {"Service": "sns.amazonaws.com"}, Condition={"ArnEquals": {"aws:SourceArn": TOPIC + "2"}}
            )
        ),
        None,
    ):
        assert "no resource-based policy" in await refusal(authorizer, sns, wrong)
