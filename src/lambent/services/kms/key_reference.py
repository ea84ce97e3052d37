"""What callers write to name a key: its id, its ARN, an alias, or an alias's ARN."""

import re

from lambent.base.arn import partition_of
from lambent.model.caller import Caller
from lambent.model.kms import Key
from lambent.services.kms.errors import (
    DisabledException,
    KMSInvalidStateException,
    NotFoundException,
)
from lambent.services.kms.key_ring import KeyRing
from lambent.services.kms.managed_keys import managed_key_id

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
_ARN = re.compile(r"arn:[\w-]+:kms:(?P<region>[\w-]+):(?P<account_id>\d{12}):(?P<resource>(key|alias)/.+)")


def find_key(ring: KeyRing, caller: Caller, text: str) -> Key:
    """In whatever state it is. Raises NotFoundException."""
    id, arn = resolve(ring, caller, text)
    key = ring.key(id)
    if key is None or key.region != caller.region or arn != key.arn(partition_of(key.region)):
        raise NotFoundException(f"Key '{arn}' does not exist")
    return key


def resolve(ring: KeyRing, caller: Caller, text: str) -> tuple[str, str]:
    """The id and the ARN of a key that may or may not be there. Raises NotFoundException."""
    partition = partition_of(caller.region)
    account_id, region, resource = caller.account_id, caller.region, text
    if (match := _ARN.fullmatch(text)) is not None:
        account_id, region, resource = match["account_id"], match["region"], match["resource"]
        if region != caller.region:
            raise NotFoundException(f"Invalid arn {region}")
    if resource.startswith("alias/"):
        alias = ring.alias(account_id, region, resource)
        key_id = alias.key_id if alias is not None else managed_key_id(account_id, region, resource)
        if key_id is None:
            raise NotFoundException(
                f"Alias arn:{partition}:kms:{region}:{account_id}:{resource} is not found."
            )
        resource = key_id
    id = resource.removeprefix("key/") if match is not None else resource
    if match is None and not _ID.fullmatch(id):
        raise NotFoundException(f"Invalid keyId '{text}'")
    return id, f"arn:{partition}:kms:{region}:{account_id}:key/{id}"


def require_usable(key: Key) -> Key:
    """Raises DisabledException, KMSInvalidStateException."""
    arn = key.arn(partition_of(key.region))
    if key.state == "Disabled":
        raise DisabledException(f"{arn} is disabled.")
    if key.state == "PendingImport":
        raise KMSInvalidStateException(f"{arn} is pending import.")
    return require_present(key)


def require_present(key: Key) -> Key:
    """Raises KMSInvalidStateException for one that is to be deleted."""
    if key.state == "PendingDeletion":
        raise KMSInvalidStateException(f"{key.arn(partition_of(key.region))} is pending deletion.")
    return key
