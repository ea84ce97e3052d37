"""Images: PutImage, BatchGetImage, ListImages, DescribeImages, BatchDeleteImage, ListImageReferrers."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.image import (
    DOCKER_MANIFEST,
    Descriptor,
    InvalidManifestError,
    Manifest,
    is_digest,
    parse_manifest,
)
from lambent.model.repository import RegistryImage, Repository
from lambent.model.service import Operation
from lambent.services.ecr.announcements import Announcements
from lambent.services.ecr.errors import (
    ImageAlreadyExistsException,
    ImageDigestDoesNotMatchException,
    ImageNotFoundException,
    ImageTagAlreadyExistsException,
    InvalidParameterException,
    LayersNotFoundException,
    ReferencedImagesNotFoundException,
)
from lambent.services.ecr.pages import page
from lambent.services.ecr.registry import Registry, inside, put

_PULL_NOTED_SECONDS = 86_400.0
"""How exactly the last pull is known: AWS notes one a day."""
_FOREIGN = ("foreign", "nondistributable")


class Images:
    def __init__(self, registry: Registry, announcements: Announcements, clock: Clock) -> None:
        self._registry = registry
        self._announcements = announcements
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "PutImage": self.put,
            "BatchGetImage": self.get,
            "ListImages": self.list,
            "DescribeImages": self.describe,
            "BatchDeleteImage": self.delete,
            "ListImageReferrers": self.list_referrers,
        }

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        registry, text, tag = self._registry, parameters["imageManifest"], parameters.get("imageTag")
        document = text.encode()
        manifest = _parse(document, parameters.get("imageManifestMediaType"))
        digest = f"sha256:{hashlib.sha256(document).hexdigest()}"
        repository = await registry.require(caller, parameters)
        if parameters.get("imageDigest", digest) != digest:
            raise ImageDigestDoesNotMatchException(
                f"The digest '{parameters['imageDigest']}' is not that of the image, which is '{digest}'."
            )
        async with registry.lock(repository):
            repository = await registry.again(repository)
            known = await registry.image(repository, digest)
            tagged = None if tag is None else await registry.tagged(repository, tag)
            if known is not None and (tag is None or tagged == digest):
                raise ImageAlreadyExistsException(digest, tag, repository.name, repository.account_id)
            if tag is not None and tagged is not None and repository.is_immutable(tag):
                raise ImageTagAlreadyExistsException(tag, repository.name)
            if known is None:
                await self._require_parts(repository, manifest)
                image = _image(digest, text, manifest, self._clock.now())
                await put(registry.stores.images, inside(repository, digest), image)
            if tag is not None:
                await registry.put_tag(repository, tag, digest)
        await self._announcements.changed(repository, "PUSH", [_identifier(digest, tag)])
        return {
            "image": {
                "registryId": repository.account_id,
                "repositoryName": repository.name,
                "imageId": _identifier(digest, tag),
                "imageManifest": text,
                "imageManifestMediaType": manifest.media_type,
            }
        }

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        images, failures = [], []
        for wanted in parameters["imageIds"]:
            found = await self._find(repository, wanted)
            if not isinstance(found, RegistryImage):
                failures.append(found)
                continue
            await self._note_pull(repository, found)
            self._announcements.pulled(repository)
            images.append(
                {
                    "registryId": repository.account_id,
                    "repositoryName": repository.name,
                    "imageId": _identifier(found.digest, wanted.get("imageTag")),
                    "imageManifest": found.manifest,
                    "imageManifestMediaType": found.media_type,
                }
            )
        return {"images": images, "failures": failures}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        status = parameters.get("filter", {}).get("tagStatus", "ANY")
        tags = await self._registry.tags(repository)
        entries: list[tuple[str, Parameters]] = []
        if status != "UNTAGGED":
            entries += [(f"{digest} {tag}", _identifier(digest, tag)) for tag, digest in tags.items()]
        if status != "TAGGED":
            untagged = (await self._registry.images(repository)).keys() - set(tags.values())
            entries += [(digest, _identifier(digest, None)) for digest in untagged]
        found, more = page(parameters, sorted(entries, key=lambda entry: entry[0]))
        return {"imageIds": found, **more}

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        tags = _by_digest(await self._registry.tags(repository))
        if parameters.get("imageIds"):
            chosen: dict[str, RegistryImage] = {}
            for wanted in parameters["imageIds"]:
                found = await self._find(repository, wanted)
                if not isinstance(found, RegistryImage):
                    _refuse(repository, wanted, found)
                else:
                    chosen.setdefault(found.digest, found)
            return {"imageDetails": [_details(repository, image, tags) for image in chosen.values()]}
        status = parameters.get("filter", {}).get("tagStatus", "ANY")
        images = await self._registry.images(repository)
        entries = [
            (digest, _details(repository, image, tags))
            for digest, image in sorted(images.items())
            if status == "ANY" or (digest in tags) == (status == "TAGGED")
        ]
        details, more = page(parameters, entries)
        return {"imageDetails": details, **more}

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        deleted: list[Parameters] = []
        failures: list[Parameters] = []
        async with self._registry.lock(repository):
            for wanted in parameters["imageIds"]:
                found = await self._find(repository, wanted)
                if not isinstance(found, RegistryImage):
                    failures.append(found)
                    continue
                gone, failure = await self._delete(repository, found, wanted)
                deleted += gone
                failures += failure
        await self._announcements.changed(repository, "DELETE", deleted)
        return {"imageIds": deleted, "failures": failures}

    async def list_referrers(self, caller: Caller, parameters: Parameters) -> Parameters:
        repository = await self._registry.require(caller, parameters)
        subject = parameters["subjectId"]["imageDigest"]
        types = parameters.get("filter", {}).get("artifactTypes")
        entries = [
            (
                digest,
                {
                    "digest": digest,
                    "mediaType": image.media_type,
                    "artifactType": image.artifact_type,
                    "size": len(image.manifest.encode()),
                    "annotations": parse_manifest(image.manifest.encode(), image.media_type).annotations
                    or None,
                    "artifactStatus": "ACTIVE",
                },
            )
            for digest, image in sorted((await self._registry.images(repository)).items())
            if image.subject == subject and (not types or image.artifact_type in types)
        ]
        referrers, more = page(parameters, entries)
        return {"referrers": [_given(referrer) for referrer in referrers], **more}

    async def remove(self, repository: Repository, digests: Iterable[str]) -> None:
        """What a lifecycle policy expires: images with their tags. Under the repository's lock."""
        for digest in digests:
            await self._delete_image(repository, digest)

    async def _delete(
        self, repository: Repository, image: RegistryImage, wanted: Mapping[str, str]
    ) -> tuple[Sequence[Parameters], Sequence[Parameters]]:
        tags = [
            tag for tag, digest in (await self._registry.tags(repository)).items() if digest == image.digest
        ]
        tag = wanted.get("imageTag")
        if tag is not None and "imageDigest" not in wanted and tags != [tag]:
            await self._registry.delete(self._registry.stores.tags, repository, tag)
            return [_identifier(image.digest, tag)], []
        indexes = [
            digest
            for digest, other in (await self._registry.images(repository)).items()
            if image.digest in other.images
        ]
        if indexes:
            reason = f"Requested image referenced by manifest list: [{', '.join(indexes)}]"
            return [], [_failure(wanted, "ImageReferencedByManifestList", reason)]
        await self._delete_image(repository, image.digest)
        return [_identifier(image.digest, each) for each in tags] or [_identifier(image.digest, None)], []

    async def _delete_image(self, repository: Repository, digest: str) -> None:
        stores = self._registry.stores
        for tag, tagged in (await self._registry.tags(repository)).items():
            if tagged == digest:
                await self._registry.delete(stores.tags, repository, tag)
        await self._registry.delete(stores.images, repository, digest)

    async def _find(self, repository: Repository, wanted: Mapping[str, str]) -> RegistryImage | Parameters:
        """The image, or the ImageFailure that says why there is none."""
        digest, tag = wanted.get("imageDigest"), wanted.get("imageTag")
        if digest is None and tag is None:
            reason = "Invalid request parameters: both tag and digest cannot be null"
            return _failure(wanted, "MissingDigestAndTag", reason)
        if digest is not None and not is_digest(digest):
            reason = "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
            return _failure(wanted, "InvalidImageDigest", reason)
        tagged = None if tag is None else await self._registry.tagged(repository, tag)
        if tag is not None and digest is not None and tagged is not None and tagged != digest:
            return _failure(wanted, "ImageTagDoesNotMatchDigest", "Requested tag does not match the digest")
        named = digest if tag is None else tagged
        image = None if named is None else await self._registry.image(repository, named)
        return image or _failure(wanted, "ImageNotFound", "Requested image not found")

    async def _require_parts(self, repository: Repository, manifest: Manifest) -> None:
        """Raises LayersNotFoundException, ReferencedImagesNotFoundException."""
        missing = [
            blob.digest
            for blob in _blobs(manifest)
            if await self._registry.layer(repository, blob.digest) is None
        ]
        if missing:
            raise LayersNotFoundException(missing, repository.name, repository.account_id)
        absent = [
            image.digest
            for image in manifest.manifests
            if await self._registry.image(repository, image.digest) is None
        ]
        if absent:
            raise ReferencedImagesNotFoundException(absent, repository.name, repository.account_id)

    async def _note_pull(self, repository: Repository, image: RegistryImage) -> None:
        now = self._clock.now()
        if image.pulled_at is not None and now - image.pulled_at < _PULL_NOTED_SECONDS:
            return
        async with self._registry.lock(repository):
            current = await self._registry.image(repository, image.digest)
            if current is not None:
                changed = replace(current, pulled_at=now)
                await put(self._registry.stores.images, inside(repository, image.digest), changed)


