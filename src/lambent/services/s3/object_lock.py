"""Object Lock: versions that cannot be deleted for a time, or as long as there is a legal hold on them.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from lambent.base.clock import Clock
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.model.stored_object import ObjectLock, ObjectVersion, RetentionMode
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.configurations import configured
from lambent.services.s3.errors import (
    InvalidArgument,
    InvalidBucketState,
    InvalidRequest,
    MalformedXML,
    MissingRequestBodyError,
    NoSuchKey,
    NoSuchObjectLockConfiguration,
    NotConfigured,
    ObjectProtected,
    OperationAborted,
)
from lambent.services.s3.object_lookup import ObjectLookup
from lambent.store.ports.errors import NotFoundError, StaleRevisionError
from lambent.store.ports.objects import ObjectStore
from lambent.wire.timestamps import epoch_seconds, format_iso8601

CONFIGURATION = "ObjectLockConfiguration"
ENABLED: Mapping[str, Any] = {"ObjectLockEnabled": "Enabled"}
_MODES: Mapping[str, RetentionMode] = {"GOVERNANCE": "GOVERNANCE", "COMPLIANCE": "COMPLIANCE"}
_DAY = 86_400
_DAYS_MOST = 36_500
_YEAR_DAYS = 365
_PACIFIC = timezone(timedelta(hours=-8), "PST")
"""Where S3 says it is, whatever the region."""


def is_locking(bucket: Bucket) -> bool:
    return CONFIGURATION in bucket.configurations


def lock_of(bucket: Bucket, parameters: Parameters, headers: Mapping[str, str], now: float) -> ObjectLock:
    """Of a version that a request makes: what the request says, or else what the bucket's rule says. Raises
    InvalidRequest, InvalidArgument."""
    given = _given(parameters, now)
    if given == ObjectLock():
        return _by_default(bucket, now)
    if not is_locking(bucket):
        raise InvalidRequest("Bucket is missing Object Lock Configuration")
    if "authorization" in headers and not _has_digest(headers):
        raise InvalidRequest(
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
        )
    if given.mode is None:
        default = _by_default(bucket, now)
        return replace(given, mode=default.mode, retain_until=default.retain_until)
    return given


def lock_for_upload(bucket: Bucket, parameters: Parameters, now: float) -> ObjectLock:
    """What CreateMultipartUpload says; the bucket's rule is asked when the upload is completed."""
    given = _given(parameters, now)
    if given != ObjectLock() and not is_locking(bucket):
        raise InvalidRequest("Bucket is missing Object Lock Configuration")
    return given


def completed_lock(bucket: Bucket, given: ObjectLock, now: float) -> ObjectLock:
    default = _by_default(bucket, now)
    if given.mode is not None or default.mode is None:
        return given
    return replace(given, mode=default.mode, retain_until=default.retain_until)


def lock_members(lock: ObjectLock) -> Parameters:
    """As GetObject and HeadObject have them."""
    members: Parameters = {}
    if lock.mode is not None:
        members |= {"ObjectLockMode": lock.mode, "ObjectLockRetainUntilDate": lock.retain_until}
    if lock.legal_hold is not None:
        members["ObjectLockLegalHoldStatus"] = "ON" if lock.legal_hold else "OFF"
    return members


