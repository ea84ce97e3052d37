"""Who may use a layer version: AddLayerVersionPermission, RemoveLayerVersionPermission, GetLayerVersionPolicy."""

from dataclasses import replace
from typing import Any

import msgspec

from lambent.base.arn import Arn, partition_of
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.lambda_errors import (
    PolicyLengthExceededException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from lambent.model.layer import LayerVersion, PermissionStatement
from lambent.services.lambda_.errors import not_authorized, revision_mismatch
from lambent.services.lambda_.layer_reference import parse_layer, require_number
from lambent.store.ports.errors import NotFoundError, StaleRevisionError
from lambent.store.ports.layers import LayerStore

_POLICY_LARGEST = 20_480
_REVISION_GETTER = "GetLayerPolicy"


def may_get(version: LayerVersion, account_id: str) -> bool:
    """Whether an account may use the layer version: its owner, and whom a statement names.

    A statement for an organization opens nothing here: Lambent knows of no organizations."""
    if version.layer.account_id == account_id:
        return True
    return any(
        statement.organization_id is None
        and (statement.principal == "*" or account_id == _principal_account(statement.principal))
        for statement in version.statements
    )


def policy_document(version: LayerVersion) -> str:
    statements = [_describe(version, statement) for statement in version.statements]
    return _json({"Version": "2012-10-17", "Id": "default", "Statement": statements})


class LayerPermissions:
    def __init__(self, store: LayerStore) -> None:
        self._store = store

    async def add(self, caller: Caller, parameters: Parameters) -> Parameters:
        version = await self._version(caller, "AddLayerVersionPermission", parameters)
        statement = PermissionStatement(
            statement_id=parameters["StatementId"],
            action=parameters["Action"],
            principal=parameters["Principal"],
            organization_id=parameters.get("OrganizationId"),
        )
        if any(other.statement_id == statement.statement_id for other in version.statements):
            raise ResourceConflictException(
                f"The statement id ({statement.statement_id}) provided already exists. "
                "Please provide a new statement id, or remove the existing statement."
            )
        changed = await self._replace(version, (*version.statements, statement))
        return {"Statement": _json(_describe(changed, statement)), "RevisionId": changed.policy_revision_id}

    async def remove(self, caller: Caller, parameters: Parameters) -> Parameters:
        version = await self._version(caller, "RemoveLayerVersionPermission", parameters)
        id = parameters["StatementId"]
        left = tuple(statement for statement in version.statements if statement.statement_id != id)
        if len(left) == len(version.statements):
            raise ResourceNotFoundException(f"Statement {id} is not found in resource policy.")
        await self._replace(version, left)
        return {}

    async def get_policy(self, caller: Caller, parameters: Parameters) -> Parameters:
        version = await self._version(caller, "GetLayerVersionPolicy", parameters)
        if not version.statements:
            raise ResourceNotFoundException("No policy is associated with the given resource.")
        return {"Policy": policy_document(version), "RevisionId": version.policy_revision_id}

    async def _version(self, caller: Caller, action: str, parameters: Parameters) -> LayerVersion:
        """The caller's own layer version, if its policy still has the revision that the caller knows."""
        layer = parse_layer(caller, parameters["LayerName"])
        number = require_number(parameters["VersionNumber"])
        arn = layer.arn(number, partition_of(layer.region))
        if layer.account_id != caller.account_id:
            raise not_authorized(caller.principal_arn, action, arn)
        version = await self._store.get(layer, number)
        if version is None:
            raise ResourceNotFoundException(f"Layer version {arn} does not exist.")
        if parameters.get("RevisionId") not in (None, "", version.policy_revision_id):
            raise revision_mismatch(_REVISION_GETTER)
        return version

    async def _replace(
        self, version: LayerVersion, statements: tuple[PermissionStatement, ...]
    ) -> LayerVersion:
        changed = replace(version, statements=statements, policy_revision_id=new_uuid())
        size = len(policy_document(changed).encode())
        if size > _POLICY_LARGEST:
            raise PolicyLengthExceededException(
                f"The final policy size ({size}) is bigger than the limit ({_POLICY_LARGEST})."
            )
        try:
            await self._store.replace(changed, expected_policy_revision_id=version.policy_revision_id)
        except NotFoundError as error:
            raise ResourceNotFoundException(f"Layer version {version.arn()} does not exist.") from error
        except StaleRevisionError as error:
            raise revision_mismatch(_REVISION_GETTER) from error
        return changed


def _describe(version: LayerVersion, statement: PermissionStatement) -> dict[str, Any]:
    partition = partition_of(version.layer.region)
    account_id = _principal_account(statement.principal)
    described: dict[str, Any] = {
        "Sid": statement.statement_id,
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{account_id}:root"} if account_id else "*",
        "Action": statement.action,
        "Resource": version.arn(partition),
    }
    if statement.organization_id is not None:
        described["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": statement.organization_id}}
    return described


def _principal_account(principal: str) -> str | None:
    """The account of "123456789012" or of its root's ARN; None for "*"."""
    if principal.startswith("arn:"):
        return Arn.parse(principal).account_id
    return None if principal == "*" else principal


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
