"""A function's policy as a whole: PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy.

It is the same policy that AddPermission adds to, statement by statement.
"""

from lambent.model.caller import Caller, Parameters
from lambent.model.function import LATEST, FunctionId
from lambent.model.function_policy import FunctionPolicy
from lambent.model.lambda_errors import InvalidParameterValueException, ResourceNotFoundException
from lambent.model.policy import MalformedPolicyError, PolicyKind, parse_policy
from lambent.services.lambda_.errors import not_offered
from lambent.services.lambda_.function_reference import resolve_reference
from lambent.services.lambda_.policy_holders import PolicyHolders


class ResourcePolicies:
    def __init__(self, holders: PolicyHolders) -> None:
        self._holders = holders

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        function, qualifier = _holder(caller, "PutResourcePolicy", parameters["ResourceArn"])
        document = parameters["Policy"]
        try:
            parse_policy(document, PolicyKind.RESOURCE)
        except MalformedPolicyError as error:
            raise InvalidParameterValueException(f"The policy is not valid: {error}") from error
        async with self._holders.lock(function):
            revision_id = await self._holders.revision(function, qualifier)
            self._holders.require_revision(parameters, revision_id)
            policy = FunctionPolicy(function=function, qualifier=qualifier, document=document)
            revision_id = await self._holders.put(policy, revision_id)
        return {"Policy": document, "RevisionId": revision_id}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        function, qualifier = _holder(caller, "GetResourcePolicy", parameters["ResourceArn"])
        revision_id = await self._holders.revision(function, qualifier)
        policy = await self._policy(function, qualifier)
        return {"Policy": policy.document, "RevisionId": revision_id}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        function, qualifier = _holder(caller, "DeleteResourcePolicy", parameters["ResourceArn"])
        async with self._holders.lock(function):
            revision_id = await self._holders.revision(function, qualifier)
            await self._policy(function, qualifier)
            self._holders.require_revision(parameters, revision_id)
            await self._holders.delete(function, qualifier, revision_id)
        return {}

    async def _policy(self, function: FunctionId, qualifier: str) -> FunctionPolicy:
        policy = await self._holders.policies.get(function, qualifier)
        if policy is None:
            raise ResourceNotFoundException("The resource you requested does not exist.")
        return policy


def _holder(caller: Caller, action: str, arn: str) -> tuple[FunctionId, str]:
    if ":function:" not in arn:
        raise not_offered("policies of runtimes")
    reference = resolve_reference(caller, action, arn)
    if reference.qualifier == LATEST:
        raise InvalidParameterValueException("We currently do not support adding policies for $LATEST.")
    return reference.function, reference.qualifier or ""
