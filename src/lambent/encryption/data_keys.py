"""Data keys: made by KMS for whoever writes, opened by KMS for whoever reads, and used again for a time.

A key is in memory only, by whom KMS has given it to; what is stored beside the data is KMS's own ciphertext of it.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from lambent.base.clock import Clock
from lambent.model.caller import Caller
from lambent.model.service import Client

_REMEMBERED_MOST = 4096

Context = Mapping[str, str]
"""KMS's encryption context: what is encrypted for one resource is nothing to another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataKey:
    plaintext: bytes
    encrypted: bytes
    key_arn: str = ""
    """Of the KMS key, as KMS says it."""


class DataKeys:
    """Raises what KMS raises: that there is no such key, that it is disabled, that the caller may not use it."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._monotonic = clock.monotonic
        self._known: OrderedDict[tuple[object, ...], tuple[DataKey, float]] = OrderedDict()

    async def to_write(
        self, caller: Caller, key_id: str, context: Context, *, seconds: float, proven: bool = True
    ) -> DataKey:
        """One to encrypt with, the same for `seconds`. The caller needs kms:GenerateDataKey, and to have it `proven`
        kms:Decrypt too."""
        place = (*_who(caller), key_id, *context.items())
        found = self._remembered(place)
        if found is not None:
            return found
        asked = {"KeyId": key_id, "KeySpec": "AES_256", "EncryptionContext": dict(context)}
        made = await self._client("kms", "GenerateDataKey", caller, asked)
        key = DataKey(
            plaintext=made["Plaintext"], encrypted=made["CiphertextBlob"], key_arn=made.get("KeyId", "")
        )
        if proven:
            await self.to_read(caller, key.encrypted, context, seconds=seconds)
        return self._remember(place, key, seconds)

    async def to_read(self, caller: Caller, encrypted: bytes, context: Context, *, seconds: float) -> DataKey:
        """The one that something was encrypted with. The caller needs kms:Decrypt, and is believed to have it for
        `seconds`."""
        place = (*_who(caller), encrypted)
        found = self._remembered(place)
        if found is not None:
            return found
        asked = {"CiphertextBlob": encrypted, "EncryptionContext": dict(context)}
        opened = await self._client("kms", "Decrypt", caller, asked)
        return self._remember(place, DataKey(plaintext=opened["Plaintext"], encrypted=encrypted), seconds)

    def _remembered(self, place: tuple[object, ...]) -> DataKey | None:
        found = self._known.get(place)
        return found[0] if found is not None and self._monotonic() < found[1] else None

    def _remember(self, place: tuple[object, ...], key: DataKey, seconds: float) -> DataKey:
        self._known[place] = key, self._monotonic() + seconds
        self._known.move_to_end(place)
        if len(self._known) > _REMEMBERED_MOST:
            self._known.popitem(last=False)
        return key


def _who(caller: Caller) -> tuple[str, str | None, tuple[str, ...]]:
    return caller.principal_arn, caller.source_arn, caller.session_policies
