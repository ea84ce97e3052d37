"""Roles: CreateRole, GetRole, UpdateRole, DeleteRole, ListRoles, and their trust policies."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.policy import PolicyKind
from lambent.model.role import Role
from lambent.model.service import Operation
from lambent.services.iam.boundaries import check_boundary
from lambent.services.iam.documents import check_document
from lambent.services.iam.errors import DeleteConflict, LimitExceeded, MalformedPolicyDocument
from lambent.services.iam.identifiers import new_role_id
from lambent.services.iam.instance_profiles import InstanceProfiles
from lambent.services.iam.limits import TRUST_POLICY_SIZE, policy_size
from lambent.services.iam.pages import page, position
from lambent.services.iam.records import Records
from lambent.services.iam.service_linked_roles import refuse_service_linked
from lambent.services.iam.shapes import created_role, described_role, full_role, listed_role
from lambent.services.iam.tags import parse_tags


class Roles:
    def __init__(self, records: Records, profiles: InstanceProfiles, clock: Clock) -> None:
        self._records = records
        self._profiles = profiles
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateRole": self.create,
            "GetRole": self.get,
            "UpdateRole": self.update,
            "UpdateRoleDescription": self.update_description,
            "UpdateAssumeRolePolicy": self.update_trust_policy,
            "DeleteRole": self.delete,
            "ListRoles": self.list,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        boundary = parameters.get("PermissionsBoundary")
        if boundary is not None:
            await check_boundary(self._records, caller, boundary)
        role = Role(
            account_id=caller.account_id,
            name=parameters["RoleName"],
            path=parameters.get("Path", "/"),
            id=new_role_id(),
            trust_policy=_trust_policy(parameters["AssumeRolePolicyDocument"]),
            description=parameters.get("Description", ""),
            max_session_duration=parameters.get("MaxSessionDuration", 3600),
            created_at=float(int(self._clock.now())),
            tags=parse_tags(parameters.get("Tags", ())),
            permissions_boundary=boundary,
        )
        await self._records.insert_role(role)
        return {"Role": created_role(role, caller)}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        return {"Role": full_role(await self._records.role(caller, parameters["RoleName"]), caller)}

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(role: Role) -> Role:
            return replace(
                role,
                description=parameters.get("Description", role.description),
                max_session_duration=parameters.get("MaxSessionDuration", role.max_session_duration),
            )

        await self._records.change_role(caller, parameters["RoleName"], edit)
        return {}

    async def update_description(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(role: Role) -> Role:
            return replace(role, description=parameters["Description"])

        role = await self._records.change_role(caller, parameters["RoleName"], edit)
        return {"Role": described_role(role, caller)}

    async def update_trust_policy(self, caller: Caller, parameters: Parameters) -> Parameters:
        document = _trust_policy(parameters["PolicyDocument"])

        def edit(role: Role) -> Role:
            refuse_service_linked(role)
            return replace(role, trust_policy=document)

        await self._records.change_role(caller, parameters["RoleName"], edit)
        return {}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        role = await self._records.role(caller, parameters["RoleName"])
        refuse_service_linked(role)
        await self._profiles.require_without(caller, role.name)
        if role.attached_policies:
            raise DeleteConflict("Cannot delete entity, must detach all policies first.")
        if role.inline_policies:
            raise DeleteConflict("Cannot delete entity, must delete policies first.")
        await self._records.delete_role(caller, role)
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        entries = self._records.roles(caller, parameters.get("PathPrefix", "/"), position(parameters))
        roles, paging = await page(parameters, entries, lambda role: role.name)
        return {"Roles": [listed_role(role, caller) for role in roles], **paging}


def _trust_policy(document: str) -> str:
    check_document(document, PolicyKind.TRUST)
    statements = msgspec.json.decode(document)["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        given = statement.get("Action", statement.get("NotAction"))
        for action in given if isinstance(given, list) else [given]:
            if action != "*" and not action.lower().startswith("sts:"):
                raise MalformedPolicyDocument("AssumeRole policy may only specify STS AssumeRole actions.")
    if policy_size(document) > TRUST_POLICY_SIZE:
        raise LimitExceeded(f"Cannot exceed quota for ACLSizePerRole: {TRUST_POLICY_SIZE}")
    return document
