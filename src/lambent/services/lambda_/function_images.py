"""Functions' container images: which one an ImageUri means, and whether Lambda may have it.

What is of an ECR repository is read as the Lambda service, whom the repository's policy must let in; where it does not,
and whoever creates the function may change that policy, Lambda adds its statement, as AWS's does.

Source: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#gettingstarted-images-permissions
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from lambent.base.arn import partition_of
from lambent.http.locality import is_local
from lambent.model.caller import Caller, Parameters, service_caller
from lambent.model.error import AccessDeniedException, ServiceException
from lambent.model.function import CodeReference, FunctionId, FunctionVersion
from lambent.model.image import (
    FunctionImage,
    ImageOverrides,
    ImageReference,
    InvalidManifestError,
    ecr_registry,
    parse_manifest,
)
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.model.service import Client
from lambent.services.lambda_.ports import Images

LAMBDA = "lambda.amazonaws.com"
_SID = "LambdaECRImageRetrievalPolicy"
_ACTIONS = (
    "ecr:BatchGetImage",
    "ecr:DeleteRepositoryPolicy",
    "ecr:GetDownloadUrlForLayer",
    "ecr:GetRepositoryPolicy",
    "ecr:SetRepositoryPolicy",
)
_MISSING = frozenset({"RepositoryNotFoundException", "ImageNotFoundException"})


class ImageSourceError(Exception):
    """An image of elsewhere cannot be had. The message is for whoever asks for it."""


class ImageMissingError(ImageSourceError):
    pass


class ImageForbiddenError(ImageSourceError):
    pass


class ImageSources(Protocol):
    """Where images come from that are not of ECR here."""

    def offers(self, uri: str) -> bool:
        """Whether the server is set to take images from there."""
        ...

    async def manifest(self, uri: str) -> bytes:
        """Raises ImageSourceError."""
        ...


class _NoImageSources:
    """Nothing but ECR."""

    def offers(self, uri: str) -> bool:
        return False

    async def manifest(self, uri: str) -> bytes:
        raise ImageMissingError(uri)


NO_IMAGE_SOURCES: Final[ImageSources] = _NoImageSources()


@dataclass(frozen=True, slots=True)
class _Repository:
    account_id: str
    name: str


class FunctionImages:
    """`endpoint` is where this server listens."""

    def __init__(
        self, client: Client, images: Images, sources: ImageSources, endpoint: Callable[[], str]
    ) -> None:
        self._client = client
        self._images = images
        self._sources = sources
        self._endpoint = endpoint

    async def resolve(
        self, caller: Caller, id: FunctionId, uri: str, overrides: ImageOverrides
    ) -> tuple[CodeReference, FunctionImage]:
        """Raises InvalidParameterValueException, AccessDeniedException."""
        if self._images.refusal is not None:
            raise InvalidParameterValueException(self._images.refusal)
        if self._sources.offers(uri):
            return await self._resolve_elsewhere(uri, overrides)
        reference = ImageReference.parse(uri)
        repository = None if reference is None else self._repository(caller, reference)
        if reference is None or repository is None:
            raise _not_valid(uri)
        document, digest = await self._ecr_manifest(caller, id, repository, reference, uri)
        _require_runs(document, uri)
        return _code(digest), FunctionImage(
            uri=uri,
            resolved_uri=reference.with_digest(digest),
            repository=f"{repository.account_id}/{caller.region}/{repository.name}",
            overrides=overrides,
        )

    async def _resolve_elsewhere(
        self, uri: str, overrides: ImageOverrides
    ) -> tuple[CodeReference, FunctionImage]:
        try:
            document = await self._sources.manifest(uri)
        except ImageForbiddenError as error:
            raise _no_permission() from error
        except ImageSourceError as error:
            raise _does_not_exist(uri) from error
        _require_runs(document, uri)
        digest = f"sha256:{hashlib.sha256(document).hexdigest()}"
        reference = ImageReference.parse(uri)
        resolved = f"{uri}@{digest}" if reference is None else reference.with_digest(digest)
        return _code(digest), FunctionImage(uri=uri, resolved_uri=resolved, overrides=overrides)

    def _repository(self, caller: Caller, reference: ImageReference) -> _Repository | None:
        """The repository of ECR here that is meant; None for another registry's, or another region's."""
        if reference.tag is None and reference.digest is None:
            return None
        named = ecr_registry(reference.registry)
        if named is not None:
            account_id, region = named
            return _Repository(account_id, reference.repository) if region == caller.region else None
        if not self._is_here(caller, reference.registry):
            return None
        return _Repository(caller.account_id, reference.repository)

    def _is_here(self, caller: Caller, registry: str) -> bool:
        if f"//{registry}" == caller.endpoint_url.partition(":")[2]:
            return True
        asked, own = urlsplit(f"//{registry}"), urlsplit(self._endpoint())
        return asked.port == own.port and is_local(asked.hostname or "")

    async def _ecr_manifest(
        self, caller: Caller, id: FunctionId, repository: _Repository, reference: ImageReference, uri: str
    ) -> tuple[bytes, str]:
        image_id = {"imageDigest": reference.digest} if reference.digest else {"imageTag": str(reference.tag)}
        asked = _named(repository) | {"imageIds": [image_id]}
        service = lambda_service(id)
        try:
            answer = await self._client("ecr", "BatchGetImage", service, asked)
        except ServiceException as error:
            if error.code in _MISSING:
                raise _does_not_exist(uri) from error
            await self._let_in(caller, id, repository, uri)
            try:
                answer = await self._client("ecr", "BatchGetImage", service, asked)
            except ServiceException as refused:
                raise _no_permission() from refused
        if not answer["images"]:
            raise _does_not_exist(uri)
        image = answer["images"][0]
        return image["imageManifest"].encode(), str(image["imageId"]["imageDigest"])

    async def _let_in(self, caller: Caller, id: FunctionId, repository: _Repository, uri: str) -> None:
        """Adds Lambda's statement to the repository's policy, as the caller."""
        policy: dict[str, Any] = {"Version": "2008-10-17", "Statement": []}
        try:
            found = await self._client("ecr", "GetRepositoryPolicy", caller, _named(repository))
            policy = json.loads(found["policyText"])
        except ServiceException as error:
            if error.code in _MISSING:
                raise _does_not_exist(uri) from error
            if error.code != "RepositoryPolicyNotFoundException":
                raise _no_permission() from error
        statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
        kept = [statement for statement in statements if statement.get("Sid") != _SID]
        text = json.dumps(policy | {"Statement": [*kept, _statement(id)]})
        try:
            await self._client(
                "ecr", "SetRepositoryPolicy", caller, _named(repository) | {"policyText": text}
            )
        except ServiceException as error:
            raise _no_permission() from error


def lambda_service(id: FunctionId) -> Caller:
    partition = partition_of(id.region)
    arn = id.arn(partition=partition)
    return service_caller(
        LAMBDA, account_id=id.account_id, region=id.region, source_arn=arn, partition=partition
    )


def overrides_of(config: Parameters) -> ImageOverrides:
    """Of an ImageConfig. What is empty leaves it to the image."""
    return ImageOverrides(
        entry_point=tuple(config["EntryPoint"]) if config.get("EntryPoint") else None,
        command=tuple(config["Command"]) if config.get("Command") else None,
        working_directory=config.get("WorkingDirectory") or None,
    )


def describe_image_config(image: FunctionImage | None) -> Parameters | None:
    """ImageConfigResponse, where the function overrides something."""
    if image is None or image.overrides == ImageOverrides():
        return None
    overrides = image.overrides
    members = {
        "EntryPoint": list(overrides.entry_point) if overrides.entry_point else None,
        "Command": list(overrides.command) if overrides.command else None,
        "WorkingDirectory": overrides.working_directory,
    }
    return {"ImageConfig": {name: value for name, value in members.items() if value is not None}}


def refuse_image_config(parameters: Parameters) -> None:
    """For a function of a zip file. Raises InvalidParameterValueException."""
    if any(parameters.get("ImageConfig", {}).values()):
        raise InvalidParameterValueException(
            "Please don't provide ImageConfig when the intended function PackageType is Zip."
        )


def image_changes(image: FunctionImage, parameters: Parameters) -> dict[str, FunctionImage]:
    """Of UpdateFunctionConfiguration, for a function of an image. Raises InvalidParameterValueException."""
    if any(parameters.get(member) for member in ("Handler", "Runtime", "Layers")):
        raise InvalidParameterValueException(
            "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."
        )
    if "ImageConfig" not in parameters:
        return {}
    return {"image": replace(image, overrides=overrides_of(parameters["ImageConfig"]))}


def refuse_signing(version: FunctionVersion) -> None:
    """Nobody signs images for Lambda. Raises InvalidParameterValueException."""
    if version.image is not None:
        raise no_signing()


def no_signing() -> InvalidParameterValueException:
    return InvalidParameterValueException(
        "Code signing is not supported for functions created with container images."
    )


def _named(repository: _Repository) -> Parameters:
    return {"registryId": repository.account_id, "repositoryName": repository.name}


def _code(digest: str) -> CodeReference:
    hexadecimal = digest.partition(":")[2]
    return CodeReference(digest=hexadecimal, sha256=hexadecimal, size=0)


def _statement(id: FunctionId) -> dict[str, Any]:
    arn = f"arn:{partition_of(id.region)}:lambda:{id.region}:{id.account_id}:function:*"
    return {
        "Sid": _SID,
        "Effect": "Allow",
        "Principal": {"Service": LAMBDA},
        "Action": list(_ACTIONS),
        "Condition": {"StringLike": {"aws:sourceArn": arn}},
    }


def _require_runs(document: bytes, uri: str) -> None:
    try:
        runs = parse_manifest(document).runs
    except InvalidManifestError:
        runs = False
    if not runs:
        raise InvalidParameterValueException(
            f"The image manifest, config or layer media type for the source image {uri} is not supported."
        )


def _not_valid(uri: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(f"Source image {uri} is not valid. Provide a valid source image.")


def _does_not_exist(uri: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(f"Source image {uri} does not exist. Provide a valid source image.")


def _no_permission() -> AccessDeniedException:
    return AccessDeniedException(
        "Lambda does not have permission to access the ECR image. Check the ECR permissions."
    )
