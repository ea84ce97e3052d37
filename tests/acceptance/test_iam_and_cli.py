"""The AWS CLI from the first role to the last deletion, IAM and STS on the way, and accounts kept apart."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from lambent_cli import CliError, aws
from lambent_server import PYTHON, TRUST, Lambent, zip_of

NewServer = Callable[..., Lambent]


def test_a_session_with_the_aws_cli(lambent: Lambent, tmp_path: Path) -> None:
    """What the README has people type."""
    name, role_name = lambent.new_name("cli"), lambent.new_name("role")
    package, answer = tmp_path / "f.zip", tmp_path / "answer.json"
    package.write_bytes(zip_of({"index.py": "def handler(event, context): return event['a'] * 2\n"}))
    identity = aws(lambent, "sts", "get-caller-identity")
    assert identity["Arn"] == f"arn:aws:iam::{lambent.account_id}:root"
    role = aws(
        lambent,
        *("iam", "create-role", "--role-name", role_name, "--assume-role-policy-document", json.dumps(TRUST)),
    )["Role"]["Arn"]
    created = aws(
        lambent,
        *("lambda", "create-function", "--function-name", name, "--runtime", PYTHON, "--role", role),
        *("--handler", "index.handler", "--zip-file", f"fileb://{package}"),
    )
    assert created["FunctionArn"] == f"arn:aws:lambda:us-east-1:{lambent.account_id}:function:{name}"
    aws(lambent, "lambda", "wait", "function-active-v2", "--function-name", name)
    invoked = aws(
        lambent, *("lambda", "invoke", "--function-name", name, "--payload", '{"a": 21}', str(answer))
    )
    assert invoked == {"StatusCode": 200, "ExecutedVersion": "$LATEST"}
    assert json.loads(answer.read_text()) == 42
    package.write_bytes(zip_of({"index.py": "def handler(event, context): return 'new'\n"}))
    aws(
        lambent, "lambda", "update-function-code", "--function-name", name, "--zip-file", f"fileb://{package}"
    )
    aws(lambent, "lambda", "wait", "function-updated-v2", "--function-name", name)
    assert aws(lambent, "lambda", "publish-version", "--function-name", name)["Version"] == "1"
    functions = aws(lambent, "lambda", "list-functions")["Functions"]
    assert name in [function["FunctionName"] for function in functions]
    assert (
        aws(lambent, "lambda", "get-function", "--function-name", name)["Configuration"]["State"] == "Active"
    )
    aws(lambent, "lambda", "delete-function", "--function-name", name)
    with pytest.raises(
        CliError, match=r"\(ResourceNotFoundException\) when calling the GetFunction operation"
    ):
        aws(lambent, "lambda", "get-function", "--function-name", name)


def test_users_sign_with_keys_of_their_own_which_outlive_the_server(new_server: NewServer) -> None:
    lambent = new_server()
    lambent.iam.create_user(UserName="deployer")
    key = lambent.iam.create_access_key(UserName="deployer")["AccessKey"]
    keys = {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }
    with pytest.raises(ClientError, match=r"\(AccessDeniedException\).*identity-based policy"):
        lambent.client("lambda", **keys).list_functions()
    lambent.iam.create_group(GroupName="deployers")
    lambent.iam.attach_group_policy(
        GroupName="deployers", PolicyArn="arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess"
    )
    lambent.iam.add_user_to_group(GroupName="deployers", UserName="deployer")
    lambent.stop()
    lambent.start_again()
    arn = f"arn:aws:iam::{lambent.account_id}:user/deployer"
    assert lambent.client("sts", **keys).get_caller_identity()["Arn"] == arn
    assert lambent.client("lambda", **keys).list_functions()["Functions"] == []
    wrong = keys | {"aws_secret_access_key": "x" * 40}
    with pytest.raises(ClientError, match=r"InvalidSignatureException|SignatureDoesNotMatch"):
        lambent.client("lambda", **wrong).list_functions()
    lambent.iam.update_access_key(UserName="deployer", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        lambent.client("lambda", **keys).list_functions()


def test_assumed_credentials_may_do_what_the_roles_policies_say(lambent: Lambent) -> None:
    role_name = lambent.new_name("operator")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": lambent.account_id}, "Action": "sts:AssumeRole"}
        ],
    }
    role = lambent.make_role(role_name, trust)
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "lambda:GetAccountSettings", "Resource": "*"}],
    }
    aws(
        lambent,
        *("iam", "put-role-policy", "--role-name", role_name, "--policy-name", "p"),
        *("--policy-document", json.dumps(policy)),
    )
    keys = aws(lambent, "sts", "assume-role", "--role-arn", role, "--role-session-name", "me")["Credentials"]
    variables = {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    arn = f"arn:aws:sts::{lambent.account_id}:assumed-role/{role_name}/me"
    assert aws(lambent, "sts", "get-caller-identity", **variables)["Arn"] == arn
    assert (
        aws(lambent, "lambda", "get-account-settings", **variables)["AccountLimit"]["ConcurrentExecutions"]
        == 1000
    )
    with pytest.raises(
        CliError, match=rf"\(AccessDeniedException\).*{arn} is not authorized to perform: lambda:List"
    ):
        aws(lambent, "lambda", "list-functions", **variables)
    aws(
        lambent,
        *("iam", "attach-role-policy", "--role-name", role_name),
        *("--policy-arn", "arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess"),
    )
    assert "Functions" in aws(lambent, "lambda", "list-functions", **variables)
    with pytest.raises(CliError, match=r"AccessDenied"):
        aws(lambent, "lambda", "delete-function", "--function-name", "x", **variables)


@pytest.mark.parametrize("trust", [None, "ec2.amazonaws.com"])
def test_a_function_needs_a_role_that_lambda_can_assume(lambent: Lambent, trust: str | None) -> None:
    role = f"arn:aws:iam::{lambent.account_id}:role/nobody"
    if trust is not None:
        statement = {"Effect": "Allow", "Principal": {"Service": trust}, "Action": "sts:AssumeRole"}
        role = lambent.make_role(
            lambent.new_name("other"), {"Version": "2012-10-17", "Statement": [statement]}
        )
    with pytest.raises(ClientError) as refused:
        lambent.python("def handler(event, context): pass\n", Role=role)
    assert refused.value.response["Error"] == {
        "Code": "InvalidParameterValueException",
        "Message": "The role defined for the function cannot be assumed by Lambda.",
    }
    assert refused.value.response["Type"] == "User"


def test_accounts_and_regions_are_kept_apart(new_server: NewServer) -> None:
    lambent = new_server("--dev")

    def client(service: str, account_id: str, region: str) -> "boto3.client":
        return boto3.client(
            service,
            endpoint_url=lambent.endpoint,
            region_name=region,
            aws_access_key_id=account_id,
            aws_secret_access_key="x",
            config=Config(retries={"total_max_attempts": 1}),
        )

    homes = [("111111111111", "us-east-1"), ("111111111111", "eu-west-1"), ("222222222222", "us-east-1")]
    for account_id, region in homes:
        assert client("sts", account_id, region).get_caller_identity()["Account"] == account_id
        iam = client("iam", account_id, region)
        try:
            role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        except iam.exceptions.EntityAlreadyExistsException:  # IAM has no regions
            role = iam.get_role(RoleName="r")["Role"]["Arn"]
        assert role == f"arn:aws:iam::{account_id}:role/r"
        source = f"def handler(event, context): return [{account_id!r}, context.invoked_function_arn]\n"
        functions = client("lambda", account_id, region)
        functions.create_function(
            FunctionName="same",
            Runtime=PYTHON,
            Handler="index.handler",
            Role=role,
            Code={"ZipFile": zip_of({"index.py": source})},
        )
        functions.get_waiter("function_active_v2").wait(FunctionName="same", WaiterConfig={"Delay": 1})
    for account_id, region in homes:
        functions = client("lambda", account_id, region)
        arn = f"arn:aws:lambda:{region}:{account_id}:function:same"
        assert json.loads(functions.invoke(FunctionName="same")["Payload"].read()) == [account_id, arn]
        assert [function["FunctionArn"] for function in functions.list_functions()["Functions"]] == [arn]
    client("lambda", *homes[0]).delete_function(FunctionName="same")
    assert client("lambda", *homes[0]).list_functions()["Functions"] == []
    for home in homes[1:]:
        assert json.loads(client("lambda", *home).invoke(FunctionName="same")["Payload"].read())[0] == home[0]
    with pytest.raises(ClientError) as refused:
        client("lambda", *homes[0]).invoke(FunctionName="arn:aws:lambda:us-east-1:222222222222:function:same")
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_token_needs_no_signature_and_nothing_else_goes_without(lambent: Lambent) -> None:
    sts = lambent.client("sts", config=Config(signature_version=UNSIGNED))
    role = "arn:aws:iam::123456789012:role/deploy"
    with pytest.raises(ClientError) as caught:
        sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="run", WebIdentityToken="a.b.c")
    assert caught.value.response["Error"]["Code"] == "InvalidIdentityToken"
    with pytest.raises(ClientError) as caught:
        sts.get_caller_identity()
    assert caught.value.response["Error"]["Code"] == "MissingAuthenticationToken"
    body = b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15"
    for path in ("/?Action=GetCallerIdentity&Version=2011-06-15", "/?Action=ListUsers&Version=2010-05-08"):
        request = urllib.request.Request(lambent.endpoint + path, data=body, method="POST")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        assert refused.value.code in (400, 403)
        assert b"UserId" not in refused.value.read()
