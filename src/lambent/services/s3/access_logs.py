"""Server access logs: a line for each request of a bucket that wants it, put into the target bucket every minute.

Lines are in memory until then, and go with a server that is killed: S3 too promises no more than its best effort.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from urllib.parse import quote

from lambent.base.clock import Clock
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters, service_caller
from lambent.model.error import ServiceException
from lambent.model.service import Client, Operation
from lambent.services.s3.access import ANONYMOUS
from lambent.services.s3.bucket_logging import LOGGING
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.owners import canonical_id
from lambent.store.ports.errors import StoreError

log = logging.getLogger(__name__)

LOGGER = "logging.s3.amazonaws.com"
"""As whom S3 puts logs into a bucket: its policy must let it, or its list must let the group LogDelivery."""
_EVERY_SECONDS = 60.0
_LINES_MOST = 100_000
"""That are kept of one bucket."""
_NAMES = {
    "AbortMultipartUpload": ("DELETE", "UPLOAD"),
    "CompleteMultipartUpload": ("POST", "UPLOAD"),
    "CopyObject": ("COPY", "OBJECT"),
    "CreateMultipartUpload": ("POST", "UPLOADS"),
    "DeleteObject": ("DELETE", "OBJECT"),
    "DeleteObjectTagging": ("DELETE", "OBJECT_TAGGING"),
    "DeleteObjects": ("POST", "MULTI_OBJECT_DELETE"),
    "GetBucketAcl": ("GET", "ACL"),
    "GetObject": ("GET", "OBJECT"),
    "GetObjectAcl": ("GET", "ACL"),
    "GetObjectAttributes": ("GET", "OBJECT_ATTRIBUTES"),
    "GetObjectTagging": ("GET", "OBJECT_TAGGING"),
    "HeadBucket": ("HEAD", "BUCKET"),
    "HeadObject": ("HEAD", "OBJECT"),
    "ListMultipartUploads": ("GET", "UPLOADS"),
    "ListObjectVersions": ("GET", "BUCKETVERSIONS"),
    "ListObjects": ("GET", "BUCKET"),
    "ListObjectsV2": ("GET", "BUCKET"),
    "ListParts": ("GET", "UPLOAD"),
    "PutBucketAcl": ("PUT", "ACL"),
    "PutObject": ("PUT", "OBJECT"),
    "PutObjectAcl": ("PUT", "ACL"),
    "PutObjectTagging": ("PUT", "OBJECT_TAGGING"),
    "RestoreObject": ("POST", "OBJECT"),
    "UploadPart": ("PUT", "PART"),
    "UploadPartCopy": ("COPY", "PART"),
}
"""Of the operations that are logged: the verb, and what S3 calls the resource."""


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
            name: self._watched(name, operation) if name in _NAMES else operation
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
            status, code, output = 200, "-", {}
            try:
                output = await operation(caller, parameters)
            except ServiceException as error:
                status, code = error.status or 400, error.code
                raise
            finally:
                self._requests.discard(caller.request_id)
                took = self._clock.monotonic() - began
                lines = self._lines.setdefault(bucket.name, [])
                if len(lines) < _LINES_MOST:
                    lines.append(self._line(bucket, name, caller, parameters, output, (status, code), took))
            return output

        return watch

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

    def _line(
        self,
        bucket: Bucket,
        name: str,
        caller: Caller,
        parameters: Parameters,
        output: Parameters,
        outcome: tuple[int, str],
        took: float,
    ) -> str:
        verb, resource = _NAMES[name]
        key = quote(parameters.get("Key", "")) or "-"
        path = f"/{bucket.name}" + (f"/{key}" if key != "-" else "")
        method = "PUT" if verb == "COPY" else verb
        milliseconds = str(round(took * 1000))
        fields = (
            canonical_id(bucket.account_id),
            bucket.name,
            datetime.fromtimestamp(self._clock.now(), UTC).strftime("[%d/%b/%Y:%H:%M:%S +0000]"),
            caller.source_ip,
            "-" if caller.account_id == ANONYMOUS else caller.principal_arn,
            caller.request_id or "-",
            f"REST.{verb}.{resource}",
            key,
            f'"{method} {path} HTTP/1.1"',
            str(outcome[0]),
            outcome[1],
            _number(output.get("ContentLength") if verb == "GET" else None),
            _number(output.get("ContentLength", parameters.get("ContentLength"))),
            milliseconds,
            milliseconds,
            _quoted(caller.headers.get("referer")),
            _quoted(caller.user_agent),
            output.get("VersionId") or parameters.get("VersionId") or "-",
            caller.request_id or "-",
            "SigV4",
            "-",
            "AuthHeader" if "authorization" in caller.headers else "-",
            caller.headers.get("host", "-"),
            "-",
            "-",
            "-",
        )
        return " ".join(fields) + "\n"


def _key(bucket: Bucket, setting: Mapping[str, Any], now: float) -> str:
    moment = datetime.fromtimestamp(now, UTC)
    name = f"{moment:%Y-%m-%d-%H-%M-%S}-{secrets.token_hex(8).upper()}"
    prefix = str(setting.get("TargetPrefix") or "")
    if "PartitionedPrefix" not in (setting.get("TargetObjectKeyFormat") or {}):
        return prefix + name
    place = f"{bucket.account_id}/{bucket.region}/{bucket.name}"
    return f"{prefix}{place}/{moment:%Y/%m/%d}/{name}"


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _quoted(text: str | None) -> str:
    return f'"{quote(text, safe=" /;:,()[]+#*=@!")}"' if text else '"-"'
