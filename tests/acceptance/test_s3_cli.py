"""S3 with the AWS CLI: cp, ls, sync, rm, and the api commands that deploy tools make."""

import os
from pathlib import Path

import pytest
from lambent_cli import CliError, aws_text
from lambent_server import Lambent


def test_a_session_with_the_aws_cli(lambent: Lambent, tmp_path: Path) -> None:
    bucket = lambent.new_name("cli")
    album = tmp_path / "album"
    (album / "sub").mkdir(parents=True)
    files = {"a.txt": b"a", "sub/b & c.txt": b"b", "big.bin": os.urandom(9 * 1024 * 1024)}
    for name, content in files.items():
        (album / name).write_bytes(content)

    def s3(*arguments: str) -> str:
        return aws_text(lambent, "s3", *arguments)

    s3("mb", f"s3://{bucket}")
    assert bucket in s3("ls")
    s3("sync", str(album), f"s3://{bucket}/album")
    listed = s3("ls", f"s3://{bucket}/album/", "--recursive")
    assert all(f"album/{name}" in listed for name in files)
    assert "PRE sub/" in s3("ls", f"s3://{bucket}/album/")
    assert s3("sync", str(album), f"s3://{bucket}/album").strip() == ""
    s3("cp", f"s3://{bucket}/album/big.bin", f"s3://{bucket}/copy.bin")
    s3("cp", f"s3://{bucket}/copy.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").read_bytes() == files["big.bin"]
    s3("mv", f"s3://{bucket}/copy.bin", f"s3://{bucket}/moved.bin")
    with pytest.raises(CliError, match="BucketNotEmpty"):
        s3("rb", f"s3://{bucket}")
    s3("rm", f"s3://{bucket}", "--recursive")
    assert s3("ls", f"s3://{bucket}", "--recursive").strip() == ""
    s3("rb", f"s3://{bucket}")


NOT_CONFIGURED = {
    "get-bucket-policy": "NoSuchBucketPolicy",
    "get-bucket-cors": "NoSuchCORSConfiguration",
    "get-bucket-website": "NoSuchWebsiteConfiguration",
    "get-bucket-lifecycle-configuration": "NoSuchLifecycleConfiguration",
    "get-bucket-replication": "ReplicationConfigurationNotFoundError",
    "get-object-lock-configuration": "ObjectLockConfigurationNotFoundError",
    "get-bucket-tagging": "NoSuchTagSet",
}
ANSWERED = {
    "get-bucket-acl": "Grants",
    "get-bucket-encryption": "ServerSideEncryptionConfiguration",
    "get-bucket-request-payment": "Payer",
    "get-public-access-block": "PublicAccessBlockConfiguration",
    "get-bucket-ownership-controls": "OwnershipControls",
}
EMPTY = ("get-bucket-accelerate-configuration", "get-bucket-logging", "get-bucket-versioning")


def test_what_terraform_reads_back_of_a_new_bucket(lambent: Lambent) -> None:
    s3 = lambent.client("s3")
    bucket = lambent.new_name("new")
    s3.create_bucket(Bucket=bucket)

    def ask(command: str) -> dict[str, object]:
        found = getattr(s3, command.replace("-", "_"))(Bucket=bucket)
        found.pop("ResponseMetadata")
        return dict(found)

    for command, code in NOT_CONFIGURED.items():
        with pytest.raises(s3.exceptions.ClientError) as refused:
            ask(command)
        assert refused.value.response["Error"]["Code"] == code
        assert refused.value.response["Error"]["BucketName"] == bucket
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    for command, member in ANSWERED.items():
        assert member in ask(command)
    for command in EMPTY:
        assert ask(command) == {}
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
