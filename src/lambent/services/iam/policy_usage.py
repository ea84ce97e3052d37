"""Who uses a managed policy: roles, users and groups by attachment, roles and users as their boundary."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from lambent.model.caller import Caller, Parameters
from lambent.model.role import Role
from lambent.model.service import Operation
from lambent.model.user import Group, User
from lambent.services.iam.attachments import check_exists
from lambent.services.iam.entities import Entities
from lambent.services.iam.pages import in_order, page, position
from lambent.services.iam.records import Records


@dataclass(frozen=True, slots=True)
class Usage:
    """How many use each managed policy."""

    attachments: Mapping[str, int]
    boundaries: Mapping[str, int]

    def counts(self, arn: str) -> dict[str, int]:
        return {"attachments": self.attachments.get(arn, 0), "boundaries": self.boundaries.get(arn, 0)}


class PolicyUsage:
    def __init__(self, records: Records, users: Entities[User], groups: Entities[Group]) -> None:
        self._records = records
        self._users = users
        self._groups = groups

    def operations(self) -> Mapping[str, Operation]:
        return {"ListEntitiesForPolicy": self.list_entities}

    async def count(self, caller: Caller) -> Usage:
        attachments: Counter[str] = Counter()
        boundaries: Counter[str] = Counter()
        async for holder in self._holders(caller):
            attachments.update(holder.attached_policies)
            if (boundary := _boundary(holder)) is not None:
                boundaries[boundary] += 1
        return Usage(attachments, boundaries)

    async def list_entities(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["PolicyArn"]
        await check_exists(self._records, caller, arn, f"Policy {arn} was not found.")
        prefix, kind = parameters.get("PathPrefix", "/"), parameters.get("EntityFilter")
        using = [
            holder
            async for holder in self._holders(caller)
            if _uses(holder, arn, parameters.get("PolicyUsageFilter")) and holder.path.startswith(prefix)
        ]
        wanted = [holder for holder in using if kind is None or type(holder).__name__ == kind]
        taken, paging = await page(parameters, in_order(wanted, _sort_key, position(parameters)), _sort_key)
        answer: Parameters = {"PolicyGroups": [], "PolicyUsers": [], "PolicyRoles": [], **paging}
        for holder in taken:
            noun = type(holder).__name__
            answer[f"Policy{noun}s"].append({f"{noun}Name": holder.name, f"{noun}Id": holder.id})
        return answer

    async def _holders(self, caller: Caller) -> AsyncIterator[Role | User | Group]:
        async for role in self._records.roles(caller):
            yield role
        async for user in self._users.all(caller.account_id):
            yield user
        async for group in self._groups.all(caller.account_id):
            yield group


def _boundary(holder: Role | User | Group) -> str | None:
    return None if isinstance(holder, Group) else holder.permissions_boundary


def _uses(holder: Role | User | Group, arn: str, usage: str | None) -> bool:
    if usage != "PermissionsBoundary" and arn in holder.attached_policies:
        return True
    return usage != "PermissionsPolicy" and _boundary(holder) == arn


def _sort_key(holder: Role | User | Group) -> str:
    return f"{type(holder).__name__}/{holder.name}"
