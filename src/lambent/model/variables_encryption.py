"""How a function's encrypted variables are bound to it, and what Lambda says where it may not decrypt them.

The same in the control plane, which encrypts and shows them, and in the data plane, which decrypts them.
"""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from lambent.base.arn import partition_of
from lambent.model.error import ServiceException
from lambent.model.function import FunctionId, FunctionVersion
from lambent.model.lambda_errors import (
    KMSAccessDeniedException,
    KMSDisabledException,
    KMSInvalidStateException,
    KMSNotFoundException,
    LambdaException,
)

_REFUSALS: Mapping[str, tuple[type[LambdaException], str]] = {
    "NotFoundException": (KMSNotFoundException, "the KMS key was not found"),
    "DisabledException": (KMSDisabledException, "the KMS key used is disabled"),
    "KMSInvalidStateException": (
        KMSInvalidStateException,
        "the state of the KMS key used is not valid for Decrypt",
    ),
}


def encryption_context(function: FunctionId) -> Mapping[str, str]:
    """KMS's encryption context: variables of one function are nothing to another."""
    return {"aws:lambda:FunctionArn": function.arn(partition=partition_of(function.region))}


def decryption_of(version: FunctionVersion) -> dict[str, Any]:
    """What KMS's Decrypt is asked for a version whose variables are encrypted."""
    assert version.encrypted_variables is not None
    return {
        "CiphertextBlob": b64decode(version.encrypted_variables),
        "KeyId": version.kms_key_arn,
        "EncryptionContext": encryption_context(version.function),
    }


def decryption_refused(error: ServiceException) -> LambdaException:
    """KMS's refusal, as an invocation of the function is answered with it."""
    kind, reason = _REFUSALS.get(error.code, (KMSAccessDeniedException, "KMS access was denied"))
    return kind(
        f"Lambda was unable to decrypt the environment variables because {reason}. "
        f"Please check the function's KMS key settings. KMS Exception: {error.code}KMS Message: {error.message}"
    )
