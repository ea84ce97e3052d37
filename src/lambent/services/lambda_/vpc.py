"""Networks and file systems of a function's own: checked as AWS checks them, in an account that has neither.

There is no EC2 and no EFS here, so every subnet, security group and access point is one that does not exist.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfig.html and API_FileSystemConfig.html there.
"""

import re
from collections.abc import Sequence

from lambent.model.caller import Parameters
from lambent.model.error import ValidationException
from lambent.model.lambda_errors import InvalidParameterValueException

_FORMS = {
    "SubnetIds": ("vpcConfig.subnetIds", "subnet-[0-9a-z]*"),
    "SecurityGroupIds": ("vpcConfig.securityGroupIds", "sg-[0-9a-zA-Z]*"),
}


def require_no_vpc(given: Parameters) -> None:
    """A VpcConfig without subnets and groups: the way out of a VPC, and so always possible.

    Raises ValidationException, InvalidParameterValueException."""
    subnets, groups = given.get("SubnetIds") or [], given.get("SecurityGroupIds") or []
    for member, (path, pattern) in _FORMS.items():
        _require_form(path, pattern, given.get(member) or [])
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


def _require_form(path: str, pattern: str, ids: Sequence[str]) -> None:
    if not all(re.fullmatch(pattern, id) for id in ids):
        raise ValidationException(
            f"1 validation error detected: Value '[{', '.join(ids)}]' at '{path}' failed to satisfy constraint: "
            "Member must satisfy constraint: [Member must have length less than or equal to 1024, "
            "Member must have length greater than or equal to 0, "
            f"Member must satisfy regular expression pattern: ^{pattern}$]"
        )
