"""Networks and file systems of a function's own: checked as AWS checks them, in an account that has neither.

There is no EC2 and no EFS here, so every subnet, security group and access point is one that does not exist.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfig.html and API_FileSystemConfig.html there.
"""

from collections.abc import Sequence

from lambent.model.caller import Parameters
from lambent.model.lambda_errors import InvalidParameterValueException


def require_no_vpc(given: Parameters) -> None:
    """A VpcConfig without subnets and groups: the way out of a VPC, and so always possible.

    Raises InvalidParameterValueException."""
    subnets, groups = given.get("SubnetIds") or [], given.get("SecurityGroupIds") or []
    if bool(subnets) != bool(groups):
        raise InvalidParameterValueException("SubnetIds and SecurityIds must coexist or be both empty list.")
    if subnets:
        raise InvalidParameterValueException(
            "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. "
            f"EC2 Error Message: The subnet ID '{subnets[0]}' does not exist"
        )


def require_no_file_systems(given: Sequence[Parameters]) -> None:
    """Raises InvalidParameterValueException."""
    if given:
        raise InvalidParameterValueException(
            f"Function must be configured to execute in a VPC to reference access point: {given[0]['Arn']}"
        )


def describe_no_vpc() -> Parameters:
    return {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": "", "Ipv6AllowedForDualStack": False}
