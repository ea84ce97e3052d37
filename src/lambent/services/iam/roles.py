"""Roles: CreateRole, GetRole, UpdateRole, DeleteRole, ListRoles, their trust policies and tags."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.policy import PolicyKind
from lambent.model.role import Role
from lambent.model.service import Operation
from lambent.services.iam.boundaries import check_boundary
from lambent.services.iam.documents import check_document
from lambent.services.iam.errors import DeleteConflict, LimitExceeded
from lambent.services.iam.identifiers import new_role_id
from lambent.services.iam.limits import TRUST_POLICY_SIZE, policy_size
from lambent.services.iam.pages import in_order, page, position
from lambent.services.iam.records import Records
from lambent.services.iam.shapes import full_role, listed_role
from lambent.services.iam.tags import parse_tags, tag_members, with_tags, without_tags


class Roles:
    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
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
            "TagRole": self.tag,
            "UntagRole": self.untag,
            "ListRoleTags": self.list_tags,
            "ListInstanceProfilesForRole": self.list_instance_profiles,
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
        return {"Role": full_role(role, caller)}

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
        return {"Role": full_role(role, caller)}

    async def update_trust_policy(self, caller: Caller, parameters: Parameters) -> Parameters:
        document = _trust_policy(parameters["PolicyDocument"])

        def edit(role: Role) -> Role:
            return replace(role, trust_policy=document)

        await self._records.change_role(caller, parameters["RoleName"], edit)
        return {}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        role = await self._records.role(caller, parameters["RoleName"])
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

    async def tag(self, caller: Caller, parameters: Parameters) -> Parameters:
        added = parse_tags(parameters["Tags"])

        def edit(role: Role) -> Role:
            return replace(role, tags=with_tags(role.tags, added))

        await self._records.change_role(caller, parameters["RoleName"], edit)
        return {}

    async def untag(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(role: Role) -> Role:
            return replace(role, tags=without_tags(role.tags, parameters["TagKeys"]))

        await self._records.change_role(caller, parameters["RoleName"], edit)
        return {}

    async def list_tags(self, caller: Caller, parameters: Parameters) -> Parameters:
        role = await self._records.role(caller, parameters["RoleName"])
        entries = in_order(role.tags, str, position(parameters))
        keys, paging = await page(parameters, entries, str)
        return {"Tags": tag_members({key: role.tags[key] for key in keys}), **paging}

    async def list_instance_profiles(self, caller: Caller, parameters: Parameters) -> Parameters:
        """There are no EC2 instances here, so no role is in an instance profile."""
        await self._records.role(caller, parameters["RoleName"])
        return {"InstanceProfiles": [], "IsTruncated": False}


def _trust_policy(document: str) -> str:
    check_document(document, PolicyKind.TRUST)
    if policy_size(document) > TRUST_POLICY_SIZE:
        raise LimitExceeded(f"Cannot exceed quota for ACLSizePerRole: {TRUST_POLICY_SIZE}")
    return document
