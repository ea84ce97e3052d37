"""Manifests, tags and what refers to an image."""

import json
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlencode

from lambent.http.message import Request, Response
from lambent.model.caller import Parameters
from lambent.model.error import ServiceException
from lambent.model.image import OCI_INDEX, InvalidManifestError, is_digest, parse_manifest
from lambent.model.service import Client
from lambent.services.ecr.door.errors import RegistryError
from lambent.services.ecr.door.visit import Visit

_MOST_BYTES = 4 * 1024 * 1024
_PAGE = 1000


class Manifests:
    def __init__(self, client: Client) -> None:
        self._client = client

    def handlers(self) -> dict[tuple[str, str], Callable[[Visit, Request], Awaitable[Response]]]:
        return {
            ("GET", "manifest"): self.get,
            ("HEAD", "manifest"): self.get,
            ("PUT", "manifest"): self.put,
            ("DELETE", "manifest"): self.delete,
            ("GET", "tags"): self.tags,
            ("GET", "catalog"): self.catalog,
            ("GET", "referrers"): self.referrers,
        }

    async def get(self, visit: Visit, request: Request) -> Response:
        answer = await self._call(visit, "BatchGetImage", imageIds=[_identifier(visit)])
        if not answer["images"]:
            raise _unknown(visit)
        image = answer["images"][0]
        body = image["imageManifest"].encode()
        return Response(
            200,
            [
                ("Content-Type", image["imageManifestMediaType"]),
                ("Content-Length", str(len(body))),
                ("Docker-Content-Digest", image["imageId"]["imageDigest"]),
                ("ETag", f'"{image["imageId"]["imageDigest"]}"'),
            ],
            body,
        )

    async def put(self, visit: Visit, request: Request) -> Response:
        document = await _whole(request)
        media_type = request.headers.get("content-type", "").partition(";")[0].strip() or None
        members: Parameters = {"imageManifest": _text(document)}
        if media_type:
            members["imageManifestMediaType"] = media_type
        reference = visit.asked.reference
        members["imageDigest" if is_digest(reference) else "imageTag"] = reference
        try:
            digest = (await self._call(visit, "PutImage", **members))["image"]["imageId"]["imageDigest"]
        except ServiceException as error:
            if error.code != "ImageAlreadyExistsException":  # which is as good
                raise
            found = await self._call(visit, "BatchGetImage", imageIds=[_identifier(visit)])
            digest = found["images"][0]["imageId"]["imageDigest"]
        headers = [
            ("Location", f"/v2/{visit.asked.name}/manifests/{digest}"),
            ("Docker-Content-Digest", digest),
        ]
        return Response(201, headers + _subject(document, media_type))

    async def delete(self, visit: Visit, request: Request) -> Response:
        answer = await self._call(visit, "BatchDeleteImage", imageIds=[_identifier(visit)])
        if answer["failures"]:
            failure = answer["failures"][0]
            if failure["failureCode"] == "ImageNotFound":
                raise _unknown(visit)
            raise RegistryError(400, "DENIED", failure["failureReason"])
        return Response(202)

    async def tags(self, visit: Visit, request: Request) -> Response:
        found = await self._every(
            visit, "ListImages", "imageIds", filter={"tagStatus": "TAGGED"}, **visit.repository
        )
        tags = sorted(entry["imageTag"] for entry in found)
        return _listed(visit, request, tags, lambda page: {"name": visit.asked.name, "tags": page})

    async def catalog(self, visit: Visit, request: Request) -> Response:
        found = await self._every(visit, "DescribeRepositories", "repositories", registryId=visit.registry_id)
        names = sorted(entry["repositoryName"] for entry in found)
        return _listed(visit, request, names, lambda page: {"repositories": page})

    async def referrers(self, visit: Visit, request: Request) -> Response:
        members: Parameters = {"subjectId": {"imageDigest": visit.asked.reference}}
        wanted = visit.asked.query.get("artifactType")
        if wanted:
            members["filter"] = {"artifactTypes": [wanted]}
        found = await self._every(visit, "ListImageReferrers", "referrers", **visit.repository, **members)
        index = {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [
                {name: value for name, value in entry.items() if name != "artifactStatus"} for entry in found
            ],
        }
        headers = [("Content-Type", OCI_INDEX)]
        if wanted:
            headers.append(("OCI-Filters-Applied", "artifactType"))
        return Response(200, headers, json.dumps(index).encode())

    async def _every(self, visit: Visit, operation: str, member: str, **members: object) -> list[Parameters]:
        found: list[Parameters] = []
        asked: Parameters = {"maxResults": _PAGE, **members}
        while True:
            answer = await self._client("ecr", operation, visit.caller, asked)
            found += answer[member]
            if "nextToken" not in answer:
                return found
            asked = asked | {"nextToken": answer["nextToken"]}

    async def _call(self, visit: Visit, operation: str, **members: object) -> Parameters:
        return await self._client("ecr", operation, visit.caller, visit.repository | members)


def _listed(
    visit: Visit, request: Request, names: Sequence[str], document: Callable[[list[str]], Parameters]
) -> Response:
    """The page that `n` and `last` ask for, and where the next one is."""
    query = visit.asked.query
    last, number = query.get("last", ""), query.get("n", "")
    if number and not (number.isascii() and number.isdigit()):
        raise RegistryError(400, "PAGINATION_NUMBER_INVALID", "n is not a number")
    rest = [name for name in names if name > last] if last else list(names)
    page = rest[: int(number)] if number else rest
    headers = [("Content-Type", "application/json")]
    if page and len(rest) > len(page):
        following = urlencode({"n": number, "last": page[-1]})
        headers.append(("Link", f'<{request.path}?{following}>; rel="next"'))
    return Response(200, headers, json.dumps(document(page)).encode())


async def _whole(request: Request) -> bytes:
    pieces, size = [request.body], len(request.body)
    if request.stream is not None:
        async for piece in request.stream:
            pieces.append(piece)
            size += len(piece)
            if size > _MOST_BYTES:
                break
    if size > _MOST_BYTES:
        raise RegistryError(413, "SIZE_INVALID", f"a manifest has at most {_MOST_BYTES} bytes")
    return b"".join(pieces)


def _text(document: bytes) -> str:
    try:
        return document.decode()
    except UnicodeDecodeError as error:
        raise RegistryError(400, "MANIFEST_INVALID", "the manifest is not UTF-8") from error


def _subject(document: bytes, media_type: str | None) -> list[tuple[str, str]]:
    try:
        subject = parse_manifest(document, media_type).subject
    except InvalidManifestError:
        return []
    return [] if subject is None else [("OCI-Subject", subject.digest)]


def _identifier(visit: Visit) -> Parameters:
    reference = visit.asked.reference
    return {"imageDigest" if is_digest(reference) else "imageTag": reference}


def _unknown(visit: Visit) -> RegistryError:
    return RegistryError(404, "MANIFEST_UNKNOWN", f"the image {visit.asked.reference} does not exist")
