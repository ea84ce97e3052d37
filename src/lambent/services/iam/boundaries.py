"""Permissions boundaries of roles and users."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Generic, TypeVar

from lambent.model.caller import Caller, Parameters
from lambent.model.role import Role
from lambent.model.service import Operation
from lambent.model.user import User
from lambent.services.iam.aws_managed import find_aws_managed
from lambent.services.iam.errors import InvalidInput, NoSuchEntity, ValidationError
from lambent.services.iam.holders import Holders
from lambent.services.iam.records import Records

B = TypeVar("B", Role, User)


class Boundaries(Generic[B]):
    def __init__(self, records: Records, holders: Holders[B]) -> None:
        self._records = records
        self._holders: Holders[B] = holders
        self._name = f"{holders.kind}Name"

    def operations(self) -> Mapping[str, Operation]:
        return {
            f"Put{self._holders.kind}PermissionsBoundary": self.put,
            f"Delete{self._holders.kind}PermissionsBoundary": self.delete,
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["PermissionsBoundary"]
        await check_boundary(self._records, caller, arn)

        def edit(holder: B) -> B:
            return replace(holder, permissions_boundary=arn)

        await self._holders.change(caller, parameters[self._name], edit)
        return {}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        noun = self._holders.kind.lower()

        def edit(holder: B) -> B:
            if holder.permissions_boundary is None:
                raise NoSuchEntity(
                    f"The {noun} with name {holder.name} does not have a permissions boundary."
                )
            return replace(holder, permissions_boundary=None)

        await self._holders.change(caller, parameters[self._name], edit)
        return {}


async def check_boundary(records: Records, caller: Caller, arn: str) -> None:
    """Raises NoSuchEntity where the managed policy does not exist, InvalidInput where it is not one's ARN."""
    if find_aws_managed(arn) is not None:
        return
    try:
        await records.policy(caller, arn)
    except ValidationError as error:
        raise InvalidInput(str(error)) from None
    except NoSuchEntity:
        raise NoSuchEntity(f"Scope ARN: {arn} does not exist or is not attachable.") from None
