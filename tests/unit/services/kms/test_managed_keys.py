from typing import Any

import pytest

from lambent.model.error import ServiceException


async def test_a_service_s_key_is_there_when_it_is_asked_for(aws: Any) -> None:
    assert (await aws.call("ListAliases"))["Aliases"] == []
    described = (await aws.call("DescribeKey", KeyId="alias/aws/s3"))["KeyMetadata"]
    assert described["KeyManager"] == "AWS"
    again = (await aws.call("DescribeKey", KeyId="alias/aws/s3"))["KeyMetadata"]
    assert again["KeyId"] == described["KeyId"]
    (alias,) = (await aws.call("ListAliases"))["Aliases"]
    assert (alias["AliasName"], alias["TargetKeyId"]) == ("alias/aws/s3", described["KeyId"])


async def test_whoever_is_of_the_account_uses_it_and_nobody_changes_it(aws: Any) -> None:
    key = (await aws.call("DescribeKey", KeyId="alias/aws/s3"))["KeyMetadata"]["KeyId"]
    role = aws.by_role()
    made = await role.call("GenerateDataKey", KeyId=key, KeySpec="AES_256")
    opened = await role.call("Decrypt", CiphertextBlob=made["CiphertextBlob"])
    assert opened["Plaintext"] == made["Plaintext"]
    for operation in ("DisableKey", "ScheduleKeyDeletion", "EnableKeyRotation"):
        with pytest.raises(ServiceException, match="not authorized"):
            await aws.call(operation, KeyId=key)
    with pytest.raises(ServiceException, match="not authorized"):
        await aws.call("DeleteAlias", AliasName="alias/aws/s3")


async def test_it_is_made_once_where_two_servers_make_it(aws: Any) -> None:
    other = aws.by()
    await other.restart()
    first = (await aws.call("DescribeKey", KeyId="alias/aws/s3"))["KeyMetadata"]
    assert (await other.call("DescribeKey", KeyId="alias/aws/s3"))["KeyMetadata"] == first


async def test_other_names_of_aws_are_no_keys(aws: Any) -> None:
    with pytest.raises(ServiceException, match="is not found"):
        await aws.call("DescribeKey", KeyId="alias/aws/lambda")
