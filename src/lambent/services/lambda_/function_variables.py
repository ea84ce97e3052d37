"""Environment variables under a key of the function's own (KMSKeyArn): encrypted at rest, shown to whoever may use the
key, and decrypted for the function by a grant that its role has.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import msgspec

from lambent.model.caller import Caller, Parameters
from lambent.model.error import AccessDeniedException, ServiceException
from lambent.model.function import FunctionId, FunctionVersion
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.model.service import Client
from lambent.model.variables_encryption import decryption_of, encryption_context
from lambent.services.lambda_.configuration import describe, describe_in_list

_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_REASONS: Mapping[str, str] = {
    "NotFoundException": "the KMS key used does not exist",
    "DisabledException": "the KMS key used is disabled",
    "KMSInvalidStateException": "the KMS key used is in an invalid state",
}


class FunctionVariables:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def fields(
        self,
        caller: Caller,
        id: FunctionId,
        current: FunctionVersion | None,
        parameters: Parameters,
        changes: Mapping[str, Any],
    ) -> dict[str, Any]:
        """The fields of FunctionVersion for variables and their key, after the `changes` that `parameters` make of
        `current` (None: it is being created). Raises InvalidParameterValueException, AccessDeniedException."""
        old_key = current.kms_key_arn if current is not None else None
        key = parameters.get("KMSKeyArn", old_key) or None
        if key is None and old_key is None:
            return {}
        if not {"variables", "role"} & set(changes) and key == old_key:
            return {}
        variables = changes.get("variables")
        if "variables" not in changes and current is not None:
            variables = await self._reveal(caller, current)
        fields: dict[str, Any] = {"kms_key_arn": key, "variables": variables, "encrypted_variables": None}
        if key is not None and variables:
            role = changes.get("role") or (current.role if current is not None else "")
            fields |= {
                "variables": None,
                "encrypted_variables": await self._encrypt(caller, id, key, role, variables),
            }
        return fields

    async def describe(self, caller: Caller, version: FunctionVersion, qualifier: str | None) -> Parameters:
        return describe(version, qualifier, await self._environment(caller, version))

    async def describe_in_list(
        self, caller: Caller, version: FunctionVersion, qualifier: str | None
    ) -> Parameters:
        return describe_in_list(version, qualifier, await self._environment(caller, version))

    async def _environment(self, caller: Caller, version: FunctionVersion) -> Parameters | None:
        """The member `Environment` where the variables are encrypted: in the clear, or why not. None where they are
        not encrypted."""
        if version.encrypted_variables is None:
            return None
        try:
            return {"Variables": dict(await self._decrypt(caller, version))}
        except ServiceException as error:
            reason = _REASONS.get(error.code, "the KMS access was denied")
            message = (
                f"Lambda was unable to decrypt your environment variables because {reason}. "
                f"Please check your KMS permissions. KMS Exception: {error.code} KMS Message: {error.message}"
            )
            return {"Error": {"ErrorCode": error.code, "Message": message}}

    async def _encrypt(
        self, caller: Caller, id: FunctionId, key: str, role: str, variables: Mapping[str, str]
    ) -> str:
        context = encryption_context(id)
        granted = {
            "KeyId": key,
            "GranteePrincipal": role,
            "Operations": ["Decrypt"],
            "Constraints": {"EncryptionContextSubset": context},
            "Name": f"lambda-{id.name}",
        }
        plaintext = {"KeyId": key, "Plaintext": msgspec.json.encode(variables), "EncryptionContext": context}
        try:
            await self._client("kms", "CreateGrant", caller, granted)
            encrypted = await self._client("kms", "Encrypt", caller, plaintext)
        except ServiceException as error:
            raise _translate(error) from error
        return b64encode(encrypted["CiphertextBlob"]).decode()

    async def _reveal(self, caller: Caller, version: FunctionVersion) -> Mapping[str, str] | None:
        if version.encrypted_variables is None:
            return version.variables
        try:
            return await self._decrypt(caller, version)
        except ServiceException as error:
            raise _translate(error) from error

    async def _decrypt(self, caller: Caller, version: FunctionVersion) -> Mapping[str, str]:
        decrypted = await self._client("kms", "Decrypt", caller, decryption_of(version))
        return msgspec.json.decode(decrypted["Plaintext"], type=dict[str, str])


def _translate(error: ServiceException) -> ServiceException:
    kind = AccessDeniedException if error.code in _DENIED else InvalidParameterValueException
    reason = _REASONS.get(error.code, "the KMS key is invalid for CreateGrant")
    return kind(
        f"Lambda was unable to configure access to your environment variables because {reason}. "
        f"Please check your KMS key settings. KMS Exception: {error.code} KMS Message: {error.message}"
    )
