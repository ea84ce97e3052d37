"""What is never configured here, and what AWS answers where it is not. Putting it is refused by name.

Source: the "not configured" errors of the S3 API reference.
"""

from collections.abc import Mapping
from typing import Any

from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.errors import NotConfigured, unsupported

_ERRORS = {
    "GetBucketWebsite": (
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    ),
    "GetBucketReplication": (
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
}
_ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "DeleteBucketWebsite": {},
    "DeleteBucketReplication": {},
}
_REFUSED = {
    "PutBucketWebsite": "static websites.",
    "PutBucketReplication": "replication.",
    "GetObjectTorrent": "BitTorrent.",
    "RenameObject": "directory buckets.",
    "CreateSession": "directory buckets.",
    "ListDirectoryBuckets": "directory buckets.",
    "WriteGetObjectResponse": "S3 Object Lambda.",
}


class NotConfiguredHere:
    def __init__(self, buckets: BucketRecords) -> None:
        self._buckets = buckets

    def operations(self) -> Mapping[str, Operation]:
        return {
            **{name: self._missing(*error) for name, error in _ERRORS.items()},
            **{name: self._answering(answer) for name, answer in _ANSWERS.items()},
            **{name: self._refusing(what) for name, what in _REFUSED.items()},
        }

    def _missing(self, code: str, message: str) -> Operation:
        async def get(caller: Caller, parameters: Parameters) -> Parameters:
            raise NotConfigured(code, message, self._buckets.require(caller, parameters).name)

        return get

    def _answering(self, answer: Mapping[str, Any]) -> Operation:
        async def get(caller: Caller, parameters: Parameters) -> Parameters:
            self._buckets.require(caller, parameters)
            return dict(answer)

        return get

    def _refusing(self, what: str) -> Operation:
        async def refuse(caller: Caller, parameters: Parameters) -> Parameters:
            if "Bucket" in parameters:
                self._buckets.require(caller, parameters)
            raise unsupported(what)

        return refuse
