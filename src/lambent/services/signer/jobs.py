"""Signing jobs: StartSigningJob, DescribeSigningJob, ListSigningJobs, RevokeSignature.

A job is done when its start is answered. The object is read, signed and written as the caller, and the job's id comes
from the caller's token: whoever asks again, after a crash too, has one job and one signed object.
"""

import asyncio
import contextlib
import io
import uuid
import zipfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Protocol

from lambent.artifacts.archive import summarize
from lambent.artifacts.errors import ArchiveError
from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.code_signing import CodeSignature
from lambent.model.error import ServiceException
from lambent.model.service import Client, Operation
from lambent.model.signing import Revocation, SigningJob, SigningProfile
from lambent.services.signer.errors import ResourceNotFoundException, ValidationException
from lambent.services.signer.pages import page
from lambent.services.signer.platforms import DISPLAY_NAME, PLATFORM
from lambent.services.signer.profiles import Profiles
from lambent.services.signer.times import after, seconds
from lambent.store.ports.errors import AlreadyExistsError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords


class Signer(Protocol):
    """lambent.model.code_signature.CodeSigner."""

    def sign(self, archive: bytes, signature: CodeSignature) -> bytes: ...


class Jobs:
    def __init__(
        self,
        records: NamedRecords[SigningJob],
        profiles: Profiles,
        signer: Signer,
        client: Client,
        clock: Clock,
    ) -> None:
        self._records = records
        self._profiles = profiles
        self._signer = signer
        self._client = client
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "StartSigningJob": self.start,
            "DescribeSigningJob": self.describe,
            "ListSigningJobs": self.list,
            "RevokeSignature": self.revoke,
        }

    async def start(self, caller: Caller, parameters: Parameters) -> Parameters:
        profile = await self._profiles.require(
            caller, parameters["profileName"], parameters.get("profileOwner")
        )
        source = parameters["source"].get("s3")
        bucket = parameters["destination"].get("s3", {}).get("bucketName")
        if source is None or not bucket:
            raise ValidationException("A signing job needs a source and a destination in S3")
        token = f"{caller.account_id}/{caller.region}/{parameters['clientRequestToken']}"
        name = Name(caller.account_id, caller.region, "", str(uuid.uuid5(uuid.NAMESPACE_URL, token)))
        if await self._records.get(name) is None:
            if profile.status != "Active":
                raise ValidationException(f"Signing profile {profile.name} is not active")
            prefix = parameters["destination"]["s3"].get("prefix", "")
            job = await self._sign(caller, name.name, profile, source, (bucket, f"{prefix}{name.name}.zip"))
            with contextlib.suppress(AlreadyExistsError):  # the same request, at the same time
                await self._records.insert(name, job)
        return {"jobId": name.name, "jobOwner": caller.account_id}

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        job = await self._require(caller, parameters["jobId"])
        described = _describe(job) | {"completedAt": job.created_at, "requestedBy": job.requested_by}
        if job.failure is not None:
            described["statusReason"] = job.failure
        if job.revocation is not None:
            described["revocationRecord"] = {
                "reason": job.revocation.reason,
                "revokedAt": job.revocation.revoked_at,
                "revokedBy": job.revocation.revoked_by,
            }
        described.pop("isRevoked")
        return described

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        def wanted(job: SigningJob) -> bool:
            described = _describe(job)
            expires_before = parameters.get("signatureExpiresBefore")
            expires_after = parameters.get("signatureExpiresAfter")
            return (
                parameters.get("status") in (None, described["status"])
                and parameters.get("platformId") in (None, PLATFORM)
                and parameters.get("isRevoked") in (None, described["isRevoked"])
                and parameters.get("requestedBy") in (None, job.requested_by)
                and (expires_before is None or job.expires_at < seconds(expires_before))
                and (expires_after is None or job.expires_at > seconds(expires_after))
            )

        return await page(self._records, caller, parameters, "jobs", wanted, _describe)

    async def revoke(self, caller: Caller, parameters: Parameters) -> Parameters:
        job = await self._require(caller, parameters["jobId"])
        if job.signed is None:
            raise ValidationException(f"Signing job {job.id} signed nothing")
        revocation = Revocation(
            reason=parameters["reason"], revoked_at=self._clock.now(), revoked_by=caller.principal_arn
        )
        name = Name(job.account_id, job.region, "", job.id)
        try:
            await self._records.replace(name, replace(job, revocation=revocation), previous=job)
        except StaleRevisionError as error:
            raise ValidationException("The job is being changed by somebody else; try again") from error
        return {}

    async def find(self, account_id: str, region: str, id: str) -> SigningJob | None:
        return await self._records.get(Name(account_id, region, "", id))

    async def _require(self, caller: Caller, id: str) -> SigningJob:
        job = await self.find(caller.account_id, caller.region, id)
        if job is None:
            raise ResourceNotFoundException(f"Signing job {id} not found")
        return job

    async def _sign(
        self,
        caller: Caller,
        id: str,
        profile: SigningProfile,
        source: Parameters,
        destination: tuple[str, str],
    ) -> SigningJob:
        now = self._clock.now()
        job = SigningJob(
            account_id=caller.account_id,
            region=caller.region,
            id=id,
            profile_name=profile.name,
            profile_version=profile.version,
            source=(source["bucketName"], source["key"], source["version"]),
            signed=destination,
            created_at=now,
            expires_at=after(now, profile.validity_value, profile.validity_type),
            requested_by=caller.principal_arn,
        )
        partition = partition_of(caller.region)
        signature = CodeSignature(
            profile_version_arn=profile.version_arn(partition),
            job_arn=job.arn(partition),
            signed_at=now,
            expires_at=job.expires_at,
        )
        try:
            archive = await self._read(caller, job.source)
            signed = await asyncio.to_thread(self._sign_checked, archive, signature)
            bucket, key = destination
            await self._client("s3", "PutObject", caller, {"Bucket": bucket, "Key": key, "Body": signed})
        except (ServiceException, ArchiveError, zipfile.BadZipFile) as error:
            return replace(job, signed=None, failure=str(error))
        return job

    def _sign_checked(self, archive: bytes, signature: CodeSignature) -> bytes:
        """Looks before it unpacks: what Lambda would not take is not signed. Raises ArchiveError."""
        summarize(io.BytesIO(archive))
        return self._signer.sign(archive, signature)

    async def _read(self, caller: Caller, source: tuple[str, str, str]) -> bytes:
        bucket, key, version = source
        named = {"Bucket": bucket, "Key": key}
        if version and version != "null":
            named["VersionId"] = version
        body: bytes | AsyncIterator[bytes] = (await self._client("s3", "GetObject", caller, named))["Body"]
        if isinstance(body, bytes | bytearray | memoryview):
            return bytes(body)
        return b"".join([piece async for piece in body])


def _describe(job: SigningJob) -> Parameters:
    bucket, key, version = job.source
    described: Parameters = {
        "jobId": job.id,
        "source": {"s3": {"bucketName": bucket, "key": key, "version": version}},
        "createdAt": job.created_at,
        "status": "Failed" if job.signed is None else "Succeeded",
        "isRevoked": job.revocation is not None,
        "profileName": job.profile_name,
        "profileVersion": job.profile_version,
        "platformId": PLATFORM,
        "platformDisplayName": DISPLAY_NAME,
        "signatureExpiresAt": job.expires_at,
        "jobOwner": job.account_id,
        "jobInvoker": job.account_id,
    }
    if job.signed is not None:
        described["signedObject"] = {"s3": {"bucketName": job.signed[0], "key": job.signed[1]}}
    return described
