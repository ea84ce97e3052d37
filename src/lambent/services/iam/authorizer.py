"""Whether a caller may do what it asks for, by its role's policies."""

from collections.abc import Mapping

from lambent.base.clock import Clock
from lambent.model.caller import Caller
from lambent.model.error import ServiceException
from lambent.model.policy import (
    Decision,
    Outcome,
    Policies,
    PolicyType,
    Principal,
    Request,
    denial_message,
    request_context,
)
from lambent.services.iam.access_denied import AccessDenied
from lambent.services.iam.compiled_policies import CompiledPolicies, RolePolicies
from lambent.store.ports.roles import RoleStore

_NOT_AUTHORIZED_HERE = frozenset(
    # AssumeRole weighs the trust policy too, so that sts asks `decide` itself; the others need no permission.
    {"sts:AssumeRole", "sts:GetCallerIdentity", "sts:GetSessionToken", "sts:GetAccessKeyInfo"}
)
_ALLOWED = Outcome(Decision.ALLOWED)


class InvalidClientTokenId(ServiceException):
    status = 403


class Authorizer:
    """The account's root may do everything; a role's session what its role's policies, within its boundary
    and the session's policies, allow. What these are is looked up at the time of the request: a deleted
    role's sessions may do nothing, nor do they gain what a new role of the same name has."""

    def __init__(self, store: RoleStore, clock: Clock) -> None:
        self._clock = clock
        self._compiled = CompiledPolicies(store, clock)

    async def authorize(
        self, caller: Caller, action: str, resource_arn: str, context: Mapping[str, str] | None = None
    ) -> None:
        """Raises AccessDenied, InvalidClientTokenId. `context` are condition keys of the service itself, such
        as iam:PassedToService for iam:PassRole."""
        if action in _NOT_AUTHORIZED_HERE:
            return
        if caller.role_arn is None:
            _check_root_session(caller, action)
            return
        outcome = await self.decide(caller, action, resource_arn, context)
        if not outcome.allowed:
            message = denial_message(caller.principal_arn, action, resource_arn, outcome)
            raise AccessDenied(message, action)

    async def decide(
        self, caller: Caller, action: str, resource_arn: str, context: Mapping[str, str] | None = None
    ) -> Outcome:
        """What the caller's own policies say."""
        if caller.role_arn is None:
            return _ALLOWED
        compiled = await self._role_policies(caller)
        if compiled is None:
            return Outcome(Decision.IMPLICIT_DENY, PolicyType.IDENTITY)
        session = await self._compiled.of_session(caller.account_id, caller.session_policies)
        policies = Policies(identity=compiled.identity, boundary=compiled.boundary, session=session)
        request = Request(
            action=action,
            resource=resource_arn,
            principal=Principal(
                account_id=caller.account_id, arn=caller.principal_arn, role_arn=caller.role_arn
            ),
            context=request_context(
                caller,
                resource_arn,
                self._clock.now(),
                principal_tags=compiled.role.tags,
                own=context,
            ),
        )
        return policies.decide(request)

    def forget(self, account_id: str) -> None:
        """A role or policy of this account has changed."""
        self._compiled.forget(account_id)

    async def _role_policies(self, caller: Caller) -> RolePolicies | None:
        assert caller.role_arn is not None
        compiled = await self._compiled.of_role(caller.account_id, caller.role_arn.rpartition("/")[2])
        if compiled is None or compiled.role.id != caller.user_id.partition(":")[0]:
            return None
        return compiled


def _check_root_session(caller: Caller, action: str) -> None:
    """GetSessionToken's credentials, without MFA, are refused by IAM, and by STS for all that comes here.

    Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html"""
    if caller.access_key_id.startswith("ASIA") and action.startswith(("iam:", "sts:")):
        raise InvalidClientTokenId("The security token included in the request is invalid")
