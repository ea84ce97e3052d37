"""Capacity providers: fleets of EC2 instances in an account's own network that functions can run on.

There is no EC2 here, so no provider can be made: the subnets that it would be in do not exist. What asks for one is
answered as in an account that has none.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateCapacityProvider.html
"""

from collections.abc import Mapping
from typing import NoReturn

from lambent.base.arn import Arn, partition_of
from lambent.model.caller import Caller, Parameters
from lambent.model.lambda_errors import InvalidParameterValueException, ResourceNotFoundException
from lambent.model.service import Operation
from lambent.services.lambda_.vpc import require_no_vpc


class CapacityProviders:
    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateCapacityProvider": self.create,
            "GetCapacityProvider": self.find,
            "UpdateCapacityProvider": self.find,
            "DeleteCapacityProvider": self.find,
            "ListCapacityProviders": self.list,
            "ListFunctionVersionsByCapacityProvider": self.find,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> NoReturn:
        require_no_vpc(parameters["VpcConfig"])
        raise InvalidParameterValueException("A capacity provider needs a subnet and a security group.")

    async def find(self, caller: Caller, parameters: Parameters) -> NoReturn:
        arn = capacity_provider_arn(caller, parameters["CapacityProviderName"])
        raise ResourceNotFoundException(f"Capacity provider not found: {arn}")

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        return {"CapacityProviders": []}

    async def get_tags(self, caller: Caller, arn: str) -> NoReturn:
        await self.find(caller, {"CapacityProviderName": arn})

    async def put_tags(self, caller: Caller, arn: str, tags: Mapping[str, str]) -> NoReturn:
        await self.find(caller, {"CapacityProviderName": arn})


def capacity_provider_arn(caller: Caller, text: str) -> str:
    """Of a name or an ARN."""
    if text.startswith("arn:"):
        return str(Arn.parse(text))
    return f"arn:{partition_of(caller.region)}:lambda:{caller.region}:{caller.account_id}:capacity-provider:{text}"
