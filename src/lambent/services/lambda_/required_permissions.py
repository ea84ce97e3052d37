"""Permissions that an operation needs beside its own: creating a function with a role and layers needs those too."""

from collections.abc import Mapping

from lambent.model.caller import Caller
from lambent.model.error import AccessDeniedException
from lambent.model.policy import denial_message
from lambent.services.lambda_.ports import CallerPolicies


async def require_permission(
    policies: CallerPolicies,
    caller: Caller,
    action: str,
    resource_arn: str,
    context: Mapping[str, str] | None = None,
) -> None:
    """Raises AccessDeniedException where the caller's own policies do not allow it."""
    outcome = await policies.decide(caller, action, resource_arn, context)
    if not outcome.allowed:
        raise AccessDeniedException(denial_message(caller.principal_arn, action, resource_arn, outcome))
