"""Policies as the authorizer needs them: found, parsed and kept, because evaluation is on every request's
path."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lambent.base.clock import Clock
from lambent.model.policy import PolicyDocument, PolicyKind, parse_policy
from lambent.model.role import Role
from lambent.model.user import Group, User
from lambent.services.iam.aws_managed import find_aws_managed
from lambent.services.iam.entities import Stores
from lambent.store.ports.named_records import Name
from lambent.store.ports.roles import RoleStore

_MAX_AGE = 5.0
"""Seconds. Changes are told (`forget`); this is how long one counts that was not, whatever went wrong."""
_MAX_ENTRIES = 10_000
_MAX_GROUPS = 10_000

Documents = tuple[PolicyDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderPolicies:
    """Of a role or a user. `boundary` is empty, and allows nothing, where the managed policy it names is gone."""

    holder: Role | User
    identity: Documents
    boundary: Documents | None


class CompiledPolicies:
    def __init__(self, store: RoleStore, clock: Clock, stores: Stores | None = None) -> None:
        self._store = store
        self._stores = stores
        self._clock = clock
        self._entries: dict[tuple[str, str], tuple[float, Any]] = {}
        self._changes = 0

    async def of_role(self, account_id: str, name: str) -> HolderPolicies | None:
        key = (account_id, f"role/{name}")
        entry = self._entries.get(key)
        if entry is not None and self._clock.monotonic() - entry[0] < _MAX_AGE:
            return entry[1]  # type: ignore[no-any-return]
        changes = self._changes
        role = await self._store.get(account_id, name)
        compiled = None if role is None else await self._compile(role, (role,))
        self._keep(key, compiled, changes)
        return compiled

    async def of_user(self, account_id: str, name: str) -> HolderPolicies | None:
        key = (account_id, f"user/{name}")
        entry = self._entries.get(key)
        if entry is not None and self._clock.monotonic() - entry[0] < _MAX_AGE:
            return entry[1]  # type: ignore[no-any-return]
        changes = self._changes
        compiled = await self._compile_user(account_id, name)
        self._keep(key, compiled, changes)
        return compiled

    async def of_session(self, account_id: str, session_policies: Sequence[str]) -> Documents | None:
        """Of a Caller's `session_policies`: None where it has none, so that they limit nothing."""
        if not session_policies:
            return None
        documents: list[PolicyDocument] = []
        for policy in session_policies:
            documents += await self._session_policy(account_id, policy)
        return tuple(documents)

    def forget(self, account_id: str) -> None:
        """Something of this account has changed. What is being read meanwhile is not kept."""
        self._changes += 1
        self._entries = {key: entry for key, entry in self._entries.items() if key[0] != account_id}

    def forget_all(self) -> None:
        self._changes += 1
        self._entries = {}

    async def _session_policy(self, account_id: str, policy: str) -> Documents:
        key = (account_id, f"session/{policy}")
        entry = self._entries.get(key)
        if entry is not None and self._clock.monotonic() - entry[0] < _MAX_AGE:
            return entry[1]  # type: ignore[no-any-return]
        changes = self._changes
        if policy.startswith("arn:"):
            documents = await self._managed(account_id, policy)
        else:
            documents = (parse_policy(policy, PolicyKind.IDENTITY),)
        self._keep(key, documents, changes)
        return documents

    async def _compile_user(self, account_id: str, name: str) -> HolderPolicies | None:
        if self._stores is None:
            return None
        user = await self._stores.users.get(Name(account_id, "", "", name.lower()))
        if user is None:
            return None
        having: list[Role | User | Group] = [user]
        if user.group_ids:
            groups = await self._stores.groups.page(account_id, "", limit=_MAX_GROUPS)
            having += [group for _, group in groups if group.id in user.group_ids]
        return await self._compile(user, having)

    async def _compile(self, holder: Role | User, having: Sequence[Role | User | Group]) -> HolderPolicies:
        """`having` are all whose policies the holder has."""
        account_id, identity = holder.account_id, list[PolicyDocument]()
        for each in having:
            identity += [parse_policy(text, PolicyKind.IDENTITY) for text in each.inline_policies.values()]
            for arn in each.attached_policies:
                identity += await self._managed(account_id, arn)
        boundary = holder.permissions_boundary
        return HolderPolicies(
            holder=holder,
            identity=tuple(identity),
            boundary=await self._managed(account_id, boundary) if boundary else None,
        )

    async def _managed(self, account_id: str, arn: str) -> Documents:
        """The default version, or nothing where there is no such policy."""
        text = await self._default_version(account_id, arn)
        return () if text is None else (parse_policy(text, PolicyKind.IDENTITY),)

    async def _default_version(self, account_id: str, arn: str) -> str | None:
        ours = find_aws_managed(arn)
        if ours is not None:
            return ours.document
        policy = await self._store.get_policy(account_id, arn.rpartition("/")[2])
        if policy is None or policy.arn(arn.split(":", 2)[1]) != arn:
            return None
        documents = {version.id: version.document for version in policy.versions}
        return documents[policy.default_version_id]

    def _keep(self, key: tuple[str, str], value: Any, changes: int) -> None:
        if changes != self._changes:
            return
        self._entries.pop(key, None)
        while len(self._entries) >= _MAX_ENTRIES:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = (self._clock.monotonic(), value)
