"""A function's policy decides: other accounts, roles of the own account, denials; as a user of boto3 meets it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambent_server import PYTHON, TRUST, Lambent, zip_of

NewServer = Callable[..., Lambent]
OWNER, PARTNER = "111111111111", "222222222222"


def of(lambent: Lambent, service: str, account_id: str) -> Any:
    return lambent.client(service, aws_access_key_id=account_id, aws_secret_access_key="x")


def deploy(lambent: Lambent, account_id: str, name: str) -> str:
    role = of(lambent, "iam", account_id).create_role(
        RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST)
    )
    functions = of(lambent, "lambda", account_id)
    arn = functions.create_function(
        FunctionName=name,
        Runtime=PYTHON,
        Handler="index.handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": zip_of({"index.py": "def handler(event, context): return event\n"})},
        Publish=True,
    )["FunctionArn"].removesuffix(":1")
    functions.get_waiter("published_version_active").wait(
        FunctionName=name, Qualifier="1", WaiterConfig={"Delay": 1}
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return str(arn)


def refusal(call: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return dict(refused.value.response["Error"])


def test_other_accounts_use_what_a_policy_allows_and_nothing_else(new_server: NewServer) -> None:
    lambent = new_server("--dev")
    arn = deploy(lambent, OWNER, "shared")
    owner, partner = of(lambent, "lambda", OWNER), of(lambent, "lambda", PARTNER)
    assert refusal(partner.invoke, FunctionName=arn) == {
        "Code": "AccessDeniedException",
        "Message": f"User: arn:aws:iam::{PARTNER}:root is not authorized to perform: lambda:InvokeFunction "
        f"on resource: {arn} because no resource-based policy allows the lambda:InvokeFunction action",
    }
    added = owner.add_permission(
        FunctionName="shared", StatementId="partner", Action="lambda:InvokeFunction", Principal=PARTNER
    )
    assert added["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert json.loads(partner.invoke(FunctionName=arn, Payload=b"[1]")["Payload"].read()) == [1]
    # The statement is about the unqualified ARN, and about no other operation.
    for call, parameters in (
        (partner.invoke, {"FunctionName": f"{arn}:live"}),
        (partner.invoke, {"FunctionName": arn, "Qualifier": "1"}),
        (partner.get_function, {"FunctionName": arn}),
        (partner.update_function_configuration, {"FunctionName": arn, "Timeout": 9}),
        (of(lambent, "lambda", "333333333333").invoke, {"FunctionName": arn}),
    ):
        assert refusal(call, **parameters)["Code"] == "AccessDeniedException"
    owner.add_permission(
        FunctionName="shared", Qualifier="live", StatementId="a", Action="lambda:*", Principal=PARTNER
    )
    assert partner.invoke(FunctionName=f"{arn}:live")["ExecutedVersion"] == "1"
    assert partner.get_function(FunctionName=f"{arn}:live")["Configuration"]["Version"] == "1"
    owner.delete_alias(FunctionName="shared", Name="live")
    owner.create_alias(FunctionName="shared", Name="live", FunctionVersion="1")
    assert refusal(partner.invoke, FunctionName=f"{arn}:live")["Code"] == "AccessDeniedException"
    removed = owner.remove_permission(FunctionName="shared", StatementId="partner")
    assert removed["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(partner.invoke, FunctionName=arn)["Code"] == "AccessDeniedException"


def test_a_denial_holds_for_the_owner_too_and_after_a_restart(new_server: NewServer) -> None:
    lambent = new_server("--dev")
    arn = deploy(lambent, OWNER, "closed")
    owner = of(lambent, "lambda", OWNER)
    document = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "lambda:InvokeFunction",
            "Resource": arn,
        },
    }
    put = owner.put_resource_policy(ResourceArn=arn, Policy=json.dumps(document))
    lambent.kill()
    lambent.start_again()
    owner = of(lambent, "lambda", OWNER)
    got = owner.get_resource_policy(ResourceArn=arn)
    assert (got["Policy"], got["RevisionId"]) == (put["Policy"], put["RevisionId"])
    message = refusal(owner.invoke, FunctionName="closed")["Message"]
    assert message.endswith("with an explicit deny in a resource-based policy")
    owner.delete_resource_policy(ResourceArn=arn, RevisionId=got["RevisionId"])
    assert owner.invoke(FunctionName="closed")["StatusCode"] == 200


def test_a_statement_for_a_role_makes_up_for_what_its_policies_lack(lambent: Lambent) -> None:
    name = lambent.python("def handler(event, context): return 'hello'\n")
    role_name = lambent.new_name("caller")
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": lambent.account_id},
            "Action": "sts:AssumeRole",
        },
    }
    role = lambent.make_role(role_name, trust)
    keys = lambent.sts.assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    session = lambent.client(
        "lambda",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    refused = refusal(session.invoke, FunctionName=name)
    assert refused["Message"].endswith(
        "because no identity-based policy allows the lambda:InvokeFunction action"
    )
    lambent.lambda_.add_permission(
        FunctionName=name, StatementId="r", Action="lambda:InvokeFunction", Principal=role
    )
    assert json.loads(session.invoke(FunctionName=name)["Payload"].read()) == "hello"
