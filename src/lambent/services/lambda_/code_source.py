"""Where a deployment package comes from: the request itself, or an object in S3 that the caller may read.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html
"""

from collections.abc import AsyncIterator

from lambent.model.caller import Caller, Parameters
from lambent.model.error import AccessDeniedException, ServiceException
from lambent.model.lambda_errors import InvalidParameterValueException, RequestEntityTooLargeException
from lambent.model.service import Client
from lambent.services.lambda_.errors import not_offered

ZIPPED_LARGEST = 52_428_800
_REQUEST_LARGEST = 70_167_211
UNZIPPED_LARGEST = 262_144_000
_IN_S3 = {"S3Bucket": "Bucket", "S3Key": "Key", "S3ObjectVersion": "VersionId"}


class CodeSource:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def archive(self, caller: Caller, operation: str, code: Parameters) -> bytes:
        """The zip file that a FunctionCode (or UpdateFunctionCode, or LayerVersionContentInput) names.

        Raises InvalidParameterValueException, RequestEntityTooLargeException, AccessDeniedException."""
        if "ImageUri" in code:
            raise not_offered("code from ImageUri (send a zip file)")
        in_s3 = [member for member in _IN_S3 if code.get(member)]
        if code.get("ZipFile") is not None:
            if in_s3:
                raise InvalidParameterValueException(
                    "Please do not provide other FunctionCode parameters when providing a ZipFile."
                )
            return _sent(operation, bytes(code["ZipFile"]))
        if "S3Bucket" not in in_s3 or "S3Key" not in in_s3:
            raise InvalidParameterValueException("Please provide a source for function code.")
        return await self._read(caller, {_IN_S3[member]: code[member] for member in in_s3})

    async def _read(self, caller: Caller, named: Parameters) -> bytes:
        try:
            found = await self._client("s3", "GetObject", caller, named)
        except ServiceException as error:
            raise _translate(error, named) from error
        if found.get("ContentLength", 0) > UNZIPPED_LARGEST:
            raise InvalidParameterValueException(
                f"Unzipped size must be smaller than {UNZIPPED_LARGEST} bytes"
            )
        return await _whole(found["Body"])


async def _whole(body: bytes | AsyncIterator[bytes]) -> bytes:
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    return b"".join([piece async for piece in body])


def _sent(operation: str, archive: bytes) -> bytes:
    if not archive:
        raise InvalidParameterValueException("Uploaded file must be a non-empty zip")
    if len(archive) > ZIPPED_LARGEST:
        # It is the request that AWS measures first, with the zip file in base64.
        if len(archive) * 4 // 3 > _REQUEST_LARGEST:
            raise RequestEntityTooLargeException(
                f"Request must be smaller than {_REQUEST_LARGEST} bytes for the {operation} operation"
            )
        raise RequestEntityTooLargeException(f"Zipped size must be smaller than {ZIPPED_LARGEST} bytes")
    return archive


def _translate(error: ServiceException, named: Parameters) -> ServiceException:
    reason = f"S3 Error Code: {error.code}. S3 Error Message: {error.message}"
    if error.code in ("AccessDenied", "AccessDeniedException"):
        return AccessDeniedException(
            "Your access has been denied by S3, please make sure your request credentials have permission to "
            f"GetObject for {named['Bucket']}/{named['Key']}. "
            "S3 Error Code: AccessDenied. S3 Error Message: Access Denied"
        )
    return InvalidParameterValueException(f"Error occurred while GetObject. {reason}")