class ObjectLocks:
    def __init__(
        self, buckets: BucketRecords, lookup: ObjectLookup, objects: ObjectStore, clock: Clock
    ) -> None:
        self._buckets = buckets
        self._lookup = lookup
        self._objects = objects
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "GetObjectLockConfiguration": self.get_configuration,
            "PutObjectLockConfiguration": self.put_configuration,
            "GetObjectRetention": self.get_retention,
            "PutObjectRetention": self.put_retention,
            "GetObjectLegalHold": self.get_legal_hold,
            "PutObjectLegalHold": self.put_legal_hold,
        }

    async def get_configuration(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        if not is_locking(bucket):
            raise NotConfigured(
                "ObjectLockConfigurationNotFoundError",
                "Object Lock configuration does not exist for this bucket",
                bucket.name,
            )
        return {CONFIGURATION: bucket.configurations[CONFIGURATION]}

    async def put_configuration(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        if CONFIGURATION not in parameters:
            raise MissingRequestBodyError()
        configuration = _checked(parameters[CONFIGURATION])

        def edit(bucket: Bucket) -> Bucket:
            if bucket.versioning != "Enabled":
                raise InvalidBucketState(
                    "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
                )
            return configured(bucket, CONFIGURATION, configuration)

        await self._buckets.change(bucket.name, edit)
        return {}

    async def get_retention(self, caller: Caller, parameters: Parameters) -> Parameters:
        lock = (await self._find(caller, parameters, "GET")).lock
        if lock.mode is None:
            raise NoSuchObjectLockConfiguration()
        return {"Retention": {"Mode": lock.mode, "RetainUntilDate": lock.retain_until}}

    async def put_retention(self, caller: Caller, parameters: Parameters) -> Parameters:
        version = await self._find(caller, parameters, "PUT")
        now = self._clock.now()
        mode, until = _retention(parameters.get("Retention") or {}, now)
        bypass = bool(parameters.get("BypassGovernanceRetention"))

        def edit(lock: ObjectLock) -> ObjectLock:
            changed = replace(lock, mode=mode, retain_until=until)
            if _is_weaker(changed, lock) and replace(lock, legal_hold=None).holds(now, bypass=bypass):
                raise ObjectProtected()
            return changed

        await self._change(version, edit)
        return {}

    async def get_legal_hold(self, caller: Caller, parameters: Parameters) -> Parameters:
        lock = (await self._find(caller, parameters, "GET")).lock
        if lock.legal_hold is None:
            raise NoSuchObjectLockConfiguration()
        return {"LegalHold": {"Status": "ON" if lock.legal_hold else "OFF"}}

    async def put_legal_hold(self, caller: Caller, parameters: Parameters) -> Parameters:
        version = await self._find(caller, parameters, "PUT")
        status = (parameters.get("LegalHold") or {}).get("Status")
        if status not in ("ON", "OFF"):
            raise MalformedXML()
        await self._change(version, lambda lock: replace(lock, legal_hold=status == "ON"))
        return {}

    async def _find(self, caller: Caller, parameters: Parameters, method: str) -> ObjectVersion:
        bucket = self._buckets.require(caller, parameters)
        version = await self._lookup.find(bucket, parameters, method)
        if not is_locking(bucket):
            raise InvalidRequest("Bucket is missing Object Lock Configuration")
        return version

    async def _change(self, version: ObjectVersion, edit: Callable[[ObjectLock], ObjectLock]) -> None:
        changed = replace(version, lock=edit(version.lock))
        try:
            await self._objects.replace(changed, previous=version)
        except NotFoundError:
            raise NoSuchKey(Key=version.key) from None
        except StaleRevisionError:
            raise OperationAborted() from None


def _given(parameters: Parameters, now: float) -> ObjectLock:
    """By the headers of a request."""
    mode, until = parameters.get("ObjectLockMode"), parameters.get("ObjectLockRetainUntilDate")
    hold = parameters.get("ObjectLockLegalHoldStatus")
    if (mode is None) != (until is None):
        missing = "retain-until-date" if until is None else "mode"
        raise InvalidArgument(
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
            ArgumentName=f"x-amz-object-lock-{missing}",
        )
    seconds = None if until is None else float(epoch_seconds(until))
    if seconds is not None and seconds <= now:
        raise InvalidArgument(
            "The retain until date must be in the future!",
            ArgumentName="x-amz-object-lock-retain-until-date",
            ArgumentValue=format_iso8601(int(seconds)),
        )
    return ObjectLock(
        mode=None if mode is None else _MODES[mode],
        retain_until=seconds,
        legal_hold=None if hold is None else hold == "ON",
    )


def _by_default(bucket: Bucket, now: float) -> ObjectLock:
    rule = bucket.configurations.get(CONFIGURATION, {}).get("Rule")
    if rule is None:
        return ObjectLock()
    retention = rule["DefaultRetention"]
    return ObjectLock(mode=_MODES[retention["Mode"]], retain_until=now + _days(retention) * _DAY)


def _days(retention: Mapping[str, Any]) -> int:
    return int(retention["Days"] if "Days" in retention else retention["Years"] * _YEAR_DAYS)


def _checked(configuration: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises MalformedXML, InvalidArgument."""
    if configuration.get("ObjectLockEnabled") != "Enabled":
        raise MalformedXML()
    if "Rule" not in configuration:
        return dict(ENABLED)
    retention = (configuration["Rule"] or {}).get("DefaultRetention") or {}
    if retention.get("Mode") not in _MODES or ("Days" in retention) == ("Years" in retention):
        raise MalformedXML()
    length = _days(retention)
    if length <= 0:
        raise InvalidArgument("Default retention period must be a positive integer value.")
    if length > _DAYS_MOST:
        raise InvalidArgument("Default retention period too large.")
    return {**ENABLED, "Rule": {"DefaultRetention": dict(retention)}}


def _retention(given: Mapping[str, Any], now: float) -> tuple[RetentionMode | None, float | None]:
    """Of PutObjectRetention; nothing takes it away. Raises MalformedXML, InvalidArgument."""
    if not given:
        return None, None
    mode = _MODES.get(given.get("Mode", ""))
    if mode is None or "RetainUntilDate" not in given:
        raise MalformedXML()
    seconds = float(epoch_seconds(given["RetainUntilDate"]))
    if seconds <= now:
        raise InvalidArgument(
            "The retain until date must be in the future!",
            ArgumentName="RetainUntilDate",
            ArgumentValue=datetime.fromtimestamp(seconds, _PACIFIC).strftime("%a %b %d %H:%M:%S %Z %Y"),
        )
    return mode, seconds


def _is_weaker(changed: ObjectLock, lock: ObjectLock) -> bool:
    """Longer is never weaker; COMPLIANCE does not become GOVERNANCE."""
    if changed.retain_until is None or changed.retain_until < (lock.retain_until or 0.0):
        return True
    return lock.mode == "COMPLIANCE" and changed.mode == "GOVERNANCE"


def _has_digest(headers: Mapping[str, str]) -> bool:
    return "content-md5" in headers or any(
        name.startswith("x-amz-checksum-") or name in ("x-amz-trailer", "x-amz-sdk-checksum-algorithm")
        for name in headers
    )
