import json

import pytest

from lambent.services.iam import RoleChecker

ARN = "arn:aws:iam::111122223333:role/x/worker"


@pytest.fixture
def checker(role_store):
    return RoleChecker(role_store)


async def test_a_role_that_trusts_the_service(checker, iam, trust):
    await iam("CreateRole", RoleName="worker", Path="/x/", AssumeRolePolicyDocument=trust)
    assert await checker.assumable(ARN, "lambda.amazonaws.com")
    assert not await checker.assumable(ARN, "events.amazonaws.com")
    assert (await checker.find(ARN)).name == "worker"


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::111122223333:role/worker",
        "arn:aws:iam::111122223333:role/x/Worker",
        "arn:aws:iam::999999999999:role/x/worker",
        "arn:aws-cn:iam::111122223333:role/x/worker".replace("aws-cn", "aws").replace(":iam:", ":sts:"),
        "arn:aws:iam::111122223333:policy/x/worker",
        "worker",
        "",
    ],
)
async def test_an_arn_that_names_no_role(checker, iam, trust, arn):
    await iam("CreateRole", RoleName="worker", Path="/x/", AssumeRolePolicyDocument=trust)
    assert not await checker.assumable(arn, "lambda.amazonaws.com")
    assert await checker.find(arn) is None


@pytest.mark.parametrize(
    ("condition", "source", "expected"),
    [
        ({"StringEquals": {"aws:SourceAccount": "111122223333"}}, None, True),
        ({"StringEquals": {"aws:SourceAccount": "999999999999"}}, None, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:lambda:*:*:function:f"}}, None, False),
        (
            {"ArnLike": {"aws:SourceArn": "arn:aws:lambda:*:*:function:f"}},
            "arn:aws:lambda:eu-west-1:111122223333:function:f",
            True,
        ),
    ],
)
async def test_conditions_on_the_source(checker, iam, trust, condition, source, expected):
    document = json.loads(trust)
    document["Statement"][0]["Condition"] = condition
    await iam("CreateRole", RoleName="worker", Path="/x/", AssumeRolePolicyDocument=json.dumps(document))
    assert await checker.assumable(ARN, "lambda.amazonaws.com", source_arn=source) is expected


async def test_an_explicit_deny_in_the_trust_policy(checker, iam, trust):
    document = json.loads(trust)
    document["Statement"].append({"Effect": "Deny", "Principal": "*", "Action": "sts:*"})
    await iam("CreateRole", RoleName="worker", Path="/x/", AssumeRolePolicyDocument=json.dumps(document))
    assert not await checker.assumable(ARN, "lambda.amazonaws.com")
