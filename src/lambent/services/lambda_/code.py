"""Deployment packages: from the parameters of an operation into the artifact store."""

from lambent.model.caller import Caller, Parameters
from lambent.model.function import CodeReference, LayerReference
from lambent.model.lambda_errors import (
    CodeStorageExceededException,
    InvalidParameterValueException,
    RequestEntityTooLargeException,
)
from lambent.services.lambda_.errors import not_offered
from lambent.services.lambda_.ports import ArchiveError, Artifacts
from lambent.store.ports.functions import FunctionStore
from lambent.store.ports.layers import LayerStore

ZIPPED_LARGEST = 52_428_800
_REQUEST_LARGEST = 69_905_067
"""The largest zip file in base64: it is the request that AWS measures."""
UNZIPPED_LARGEST = 262_144_000


class Packages:
    """`storage_largest`: bytes of code that an account may keep in a region, functions and layers together."""

    def __init__(
        self, artifacts: Artifacts, functions: FunctionStore, layers: LayerStore, storage_largest: int
    ) -> None:
        self._artifacts = artifacts
        self._functions = functions
        self._layers = layers
        self.storage_largest = storage_largest

    async def store(
        self, caller: Caller, operation: str, code: Parameters, *, keep: bool = True
    ) -> CodeReference:
        """Keeps the zip file of a FunctionCode (or of UpdateFunctionCode, or LayerVersionContentInput); with
        `keep` false only checks it.

        Raises InvalidParameterValueException, RequestEntityTooLargeException, CodeStorageExceededException."""
        archive = _archive(operation, code)
        try:
            inspected = await self._artifacts.inspect(archive)
        except ArchiveError as error:
            raise InvalidParameterValueException(str(error)) from error
        if inspected.unzipped_size > UNZIPPED_LARGEST:
            raise InvalidParameterValueException(
                f"Unzipped size must be smaller than {UNZIPPED_LARGEST} bytes"
            )
        await self._refuse_full(caller, inspected.code.size)
        return await self._artifacts.put(archive) if keep else inspected.code

    async def refuse_too_large(self, code: CodeReference, layers: tuple[LayerReference, ...]) -> None:
        """Raises InvalidParameterValueException where code and layers together unzip to more than 250 MB."""
        if not layers:
            return
        size = await self._artifacts.unzipped_size(code)
        for layer in layers:
            size += await self._artifacts.unzipped_size(layer.code)
        if size > UNZIPPED_LARGEST:
            raise InvalidParameterValueException(
                "Function code combined with layers exceeds the maximum allowed size of "
                f"{UNZIPPED_LARGEST} bytes. The actual size is {size} bytes."
            )

    async def used(self, account_id: str, region: str) -> tuple[int, int]:
        """How many functions there are, and the bytes of code that functions and layers keep."""
        count, size = await self._functions.usage(account_id, region)
        return count, size + await self._layers.code_size(account_id, region)

    async def _refuse_full(self, caller: Caller, size: int) -> None:
        _, used = await self.used(caller.account_id, caller.region)
        if used + size > self.storage_largest:
            raise CodeStorageExceededException("Code storage limit exceeded.")


def _archive(operation: str, code: Parameters) -> bytes:
    archive = code.get("ZipFile")
    if archive is not None and any(
        member in code for member in ("S3Bucket", "S3Key", "S3ObjectVersion", "ImageUri")
    ):
        raise InvalidParameterValueException(
            "Please do not provide other FunctionCode parameters when providing a ZipFile."
        )
    for member in ("ImageUri", "S3Bucket", "S3Key"):
        if member in code:
            raise not_offered(f"code from {member} (send the package as ZipFile)")
    if archive is None:
        raise InvalidParameterValueException("Please provide a source for function code.")
    if not archive:
        raise InvalidParameterValueException("Uploaded file must be a non-empty zip")
    if len(archive) > ZIPPED_LARGEST:
        raise RequestEntityTooLargeException(
            f"Request must be smaller than {_REQUEST_LARGEST} bytes for the {operation} operation"
        )
    return bytes(archive)
