"""Server access logs: a line for each request of a bucket that wants it, put into the target bucket every minute.

Lines are in memory until then, and go with a server that is killed: S3 too promises no more than its best effort.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from lambent.base.clock import Clock
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters, service_caller
from lambent.model.error import ServiceException
from lambent.model.service import Client, Operation
from lambent.services.s3.access_log_lines import LOGGED, LoggedRequest, line_of
from lambent.services.s3.bucket_logging import LOGGING
from lambent.services.s3.bucket_records import BucketRecords
from lambent.store.ports.errors import StoreError

log = logging.getLogger(__name__)

LOGGER = "logging.s3.amazonaws.com"
"""As whom S3 puts logs into a bucket: its policy must let it, or its list must let the group LogDelivery."""
_EVERY_SECONDS = 60.0
_LINES_MOST = 100_000
"""That are kept of one bucket."""


class AccessLogs:
    def __init__(self, buckets: BucketRecords, client: Client, clock: Clock) -> None:
        self._buckets = buckets
        self._client = client
        self._clock = clock
        self._lines: dict[str, list[str]] = {}
        self._requests: set[str] = set()
        """Those that are being logged. What S3 asks itself for their sake has their ids, and is not logged again."""

    def watched(self, operations: Mapping[str, Operation]) -> dict[str, Operation]:
        return {
            name: self._watched(name, operation) if name in LOGGED else operation
            for name, operation in operations.items()
        }

    def _watched(self, name: str, operation: Operation) -> Operation:
        @wraps(operation)
        async def watch(caller: Caller, parameters: Parameters) -> Parameters:
            bucket = self._buckets.find(parameters["Bucket"])
            if bucket is None or LOGGING not in bucket.configurations or caller.service == LOGGER:
                return await operation(caller, parameters)
            if caller.request_id in self._requests:
                return await operation(caller, parameters)
            self._requests.add(caller.request_id)
            began = self._clock.monotonic()
            refusal, output = None, {}
            try:
                output = await operation(caller, parameters)
            except ServiceException as error:
                refusal = error
                raise
            finally:
                self._requests.discard(caller.request_id)
                self._note(
                    LoggedRequest(
                        bucket=bucket,
                        operation=name,
                        caller=caller,
                        parameters=parameters,
                        output=output,
                        refusal=refusal,
                        at=self._clock.now(),
                        took_seconds=self._clock.monotonic() - began,
                    )
                )
            return output

        return watch

    def _note(self, request: LoggedRequest) -> None:
        lines = self._lines.setdefault(request.bucket.name, [])
        if len(lines) < _LINES_MOST:
            lines.append(line_of(request))

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        taken, self._lines = self._lines, {}
        for name, lines in taken.items():
            bucket = self._buckets.find(name)
            if bucket is None or LOGGING not in bucket.configurations:
                continue
            try:
                await self._put(bucket, lines)
            except (ServiceException, StoreError) as error:
                log.warning("requests of %s were not logged: %s", name, error)

    async def _put(self, bucket: Bucket, lines: list[str]) -> None:
        setting = bucket.configurations[LOGGING]["LoggingEnabled"]
        logger = service_caller(
            LOGGER, account_id=bucket.account_id, region=bucket.region, source_arn=bucket.arn()
        )
        await self._client(
            "s3",
            "PutObject",
            logger,
            {
                "Bucket": setting["TargetBucket"],
                "Key": _key(bucket, setting, self._clock.now()),
                "Body": "".join(lines).encode(),
                "ContentType": "text/plain",
            },
        )


def _key(bucket: Bucket, setting: Mapping[str, Any], now: float) -> str:
    moment = datetime.fromtimestamp(now, UTC)
    name = f"{moment:%Y-%m-%d-%H-%M-%S}-{secrets.token_hex(8).upper()}"
    prefix = str(setting.get("TargetPrefix") or "")
    if "PartitionedPrefix" not in (setting.get("TargetObjectKeyFormat") or {}):
        return prefix + name
    place = f"{bucket.account_id}/{bucket.region}/{bucket.name}"
    return f"{prefix}{place}/{moment:%Y/%m/%d}/{name}"
