"""What each operation acts on, for authorization: the key, however the request names it.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
"""

from collections.abc import Callable

from lambent.base.arn import partition_of
from lambent.model.caller import Caller, Parameters
from lambent.services.kms.key_material import header_of
from lambent.services.kms.key_reference import resolve
from lambent.services.kms.key_ring import KeyRing
from lambent.services.kms.key_specs import SYMMETRIC

_OF_NO_RESOURCE = frozenset({"CreateKey", "ListKeys", "ListAliases", "GenerateRandom", "ListRetirableGrants"})
_ALGORITHM_MEMBERS = ("EncryptionAlgorithm", "SourceEncryptionAlgorithm")
_KEY_MEMBERS = ("KeyId", "TargetKeyId", "DestinationKeyId", "SourceKeyId")


def resource_arns(ring: KeyRing) -> Callable[[str, Caller, Parameters], str | tuple[str, ...]]:
    """Raises NotFoundException for an alias that there is not, InvalidCiphertextException."""

    def arn_of(key_id: str, caller: Caller) -> str:
        key = ring.key(key_id)
        account_id = key.account_id if key is not None else caller.account_id
        return f"arn:{partition_of(caller.region)}:kms:{caller.region}:{account_id}:key/{key_id}"

    def resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str | tuple[str, ...]:
        if operation in _OF_NO_RESOURCE:
            return "*"
        arns = [resolve(ring, caller, parameters[name])[1] for name in _KEY_MEMBERS if name in parameters]
        if "CiphertextBlob" in parameters and _says_its_key(parameters):
            arns.append(arn_of(header_of(bytes(parameters["CiphertextBlob"])).key_id, caller))
        if "AliasName" in parameters:
            name = parameters["AliasName"]
            partition = partition_of(caller.region)
            arns.append(f"arn:{partition}:kms:{caller.region}:{caller.account_id}:{name}")
            alias = ring.alias(caller.account_id, caller.region, name)
            if alias is not None:
                arns.append(arn_of(alias.key_id, caller))
        if operation == "RetireGrant":
            token = str(parameters.get("GrantToken", "")).removeprefix("grant:")
            wanted = token or parameters.get("GrantId")
            arns += [arn_of(grant.key_id, caller) for grant in ring.all_grants() if grant.id == wanted]
        return tuple(dict.fromkeys(arns)) or "*"

    return resource_arn


def _says_its_key(parameters: Parameters) -> bool:
    """What an asymmetric key has encrypted does not."""
    return all(parameters.get(name, SYMMETRIC) == SYMMETRIC for name in _ALGORITHM_MEMBERS)
