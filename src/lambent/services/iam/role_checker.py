"""Whether a service may take on a role: what Lambda asks before it makes a function of it."""

from lambent.base.arn import Arn
from lambent.model.policy import PolicyKind, Principal, Request, evaluate, parse_policy
from lambent.model.role import Role
from lambent.store.ports.roles import RoleStore


class RoleChecker:
    def __init__(self, store: RoleStore) -> None:
        self._store = store

    async def find(self, role_arn: str) -> Role | None:
        """The role with exactly this ARN, path included."""
        try:
            arn = Arn.parse(role_arn)
        except ValueError:
            return None
        if arn.service != "iam" or not arn.resource.startswith("role/"):
            return None
        role = await self._store.get(arn.account_id, arn.resource.rpartition("/")[2])
        return role if role is not None and role.arn(arn.partition) == role_arn else None

    async def assumable(
        self, role_arn: str, service_principal: str, *, source_arn: str | None = None
    ) -> bool:
        """Whether `find_assumable` finds it."""
        return await self.find_assumable(role_arn, service_principal, source_arn=source_arn) is not None

    async def find_assumable(
        self, role_arn: str, service_principal: str, *, source_arn: str | None = None
    ) -> Role | None:
        """The role, where it exists and its trust policy lets the service (lambda.amazonaws.com) assume it.

        `source_arn` is the resource on whose behalf it would, for conditions on aws:SourceArn;
        aws:SourceAccount is the role's account."""
        role = await self.find(role_arn)
        if role is None:
            return None
        context = {
            "aws:principalisawsservice": ("true",),
            "aws:principalservicename": (service_principal,),
            "aws:sourceaccount": (role.account_id,),
        }
        if source_arn is not None:
            context["aws:sourcearn"] = (source_arn,)
        request = Request(
            action="sts:AssumeRole",
            resource=role_arn,
            principal=Principal(service=service_principal),
            context=context,
        )
        allowed = evaluate([parse_policy(role.trust_policy, PolicyKind.TRUST)], request).allowed
        return role if allowed else None
