"""The inline policies of roles, users and groups."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

from lambent.model.caller import Caller, Parameters
from lambent.model.policy import PolicyKind
from lambent.model.role import Role
from lambent.model.service import Operation
from lambent.model.user import Group, User
from lambent.services.iam.documents import check_document, encoded
from lambent.services.iam.errors import LimitExceeded, NoSuchEntity
from lambent.services.iam.holders import Holders
from lambent.services.iam.limits import policy_size
from lambent.services.iam.pages import in_order, page, position

H = TypeVar("H", Role, User, Group)


class InlinePolicies(Generic[H]):
    def __init__(self, holders: Holders[H], largest: int) -> None:
        """`largest` is the quota, in characters, of all policies of one holder together."""
        self._holders: Holders[H] = holders
        self._largest = largest
        self._name = f"{holders.kind}Name"
        self._noun = holders.kind.lower()

    def operations(self) -> Mapping[str, Operation]:
        kind = self._holders.kind
        return {
            f"Put{kind}Policy": self.put,
            f"Get{kind}Policy": self.get,
            f"Delete{kind}Policy": self.delete,
            f"List{kind}Policies": self.list,
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        document = check_document(parameters["PolicyDocument"], PolicyKind.IDENTITY)

        def edit(holder: H) -> H:
            policies = {**holder.inline_policies, parameters["PolicyName"]: document}
            if sum(policy_size(text) for text in policies.values()) > self._largest:
                raise LimitExceeded(
                    f"Maximum policy size of {self._largest} bytes exceeded for {self._noun} {holder.name}"
                )
            return _with_policies(holder, policies)

        await self._holders.change(caller, parameters[self._name], edit)
        return {}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        holder = await self._holders.find(caller, parameters[self._name])
        name = parameters["PolicyName"]
        return {
            self._name: holder.name,
            "PolicyName": name,
            "PolicyDocument": encoded(self._document(holder, name)),
        }

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = parameters["PolicyName"]

        def edit(holder: H) -> H:
            self._document(holder, name)
            policies = {other: text for other, text in holder.inline_policies.items() if other != name}
            return _with_policies(holder, policies)

        await self._holders.change(caller, parameters[self._name], edit)
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        holder = await self._holders.find(caller, parameters[self._name])
        names, paging = await page(
            parameters, in_order(holder.inline_policies, str, position(parameters)), str
        )
        return {"PolicyNames": names, **paging}

    def _document(self, holder: Any, name: str) -> str:
        if name not in holder.inline_policies:
            raise NoSuchEntity(f"The {self._noun} policy with name {name} cannot be found.")
        return str(holder.inline_policies[name])


def _with_policies(holder: H, policies: Mapping[str, str]) -> H:
    return replace(holder, inline_policies=policies)