def _parse(document: bytes, media_type: str | None) -> Manifest:
    try:
        manifest = parse_manifest(document, media_type)
    except InvalidManifestError as error:
        constraint = "Invalid JSON syntax" if "JSON" in str(error) else f"Invalid manifest: {error}"
        raise InvalidParameterException.constraint("ImageManifest", constraint) from error
    if media_type is None and not manifest.says_media_type:
        raise InvalidParameterException("image manifest mediatype not provided in manifest or parameter")
    return manifest


def _blobs(manifest: Manifest) -> list[Descriptor]:
    """What a repository must have for it; layers that live elsewhere by their kind are not asked for."""
    layers = [layer for layer in manifest.layers if not any(word in layer.media_type for word in _FOREIGN)]
    return layers if manifest.config is None else [manifest.config, *layers]


def _image(digest: str, text: str, manifest: Manifest, now: float) -> RegistryImage:
    config_type = manifest.config.media_type if manifest.config is not None else None
    return RegistryImage(
        digest=digest,
        manifest=text,
        media_type=manifest.media_type,
        artifact_type=manifest.artifact_type or config_type,
        size=sum(layer.size for layer in manifest.layers),
        pushed_at=round(now, 3),
        blobs=tuple(blob.digest for blob in _blobs(manifest)),
        images=tuple(image.digest for image in manifest.manifests),
        subject=manifest.subject.digest if manifest.subject is not None else None,
    )


