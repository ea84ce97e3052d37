"""The policies that a session is given, which limit what it may do."""

import math
import zlib
from collections.abc import Mapping, Sequence

from lambent.model.caller import Parameters
from lambent.model.policy import MalformedPolicyError, PolicyKind, parse_policy
from lambent.services.sts.errors import MalformedPolicyDocument, PackedPolicyTooLarge, ValidationError

_SIZE = 2048


def session_policies(
    account_id: str, parameters: Parameters, tags: Mapping[str, str]
) -> tuple[Sequence[str], int]:
    """They, and how much of the room for them and the tags they take when packed, in percent.

    Managed ones must be of this account or AWS's."""
    policies = [given["arn"] for given in parameters.get("PolicyArns", ()) if "arn" in given]
    for arn in policies:
        if not arn.startswith("arn:") or arn.split(":")[4:5] not in (["aws"], [account_id]):
            raise ValidationError(
                f"Value '{arn}' at 'policyArns' is not a managed policy of the role's account."
            )
    if "Policy" in parameters:
        try:
            parse_policy(parameters["Policy"], PolicyKind.IDENTITY)
        except MalformedPolicyError as error:
            raise MalformedPolicyDocument(str(error)) from None
        policies.append(parameters["Policy"])
    if sum(len(policy) for policy in policies) > _SIZE:
        raise PackedPolicyTooLarge(
            f"The session policies exceed {_SIZE} characters, more than a session can carry."
        )
    texts = [*policies, *(f"{key}={value}" for key, value in tags.items())]
    if not texts:
        return policies, 0
    packed = zlib.compress("\n".join(texts).encode())
    return policies, min(100, math.ceil(100 * len(packed) / _SIZE))
