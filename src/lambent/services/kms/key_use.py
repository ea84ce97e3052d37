"""What every use of a key begins with: the key, in a state to be used, and for what it is for."""

from lambent.base.arn import partition_of
from lambent.model.caller import Caller, Parameters
from lambent.model.kms import Key
from lambent.services.kms.errors import DryRunOperationException, UnsupportedOperationException
from lambent.services.kms.key_reference import find_key, require_usable
from lambent.services.kms.key_ring import KeyRing
from lambent.services.kms.key_specs import require_use


def key_to_use(
    ring: KeyRing, caller: Caller, name: str, usage: str, operation: str, algorithm: str | None = None
) -> Key:
    """Raises NotFoundException, DisabledException, KMSInvalidStateException, InvalidKeyUsageException."""
    return require_use(require_usable(find_key(ring, caller, name)), usage, operation, algorithm)


def arn_of(key: Key) -> str:
    return key.arn(partition_of(key.region))


def refuse_recipients(parameters: Parameters) -> None:
    """Raises UnsupportedOperationException."""
    if "Recipient" in parameters or "CustomKeyStoreId" in parameters:
        raise UnsupportedOperationException("Lambent has no enclaves and no custom key stores.")


def stop_dry_run(parameters: Parameters) -> None:
    """Raises DryRunOperationException: all else is as it should be."""
    if parameters.get("DryRun"):
        raise DryRunOperationException
