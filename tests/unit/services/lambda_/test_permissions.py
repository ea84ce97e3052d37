import json
from typing import Any

import pytest

from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    PolicyLengthExceededException,
    PreconditionFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)

ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"


@pytest.fixture
async def hello(aws: Any) -> Any:
    await aws.create(Publish=True)
    await aws.call("CreateAlias", FunctionName="hello", Name="live", FunctionVersion="1")
    return aws


async def add(aws: Any, id: str = "s3", **changes: Any) -> dict[str, Any]:
    parameters = {
        "FunctionName": "hello",
        "StatementId": id,
        "Action": "lambda:InvokeFunction",
        "Principal": "s3.amazonaws.com",
    }
    return json.loads((await aws.call("AddPermission", **(parameters | changes)))["Statement"])


async def policy(aws: Any, **parameters: Any) -> Any:
    answer = await aws.call("GetPolicy", **({"FunctionName": "hello"} | parameters))
    return json.loads(answer["Policy"]), answer["RevisionId"]


async def test_a_statement_has_its_members_in_the_order_of_aws(hello: Any) -> None:
    answer = await hello.call(
        "AddPermission",
        FunctionName="hello",
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::bucket",
        SourceAccount="123456789012",
    )
    statement = (
        '{"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction",'
        f'"Resource":"{ARN}","Condition":{{"StringEquals":{{"AWS:SourceAccount":"123456789012"}},'
        '"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::bucket"}}}'
    )
    assert answer == {"Statement": statement}
    got = await hello.call("GetPolicy", FunctionName="hello")
    assert got["Policy"] == f'{{"Version":"2012-10-17","Id":"default","Statement":[{statement}]}}'


@pytest.mark.parametrize(
    ("principal", "described"),
    [
        ("*", "*"),
        ("210987654321", {"AWS": "arn:aws:iam::210987654321:root"}),
        ("arn:aws:iam::210987654321:role/path/r", {"AWS": "arn:aws:iam::210987654321:role/path/r"}),
        (
            "arn:aws:sts::210987654321:assumed-role/r/s",
            {"AWS": "arn:aws:sts::210987654321:assumed-role/r/s"},
        ),
        ("events.amazonaws.com", {"Service": "events.amazonaws.com"}),
        ("alexa-appkit.amazon.com", {"Service": "alexa-appkit.amazon.com"}),
    ],
)
async def test_principals(hello: Any, principal: str, described: Any) -> None:
    assert (await add(hello, Principal=principal))["Principal"] == described


