"""Groups, and who is in them."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.model.user import Group, User
from lambent.services.iam.entities import Entities
from lambent.services.iam.errors import DeleteConflict, LimitExceeded
from lambent.services.iam.identifiers import new_group_id
from lambent.services.iam.limits import GROUPS_PER_USER
from lambent.services.iam.pages import in_order, page, position
from lambent.services.iam.shapes import group_members, listed_user


class Groups:
    def __init__(self, groups: Entities[Group], users: Entities[User], clock: Clock) -> None:
        self._groups = groups
        self._users = users
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateGroup": self.create,
            "GetGroup": self.get,
            "UpdateGroup": self.update,
            "DeleteGroup": self.delete,
            "ListGroups": self.list,
            "AddUserToGroup": self.add_user,
            "RemoveUserFromGroup": self.remove_user,
            "ListGroupsForUser": self.list_for_user,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        group = Group(
            account_id=caller.account_id,
            name=parameters["GroupName"],
            path=parameters.get("Path", "/"),
            id=new_group_id(),
            created_at=float(int(self._clock.now())),
        )
        await self._groups.insert(group)
        return {"Group": group_members(group, caller)}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        group = await self._groups.find(caller, parameters["GroupName"])
        members = [user async for user in self._users.all(caller.account_id) if group.id in user.group_ids]
        entries = in_order(members, lambda user: user.name, position(parameters))
        users, paging = await page(parameters, entries, lambda user: user.name)
        return {
            "Group": group_members(group, caller),
            "Users": [listed_user(user, caller) for user in users],
            **paging,
        }

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(group: Group) -> Group:
            return replace(
                group,
                name=parameters.get("NewGroupName", group.name),
                path=parameters.get("NewPath", group.path),
            )

        await self._groups.change(caller, parameters["GroupName"], edit)
        return {}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        group = await self._groups.find(caller, parameters["GroupName"])
        async for user in self._users.all(caller.account_id):
            if group.id in user.group_ids:
                raise DeleteConflict("Cannot delete entity, must remove users from group first.")
        if group.attached_policies:
            raise DeleteConflict("Cannot delete entity, must detach all policies first.")
        if group.inline_policies:
            raise DeleteConflict("Cannot delete entity, must delete policies first.")
        await self._groups.delete(group)
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        entries = self._groups.all(caller.account_id, parameters.get("PathPrefix", "/"), position(parameters))
        groups, paging = await page(parameters, entries, lambda group: group.name)
        return {"Groups": [group_members(group, caller) for group in groups], **paging}

    async def add_user(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Adding who is in it changes nothing."""
        await self._users.find(caller, parameters["UserName"])
        group = await self._groups.find(caller, parameters["GroupName"])

        def edit(user: User) -> User:
            if group.id in user.group_ids:
                return user
            if len(user.group_ids) >= GROUPS_PER_USER:
                raise LimitExceeded(f"Cannot exceed quota for GroupsPerUser: {GROUPS_PER_USER}")
            return replace(user, group_ids=(*user.group_ids, group.id))

        await self._users.change(caller, parameters["UserName"], edit)
        return {}

    async def remove_user(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Removing who is not in it changes nothing."""
        await self._users.find(caller, parameters["UserName"])
        group = await self._groups.find(caller, parameters["GroupName"])

        def edit(user: User) -> User:
            return replace(user, group_ids=tuple(id for id in user.group_ids if id != group.id))

        await self._users.change(caller, parameters["UserName"], edit)
        return {}

    async def list_for_user(self, caller: Caller, parameters: Parameters) -> Parameters:
        user = await self._users.find(caller, parameters["UserName"])
        groups = [group async for group in self._groups.all(caller.account_id) if group.id in user.group_ids]
        entries = in_order(groups, lambda group: group.name, position(parameters))
        taken, paging = await page(parameters, entries, lambda group: group.name)
        return {"Groups": [group_members(group, caller) for group in taken], **paging}
