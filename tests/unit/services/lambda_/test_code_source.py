from typing import Any

import pytest

from lambent.model.error import AccessDeniedException, ServiceException
from lambent.model.lambda_errors import InvalidParameterValueException


class NoSuchKey(ServiceException):
    pass


class AccessDenied(ServiceException):
    pass


IN_S3 = {"S3Bucket": "code", "S3Key": "hello.zip"}


async def test_packages_come_from_s3_as_the_caller_may_read_them(aws: Any, new_zip: Any) -> None:
    aws.others.objects["code", "hello.zip"] = new_zip({"app.py": "x = 1"})
    created = await aws.create(Code=IN_S3 | {"S3ObjectVersion": "v1"})
    asked = {"Bucket": "code", "Key": "hello.zip", "VersionId": "v1"}
    assert aws.others.asked == [("GetObject", aws.caller, asked)]
    sent = await aws.create("sent", Code={"ZipFile": new_zip({"app.py": "x = 1"})})
    assert created["CodeSha256"] == sent["CodeSha256"]
    aws.others.objects["code", "hello.zip"] = new_zip({"app.py": "x = 2"})
    updated = await aws.call("UpdateFunctionCode", FunctionName="hello", **IN_S3)
    assert updated["CodeSha256"] != created["CodeSha256"]
    layer = await aws.call("PublishLayerVersion", LayerName="layer", Content=IN_S3)
    assert layer["Content"]["CodeSha256"] == updated["CodeSha256"]


@pytest.mark.parametrize(
    ("error", "raised", "message"),
    [
        (
            NoSuchKey("The specified key does not exist."),
            InvalidParameterValueException,
            "^Error occurred while GetObject. S3 Error Code: NoSuchKey. "
            "S3 Error Message: The specified key does not exist.$",
        ),
        (
            AccessDenied("Access Denied"),
            AccessDeniedException,
            "permission to GetObject for code/hello.zip. S3 Error Code: AccessDenied. S3 Error Message: Access Denied$",
        ),
    ],
)
async def test_what_s3_refuses_is_said_in_lambdas_words(
    aws: Any, error: ServiceException, raised: type[Exception], message: str
) -> None:
    aws.others.answers["s3", "GetObject"] = error
    with pytest.raises(raised, match=message):
        await aws.create(Code=IN_S3)
    assert not aws.functions.functions


async def test_an_image_is_not_for_a_zip_function(aws: Any) -> None:
    await aws.create()
    with pytest.raises(
        InvalidParameterValueException, match=r"^Please don't provide ImageUri when updating a"
    ):
        await aws.call("UpdateFunctionCode", FunctionName="hello", ImageUri="x")


async def test_code_is_copied_never_referred_to(aws: Any) -> None:
    refers = IN_S3 | {"S3ObjectStorageMode": "REFERENCE"}
    with pytest.raises(InvalidParameterValueException, match="does not offer S3ObjectStorageMode"):
        await aws.create(Code=refers)
    with pytest.raises(InvalidParameterValueException, match="does not offer S3ObjectStorageMode"):
        await aws.call("PublishLayerVersion", LayerName="layer", Content=refers)
