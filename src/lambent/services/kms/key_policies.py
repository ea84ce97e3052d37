"""Key policies, which decide alone: PutKeyPolicy, GetKeyPolicy, ListKeyPolicies; and what grants add to them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lambent.base.arn import partition_of
from lambent.model.caller import Caller, Parameters
from lambent.model.kms import Grant
from lambent.model.policy import MalformedPolicyError, PolicyKind, parse_policy
from lambent.model.resource_policy import ResourcePolicy
from lambent.model.service import Operation
from lambent.services.kms.errors import MalformedPolicyDocumentException, NotFoundException
from lambent.services.kms.key_reference import find_key, require_present
from lambent.services.kms.key_ring import KeyRing

_NAME = "default"
_CONDITIONS = (
    "DataKeyPairSpec",
    "EncryptionAlgorithm",
    "ExpirationModel",
    "KeyAgreementAlgorithm",
    "MacAlgorithm",
    "MessageType",
    "SigningAlgorithm",
    "WrappingAlgorithm",
    "WrappingKeySpec",
)
"""Members that have a condition key of their name."""
_CONDITIONS_OF_NEW = ("KeySpec", "KeyUsage")
"""GenerateDataKey means something else by the first."""
WHOLE_CONTEXT = "lambent:EncryptionContext"
"""Condition key: the encryption context as JSON, for grants that name it whole."""


def default_policy(caller: Caller) -> str:
    """What AWS gives a key: the account may do everything, and decides itself who else may."""
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition_of(caller.region)}:iam::{caller.account_id}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps(
        {"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]}, indent=2
    ).replace(": ", " : ")


def require_policy(text: str) -> str:
    """Raises MalformedPolicyDocumentException."""
    try:
        parse_policy(text, PolicyKind.RESOURCE)
    except MalformedPolicyError as error:
        raise MalformedPolicyDocumentException(str(error)) from error
    return text


class KeyPolicies:
    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutKeyPolicy": self.put,
            "GetKeyPolicy": self.get,
            "ListKeyPolicies": self.list,
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = require_present(find_key(self._ring, caller, parameters["KeyId"]))
        _require_name(parameters)
        policy = require_policy(parameters["Policy"])
        async with self._ring.lock(key.id):
            current = self._ring.key(key.id)
            if current is not None:
                await self._ring.put(replace(current, policy=policy))
        return {}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = find_key(self._ring, caller, parameters["KeyId"])
        _require_name(parameters)
        return {"Policy": key.policy, "PolicyName": _NAME}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        find_key(self._ring, caller, parameters["KeyId"])
        return {"PolicyNames": [_NAME], "Truncated": False}

    async def of_key(self, arn: str) -> ResourcePolicy | None:
        """What decides of the key with this ARN: its policy, and its grants."""
        key = self._ring.key(arn.rpartition("/")[2])
        if key is None or ":key/" not in arn:
            return None
        document = json.loads(key.policy)
        statements = document["Statement"]
        own = statements if isinstance(statements, list) else [statements]
        granted = [statement for grant in self._ring.grants(key.id) for statement in _allowed(grant)]
        text = json.dumps({**document, "Statement": [*own, *granted]}) if granted else key.policy
        return ResourcePolicy(account_id=key.account_id, document=text, exclusive=True)


def condition_keys(operation: str, caller: Caller, parameters: Parameters) -> Mapping[str, str]:
    """Source: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html"""
    context: Mapping[str, str] = (
        parameters.get("EncryptionContext") or parameters.get("SourceEncryptionContext") or {}
    )
    named = (*_CONDITIONS, *_CONDITIONS_OF_NEW) if operation == "CreateKey" else _CONDITIONS
    return {
        "kms:CallerAccount": caller.account_id,
        WHOLE_CONTEXT: canonical(context),
        **{f"kms:EncryptionContext:{name}": value for name, value in context.items()},
        **{f"kms:{name}": parameters[name] for name in named if name in parameters},
        **({"kms:ViaService": caller.service} if caller.service else {}),
    }


def canonical(context: Mapping[str, str]) -> str:
    return json.dumps(dict(context), sort_keys=True, separators=(",", ":"))


def _allowed(grant: Grant) -> Sequence[dict[str, Any]]:
    statements = [
        {
            "Effect": "Allow",
            "Principal": _principal(grant.grantee),
            "Action": [f"kms:{operation}" for operation in _actions(grant)],
            "Resource": "*",
            **_conditions(grant.constraints),
        }
    ]
    if grant.retiring is not None:
        statements.append(
            {
                "Effect": "Allow",
                "Principal": _principal(grant.retiring),
                "Action": ["kms:RetireGrant"],
                "Resource": "*",
            }
        )
    return statements


def _actions(grant: Grant) -> list[str]:
    """ReEncryptFrom and ReEncryptTo are one action here."""
    return ["ReEncrypt" if name.startswith("ReEncrypt") else name for name in grant.operations]


def _conditions(constraints: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {
        f"kms:EncryptionContext:{name}": value
        for name, value in constraints.get("EncryptionContextSubset", {}).items()
    }
    if "EncryptionContextEquals" in constraints:
        wanted[WHOLE_CONTEXT] = canonical(constraints["EncryptionContextEquals"])
    return {"Condition": {"StringEquals": wanted}} if wanted else {}


def _principal(text: str) -> dict[str, str]:
    return {"Service": text} if text.endswith(".amazonaws.com") else {"AWS": text}


def _require_name(parameters: Parameters) -> None:
    if parameters.get("PolicyName", _NAME) != _NAME:
        raise NotFoundException("No such policy exists")
