from typing import Any

import pytest

from lambent.model.lambda_errors import InvalidParameterValueException, ResourceNotFoundException

ARN = "arn:aws:lambda:us-east-1:123456789012:capacity-provider:fleet"


async def test_there_is_none_and_none_can_be_made(aws: Any) -> None:
    vpc = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    with pytest.raises(InvalidParameterValueException, match="The subnet ID 'subnet-1' does not exist"):
        await aws.call(
            "CreateCapacityProvider", CapacityProviderName="fleet", VpcConfig=vpc, PermissionsConfig={}
        )
    assert await aws.call("ListCapacityProviders") == {"CapacityProviders": []}


@pytest.mark.parametrize("name", ["fleet", ARN])
@pytest.mark.parametrize(
    "operation",
    [
        "GetCapacityProvider",
        "UpdateCapacityProvider",
        "DeleteCapacityProvider",
        "ListFunctionVersionsByCapacityProvider",
    ],
)
async def test_one_that_is_not_there_is_named(aws: Any, operation: str, name: str) -> None:
    with pytest.raises(ResourceNotFoundException, match=f"^Capacity provider not found: {ARN}$"):
        await aws.call(operation, CapacityProviderName=name)
    with pytest.raises(ResourceNotFoundException):
        await aws.call("ListTags", Resource=ARN)
