"""Bodies at rest in queues that have a KMS key of a customer: sealed when they are sent, opened when they are received.

Whoever sends needs kms:GenerateDataKey and kms:Decrypt, whoever receives kms:Decrypt. SQS's own key stands for what
the disk does.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from lambent.encryption.data_keys import DataKeys
from lambent.encryption.sealed import seal, unseal
from lambent.model.caller import Caller
from lambent.model.error import ServiceException
from lambent.model.queue import Queue, ReceivedMessage
from lambent.services.sqs.errors import (
    KmsAccessDenied,
    KmsDisabled,
    KmsInvalidKeyUsage,
    KmsInvalidState,
    KmsNotFound,
)
from lambent.services.sqs.new_messages import NewMessage

_OWN_KEY = "alias/aws/sqs"
_REUSE_SECONDS = 300
_ERRORS: Mapping[str, type[ServiceException]] = {
    "AccessDeniedException": KmsAccessDenied,
    "DisabledException": KmsDisabled,
    "InvalidKeyUsageException": KmsInvalidKeyUsage,
    "KMSInvalidStateException": KmsInvalidState,
    "NotFoundException": KmsNotFound,
}


class BodyEncryption:
    def __init__(self, keys: DataKeys) -> None:
        self._keys = keys

    async def sealed(self, queue: Queue, caller: Caller, new: Sequence[NewMessage]) -> Sequence[NewMessage]:
        """As they are stored. Raises what SQS calls KMS's refusal."""
        key_id = queue.attributes.get("KmsMasterKeyId")
        if not key_id or key_id == _OWN_KEY:
            return new
        try:
            key = await self._keys.to_write(
                caller, key_id, _context(queue.arn), seconds=_reuse_seconds(queue)
            )
        except ServiceException as error:
            raise _translate(error) from error
        return [
            replace(
                one,
                message=replace(
                    one.message,
                    body=seal(key.plaintext, one.message.body),
                    sealed_for=queue.arn,
                    data_key=key.encrypted,
                ),
            )
            for one in new
        ]

    async def opened(
        self, queue: Queue, caller: Caller, received: Sequence[ReceivedMessage]
    ) -> Sequence[ReceivedMessage]:
        """As they were sent. Raises as `sealed`."""
        if {one.message.data_key for one in received} == {None}:
            return received
        return [await self._opened(queue, caller, one) for one in received]

    async def _opened(self, queue: Queue, caller: Caller, received: ReceivedMessage) -> ReceivedMessage:
        message = received.message
        if message.data_key is None or message.sealed_for is None:
            return received
        context = _context(message.sealed_for)
        try:
            key = await self._keys.to_read(caller, message.data_key, context, seconds=_reuse_seconds(queue))
        except ServiceException as error:
            raise _translate(error) from error
        return replace(received, message=replace(message, body=unseal(key.plaintext, message.body)))


def _context(queue_arn: str) -> Mapping[str, str]:
    return {"aws:sqs:arn": queue_arn}


def _reuse_seconds(queue: Queue) -> int:
    return int(queue.attributes.get("KmsDataKeyReusePeriodSeconds") or _REUSE_SECONDS)


def _translate(error: ServiceException) -> ServiceException:
    return _ERRORS.get(error.code, KmsAccessDenied)(error.message)
