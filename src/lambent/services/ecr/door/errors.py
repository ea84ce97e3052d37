"""Errors of the registry API: the specification's codes and bodies, and which of them AWS's errors are here."""

import json

from lambent.http.message import Response
from lambent.model.error import ServiceException

API_VERSION = ("Docker-Distribution-Api-Version", "registry/2.0")


class RegistryError(Exception):
    """`code` is one of the specification's."""

    def __init__(
        self, status: int, code: str, message: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers


_OF_AWS: dict[str, tuple[int, str]] = {
    "AccessDeniedException": (403, "DENIED"),
    "EmptyUploadException": (400, "BLOB_UPLOAD_INVALID"),
    "ImageDigestDoesNotMatchException": (400, "DIGEST_INVALID"),
    "ImageNotFoundException": (404, "MANIFEST_UNKNOWN"),
    "ImageTagAlreadyExistsException": (400, "TAG_INVALID"),
    "InvalidLayerException": (400, "DIGEST_INVALID"),
    "InvalidLayerPartException": (416, "BLOB_UPLOAD_INVALID"),
    "InvalidParameterException": (400, "MANIFEST_INVALID"),
    "LayersNotFoundException": (400, "MANIFEST_BLOB_UNKNOWN"),
    "ReferencedImagesNotFoundException": (400, "MANIFEST_BLOB_UNKNOWN"),
    "RepositoryNotFoundException": (404, "NAME_UNKNOWN"),
    "UploadNotFoundException": (404, "BLOB_UPLOAD_UNKNOWN"),
}


def of_aws(error: ServiceException) -> RegistryError:
    status, code = _OF_AWS.get(error.code, (error.status or 500, "UNKNOWN"))
    return RegistryError(status, code, error.message)


def answer(error: RegistryError) -> Response:
    body = json.dumps({"errors": [{"code": error.code, "message": str(error)}]}).encode()
    return Response(
        error.status, [API_VERSION, *error.headers, ("Content-Type", "application/json; charset=utf-8")], body
    )
