"""GetAccountAuthorizationDetails: everybody in the account, with all their policies."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from lambent.model.caller import Caller, Parameters
from lambent.model.role import ManagedPolicy, Role
from lambent.model.service import Operation
from lambent.model.user import Group, User
from lambent.services.iam.aws_managed import AwsManagedPolicy, aws_managed_policies
from lambent.services.iam.documents import encoded
from lambent.services.iam.entities import Entities
from lambent.services.iam.instance_profiles import InstanceProfiles
from lambent.services.iam.pages import page, position
from lambent.services.iam.policy_usage import PolicyUsage, Usage
from lambent.services.iam.records import Records, policy_name
from lambent.services.iam.shapes import bare_role, full_user, group_members, listed_policy
from lambent.services.iam.tags import tag_members

_LISTS = {
    "User": "UserDetailList",
    "Group": "GroupDetailList",
    "Role": "RoleDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}
_Entry = tuple[str, str, Any]
"""(kind, name, what it is of)"""


class AuthorizationDetails:
    def __init__(
        self,
        records: Records,
        users: Entities[User],
        groups: Entities[Group],
        profiles: InstanceProfiles,
        usage: PolicyUsage,
    ) -> None:
        self._records = records
        self._users = users
        self._groups = groups
        self._profiles = profiles
        self._usage = usage

    def operations(self) -> Mapping[str, Operation]:
        return {"GetAccountAuthorizationDetails": self.details}

    async def details(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Of AWS's own policies those that are attached."""
        usage = await self._usage.count(caller)
        entries = self._entries(caller, parameters.get("Filter", ()), usage, position(parameters))
        taken, paging = await page(parameters, entries, _position)
        answer: Parameters = {name: [] for name in _LISTS.values()}
        names = {group.id: group.name async for group in self._groups.all(caller.account_id)}
        for kind, _, one in taken:
            answer[_LISTS[kind]].append(await self._member(caller, one, usage, names))
        return {**answer, **paging}

    async def _entries(
        self, caller: Caller, wanted: list[str], usage: Usage, after: str | None
    ) -> AsyncIterator[_Entry]:
        async for entry in self._all(caller, usage):
            if (not wanted or entry[0] in wanted) and (after is None or _position(entry) > after):
                yield entry

    async def _all(self, caller: Caller, usage: Usage) -> AsyncIterator[_Entry]:
        """In the order of their kinds, then of their names, as page positions are."""
        for name, policy in sorted(aws_managed_policies().items()):
            if usage.attachments.get(policy.arn(caller.partition)):
                yield "AWSManagedPolicy", name, policy
        async for group in self._groups.all(caller.account_id):
            yield "Group", group.name, group
        async for managed in self._records.policies(caller):
            yield "LocalManagedPolicy", managed.name, managed
        async for role in self._records.roles(caller):
            yield "Role", role.name, role
        async for user in self._users.all(caller.account_id):
            yield "User", user.name, user

    async def _member(
        self,
        caller: Caller,
        one: User | Group | Role | ManagedPolicy | AwsManagedPolicy,
        usage: Usage,
        groups: Mapping[str, str],
    ) -> Parameters:
        match one:
            case User():
                members = full_user(one, caller) | _policies(one, "UserPolicyList")
                members["GroupList"] = [groups[id] for id in one.group_ids if id in groups]
                return {**members, "Tags": tag_members(one.tags)}
            case Group():
                return group_members(one, caller) | _policies(one, "GroupPolicyList")
            case Role():
                return await self._role(caller, one)
            case _:
                return _policy(caller, one, usage)

    async def _role(self, caller: Caller, role: Role) -> Parameters:
        members = bare_role(role, caller) | _policies(role, "RolePolicyList")
        members["InstanceProfileList"] = await self._profiles.of_role(caller, role.name)
        if role.permissions_boundary:
            members["PermissionsBoundary"] = {
                "PermissionsBoundaryType": "Policy",
                "PermissionsBoundaryArn": role.permissions_boundary,
            }
        return {**members, "Tags": tag_members(role.tags), "RoleLastUsed": {}}


def _position(entry: _Entry) -> str:
    kind, name, _ = entry
    return f"{kind}/{name.lower()}"


def _policies(holder: User | Group | Role, inline: str) -> Parameters:
    return {
        inline: [
            {"PolicyName": name, "PolicyDocument": encoded(document)}
            for name, document in sorted(holder.inline_policies.items())
        ],
        "AttachedManagedPolicies": [
            {"PolicyName": policy_name(arn), "PolicyArn": arn} for arn in holder.attached_policies
        ],
    }


def _policy(caller: Caller, policy: ManagedPolicy | AwsManagedPolicy, usage: Usage) -> Parameters:
    members = listed_policy(policy, caller, **usage.counts(policy.arn(caller.partition)))
    if policy.description:
        members["Description"] = policy.description
    if isinstance(policy, AwsManagedPolicy):
        versions = [(policy.version_id, policy.document, policy.created_at)]
    else:
        versions = [(one.id, one.document, one.created_at) for one in reversed(policy.versions)]
    members["PolicyVersionList"] = [
        {
            "Document": encoded(document),
            "VersionId": id,
            "IsDefaultVersion": id == members["DefaultVersionId"],
            "CreateDate": created_at,
        }
        for id, document, created_at in versions
    ]
    return members
