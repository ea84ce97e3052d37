"""The errors of Amazon ECR, by AWS's names and in its words."""

from collections.abc import Iterable

from lambent.model.error import ServiceException


class EcrException(ServiceException):
    status = 400


class ServerException(EcrException):
    status = 500


class InvalidParameterException(EcrException):
    @classmethod
    def constraint(cls, member: str, constraint: str) -> "InvalidParameterException":
        return cls(f"Invalid parameter at '{member}' failed to satisfy constraint: '{constraint}'")


class InvalidTagParameterException(EcrException):
    pass


class TooManyTagsException(EcrException):
    pass


class RepositoryNotFoundException(EcrException):
    def __init__(self, name: str, registry_id: str) -> None:
        super().__init__(
            f"The repository with name '{name}' does not exist in the registry with id '{registry_id}'"
        )


class RepositoryAlreadyExistsException(EcrException):
    def __init__(self, name: str, registry_id: str) -> None:
        super().__init__(
            f"The repository with name '{name}' already exists in the registry with id '{registry_id}'"
        )


class RepositoryNotEmptyException(EcrException):
    def __init__(self, name: str, registry_id: str) -> None:
        super().__init__(
            f"The repository with name '{name}' in registry with id '{registry_id}' cannot be deleted because it still "
            "contains images"
        )


class RepositoryPolicyNotFoundException(EcrException):
    def __init__(self, name: str, registry_id: str) -> None:
        super().__init__(
            f"Repository policy does not exist for the repository with name '{name}' in the registry with id "
            f"'{registry_id}'"
        )


class RegistryPolicyNotFoundException(EcrException):
    def __init__(self, registry_id: str) -> None:
        super().__init__(f"Registry policy does not exist in the registry with id '{registry_id}'")


class LifecyclePolicyNotFoundException(EcrException):
    def __init__(self, name: str, registry_id: str) -> None:
        super().__init__(
            f"Lifecycle policy does not exist for the repository with name '{name}' in the registry with id "
            f"'{registry_id}'"
        )


class LifecyclePolicyPreviewNotFoundException(EcrException):
    pass


class ScanNotFoundException(EcrException):
    pass


class ImageNotFoundException(EcrException):
    def __init__(self, digest: str | None, tag: str | None, name: str, registry_id: str) -> None:
        super().__init__(
            f"The image with imageId {written(digest, tag)} does not exist within the repository with name '{name}' in "
            f"the registry with id '{registry_id}'"
        )


class ImageAlreadyExistsException(EcrException):
    def __init__(self, digest: str, tag: str | None, name: str, registry_id: str) -> None:
        with_tag = f" and tag '{tag}'" if tag else ""
        super().__init__(
            f"Image with digest '{digest}'{with_tag} already exists in the repository with name '{name}' in registry "
            f"with id '{registry_id}'"
        )


class ImageTagAlreadyExistsException(EcrException):
    def __init__(self, tag: str, name: str) -> None:
        super().__init__(
            f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the "
            "tag is immutable."
        )


class ImageDigestDoesNotMatchException(EcrException):
    pass


class LayersNotFoundException(EcrException):
    def __init__(self, digests: Iterable[str], name: str, registry_id: str) -> None:
        super().__init__(
            f"Layers with digests '[{', '.join(digests)}]' required for pushing image into repository with name "
            f"'{name}' in the registry with id '{registry_id}' do not exist"
        )


class LayerNotFoundException(EcrException):
    """What is asked for by its digest alone."""

    _code = "LayersNotFoundException"

    def __init__(self, digest: str, name: str, registry_id: str) -> None:
        super().__init__(
            f"The layer with digest '{digest}' does not exist in the repository with name '{name}' in the registry "
            f"with id '{registry_id}'"
        )


class ReferencedImagesNotFoundException(EcrException):
    def __init__(self, digests: Iterable[str], name: str, registry_id: str) -> None:
        super().__init__(
            f"Images with digests '[{', '.join(digests)}]' required for pushing image into repository with name "
            f"'{name}' in the registry with id '{registry_id}' do not exist"
        )


class UploadNotFoundException(EcrException):
    def __init__(self, upload_id: str, name: str, registry_id: str) -> None:
        super().__init__(
            f"The upload with id '{upload_id}' does not exist within the repository with name '{name}' in the registry "
            f"with id '{registry_id}'"
        )


class InvalidLayerException(EcrException):
    pass


class InvalidLayerPartException(EcrException):
    pass


class EmptyUploadException(EcrException):
    pass


class LayerAlreadyExistsException(EcrException):
    pass


def written(digest: str | None, tag: str | None) -> str:
    return f"{{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}}"


def not_offered(what: str) -> InvalidParameterException:
    return InvalidParameterException(f"Lambent does not offer {what}.")
