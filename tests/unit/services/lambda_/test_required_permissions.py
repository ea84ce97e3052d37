"""Creating a function hands it a role and layers: the caller needs the right to do that, too."""

from dataclasses import replace
from typing import Any

import pytest

from lambent.model.error import AccessDeniedException
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.services.lambda_.resource import resource_arn

ROLE = "arn:aws:iam::123456789012:role/works"
LAYER = "arn:aws:lambda:us-east-1:123456789012:layer:shared:1"


@pytest.mark.parametrize("operation", ["CreateFunction", "UpdateFunctionConfiguration"])
async def test_a_role_that_the_caller_may_not_pass(aws: Any, operation: str) -> None:
    if operation != "CreateFunction":
        await aws.create()
    aws.policies.denied.add(("iam:PassRole", ROLE))
    with pytest.raises(AccessDeniedException) as caught:
        if operation == "CreateFunction":
            await aws.create()
        else:
            await aws.call(operation, FunctionName="hello", Role=ROLE)
    assert f"not authorized to perform: iam:PassRole on resource: {ROLE} because no identity-based" in str(
        caught.value
    )
    assert aws.policies.asked[-1] == (
        "iam:PassRole",
        ROLE,
        {"iam:PassedToService": "lambda.amazonaws.com"},
    )


async def test_what_does_not_name_a_role_passes_none(aws: Any) -> None:
    await aws.create()
    aws.policies.denied.add(("iam:PassRole", ROLE))
    assert await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Timeout=9)


async def test_a_role_of_another_account_is_nobody_s_to_pass(aws: Any) -> None:
    with pytest.raises(AccessDeniedException, match=r"^Cross-account pass role is not allowed"):
        await aws.by(account_id="999999999999").create(Role=ROLE)


async def test_a_role_s_arn_has_one_form(aws: Any) -> None:
    """A policy that denies arn:aws:iam::…:role/works must not be evaded by writing another partition."""
    with pytest.raises(InvalidParameterValueException, match="cannot be assumed by Lambda"):
        await aws.create(Role=ROLE.replace("arn:aws:", "arn:aws-cn:"))


@pytest.mark.parametrize("written", [LAYER, f"{LAYER[:-1]}01", LAYER.replace("arn:aws:", "arn:aws-cn:")])
async def test_a_layer_that_the_caller_may_not_get(aws: Any, new_zip: Any, written: str) -> None:
    await aws.call("PublishLayerVersion", LayerName="shared", Content={"ZipFile": new_zip({"a.py": ""})})
    await aws.create(Layers=[written])
    used = await aws.call("GetFunctionConfiguration", FunctionName="hello")
    assert [layer["Arn"] for layer in used["Layers"]] == [LAYER]
    aws.policies.denied.add(("lambda:GetLayerVersion", LAYER))
    with pytest.raises(AccessDeniedException, match="not authorized to perform: lambda:GetLayerVersion"):
        await aws.call("UpdateFunctionConfiguration", FunctionName="hello", Layers=[written])


@pytest.mark.parametrize(
    ("operation", "parameters", "arn"),
    [
        ("GetLayerVersionByArn", {"Arn": LAYER.replace("arn:aws:", "arn:aws-x:")}, LAYER),
        ("GetLayerVersionByArn", {"Arn": f"{LAYER[:-1]}001"}, LAYER),
        (
            "TagResource",
            {"Resource": "arn:aws-cn:lambda:us-east-1:123456789012:function:hello"},
            "arn:aws:lambda:us-east-1:123456789012:function:hello",
        ),
    ],
)
def test_policies_see_one_form_of_an_arn(
    aws: Any, operation: str, parameters: dict[str, str], arn: str
) -> None:
    assert resource_arn(operation, replace(aws.caller), parameters) == arn
