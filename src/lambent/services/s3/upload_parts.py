"""UploadPart and ListParts, and what UploadPartCopy shares with them."""

from collections.abc import Mapping
from typing import Any

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.model.stored_object import Part, Upload
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.checksums import DEFAULT, checksum_members, given_checksums, member_of
from lambent.services.s3.digests import BodyDigest, digest_of
from lambent.services.s3.encryption import Encryptions, Sealing, check_part_key, encryption_members
from lambent.services.s3.errors import InvalidArgument, InvalidRequest, NoSuchUpload, SlowDown
from lambent.services.s3.garbage import Garbage
from lambent.services.s3.listing import read_most
from lambent.services.s3.owners import initiator, owner
from lambent.store.ports.contents import Body, ContentStore
from lambent.store.ports.errors import NotFoundError, StoreError, StoreFullError
from lambent.store.ports.uploads import UploadStore

NUMBER_MOST = 10_000


class UploadParts:
    def __init__(
        self,
        buckets: BucketRecords,
        uploads: UploadStore,
        contents: ContentStore,
        garbage: Garbage,
        encryptions: Encryptions,
        clock: Clock,
    ) -> None:
        self._buckets = buckets
        self._uploads = uploads
        self._contents = contents
        self._garbage = garbage
        self._encryptions = encryptions
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {"UploadPart": self.upload, "ListParts": self.list}

    async def find_upload(self, parameters: Parameters, caller: Caller) -> Upload:
        """The upload that a request names. Raises NoSuchBucket, NoSuchUpload, InvalidArgument (its part number)."""
        bucket = self._buckets.require(caller, parameters)
        number = parameters.get("PartNumber", 1)
        if not 1 <= number <= NUMBER_MOST:
            raise InvalidArgument(
                f"Part number must be an integer between 1 and {NUMBER_MOST}, inclusive",
                ArgumentName="partNumber",
                ArgumentValue=number,
            )
        upload = await self._uploads.get(bucket.name, parameters["Key"], parameters["UploadId"])
        if upload is None:
            raise NoSuchUpload(UploadId=parameters["UploadId"])
        return upload

    def algorithms(self, upload: Upload) -> tuple[str, ...]:
        """What is computed of every part, so that the object has its checksum whoever sent the parts."""
        return (upload.checksum_algorithm or DEFAULT,)

    async def upload(self, caller: Caller, parameters: Parameters) -> Parameters:
        upload = await self.find_upload(parameters, caller)
        body = parameters.get("Body", b"")
        given = given_checksums(parameters)
        if upload.checksum_algorithm is not None and given and upload.checksum_algorithm not in given:
            raise InvalidRequest(
                f"Checksum Type mismatch occurred, expected checksum Type: {upload.checksum_algorithm.lower()},"
                f" actual checksum Type: {next(iter(given)).lower()}"
            )
        digest = digest_of(parameters, caller.headers, body, also=self.algorithms(upload))
        sealing = await self.sealing(caller, upload, parameters)
        part = await self.receive(upload, parameters["PartNumber"], body, digest, sealing)
        # What the client sent, or the upload asks for; never what is computed for ourselves alone.
        sent = upload.checksum_algorithm or next(
            (name for name in part.checksums if name != DEFAULT or name in given), None
        )
        shown = {} if sent is None else {sent: part.checksums[sent]}
        return {
            "ETag": f'"{part.etag}"',
            **encryption_members(upload.encryption),
            **checksum_members(shown, None),
        }

    async def sealing(self, caller: Caller, upload: Upload, parameters: Parameters) -> Sealing:
        """By the key that the upload was begun with. Raises as Encryptions does."""
        check_part_key(upload.encryption, parameters)
        bucket = self._buckets.require(caller, parameters)
        key = await self._encryptions.key_of(caller, bucket, upload.encryption, parameters)
        return Sealing(upload.encryption, key)

    async def receive(
        self, upload: Upload, number: int, body: Body, digest: BodyDigest, sealing: Sealing
    ) -> Part:
        """Raises what the digest raises, NoSuchUpload, SlowDown."""
        nonce, seal = sealing.begin()
        try:
            content = await self._contents.receive(body, digest, seal)
        except StoreFullError:
            raise SlowDown() from None
        part = Part(
            number=number,
            content=content.name,
            size=digest.size,
            etag=digest.etag,
            modified_at=self._clock.now(),
            checksums=digest.checksums,
            nonce=nonce,
        )
        try:
            await self._uploads.put_part(upload.id, part, data=content.data)
        except StoreError as error:
            if content.data is None:
                await self._garbage.refused(content.name, error)
            if isinstance(error, NotFoundError):
                raise NoSuchUpload(UploadId=upload.id) from None
            if isinstance(error, StoreFullError):
                raise SlowDown() from None
            raise
        self._garbage.look()
        return part

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        bucket = self._buckets.require(caller, parameters)
        upload = await self.find_upload(parameters, caller)
        most = read_most(parameters, "MaxParts", "max-parts")
        marker = parameters.get("PartNumberMarker", 0)
        if not 0 <= marker < 2**31:
            raise InvalidArgument(
                f"Argument part-number-marker must be an integer between 0 and {2**31 - 1}",
                ArgumentName="part-number-marker",
                ArgumentValue=marker,
            )
        found = await self._uploads.parts(upload.id, after=marker, limit=most + 1)
        shown = found[:most]
        output: Parameters = {
            "Bucket": bucket.name,
            "Key": upload.key,
            "UploadId": upload.id,
            "PartNumberMarker": marker,
            "NextPartNumberMarker": shown[-1].number if shown else 0,
            "MaxParts": most,
            "IsTruncated": len(found) > most,
            "Initiator": initiator(upload),
            "Owner": owner(bucket.account_id),
            "StorageClass": upload.properties.storage_class,
        }
        if shown:
            output["Parts"] = [_listed(upload, part) for part in shown]
        if upload.checksum_algorithm is not None:
            output["ChecksumAlgorithm"] = upload.checksum_algorithm
            output["ChecksumType"] = upload.checksum_type
        return output


def _listed(upload: Upload, part: Part) -> dict[str, Any]:
    listed: dict[str, Any] = {
        "PartNumber": part.number,
        "LastModified": float(int(part.modified_at)),
        "ETag": f'"{part.etag}"',
        "Size": part.size,
    }
    name = upload.checksum_algorithm
    if name is not None and name in part.checksums:
        listed[member_of(name)] = part.checksums[name]
    return listed
