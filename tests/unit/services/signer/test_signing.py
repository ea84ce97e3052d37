from typing import Any

import pytest

from lambent.services.signer.errors import NotFoundException, ResourceNotFoundException, ValidationException
from lambent.services.signer.times import after

ARN = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/team"
DAY = 86_400


async def test_a_profile_from_its_creation_to_its_end(aws: Any) -> None:
    made = await aws.profile(tags={"a": "b"})
    assert made == {
        "arn": ARN,
        "profileVersion": made["profileVersion"],
        "profileVersionArn": f"{ARN}/{made['profileVersion']}",
    }
    got = await aws.call("GetSigningProfile", profileName="team")
    assert (got["status"], got["tags"]) == ("Active", {"a": "b"})
    assert got["signatureValidityPeriod"] == {"value": 135, "type": "MONTHS"}
    with pytest.raises(ValidationException, match="already exists"):
        await aws.profile()
    await aws.call("CancelSigningProfile", profileName="team")
    assert (await aws.call("GetSigningProfile", profileName="team"))["status"] == "Canceled"
    assert (await aws.call("ListSigningProfiles"))["profiles"] == []
    assert len((await aws.call("ListSigningProfiles", includeCanceled=True))["profiles"]) == 1
    again = await aws.profile()
    assert again["profileVersion"] != made["profileVersion"]
    with pytest.raises(ResourceNotFoundException):
        await aws.by(region="eu-west-1").call("GetSigningProfile", profileName="team")
    with pytest.raises(ValidationException):
        await aws.call("PutSigningProfile", profileName="iot", platformId="AmazonFreeRTOS-Default")


async def test_a_job_signs_what_it_is_given_once(aws: Any) -> None:
    profile = await aws.profile(signatureValidityPeriod={"value": 2, "type": "DAYS"})
    id = await aws.sign()
    assert await aws.sign() == id
    job = await aws.call("DescribeSigningJob", jobId=id)
    assert (job["status"], job["signedObject"]) == (
        "Succeeded",
        {"s3": {"bucketName": "signed", "key": f"p/{id}.zip"}},
    )
    assert job["signatureExpiresAt"] == aws.clock.now() + 2 * DAY
    assert [operation for operation, _ in aws.s3.asked] == ["GetObject", "PutObject"]
    assert aws.s3.asked[0][1]["VersionId"] == "v1"
    signature = aws.code_signer.read(aws.s3.objects["signed", f"p/{id}.zip"])
    assert signature.intact
    assert signature.profile_version_arn == profile["profileVersionArn"]
    assert signature.job_arn == f"arn:aws:signer:us-east-1:123456789012:/signing-jobs/{id}"


@pytest.mark.parametrize(("key", "reason"), [("none.zip", "does not exist"), ("no.zip", "zip")])
async def test_a_job_that_cannot_sign_fails_and_says_why(aws: Any, key: str, reason: str) -> None:
    await aws.profile()
    job = await aws.call("DescribeSigningJob", jobId=await aws.sign(key=key))
    assert job["status"] == "Failed" and reason in job["statusReason"]
    assert "signedObject" not in job
    with pytest.raises(ValidationException):
        await aws.call("RevokeSignature", jobId=job["jobId"], reason="r")


async def test_a_profile_that_is_not_there_or_not_active_signs_nothing(aws: Any) -> None:
    with pytest.raises(ResourceNotFoundException):
        await aws.sign()
    await aws.profile()
    await aws.call("CancelSigningProfile", profileName="team")
    with pytest.raises(ValidationException, match="is not active"):
        await aws.sign()
    assert not aws.jobs.values


async def test_what_is_revoked(aws: Any) -> None:
    profile = await aws.profile()
    id = await aws.sign()
    signed_at = aws.clock.now()

    async def revoked(at: float = signed_at) -> Any:
        job_arn = f"arn:aws:signer:us-east-1:123456789012:/signing-jobs/{id}"
        asked = await aws.call(
            "GetRevocationStatus",
            signatureTimestamp=at,
            platformId="AWSLambda-SHA384-ECDSA",
            profileVersionArn=profile["profileVersionArn"],
            jobArn=job_arn,
            certificateHashes=[],
        )
        return [entity.rpartition("/")[2] for entity in asked["revokedEntities"]]

    assert await revoked() == []
    await aws.call("CancelSigningProfile", profileName="team")
    assert await revoked() == []
    aws.clock.advance(10)
    await aws.call(
        "RevokeSigningProfile",
        profileName="team",
        profileVersion=profile["profileVersion"],
        reason="r",
        effectiveTime=signed_at + 5,
    )
    assert await revoked() == []
    assert await revoked(signed_at + 6) == [profile["profileVersion"]]
    await aws.call("RevokeSignature", jobId=id, reason="r")
    assert await revoked() == [id]
    job = await aws.call("DescribeSigningJob", jobId=id)
    assert job["revocationRecord"]["reason"] == "r"
    assert [job["isRevoked"] for job in (await aws.call("ListSigningJobs"))["jobs"]] == [True]
    with pytest.raises(ValidationException):
        await aws.call(
            "RevokeSigningProfile",
            profileName="team",
            profileVersion="x" * 10,
            reason="r",
            effectiveTime=aws.clock.now() + 1,
        )


async def test_jobs_are_listed_in_pages_by_what_they_are(aws: Any) -> None:
    await aws.profile()
    ids = {await aws.sign(token=str(number)) for number in range(30)}
    failed = await aws.sign(token="f", key="none.zip")
    found: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = await aws.call("ListSigningJobs", status="Succeeded", maxResults=7, **more)
        found += [job["jobId"] for job in page["jobs"]]
        if "nextToken" not in page:
            break
        more = {"nextToken": page["nextToken"]}
    assert len(found) == 30 and set(found) == ids
    (listed,) = (await aws.call("ListSigningJobs", status="Failed"))["jobs"]
    assert listed["jobId"] == failed


async def test_tags(aws: Any) -> None:
    await aws.profile()
    await aws.call("TagResource", resourceArn=ARN, tags={"a": "1", "b": "2"})
    await aws.call("UntagResource", resourceArn=ARN, tagKeys=["a"])
    assert await aws.call("ListTagsForResource", resourceArn=ARN) == {"tags": {"b": "2"}}
    with pytest.raises(NotFoundException):
        await aws.call("ListTagsForResource", resourceArn=f"{ARN}s")


async def test_the_platform(aws: Any) -> None:
    (platform,) = (await aws.call("ListSigningPlatforms"))["platforms"]
    assert await aws.call("GetSigningPlatform", platformId=platform["platformId"]) == platform
    with pytest.raises(ResourceNotFoundException):
        await aws.call("GetSigningPlatform", platformId="none")


def test_periods() -> None:
    new_years_eve = 1_735_603_200.0  # 2024-12-31
    assert after(new_years_eve, 1, "DAYS") == new_years_eve + DAY
    assert after(new_years_eve, 2, "MONTHS") == new_years_eve + 59 * DAY  # 2025-02-28
    assert after(new_years_eve, 1, "YEARS") == new_years_eve + 365 * DAY
