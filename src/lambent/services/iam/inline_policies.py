"""The inline policies of roles."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.model.caller import Caller, Parameters
from lambent.model.policy import PolicyKind
from lambent.model.role import Role
from lambent.model.service import Operation
from lambent.services.iam.documents import check_document, encoded
from lambent.services.iam.errors import LimitExceeded, NoSuchEntity
from lambent.services.iam.limits import INLINE_POLICIES_SIZE, policy_size
from lambent.services.iam.pages import in_order, page, position
from lambent.services.iam.records import Records


class RolePolicies:
    def __init__(self, records: Records) -> None:
        self._records = records

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutRolePolicy": self.put,
            "GetRolePolicy": self.get,
            "DeleteRolePolicy": self.delete,
            "ListRolePolicies": self.list,
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        document = check_document(parameters["PolicyDocument"], PolicyKind.IDENTITY)

        def edit(role: Role) -> Role:
            policies = {**role.inline_policies, parameters["PolicyName"]: document}
            if sum(policy_size(text) for text in policies.values()) > INLINE_POLICIES_SIZE:
                raise LimitExceeded(
                    f"Maximum policy size of {INLINE_POLICIES_SIZE} bytes exceeded for role {role.name}"
                )
            return replace(role, inline_policies=policies)

        await self._records.change_role(caller, parameters["RoleName"], edit)
        return {}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        role = await self._records.role(caller, parameters["RoleName"])
        name = parameters["PolicyName"]
        return {
            "RoleName": role.name,
            "PolicyName": name,
            "PolicyDocument": encoded(_document(role, name)),
        }

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(role: Role) -> Role:
            _document(role, parameters["PolicyName"])
            policies = {
                name: text for name, text in role.inline_policies.items() if name != parameters["PolicyName"]
            }
            return replace(role, inline_policies=policies)

        await self._records.change_role(caller, parameters["RoleName"], edit)
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        role = await self._records.role(caller, parameters["RoleName"])
        names, paging = await page(parameters, in_order(role.inline_policies, str, position(parameters)), str)
        return {"PolicyNames": names, **paging}


def _document(role: Role, name: str) -> str:
    if name not in role.inline_policies:
        raise NoSuchEntity(f"The role policy with name {name} cannot be found.")
    return role.inline_policies[name]
