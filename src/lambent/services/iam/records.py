"""The roles and customer-managed policies of an account, found and changed, with AWS's errors for the
store's."""

from collections.abc import AsyncIterator, Callable
from typing import NoReturn

from lambent.base.arn import Arn
from lambent.model.caller import Caller
from lambent.model.role import ManagedPolicy, Role
from lambent.services.iam.authorizer import Authorizer
from lambent.services.iam.errors import (
    ConcurrentModification,
    EntityAlreadyExists,
    NoSuchEntity,
    ValidationError,
)
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.roles import RoleStore

_ATTEMPTS = 20
_PAGE = 500


class Records:
    """Changes are read, edited and written back, and tried again when another writer was faster: deployment
    tools attach several policies to one role at the same time. Every change is told to the authorizer."""

    def __init__(self, store: RoleStore, authorizer: Authorizer) -> None:
        self.store = store
        self._authorizer = authorizer

    async def role(self, caller: Caller, name: str) -> Role:
        """Raises NoSuchEntity."""
        role = await self.store.get(caller.account_id, name)
        return role or _no_role(name)

    async def insert_role(self, role: Role) -> None:
        """Raises EntityAlreadyExists."""
        try:
            await self.store.insert(role)
        except AlreadyExistsError:
            raise EntityAlreadyExists(f"Role with name {role.name} already exists.") from None
        finally:
            self._authorizer.forget(role.account_id)

    async def change_role(self, caller: Caller, name: str, edit: Callable[[Role], Role]) -> Role:
        """Raises NoSuchEntity, ConcurrentModification, and what `edit` raises."""
        for _ in range(_ATTEMPTS):
            previous = await self.role(caller, name)
            role = edit(previous)
            try:
                await self.store.replace(role, previous=previous)
            except StaleRevisionError:
                continue
            except NotFoundError:
                _no_role(name)
            finally:
                self._authorizer.forget(caller.account_id)
            return role
        raise ConcurrentModification(f"The role {name} is being modified by other requests.")

    async def delete_role(self, caller: Caller, role: Role) -> None:
        try:
            await self.store.delete(caller.account_id, role.name)
        except NotFoundError:
            _no_role(role.name)
        finally:
            self._authorizer.forget(caller.account_id)

    async def roles(self, caller: Caller, prefix: str = "/", after: str | None = None) -> AsyncIterator[Role]:
        while True:
            page = await self.store.page(caller.account_id, path_prefix=prefix, after=after, limit=_PAGE)
            for role in page:
                yield role
            if len(page) < _PAGE:
                return
            after = page[-1].name

    async def policy(self, caller: Caller, arn: str) -> ManagedPolicy:
        """A customer's policy. Raises NoSuchEntity, ValidationError (not the ARN of a policy)."""
        policy = await self.store.get_policy(caller.account_id, policy_name(arn))
        if policy is None or policy.arn(caller.partition) != arn:
            raise NoSuchEntity(f"Policy {arn} was not found.")
        return policy

    async def insert_policy(self, policy: ManagedPolicy) -> None:
        """Raises EntityAlreadyExists."""
        try:
            await self.store.insert_policy(policy)
        except AlreadyExistsError:
            raise EntityAlreadyExists(
                f"A policy called {policy.name} already exists. Duplicate names are not allowed."
            ) from None
        finally:
            self._authorizer.forget(policy.account_id)

    async def change_policy(
        self, caller: Caller, arn: str, edit: Callable[[ManagedPolicy], ManagedPolicy]
    ) -> ManagedPolicy:
        """Raises NoSuchEntity, ValidationError, ConcurrentModification, and what `edit` raises."""
        for _ in range(_ATTEMPTS):
            previous = await self.policy(caller, arn)
            policy = edit(previous)
            try:
                await self.store.replace_policy(policy, previous=previous)
            except StaleRevisionError:
                continue
            except NotFoundError:
                raise NoSuchEntity(f"Policy {arn} was not found.") from None
            finally:
                self._authorizer.forget(caller.account_id)
            return policy
        raise ConcurrentModification(f"The policy {arn} is being modified by other requests.")

    async def delete_policy(self, caller: Caller, policy: ManagedPolicy) -> None:
        try:
            await self.store.delete_policy(caller.account_id, policy.name)
        except NotFoundError:
            raise NoSuchEntity(f"Policy {policy.arn(caller.partition)} was not found.") from None
        finally:
            self._authorizer.forget(caller.account_id)

    async def policies(
        self, caller: Caller, prefix: str = "/", after: str | None = None
    ) -> AsyncIterator[ManagedPolicy]:
        while True:
            page = await self.store.page_policies(
                caller.account_id, path_prefix=prefix, after=after, limit=_PAGE
            )
            for policy in page:
                yield policy
            if len(page) < _PAGE:
                return
            after = page[-1].name


def policy_name(arn: str) -> str:
    """The name in a managed policy's ARN. Raises ValidationError."""
    try:
        kind, _, path = Arn.parse(arn).resource.partition("/")
    except ValueError:
        kind, path = "", ""
    if kind != "policy" or not path:
        raise ValidationError(f"ARN {arn} is not valid.")
    return path.rpartition("/")[2]


def _no_role(name: str) -> NoReturn:
    raise NoSuchEntity(f"The role with name {name} cannot be found.")
