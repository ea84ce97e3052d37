"""Users: CreateUser, GetUser, UpdateUser, DeleteUser, ListUsers."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.model.user import User, is_user_arn
from lambent.services.iam.boundaries import check_boundary
from lambent.services.iam.entities import Entities
from lambent.services.iam.errors import DeleteConflict, ValidationError
from lambent.services.iam.identifiers import new_user_id
from lambent.services.iam.pages import page, position
from lambent.services.iam.records import Records
from lambent.services.iam.shapes import full_user, listed_user
from lambent.services.iam.tags import parse_tags


class Users:
    def __init__(self, records: Records, users: Entities[User], clock: Clock) -> None:
        self._records = records
        self._users = users
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateUser": self.create,
            "GetUser": self.get,
            "UpdateUser": self.update,
            "DeleteUser": self.delete,
            "ListUsers": self.list,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        boundary = parameters.get("PermissionsBoundary")
        if boundary is not None:
            await check_boundary(self._records, caller, boundary)
        user = User(
            account_id=caller.account_id,
            name=parameters["UserName"],
            path=parameters.get("Path", "/"),
            id=new_user_id(),
            created_at=float(int(self._clock.now())),
            tags=parse_tags(parameters.get("Tags", ())),
            permissions_boundary=boundary,
        )
        await self._users.insert(user)
        return {"User": full_user(user, caller)}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Of the caller itself where no user is named. When an account was made, nobody remembers."""
        if "UserName" not in parameters and caller.principal_arn.endswith(":root"):
            root = {"UserId": caller.account_id, "Arn": caller.principal_arn, "CreateDate": 0.0}
            return {"User": root}
        return {"User": full_user(await self._users.find(caller, user_name(caller, parameters)), caller)}

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(user: User) -> User:
            return replace(
                user,
                name=parameters.get("NewUserName", user.name),
                path=parameters.get("NewPath", user.path),
            )

        await self._users.change(caller, parameters["UserName"], edit)
        return {}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        user = await self._users.find(caller, parameters["UserName"])
        if user.group_ids:
            raise DeleteConflict("Cannot delete entity, must remove users from group first.")
        if user.attached_policies:
            raise DeleteConflict("Cannot delete entity, must detach all policies first.")
        if user.inline_policies:
            raise DeleteConflict("Cannot delete entity, must delete policies first.")
        if user.access_keys:
            raise DeleteConflict("Cannot delete entity, must delete access keys first.")
        if user.signing_certificates:
            raise DeleteConflict("Cannot delete entity, must delete signing certificates first.")
        if user.login_profile is not None:
            raise DeleteConflict("Cannot delete entity, must delete login profile first.")
        await self._users.delete(user)
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        entries = self._users.all(caller.account_id, parameters.get("PathPrefix", "/"), position(parameters))
        users, paging = await page(parameters, entries, lambda user: user.name)
        return {"Users": [listed_user(user, caller) for user in users], **paging}


def user_name(caller: Caller, parameters: Parameters) -> str:
    """The user that is named, or else calls. Raises ValidationError where the caller is none."""
    if "UserName" in parameters:
        return str(parameters["UserName"])
    if not is_user_arn(caller.principal_arn):
        raise ValidationError("Must specify userName when calling with non-User credentials")
    return caller.principal_arn.rpartition("/")[2]