def _details(repository: Repository, image: RegistryImage, tags: Mapping[str, Sequence[str]]) -> Parameters:
    return _given(
        {
            "registryId": repository.account_id,
            "repositoryName": repository.name,
            "imageDigest": image.digest,
            "imageTags": tags.get(image.digest),
            "imageSizeInBytes": image.size,
            "imagePushedAt": image.pushed_at,
            "imageManifestMediaType": image.media_type or DOCKER_MANIFEST,
            "artifactMediaType": image.artifact_type,
            "lastRecordedPullTime": image.pulled_at,
            "subjectManifestDigest": image.subject,
            "imageStatus": "ACTIVE",
        }
    )


def _refuse(repository: Repository, wanted: Mapping[str, str], failure: Parameters) -> None:
    if failure["failureCode"] in ("MissingDigestAndTag", "InvalidImageDigest"):
        raise InvalidParameterException(failure["failureReason"])
    raise ImageNotFoundException(
        wanted.get("imageDigest"), wanted.get("imageTag"), repository.name, repository.account_id
    )


def _by_digest(tags: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for tag, digest in tags.items():
        found.setdefault(digest, []).append(tag)
    return found


def _failure(wanted: Mapping[str, str], code: str, reason: str) -> Parameters:
    return {"imageId": dict(wanted), "failureCode": code, "failureReason": reason}


def _identifier(digest: str, tag: str | None) -> Parameters:
    return _given({"imageDigest": digest, "imageTag": tag})


def _given(members: Parameters) -> Parameters:
    return {name: value for name, value in members.items() if value is not None}
