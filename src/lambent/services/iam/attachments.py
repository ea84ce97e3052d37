"""Which managed policies are attached to roles, users and groups."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Generic, TypeVar

from lambent.model.caller import Caller, Parameters
from lambent.model.role import Role
from lambent.model.service import Operation
from lambent.model.user import Group, User
from lambent.services.iam.aws_managed import find_aws_managed
from lambent.services.iam.errors import LimitExceeded, NoSuchEntity
from lambent.services.iam.holders import Holders
from lambent.services.iam.pages import in_order, page, position
from lambent.services.iam.records import Records, policy_name

H = TypeVar("H", Role, User, Group)


class Attachments(Generic[H]):
    def __init__(self, records: Records, holders: Holders[H], most: int) -> None:
        """`most` is the quota of policies that one holder has attached."""
        self._records = records
        self._holders: Holders[H] = holders
        self._most = most
        self._name = f"{holders.kind}Name"

    def operations(self) -> Mapping[str, Operation]:
        kind = self._holders.kind
        return {
            f"Attach{kind}Policy": self.attach,
            f"Detach{kind}Policy": self.detach,
            f"ListAttached{kind}Policies": self.list,
        }

    async def attach(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Attaching what is attached changes nothing."""
        arn = parameters["PolicyArn"]
        await check_exists(self._records, caller, arn, f"Policy {arn} does not exist or is not attachable.")

        def edit(holder: H) -> H:
            if arn in holder.attached_policies:
                return holder
            if len(holder.attached_policies) >= self._most:
                raise LimitExceeded(f"Cannot exceed quota for PoliciesPer{self._holders.kind}: {self._most}")
            return _with_attached(holder, (*holder.attached_policies, arn))

        await self._holders.change(caller, parameters[self._name], edit)
        return {}

    async def detach(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["PolicyArn"]

        def edit(holder: H) -> H:
            if arn not in holder.attached_policies:
                raise NoSuchEntity(f"Policy {arn} was not found.")
            return _with_attached(holder, tuple(a for a in holder.attached_policies if a != arn))

        await self._holders.change(caller, parameters[self._name], edit)
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        holder = await self._holders.find(caller, parameters[self._name])
        prefix = parameters.get("PathPrefix", "/")
        wanted = [arn for arn in holder.attached_policies if _path(arn).startswith(prefix)]
        arns, paging = await page(
            parameters, in_order(wanted, policy_name, position(parameters)), policy_name
        )
        attached = [{"PolicyName": policy_name(arn), "PolicyArn": arn} for arn in arns]
        return {"AttachedPolicies": attached, **paging}


async def check_exists(records: Records, caller: Caller, arn: str, message: str) -> None:
    """Raises NoSuchEntity with the message, ValidationError where it is no policy's ARN."""
    if find_aws_managed(arn) is not None:
        return
    try:
        await records.policy(caller, arn)
    except NoSuchEntity:
        raise NoSuchEntity(message) from None


def _with_attached(holder: H, arns: tuple[str, ...]) -> H:
    return replace(holder, attached_policies=arns)


def _path(arn: str) -> str:
    _, _, path = arn.partition(":policy/")
    return f"/{path.rpartition('/')[0]}/".replace("//", "/")
