"""What is configured on a bucket by a document of its own: one table, three operations for each row.

Get answers what was put, or the row's error or default where nothing was; Put takes what the row's check lets through;
Delete always succeeds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.s3.access_control import private
from lambent.services.s3.acl import ENFORCED
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.cors import check_cors
from lambent.services.s3.encryption import DEFAULT_ENCRYPTION, check_encryption
from lambent.services.s3.errors import (
    InvalidBucketAclWithObjectOwnership,
    InvalidRequest,
    MalformedXML,
    MissingRequestBodyError,
    NotConfigured,
)
from lambent.services.s3.lifecycle import check_lifecycle
from lambent.services.s3.lifecycle_rules import LIFECYCLE
from lambent.services.s3.requester_pays import REQUEST_PAYMENT
from lambent.services.s3.tags import parse_tag_set
from lambent.services.s3.transitions import SMALLEST, SMALLEST_DEFAULT

Check = Callable[[Any], Any]
"""From the payload to what is stored, None for nothing. Raises a ServiceException."""

Refuse = Callable[[Bucket, Any], None]
"""Raises a ServiceException where this bucket cannot have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """`payload` is the member of Put's input; `wrapped` says whether Get answers it under that name, or its members.
    Some cannot be deleted. `beside` is kept with it, and answered by Put and Get: members of Put's input, and what they
    are where it has none."""

    payload: str
    put: str
    get: str
    delete: str | None = None
    check: Check
    refuse: Refuse | None = None
    wrapped: bool = False
    beside: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, str] | None = None
    default: Any = None


def _check_tags(payload: Any) -> Any:
    tags = parse_tag_set(payload["TagSet"], of_bucket=True)
    return {"TagSet": tags} if tags else None


def _check_ownership(payload: Any) -> Any:
    if len(payload["Rules"]) != 1:
        raise MalformedXML()
    return payload


def _refuse_ownership(bucket: Bucket, controls: Any) -> None:
    enforced = controls["Rules"][0]["ObjectOwnership"] == ENFORCED
    if enforced and bucket.acl is not None and bucket.acl != private(bucket.account_id):
        raise InvalidBucketAclWithObjectOwnership()


def _as_it_is(payload: Any) -> Any:
    return payload


def _check_acceleration(payload: Any) -> Any:
    if "Status" not in payload:
        raise MalformedXML()
    return payload


def _refuse_acceleration(bucket: Bucket, payload: Any) -> None:
    if "." in bucket.name:
        raise InvalidRequest(
            "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names"
        )


def _check_public_access(payload: Any) -> Any:
    if not payload:
        raise MalformedXML()
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {name: bool(payload.get(name)) for name in names}


_KINDS = (
    _Kind(
        payload="Tagging",
        put="PutBucketTagging",
        get="GetBucketTagging",
        delete="DeleteBucketTagging",
        check=_check_tags,
        missing=("NoSuchTagSet", "The TagSet does not exist"),
    ),
    _Kind(
        payload="CORSConfiguration",
        put="PutBucketCors",
        get="GetBucketCors",
        delete="DeleteBucketCors",
        check=check_cors,
        missing=("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    ),
    _Kind(
        payload=LIFECYCLE,
        put="PutBucketLifecycleConfiguration",
        get="GetBucketLifecycleConfiguration",
        delete="DeleteBucketLifecycle",
        check=check_lifecycle,
        beside={SMALLEST: SMALLEST_DEFAULT},
        missing=("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    ),
    _Kind(
        payload="ServerSideEncryptionConfiguration",
        put="PutBucketEncryption",
        get="GetBucketEncryption",
        delete="DeleteBucketEncryption",
        check=check_encryption,
        wrapped=True,
        default=DEFAULT_ENCRYPTION,
    ),
    _Kind(
        payload="PublicAccessBlockConfiguration",
        put="PutPublicAccessBlock",
        get="GetPublicAccessBlock",
        delete="DeletePublicAccessBlock",
        check=_check_public_access,
        wrapped=True,
        missing=(
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        ),
    ),
    _Kind(
        payload="OwnershipControls",
        put="PutBucketOwnershipControls",
        get="GetBucketOwnershipControls",
        delete="DeleteBucketOwnershipControls",
        check=_check_ownership,
        refuse=_refuse_ownership,
        wrapped=True,
        missing=("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
    ),
    _Kind(
        payload=REQUEST_PAYMENT,
        put="PutBucketRequestPayment",
        get="GetBucketRequestPayment",
        check=_as_it_is,
        default={"Payer": "BucketOwner"},
    ),
    _Kind(
        payload="AccelerateConfiguration",
        put="PutBucketAccelerateConfiguration",
        get="GetBucketAccelerateConfiguration",
        check=_check_acceleration,
        refuse=_refuse_acceleration,
        default={},
    ),
)


class Configurations:
    def __init__(self, records: BucketRecords) -> None:
        self._records = records

    def operations(self) -> Mapping[str, Operation]:
        operations: dict[str, Operation] = {}
        for kind in _KINDS:
            operations[kind.put] = self._putting(kind)
            operations[kind.get] = self._getting(kind)
            if kind.delete is not None:
                operations[kind.delete] = self._deleting(kind)
        return operations

    def _putting(self, kind: _Kind) -> Operation:
        async def put(caller: Caller, parameters: Parameters) -> Parameters:
            bucket = self._records.require(caller, parameters)
            payload = parameters.get(kind.payload)
            if payload is None:
                raise MissingRequestBodyError()
            checked = plain(kind.check(payload))
            if kind.refuse is not None:
                kind.refuse(bucket, checked)
            beside = {name: parameters.get(name, default) for name, default in kind.beside.items()}
            kept = checked | beside if beside else checked
            await self._records.change(bucket.name, lambda bucket: configured(bucket, kind.payload, kept))
            return beside

        return put

    def _getting(self, kind: _Kind) -> Operation:
        async def get(caller: Caller, parameters: Parameters) -> Parameters:
            bucket = self._records.require(caller, parameters)
            found = bucket.configurations.get(kind.payload, kind.default)
            if found is None:
                assert kind.missing is not None
                raise NotConfigured(*kind.missing, bucket.name)
            return {kind.payload: found} if kind.wrapped else dict(found)

        return get

    def _deleting(self, kind: _Kind) -> Operation:
        async def delete(caller: Caller, parameters: Parameters) -> Parameters:
            bucket = self._records.require(caller, parameters)
            await self._records.change(bucket.name, lambda bucket: configured(bucket, kind.payload, None))
            return {}

        return delete


def configured(bucket: Bucket, name: str, configuration: Any) -> Bucket:
    """The bucket with this configuration, or without it."""
    configurations = {key: value for key, value in bucket.configurations.items() if key != name}
    if configuration is not None:
        configurations[name] = configuration
    return replace(bucket, configurations=configurations)


def plain(value: Any) -> Any:
    """With epoch seconds for times, as JSON can hold it."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
