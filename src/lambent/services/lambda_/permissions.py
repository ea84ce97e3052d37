"""Who else may use a function, statement by statement: AddPermission, RemovePermission, GetPolicy."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lambent.base.arn import partition_of
from lambent.model.caller import Caller, Parameters
from lambent.model.function import LATEST
from lambent.model.function_policy import POLICY_BYTES_MOST, FunctionPolicy
from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    PolicyLengthExceededException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from lambent.services.lambda_.function_reference import FunctionReference, resolve_reference
from lambent.services.lambda_.permission_statement import permission_statement
from lambent.services.lambda_.policy_holders import PolicyHolders


class Permissions:
    def __init__(self, holders: PolicyHolders) -> None:
        self._holders = holders

    async def add(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = _reference(caller, "AddPermission", parameters)
        if reference.qualifier == LATEST:
            raise InvalidParameterValueException("We currently do not support adding policies for $LATEST.")
        function, qualifier = reference.function, reference.qualifier or ""
        async with self._holders.lock(function):
            revision_id = await self._holders.revision(function, qualifier)
            self._holders.require_revision(parameters, revision_id)
            policy = await self._holders.policies.get(function, qualifier)
            statements = list(policy.statements) if policy is not None else []
            id = parameters["StatementId"]
            if any(statement.get("Sid") == id for statement in statements):
                raise ResourceConflictException(
                    f"The statement id ({id}) provided already exists. "
                    "Please provide a new statement id, or remove the existing statement."
                )
            statement = permission_statement(function, qualifier, parameters)
            document = _document([*statements, statement])
            changed = FunctionPolicy(function=function, qualifier=qualifier, document=document)
            await self._holders.put(changed, revision_id)
        return {"Statement": _json(statement)}

    async def remove(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = _reference(caller, "RemovePermission", parameters)
        function, qualifier = reference.function, _qualifier(reference)
        async with self._holders.lock(function):
            if not await self._holders.exists(function):
                arn = function.arn(partition=partition_of(function.region))
                raise ResourceNotFoundException(f"No policy found for: {arn}")
            revision_id = await self._holders.revision(function, qualifier)
            policy = await self._holders.policies.get(function, qualifier)
            if policy is None:
                raise ResourceNotFoundException("No policy is associated with the given resource.")
            id = parameters["StatementId"]
            left = [statement for statement in policy.statements if statement.get("Sid") != id]
            if len(left) == len(policy.statements):
                raise ResourceNotFoundException(f"Statement {id} is not found in resource policy.")
            self._holders.require_revision(parameters, revision_id)
            if left:
                changed = FunctionPolicy(function=function, qualifier=qualifier, document=_document(left))
                await self._holders.put(changed, revision_id)
            else:
                await self._holders.delete(function, qualifier, revision_id)
        return {}

    async def get_policy(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = _reference(caller, "GetPolicy", parameters)
        function, qualifier = reference.function, _qualifier(reference)
        policy = await self._holders.policies.get(function, qualifier)
        if policy is None:
            raise ResourceNotFoundException("The resource you requested does not exist.")
        return {
            "Policy": policy.document,
            "RevisionId": await self._holders.revision(function, qualifier),
        }


def _reference(caller: Caller, action: str, parameters: Parameters) -> FunctionReference:
    return resolve_reference(caller, action, parameters["FunctionName"], parameters.get("Qualifier"))


def _qualifier(reference: FunctionReference) -> str:
    return "" if reference.qualifier in (None, LATEST) else reference.qualifier or ""


def _document(statements: Sequence[Mapping[str, Any]]) -> str:
    document = _json({"Version": "2012-10-17", "Id": "default", "Statement": statements})
    size = len(document.encode())
    if size > POLICY_BYTES_MOST:
        raise PolicyLengthExceededException(
            f"The final policy size ({size}) is bigger than the limit ({POLICY_BYTES_MOST})."
        )
    return document


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
