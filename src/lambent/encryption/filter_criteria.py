"""The filter criteria of an event source mapping under its own key: sealed by who makes the mapping, opened by who asks
for it, and by Lambda itself, which the policy of the key must allow kms:Decrypt.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filter-criteria-encryption
"""

from base64 import b64decode, b64encode
from dataclasses import replace

import msgspec

from lambent.base.clock import Clock
from lambent.encryption.data_keys import DataKeys
from lambent.encryption.sealed import seal, unseal
from lambent.model.caller import Caller, service_caller
from lambent.model.event_source_mapping import EventSourceMapping, SealedCriteria
from lambent.model.service import Client

_AGAIN_SECONDS = 0.0
"""For how long a data key is used again: KMS is asked each time, so that what it forbids is forbidden at once."""


class SealedFilterCriteria:
    """Raises what KMS raises: that there is no such key, that it is disabled, that the caller may not use it."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._keys = DataKeys(client, clock)

    async def seal(self, caller: Caller, mapping: EventSourceMapping) -> EventSourceMapping:
        """The mapping without its criteria in the clear. The caller needs kms:GenerateDataKey and kms:Decrypt, Lambda
        kms:Decrypt, without which the mapping would never run."""
        settings = dict(mapping.settings)
        criteria = msgspec.json.encode(settings.pop("FilterCriteria")).decode()
        context = mapping.encryption_context
        key = await self._keys.to_write(caller, settings["KMSKeyArn"], context, seconds=_AGAIN_SECONDS)
        await self._keys.to_read(_lambda_for(mapping), key.encrypted, context, seconds=_AGAIN_SECONDS)
        sealed = SealedCriteria(
            text=seal(key.plaintext, criteria), data_key=b64encode(key.encrypted).decode()
        )
        return replace(mapping, settings=settings, sealed_criteria=sealed)

    async def open(self, caller: Caller, mapping: EventSourceMapping) -> EventSourceMapping:
        """The mapping with its criteria among the settings. The caller needs kms:Decrypt."""
        sealed = mapping.sealed_criteria
        if sealed is None:
            return mapping
        key = await self._keys.to_read(
            caller, b64decode(sealed.data_key), mapping.encryption_context, seconds=_AGAIN_SECONDS
        )
        criteria = msgspec.json.decode(unseal(key.plaintext, sealed.text))
        return replace(
            mapping, settings={**mapping.settings, "FilterCriteria": criteria}, sealed_criteria=None
        )

    async def open_for_lambda(self, mapping: EventSourceMapping) -> EventSourceMapping:
        return await self.open(_lambda_for(mapping), mapping)


def _lambda_for(mapping: EventSourceMapping) -> Caller:
    return service_caller(
        "lambda.amazonaws.com",
        account_id=mapping.account_id,
        region=mapping.region,
        source_arn=mapping.arn,
    )
