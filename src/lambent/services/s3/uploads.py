"""Multipart uploads: CreateMultipartUpload, CompleteMultipartUpload, AbortMultipartUpload, ListMultipartUploads.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from lambent.base.clock import Clock
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException
from lambent.model.service import Operation
from lambent.model.stored_object import ChecksumType, ObjectVersion, Upload, WriteCondition
from lambent.services.s3.acl import acl_of_new_object
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.checksums import (
    ALGORITHMS,
    asked_algorithm,
    checksum_members,
)
from lambent.services.s3.completion import assemble, check_type, check_whole, completed_version
from lambent.services.s3.conditions import write_condition, write_refused
from lambent.services.s3.encryption import Encryptions, encryption_members
from lambent.services.s3.errors import (
    ConditionalRequestConflict,
    InvalidArgument,
    InvalidPart,
    InvalidRequest,
    NoSuchBucket,
    NoSuchUpload,
)
from lambent.services.s3.events import Events
from lambent.services.s3.garbage import Garbage
from lambent.services.s3.listing import encoder, read_most
from lambent.services.s3.names import check_key
from lambent.services.s3.object_lock import lock_for_upload
from lambent.services.s3.owners import initiator, owner
from lambent.services.s3.properties import read_properties
from lambent.services.s3.upload_parts import UploadParts
from lambent.services.s3.writing import written_members
from lambent.store.ports.errors import NotFoundError, OvertakenError, StaleRevisionError, StoreError
from lambent.store.ports.objects import ListingQuery, ObjectStore
from lambent.store.ports.uploads import UploadListing, UploadStore


class Uploads:
    def __init__(
        self,
        buckets: BucketRecords,
        objects: ObjectStore,
        uploads: UploadStore,
        parts: UploadParts,
        garbage: Garbage,
        events: Events,
        encryptions: Encryptions,
        clock: Clock,
    ) -> None:
        self._buckets = buckets
        self._objects = objects
        self._uploads = uploads
        self._parts = parts
        self._garbage = garbage
        self._events = events
        self._encryptions = encryptions
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateMultipartUpload": self.create,
            "CompleteMultipartUpload": self.complete,
            "AbortMultipartUpload": self.abort,
            "ListMultipartUploads": self.list,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        check_key(parameters["Key"])
        acl = acl_of_new_object(caller, bucket, parameters)
        algorithm = asked_algorithm(parameters)
        now = self._clock.now()
        upload = Upload(
            id=secrets.token_urlsafe(72).replace("-", "."),
            bucket=bucket.name,
            key=parameters["Key"],
            initiated_at=now,
            properties=read_properties(parameters),
            checksum_algorithm=algorithm,
            checksum_type=_checksum_type(algorithm, parameters.get("ChecksumType")),
            initiator=caller.role_arn or caller.principal_arn,
            lock=lock_for_upload(bucket, parameters, now),
            encryption=(await self._encryptions.of_new(caller, bucket, parameters)).encryption,
            acl=acl,
        )
        try:
            await self._uploads.insert(upload)
        except NotFoundError:
            raise NoSuchBucket(BucketName=bucket.name) from None
        output: Parameters = {
            "Bucket": bucket.name,
            "Key": upload.key,
            "UploadId": upload.id,
            **encryption_members(upload.encryption),
        }
        if algorithm is not None:
            output |= {"ChecksumAlgorithm": algorithm, "ChecksumType": upload.checksum_type}
        return output

    async def complete(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        condition = write_condition(parameters)
        upload = await self._uploads.get(bucket.name, parameters["Key"], parameters["UploadId"])
        if upload is None:
            return await self._completed_before(bucket, parameters)
        check_type(upload, parameters)
        if "MultipartUpload" not in parameters:
            raise InvalidRequest("You must specify at least one part")
        wanted = parameters["MultipartUpload"].get("Parts") or []
        stored = {part.number: part for part in await self._uploads.parts(upload.id)}
        parts = assemble(upload, wanted, stored)
        version = completed_version(bucket, upload, parts, self._clock.now())
        check_whole(parameters, version)
        await self._refuse_conflict(upload, condition)
        notices = self._events.notices(bucket, "ObjectCreated:CompleteMultipartUpload", version, caller)
        try:
            await self._uploads.complete(upload.id, parts, version, condition=condition, notices=notices)
        except StoreError as error:
            raise await self._refused(error, upload, condition) from None
        self._events.committed(notices)
        self._garbage.look()
        return _completed(caller, bucket, version)

    async def _refused(
        self, error: StoreError, upload: Upload, condition: WriteCondition | None
    ) -> ServiceException:
        if type(error) is NotFoundError and self._buckets.find(upload.bucket) is not None:
            return NoSuchUpload(UploadId=upload.id)
        if isinstance(error, StaleRevisionError) and (condition is None or condition.etag is None):
            return InvalidPart(UploadId=upload.id)
        if isinstance(error, OvertakenError):
            return ConditionalRequestConflict(Condition="If-None-Match", Key=upload.key)
        return write_refused(error, upload.bucket, upload.key)

    async def _refuse_conflict(self, upload: Upload, condition: WriteCondition | None) -> None:
        """An object that was put while its upload went on is not the one that the condition means."""
        if condition is None or condition.etag is None:
            return
        current = await self._objects.get(upload.bucket, upload.key)
        if (
            current is not None
            and not current.delete_marker
            and current.etag == condition.etag
            and current.modified_at > upload.initiated_at
        ):
            raise ConditionalRequestConflict(Condition="If-Match", Key=upload.key)

    async def _completed_before(self, bucket: Bucket, parameters: Parameters) -> Parameters:
        """A client that did not hear our answer asks again, and is told the same."""
        current = await self._objects.get(bucket.name, parameters["Key"])
        if current is None or current.parts_of != parameters["UploadId"]:
            raise NoSuchUpload(UploadId=parameters["UploadId"])
        return _completed(None, bucket, current)

    async def abort(self, caller: Caller, parameters: Parameters) -> Parameters:
        upload = await self._parts.find_upload(parameters, caller)
        if not await self._uploads.abort(upload.id):
            raise NoSuchUpload(UploadId=upload.id)
        self._garbage.look()
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        most = read_most(parameters, "MaxUploads", "max-uploads")
        marker, id_marker = parameters.get("KeyMarker", ""), parameters.get("UploadIdMarker", "")
        if marker and id_marker and await self._uploads.get(bucket.name, marker, id_marker) is None:
            raise InvalidArgument(
                "Invalid uploadId marker", ArgumentName="upload-id-marker", ArgumentValue=id_marker
            )
        query = ListingQuery(
            bucket=bucket.name,
            prefix=parameters.get("Prefix", ""),
            delimiter=parameters.get("Delimiter", ""),
            after=marker,
            after_version_id=id_marker or None if marker else None,
            limit=most,
        )
        found = await self._uploads.list(query) if most else UploadListing()
        return _listing(bucket, parameters, most, found)


def _listing(bucket: Bucket, parameters: Parameters, most: int, found: UploadListing) -> Parameters:
    written = encoder(parameters)
    output: Parameters = {
        "Bucket": bucket.name,
        "KeyMarker": written(parameters.get("KeyMarker", "")),
        "UploadIdMarker": parameters.get("UploadIdMarker", "") if parameters.get("KeyMarker") else "",
        "NextKeyMarker": "",
        "NextUploadIdMarker": "",
        "MaxUploads": most,
        "IsTruncated": found.last is not None,
    }
    for member in ("Prefix", "Delimiter"):
        if parameters.get(member):
            output[member] = written(parameters[member])
    if "EncodingType" in parameters:
        output["EncodingType"] = parameters["EncodingType"]
    if found.last is not None and found.last_id is not None:
        # S3 says of a common prefix only that there is more behind it.
        output |= {"NextKeyMarker": written(found.last), "NextUploadIdMarker": found.last_id}
    elif found.last is None and found.uploads:
        output |= {
            "NextKeyMarker": written(found.uploads[-1].key),
            "NextUploadIdMarker": found.uploads[-1].id,
        }
    if found.uploads:
        output["Uploads"] = [
            {**_listed(bucket, upload), "Key": written(upload.key)} for upload in found.uploads
        ]
    if found.prefixes:
        output["CommonPrefixes"] = [{"Prefix": written(prefix)} for prefix in found.prefixes]
    return output


def _listed(bucket: Bucket, upload: Upload) -> dict[str, Any]:
    listed: dict[str, Any] = {
        "UploadId": upload.id,
        "Key": upload.key,
        "Initiated": float(int(upload.initiated_at)),
        "StorageClass": upload.properties.storage_class,
        "Owner": owner(bucket.account_id),
        "Initiator": initiator(upload),
    }
    if upload.checksum_algorithm is not None:
        listed |= {"ChecksumAlgorithm": upload.checksum_algorithm, "ChecksumType": upload.checksum_type}
    return listed


def _checksum_type(algorithm: str | None, asked: str | None) -> ChecksumType | None:
    if algorithm is None:
        if asked is not None:
            raise InvalidRequest(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            )
        return None
    kinds = ALGORITHMS[algorithm].kinds
    if asked is None:
        return kinds[0]
    for kind in kinds:
        if kind == asked:
            return kind
    raise InvalidRequest(
        f"The {asked} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
    )


def _completed(caller: Caller | None, bucket: Bucket, version: ObjectVersion) -> Parameters:
    endpoint = (
        caller.endpoint_url if caller is not None and caller.endpoint_url else "http://s3.amazonaws.com"
    )
    return {
        "Location": f"{endpoint}/{bucket.name}/{quote(version.key, safe='')}",
        "Bucket": bucket.name,
        "Key": version.key,
        **written_members(bucket, version),
        **checksum_members(version.checksums, version.checksum_type),
    }
