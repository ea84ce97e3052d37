"""From a zip file in S3 to a function that takes only what its publisher signed."""

import io
import zipfile
from typing import Any

import pytest
from lambent_server import PYTHON, Lambent, zip_of

CODE = {"index.py": "def handler(event, context): return 'signed'"}
PLATFORM = "AWSLambda-SHA384-ECDSA"


@pytest.fixture(scope="module")
def bucket(lambent: Lambent) -> str:
    s3 = lambent.client("s3")
    s3.create_bucket(Bucket="code-to-sign")
    s3.put_bucket_versioning(Bucket="code-to-sign", VersioningConfiguration={"Status": "Enabled"})
    return "code-to-sign"


def sign(lambent: Lambent, bucket: str, profile: str, content: bytes) -> tuple[dict[str, str], str]:
    """The signed object as CreateFunction's Code, and the job's id."""
    s3, signer = lambent.client("s3"), lambent.client("signer")
    version = s3.put_object(Bucket=bucket, Key="unsigned.zip", Body=content)["VersionId"]
    job_id = signer.start_signing_job(
        source={"s3": {"bucketName": bucket, "key": "unsigned.zip", "version": version}},
        destination={"s3": {"bucketName": bucket, "prefix": "signed-"}},
        profileName=profile,
    )["jobId"]
    signer.get_waiter("successful_signing_job").wait(
        jobId=job_id, WaiterConfig={"Delay": 0, "MaxAttempts": 50}
    )
    signed = signer.describe_signing_job(jobId=job_id)["signedObject"]["s3"]
    return {"S3Bucket": signed["bucketName"], "S3Key": signed["key"]}, job_id


def test_only_what_was_signed_and_not_revoked_is_deployed(lambent: Lambent, bucket: str) -> None:
    signer, client = lambent.client("signer"), lambent.lambda_
    profile = signer.put_signing_profile(profileName="acceptance", platformId=PLATFORM)
    config = client.create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": [profile["profileVersionArn"]]},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"},
    )["CodeSigningConfig"]
    settings: dict[str, Any] = {
        "Runtime": PYTHON,
        "Handler": "index.handler",
        "Role": lambent.role,
        "CodeSigningConfigArn": config["CodeSigningConfigArn"],
    }
    refused = client.exceptions.CodeVerificationFailedException
    with pytest.raises(refused):
        client.create_function(FunctionName="signed", Code={"ZipFile": zip_of(CODE)}, **settings)
    code, job_id = sign(lambent, bucket, "acceptance", zip_of(CODE))
    created = client.create_function(FunctionName="signed", Code=code, **settings)
    assert created["SigningProfileVersionArn"] == profile["profileVersionArn"]
    assert created["SigningJobArn"].endswith(job_id)
    lambent.wait_active("signed")
    assert lambent.call("signed") == "signed"
    signer.revoke_signature(jobId=job_id, reason="leaked")
    with pytest.raises(refused):
        client.update_function_code(FunctionName="signed", **code)
    client.delete_function_code_signing_config(FunctionName="signed")
    client.update_function_code(FunctionName="signed", ZipFile=zip_of(CODE))


def test_changed_code_is_refused_whatever_the_policy(lambent: Lambent, bucket: str) -> None:
    signer, client, s3 = lambent.client("signer"), lambent.lambda_, lambent.client("s3")
    profile = signer.put_signing_profile(profileName="changed", platformId=PLATFORM)
    config = client.create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": [profile["profileVersionArn"]]}
    )["CodeSigningConfig"]
    code, _ = sign(lambent, bucket, "changed", zip_of(CODE))
    changed = io.BytesIO(s3.get_object(Bucket=code["S3Bucket"], Key=code["S3Key"])["Body"].read())
    with zipfile.ZipFile(changed, "a") as archive:
        archive.writestr("evil.py", "x")
    name = lambent.python(CODE["index.py"])
    client.put_function_code_signing_config(
        FunctionName=name, CodeSigningConfigArn=config["CodeSigningConfigArn"]
    )
    with pytest.raises(client.exceptions.InvalidCodeSignatureException):
        client.update_function_code(FunctionName=name, ZipFile=changed.getvalue())
    client.update_function_code(FunctionName=name, ZipFile=zip_of(CODE))  # unsigned, and only warned of


def test_code_comes_from_s3_with_its_errors(lambent: Lambent, bucket: str) -> None:
    client = lambent.lambda_
    settings = {"FunctionName": "never", "Runtime": PYTHON, "Handler": "index.handler", "Role": lambent.role}
    with pytest.raises(client.exceptions.InvalidParameterValueException) as raised:
        client.create_function(Code={"S3Bucket": bucket, "S3Key": "none.zip"}, **settings)
    assert raised.value.response["Error"]["Message"] == (
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. "
        "S3 Error Message: The specified key does not exist."
    )
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="S3 Error Code: NoSuchBucket"):
        client.create_function(Code={"S3Bucket": "there-is-no-such-bucket", "S3Key": "k"}, **settings)
