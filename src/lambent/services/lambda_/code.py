"""Deployment packages: from the parameters of an operation into the artifact store."""

import asyncio
import base64
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace

from lambent.artifacts.errors import (
    ArchiveError,
    ArtifactStoreFullError,
    EmptyZipError,
    NotAZipError,
    UnzippedTooLargeError,
)
from lambent.model.caller import Caller, Parameters
from lambent.model.code_signature import SIGNATURE_FILE
from lambent.model.function import CodeReference, LayerReference
from lambent.model.lambda_errors import (
    CodeStorageExceededException,
    InvalidParameterValueException,
    ServiceException_,
)
from lambent.services.lambda_.code_source import UNZIPPED_LARGEST, CodeSource
from lambent.services.lambda_.code_trust import SignatureReader
from lambent.services.lambda_.ports import Artifacts
from lambent.store.ports.functions import FunctionStore
from lambent.store.ports.layers import LayerStore

log = logging.getLogger(__name__)


class Packages:
    """`storage_largest`: bytes of code that an account may keep in a region, functions and layers together."""

    def __init__(
        self,
        source: CodeSource,
        signatures: SignatureReader,
        artifacts: Artifacts,
        functions: FunctionStore,
        layers: LayerStore,
        storage_largest: int,
    ) -> None:
        self._source = source
        self._signatures = signatures
        self._artifacts = artifacts
        self._functions = functions
        self._layers = layers
        self.storage_largest = storage_largest

    async def store(
        self, caller: Caller, operation: str, code: Parameters, *, keep: bool = True
    ) -> CodeReference:
        """Keeps the zip file that a FunctionCode (or UpdateFunctionCode, or LayerVersionContentInput) names; with
        `keep` false only checks it.

        Raises as `CodeSource.archive`, and CodeStorageExceededException."""
        archive = await self._source.archive(caller, operation, code)
        try:
            summary = await self._artifacts.inspect(archive)
        except ArchiveError as error:
            raise _translate(error) from error
        await self._refuse_full(caller, len(archive))
        try:
            reference = await (self._artifacts.put(archive) if keep else asyncio.to_thread(_refer, archive))
        except ArtifactStoreFullError as error:
            log.error("%s", error)
            raise ServiceException_("The disk of this host is full.") from error
        signature = None
        if any(entry.path == SIGNATURE_FILE for entry in summary.entries):
            signature = await asyncio.to_thread(self._signatures.read, archive)
        return replace(reference, unzipped_size=summary.unzipped_size, signature=signature)

    async def used(self, account_id: str, region: str) -> tuple[int, int]:
        """How many functions there are, and the bytes of code that functions and layers keep."""
        (count, size), of_layers = await asyncio.gather(
            self._functions.usage(account_id, region), self._layers.code_size(account_id, region)
        )
        return count, size + of_layers

    async def _refuse_full(self, caller: Caller, size: int) -> None:
        _, used = await self.used(caller.account_id, caller.region)
        if used + size > self.storage_largest:
            raise CodeStorageExceededException("Code storage limit exceeded.")


def _refer(archive: bytes) -> CodeReference:
    sha256 = hashlib.sha256(archive)
    return CodeReference(
        digest=sha256.hexdigest(), sha256=base64.b64encode(sha256.digest()).decode(), size=len(archive)
    )


def _translate(error: ArchiveError) -> InvalidParameterValueException:
    match error:
        case EmptyZipError():
            return InvalidParameterValueException("Uploaded file must be a non-empty zip")
        case UnzippedTooLargeError():
            return InvalidParameterValueException(
                f"Unzipped size must be smaller than {UNZIPPED_LARGEST} bytes"
            )
        case NotAZipError():
            return InvalidParameterValueException(
                "Could not unzip uploaded file. Please check your file, then try to upload again."
            )
    return InvalidParameterValueException(f"Could not unzip uploaded file: {error}")


def refuse_too_large(code: CodeReference, layers: Sequence[LayerReference]) -> None:
    """Raises InvalidParameterValueException where code and layers together unzip to more than 250 MB."""
    size = code.unzipped_size + sum(layer.code.unzipped_size for layer in layers)
    if size > UNZIPPED_LARGEST:
        raise InvalidParameterValueException(
            f"Function code combined with layers exceeds the maximum allowed size of {UNZIPPED_LARGEST} bytes. "
            f"The actual size is {size} bytes."
        )