@pytest.mark.parametrize(
    ("parameters", "condition"),
    [
        ({"PrincipalOrgID": "o-1234567890"}, {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}),
        ({"EventSourceToken": "amzn1.x"}, {"StringEquals": {"lambda:EventSourceToken": "amzn1.x"}}),
        ({"InvokedViaFunctionUrl": True}, {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}),
        (
            {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
            {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
        ),
    ],
)
async def test_conditions(hello: Any, parameters: dict[str, Any], condition: dict[str, Any]) -> None:
    assert (await add(hello, Principal="*", **parameters))["Condition"] == condition


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"Principal": "nobody.example.com"},
            InvalidParameterValueException,
            r"^The provided principal was invalid. Please check the principal and try again.$",
        ),
        (
            {"FunctionUrlAuthType": "NONE"},
            InvalidParameterValueException,
            "^FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action$",
        ),
        (
            {"FunctionName": "hello:$LATEST"},
            InvalidParameterValueException,
            r"^We currently do not support adding policies for \$LATEST\.$",
        ),
        (
            {"FunctionName": "hello:live", "Qualifier": "1"},
            InvalidParameterValueException,
            "^The derived qualifier from the function name does not match the specified qualifier.$",
        ),
        (
            {"FunctionName": "none"},
            ResourceNotFoundException,
            f"^Function not found: {ARN[:-5]}none$",
        ),
        ({"Qualifier": "7"}, ResourceNotFoundException, f"^Function not found: {ARN}:7$"),
        ({"Qualifier": "with-$"}, ResourceNotFoundException, rf"^Function not found: {ARN}:with-\$$"),
        ({"Qualifier": "dead"}, ResourceNotFoundException, f"^Cannot find alias arn: {ARN}:dead$"),
        (
            {"RevisionId": "wrong"},
            PreconditionFailedException,
            "does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id$",
        ),
    ],
)
async def test_what_is_refused_changes_nothing(
    hello: Any, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        await add(hello, **changes)
    assert not hello.function_policies.policies


async def test_an_id_is_taken_once_for_each_qualifier(hello: Any) -> None:
    for qualifier in ({}, {"Qualifier": "1"}, {"Qualifier": "live"}):
        statement = await add(hello, **qualifier)
        assert statement["Resource"] == ":".join([ARN, *qualifier.values()])
        with pytest.raises(ResourceConflictException) as caught:
            await add(hello, **qualifier)
        assert caught.value.message == (
            "The statement id (s3) provided already exists. "
            "Please provide a new statement id, or remove the existing statement."
        )


@pytest.mark.parametrize("qualifier", [None, "1", "live"])
async def test_a_policy_has_the_revision_of_what_it_is_attached_to(hello: Any, qualifier: str | None) -> None:
    qualified = {} if qualifier is None else {"Qualifier": qualifier}

    async def revision() -> str:
        if qualifier == "live":
            return (await hello.call("GetAlias", FunctionName="hello", Name="live"))["RevisionId"]
        return (await hello.call("GetFunctionConfiguration", FunctionName="hello", **qualified))["RevisionId"]

    first = await revision()
    await add(hello, RevisionId=first, **qualified)
    _, second = await policy(hello, **qualified)
    assert second == await revision() != first
    with pytest.raises(PreconditionFailedException):
        await hello.call(
            "RemovePermission", FunctionName="hello", StatementId="s3", RevisionId=first, **qualified
        )
    await hello.call(
        "RemovePermission", FunctionName="hello", StatementId="s3", RevisionId=second, **qualified
    )
    assert await revision() != second


async def test_statements_are_removed_one_by_one_and_the_policy_with_the_last(hello: Any) -> None:
    with pytest.raises(
        ResourceNotFoundException, match=r"^No policy is associated with the given resource\.$"
    ):
        await hello.call("RemovePermission", FunctionName="hello", StatementId="a")
    await add(hello, "a")
    await add(hello, "b", Principal="sqs.amazonaws.com")
    with pytest.raises(ResourceNotFoundException, match=r"^Statement c is not found in resource policy\.$"):
        await hello.call("RemovePermission", FunctionName="hello", StatementId="c")
    with pytest.raises(ResourceNotFoundException, match=f"^No policy found for: {ARN[:-5]}none$"):
        await hello.call("RemovePermission", FunctionName="none", StatementId="c")
    assert await hello.call("RemovePermission", FunctionName="hello", StatementId="a") == {}
    document, _ = await policy(hello)
    assert [statement["Sid"] for statement in document["Statement"]] == ["b"]
    await hello.call("RemovePermission", FunctionName="hello", StatementId="b")
    with pytest.raises(ResourceNotFoundException, match=r"^The resource you requested does not exist\.$"):
        await policy(hello)


async def test_a_policy_has_20_kb(hello: Any) -> None:
    with pytest.raises(PolicyLengthExceededException) as caught:
        for number in range(100):
            await add(hello, f"s{number}", SourceArn=f"arn:aws:s3:::{'x' * 200}")
    assert caught.value.message == "The final policy size (20731) is bigger than the limit (20480)."


async def test_a_whole_policy_replaces_the_statements(hello: Any) -> None:
    await add(hello)
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "lambda:*", "Resource": ARN}],
        }
    )
    put = await hello.call("PutResourcePolicy", ResourceArn=ARN, Policy=document)
    assert put["Policy"] == document
    assert await hello.call("GetResourcePolicy", ResourceArn=ARN) == put
    assert (await hello.call("GetPolicy", FunctionName="hello"))["Policy"] == document
    await add(hello)
    with pytest.raises(PreconditionFailedException):
        await hello.call("DeleteResourcePolicy", ResourceArn=ARN, RevisionId=put["RevisionId"])
    assert await hello.call("DeleteResourcePolicy", ResourceArn=ARN) == {}
    for operation in ("GetResourcePolicy", "DeleteResourcePolicy"):
        with pytest.raises(ResourceNotFoundException):
            await hello.call(operation, ResourceArn=ARN)


@pytest.mark.parametrize(
    "document",
    ["{", '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'],
)
async def test_a_policy_that_says_nothing_sensible_is_refused(hello: Any, document: str) -> None:
    with pytest.raises(InvalidParameterValueException):
        await hello.call("PutResourcePolicy", ResourceArn=ARN, Policy=document)
    assert not hello.function_policies.policies


async def test_root_needs_no_policy_to_be_read(hello: Any) -> None:
    service, caller = hello.lambda_.service, hello.caller
    assert service.open_to_root("Invoke", caller, {"FunctionName": "hello"})
    assert not service.open_to_root("Invoke", caller, {"FunctionName": ARN})
    await hello.call(
        "PutResourcePolicy",
        ResourceArn=f"{ARN}:live",
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"},
            }
        ),
    )
    assert not service.open_to_root("Invoke", caller, {"FunctionName": "hello"})
    assert service.open_to_root("Invoke", caller, {"FunctionName": "other"})


async def test_a_policy_is_read_once_and_again_when_it_changed(hello: Any) -> None:
    attached = hello.lambda_.service.resource_policy
    hello.function_policies.reads = 0
    for _ in range(3):
        found = await attached(ARN)
        assert (found.account_id, found.document) == ("123456789012", None)
    assert hello.function_policies.reads == 1
    await add(hello)
    assert "s3.amazonaws.com" in (await attached(ARN)).document
    hello.function_policies.policies.clear()
    hello.lambda_.function_policies.forget(next(iter(hello.functions.functions)))
    assert (await attached(ARN)).document is None


async def test_what_is_no_function_has_no_policy_here(hello: Any) -> None:
    attached = hello.lambda_.service.resource_policy
    assert await attached("*") is None
    assert await attached("arn:aws:lambda:us-east-1:123456789012:layer:l:1") is None
