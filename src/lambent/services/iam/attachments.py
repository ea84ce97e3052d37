"""Which managed policies are attached to which roles."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.model.caller import Caller, Parameters
from lambent.model.role import Role
from lambent.model.service import Operation
from lambent.services.iam.aws_managed import find_aws_managed
from lambent.services.iam.errors import LimitExceeded, NoSuchEntity
from lambent.services.iam.limits import POLICIES_PER_ROLE
from lambent.services.iam.pages import in_order, page, position
from lambent.services.iam.records import Records, policy_name


class Attachments:
    def __init__(self, records: Records) -> None:
        self._records = records

    def operations(self) -> Mapping[str, Operation]:
        return {
            "AttachRolePolicy": self.attach,
            "DetachRolePolicy": self.detach,
            "ListAttachedRolePolicies": self.list,
            "ListEntitiesForPolicy": self.list_entities,
        }

    async def attach(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Attaching what is attached changes nothing."""
        arn = parameters["PolicyArn"]
        await self._check_exists(caller, arn, f"Policy {arn} does not exist or is not attachable.")

        def edit(role: Role) -> Role:
            if arn in role.attached_policies:
                return role
            if len(role.attached_policies) >= POLICIES_PER_ROLE:
                raise LimitExceeded(f"Cannot exceed quota for PoliciesPerRole: {POLICIES_PER_ROLE}")
            return replace(role, attached_policies=(*role.attached_policies, arn))

        await self._records.change_role(caller, parameters["RoleName"], edit)
        return {}

    async def detach(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["PolicyArn"]

        def edit(role: Role) -> Role:
            if arn not in role.attached_policies:
                raise NoSuchEntity(f"Policy {arn} was not found.")
            return replace(role, attached_policies=tuple(a for a in role.attached_policies if a != arn))

        await self._records.change_role(caller, parameters["RoleName"], edit)
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        role = await self._records.role(caller, parameters["RoleName"])
        prefix = parameters.get("PathPrefix", "/")
        wanted = [arn for arn in role.attached_policies if _path(arn).startswith(prefix)]
        arns, paging = await page(
            parameters, in_order(wanted, policy_name, position(parameters)), policy_name
        )
        attached = [{"PolicyName": policy_name(arn), "PolicyArn": arn} for arn in arns]
        return {"AttachedPolicies": attached, **paging}

    async def list_entities(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Only roles: there are no users and groups here."""
        arn = parameters["PolicyArn"]
        await self._check_exists(caller, arn, f"Policy {arn} was not found.")
        roles = await self._entities(caller, arn, parameters.get("PolicyUsageFilter"))
        if parameters.get("EntityFilter", "Role") != "Role":
            roles = {}
        wanted = [role for role in roles.values() if role.path.startswith(parameters.get("PathPrefix", "/"))]
        entries = in_order(wanted, lambda role: role.name, position(parameters))
        taken, paging = await page(parameters, entries, lambda role: role.name)
        members = [{"RoleName": role.name, "RoleId": role.id} for role in taken]
        return {"PolicyGroups": [], "PolicyUsers": [], "PolicyRoles": members, **paging}

    async def _entities(self, caller: Caller, arn: str, usage: str | None) -> dict[str, Role]:
        roles: dict[str, Role] = {}
        if usage != "PermissionsBoundary":
            attached = await self._records.store.attached_roles(caller.account_id, arn)
            roles |= {role.name: role for role in attached}
        if usage != "PermissionsPolicy":
            bounded = [role async for role in self._records.roles(caller) if role.permissions_boundary == arn]
            roles |= {role.name: role for role in bounded}
        return roles

    async def _check_exists(self, caller: Caller, arn: str, message: str) -> None:
        if find_aws_managed(arn) is not None:
            return
        try:
            await self._records.policy(caller, arn)
        except NoSuchEntity:
            raise NoSuchEntity(message) from None


def _path(arn: str) -> str:
    _, _, path = arn.partition(":policy/")
    return f"/{path.rpartition('/')[0]}/".replace("//", "/")
