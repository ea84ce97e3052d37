"""The role that a function is given: one that Lambda may assume, and that the caller may hand on (iam:PassRole).

Without the second, whoever may create functions has the rights of every role.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from lambent.base.arn import Arn, partition_of
from lambent.model.caller import Caller
from lambent.model.error import AccessDeniedException
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.services.lambda_.ports import CallerPolicies, RoleChecker
from lambent.services.lambda_.required_permissions import require_permission

_LAMBDA = "lambda.amazonaws.com"
_CANNOT_BE_ASSUMED = "The role defined for the function cannot be assumed by Lambda."


class ExecutionRoles:
    def __init__(self, roles: RoleChecker, policies: CallerPolicies) -> None:
        self._roles = roles
        self._policies = policies

    async def require(self, caller: Caller, role_arn: str) -> None:
        """Raises AccessDeniedException, InvalidParameterValueException."""
        role = Arn.parse(role_arn)
        if role.account_id != caller.account_id:
            raise AccessDeniedException("Cross-account pass role is not allowed.")
        if role.partition != partition_of(caller.region):
            raise InvalidParameterValueException(_CANNOT_BE_ASSUMED)
        await require_permission(
            self._policies, caller, "iam:PassRole", role_arn, {"iam:PassedToService": _LAMBDA}
        )
        if not await self._roles.assumable(role_arn, _LAMBDA):
            raise InvalidParameterValueException(_CANNOT_BE_ASSUMED)
