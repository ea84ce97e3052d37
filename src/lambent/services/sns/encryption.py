"""What is to be delivered of a topic that has a KMS key of a customer, while it waits on disk.

Whoever publishes needs kms:GenerateDataKey and kms:Decrypt, as on AWS. It is opened for the topic's owner when it is
delivered: the key's policy must let the owner's account decrypt, and the key must be enabled still. SNS's own key
stands for what the disk does.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lambent.encryption.data_keys import DataKey, DataKeys
from lambent.encryption.sealed import seal, unseal
from lambent.model.caller import Caller, account_caller
from lambent.model.delivery import Delivery
from lambent.model.error import ServiceException
from lambent.model.topic import Topic
from lambent.services.sns.errors import KMSAccessDenied, KMSDisabled, KMSInvalidState, KMSNotFound

_OWN_KEY = "alias/aws/sns"
_REUSE_SECONDS = 300
_ERRORS: Mapping[str, type[ServiceException]] = {
    "AccessDeniedException": KMSAccessDenied,
    "DisabledException": KMSDisabled,
    "KMSInvalidStateException": KMSInvalidState,
    "NotFoundException": KMSNotFound,
}


class PayloadEncryption:
    def __init__(self, keys: DataKeys) -> None:
        self._keys = keys

    async def key(self, topic: Topic, caller: Caller) -> DataKey | None:
        """For what is published; None where the topic has no such key. Raises what SNS calls KMS's refusal."""
        key_id = topic.attributes.get("KmsMasterKeyId")
        if not key_id or key_id == _OWN_KEY:
            return None
        try:
            return await self._keys.to_write(caller, key_id, _context(topic.arn), seconds=_REUSE_SECONDS)
        except ServiceException as error:
            raise _ERRORS.get(error.code, KMSAccessDenied)(error.message) from error

    async def opened_text(self, topic: Topic, text: str, data_key: str | None) -> tuple[str, DataKey | None]:
        """What `sealed_text` sealed, and the key of it. Raises what KMS raises."""
        if data_key is None:
            return text, None
        owner = account_caller("sns.amazonaws.com", account_id=topic.account_id, region=topic.region)
        key = await self._keys.to_read(
            owner, b64decode(data_key), _context(topic.arn), seconds=_REUSE_SECONDS
        )
        return unseal(key.plaintext, text), key

    async def opened(self, delivery: Delivery) -> Delivery:
        """As it is delivered. Raises what KMS raises."""
        encrypted = delivery.target.get("DataKey")
        if encrypted is None:
            return delivery
        key = await self._keys.to_read(
            _owner(delivery), b64decode(encrypted), _context(delivery.source_arn), seconds=_REUSE_SECONDS
        )
        return replace(
            delivery,
            payload=_unsealed(key, delivery.payload),
            event=None if delivery.event is None else _unsealed(key, delivery.event),
        )


def sealed_text(key: DataKey | None, text: str) -> tuple[str, str | None]:
    """As it is stored, and the key beside it."""
    if key is None:
        return text, None
    return seal(key.plaintext, text), b64encode(key.encrypted).decode()


def sealed(key: DataKey | None, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
    """As they are stored."""
    if key is None:
        return deliveries
    named = {"DataKey": b64encode(key.encrypted).decode()}
    return [
        replace(
            one,
            target={**one.target, **named},
            payload=_sealed(key, one.payload),
            event=None if one.event is None else _sealed(key, one.event),
        )
        for one in deliveries
    ]


def _sealed(key: DataKey, payload: bytes) -> bytes:
    return seal(key.plaintext, payload.decode()).encode()


def _unsealed(key: DataKey, payload: bytes) -> bytes:
    return unseal(key.plaintext, payload.decode()).encode()


def _context(topic_arn: str) -> Mapping[str, str]:
    return {"aws:sns:topicArn": topic_arn}


def _owner(delivery: Delivery) -> Caller:
    return account_caller("sns.amazonaws.com", account_id=delivery.account_id, region=delivery.region)
