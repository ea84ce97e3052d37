"""AWS Key Management Service: keys that never leave the server, and who may use them.

Keys are wrapped by a key that is derived from the server's master key. A key's policy decides alone, as at AWS: an
account's own policies count only where the key's policy lets the account decide.

Source: the kms service model and https://docs.aws.amazon.com/kms/latest/developerguide/
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lambent.base.clock import Clock
from lambent.model.service import Operation, Service
from lambent.services.kms.aliases import Aliases
from lambent.services.kms.data_keys import DataKeys
from lambent.services.kms.encryption import Encryption
from lambent.services.kms.grants import Grants
from lambent.services.kms.importing import Imports
from lambent.services.kms.key_material import KeyMaterial
from lambent.services.kms.key_policies import KeyPolicies, condition_keys
from lambent.services.kms.key_ring import KeyRing, KmsStores
from lambent.services.kms.keys import Keys
from lambent.services.kms.macs import Macs
from lambent.services.kms.managed_keys import ManagedKeys
from lambent.services.kms.resource_arn import resource_arns
from lambent.services.kms.rotation import Rotations
from lambent.services.kms.signing import Signing
from lambent.services.kms.tags import Tags

__all__ = ["Kms", "KmsStores", "kms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kms:
    """`ring` is opened by the server before the first request, and `ring.run` goes on behind."""

    service: Service
    ring: KeyRing


def kms(stores: KmsStores, *, clock: Clock, secret: bytes) -> Kms:
    """`secret` wraps all keys: whoever knows it and the database knows them."""
    ring = KeyRing(stores, clock)
    material = KeyMaterial(secret)
    policies = KeyPolicies(ring)
    rotations = Rotations(ring, material, clock)
    operations: Mapping[str, Operation] = {
        **Keys(ring, material, ManagedKeys(ring, material, clock), clock).operations(),
        **Aliases(ring, clock).operations(),
        **Encryption(ring, material, rotations).operations(),
        **DataKeys(ring, material, rotations).operations(),
        **Signing(ring, material).operations(),
        **Macs(ring, material).operations(),
        **Imports(ring, material, clock).operations(),
        **policies.operations(),
        **Grants(ring, clock).operations(),
        **rotations.operations(),
        **Tags(ring).operations(),
    }
    service = Service(
        name="kms",
        operations=operations,
        resource_arn=resource_arns(ring),
        resource_policy=policies.of_key,
        condition_keys=condition_keys,
    )
    return Kms(service=service, ring=ring)
