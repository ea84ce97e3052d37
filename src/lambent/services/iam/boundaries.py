"""Permissions boundaries of roles."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.model.caller import Caller, Parameters
from lambent.model.role import Role
from lambent.model.service import Operation
from lambent.services.iam.aws_managed import find_aws_managed
from lambent.services.iam.errors import InvalidInput, NoSuchEntity
from lambent.services.iam.records import Records


class Boundaries:
    def __init__(self, records: Records) -> None:
        self._records = records

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutRolePermissionsBoundary": self.put,
            "DeleteRolePermissionsBoundary": self.delete,
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["PermissionsBoundary"]
        await check_boundary(self._records, caller, arn)

        def edit(role: Role) -> Role:
            return replace(role, permissions_boundary=arn)

        await self._records.change_role(caller, parameters["RoleName"], edit)
        return {}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(role: Role) -> Role:
            if role.permissions_boundary is None:
                raise NoSuchEntity(f"The role with name {role.name} does not have a permissions boundary.")
            return replace(role, permissions_boundary=None)

        await self._records.change_role(caller, parameters["RoleName"], edit)
        return {}


async def check_boundary(records: Records, caller: Caller, arn: str) -> None:
    """Raises NoSuchEntity where the managed policy does not exist, InvalidInput where it is not one's ARN."""
    if find_aws_managed(arn) is not None:
        return
    try:
        await records.policy(caller, arn)
    except InvalidInput:
        raise InvalidInput(f"Value ({arn}) for parameter permissionsBoundary is invalid.") from None
    except NoSuchEntity:
        raise NoSuchEntity(f"Scope ARN: {arn} does not exist or is not attachable.") from None
