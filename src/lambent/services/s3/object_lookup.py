"""Finding the version that a request speaks of, and the errors where there is none."""

from lambent.model.bucket import Bucket
from lambent.model.caller import Parameters
from lambent.model.error import ServiceException
from lambent.model.stored_object import NULL_VERSION, ObjectVersion
from lambent.services.s3.errors import MethodNotAllowed, NoSuchKey, NoSuchVersion
from lambent.services.s3.version_ids import check_version_id
from lambent.store.ports.objects import ObjectStore


class ObjectLookup:
    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    async def find(
        self, bucket: Bucket, parameters: Parameters, method: str, *, marker_hides: bool = True
    ) -> ObjectVersion:
        """Raises NoSuchKey, NoSuchVersion, InvalidArgument; MethodNotAllowed for a delete marker's own id, and for any
        delete marker where it does not hide that there is something (`marker_hides`)."""
        key, version_id = parameters["Key"], parameters.get("VersionId")
        return await self.find_version(bucket, key, version_id, method, marker_hides=marker_hides)

    async def find_version(
        self, bucket: Bucket, key: str, version_id: str | None, method: str, *, marker_hides: bool = True
    ) -> ObjectVersion:
        check_version_id(version_id)
        version = await self._objects.get(bucket.name, key, version_id)
        if version is None:
            if version_id is None:
                raise NoSuchKey(Key=key)
            raise NoSuchVersion(Key=key, VersionId=version_id)
        if version.delete_marker:
            raise _marked(version, method, hidden=marker_hides and version_id is None)
        return version


def shown_version_id(bucket: Bucket, version: ObjectVersion) -> str | None:
    """A bucket that never had versions says nothing of them."""
    if version.version_id == NULL_VERSION and bucket.versioning is None:
        return None
    return version.version_id


def version_members(bucket: Bucket, version: ObjectVersion) -> Parameters:
    """Which version an operation was done to, where the bucket has versions."""
    version_id = shown_version_id(bucket, version)
    return {} if version_id is None else {"VersionId": version_id}


def _marked(version: ObjectVersion, method: str, *, hidden: bool) -> ServiceException:
    error: ServiceException
    if hidden:
        error = NoSuchKey(Key=version.key)
        error.headers = {"x-amz-delete-marker": "true", "x-amz-version-id": version.version_id}
    else:
        error = MethodNotAllowed(Method=method, ResourceType="DeleteMarker")
        error.headers = {
            "x-amz-delete-marker": "true",
            "x-amz-version-id": version.version_id,
            "Allow": "DELETE",
        }
    return error
