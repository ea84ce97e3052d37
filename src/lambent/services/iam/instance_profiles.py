"""Instance profiles. There are no EC2 instances here that would use them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.model.user import InstanceProfile
from lambent.services.iam.entities import Entities
from lambent.services.iam.errors import DeleteConflict, LimitExceeded, NoSuchEntity
from lambent.services.iam.identifiers import new_instance_profile_id
from lambent.services.iam.pages import in_order, page, position
from lambent.services.iam.records import Records
from lambent.services.iam.shapes import bare_role
from lambent.services.iam.tags import parse_tags, tag_members


class InstanceProfiles:
    def __init__(self, records: Records, profiles: Entities[InstanceProfile], clock: Clock) -> None:
        self._records = records
        self._profiles = profiles
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateInstanceProfile": self.create,
            "GetInstanceProfile": self.get,
            "DeleteInstanceProfile": self.delete,
            "ListInstanceProfiles": self.list,
            "ListInstanceProfilesForRole": self.list_for_role,
            "AddRoleToInstanceProfile": self.add_role,
            "RemoveRoleFromInstanceProfile": self.remove_role,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        profile = InstanceProfile(
            account_id=caller.account_id,
            name=parameters["InstanceProfileName"],
            path=parameters.get("Path", "/"),
            id=new_instance_profile_id(),
            created_at=float(int(self._clock.now())),
            tags=parse_tags(parameters.get("Tags", ())),
        )
        await self._profiles.insert(profile)
        members = await self._members(caller, profile)
        if profile.tags:
            members["Tags"] = tag_members(profile.tags)
        return {"InstanceProfile": members}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        profile = await self._profiles.find(caller, parameters["InstanceProfileName"])
        members = await self._members(caller, profile)
        return {"InstanceProfile": {**members, "Tags": tag_members(profile.tags)}}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        profile = await self._profiles.find(caller, parameters["InstanceProfileName"])
        if profile.role_name is not None:
            raise DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")
        await self._profiles.delete(profile)
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        entries = self._profiles.all(
            caller.account_id, parameters.get("PathPrefix", "/"), position(parameters)
        )
        return await self._page(caller, parameters, entries)

    async def list_for_role(self, caller: Caller, parameters: Parameters) -> Parameters:
        role = await self._records.role(caller, parameters["RoleName"])
        of_role = [p async for p in self._profiles.all(caller.account_id) if p.role_name == role.name]
        return await self._page(
            caller, parameters, in_order(of_role, lambda profile: profile.name, position(parameters))
        )

    async def add_role(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._profiles.find(caller, parameters["InstanceProfileName"])
        role = await self._records.role(caller, parameters["RoleName"])

        def edit(profile: InstanceProfile) -> InstanceProfile:
            if profile.role_name is not None:
                raise LimitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
            return replace(profile, role_name=role.name)

        await self._profiles.change(caller, parameters["InstanceProfileName"], edit)
        return {}

    async def remove_role(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._profiles.find(caller, parameters["InstanceProfileName"])
        role = await self._records.role(caller, parameters["RoleName"])

        def edit(profile: InstanceProfile) -> InstanceProfile:
            if profile.role_name != role.name:
                raise NoSuchEntity(f"Role {role.name} in Instance Profile {profile.name} cannot be found.")
            return replace(profile, role_name=None)

        await self._profiles.change(caller, parameters["InstanceProfileName"], edit)
        return {}

    async def of_role(self, caller: Caller, role_name: str) -> Sequence[Parameters]:
        """As members of output shapes."""
        return [
            await self._members(caller, profile)
            async for profile in self._profiles.all(caller.account_id)
            if profile.role_name == role_name
        ]

    async def require_without(self, caller: Caller, role_name: str) -> None:
        """Raises DeleteConflict for a role that an instance profile has."""
        async for profile in self._profiles.all(caller.account_id):
            if profile.role_name == role_name:
                raise DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")

    async def _page(
        self, caller: Caller, parameters: Parameters, entries: AsyncIterator[InstanceProfile]
    ) -> Parameters:
        profiles, paging = await page(parameters, entries, lambda profile: profile.name)
        return {"InstanceProfiles": [await self._members(caller, each) for each in profiles], **paging}

    async def _members(self, caller: Caller, profile: InstanceProfile) -> Parameters:
        roles = [] if profile.role_name is None else [await self._records.role(caller, profile.role_name)]
        return {
            "Path": profile.path,
            "InstanceProfileName": profile.name,
            "InstanceProfileId": profile.id,
            "Arn": profile.arn(caller.partition),
            "CreateDate": profile.created_at,
            "Roles": [bare_role(role, caller) for role in roles],
        }
