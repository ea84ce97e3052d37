"""What a user holds several of, each with an id and a status: access keys, signing certificates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from lambent.model.caller import Caller, Parameters
from lambent.model.user import AccessKey, SigningCertificate, User
from lambent.services.iam.entities import Entities
from lambent.services.iam.errors import NoSuchEntity
from lambent.services.iam.pages import in_order, page, position
from lambent.services.iam.users import user_name

H = TypeVar("H", AccessKey, SigningCertificate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings(Generic[H]):
    """Of one kind, which errors call `noun`. `id_member` names one in requests; `of` and `put` are where a user has
    them."""

    users: Entities[User]
    noun: str
    id_member: str
    of: Callable[[User], Sequence[H]]
    put: Callable[[User, tuple[H, ...]], User]

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(user: User) -> User:
            wanted = self._find(user, parameters)
            changed = replace(wanted, active=parameters["Status"] == "Active")
            return self.put(user, tuple(changed if one is wanted else one for one in self.of(user)))

        await self.users.change(caller, user_name(caller, parameters), edit)
        return {}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(user: User) -> User:
            gone = self._find(user, parameters)
            return self.put(user, tuple(one for one in self.of(user) if one is not gone))

        await self.users.change(caller, user_name(caller, parameters), edit)
        return {}

    async def page(
        self, caller: Caller, name: str, parameters: Parameters
    ) -> tuple[User, list[H], Parameters]:
        """The user of this name, what is on the page, and the answer's paging members."""
        user = await self.users.find(caller, name)
        entries = in_order(self.of(user), lambda one: one.id, position(parameters))
        taken, paging = await page(parameters, entries, lambda one: one.id)
        return user, taken, paging

    def _find(self, user: User, parameters: Parameters) -> H:
        wanted = parameters[self.id_member]
        for one in self.of(user):
            if one.id == wanted:
                return one
        raise NoSuchEntity(f"The {self.noun} with id {wanted} cannot be found.")
