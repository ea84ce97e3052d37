"""Configurations of which a bucket may have many, each by an id: of analytics, inventories, metrics, and tiering.

They are kept and answered, so that what deploys a bucket finds what it has put; none of them makes Lambent write a
report or move an object.

Source: the Put…Configuration pages of the S3 API reference.
"""

from collections.abc import Callable, Mapping
from typing import Any

from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.service import Operation
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.configurations import configured, plain
from lambent.services.s3.errors import (
    IdMismatch,
    InvalidArgument,
    InvalidConfigurationId,
    InvalidS3DestinationBucket,
    MalformedXML,
    NoSuchConfiguration,
)
from lambent.services.s3.listing import read_token, token_of

_PAGE_MOST = 100
_ID_MOST = 64
_DAYS_LEAST = {"ARCHIVE_ACCESS": 90, "DEEP_ARCHIVE_ACCESS": 180}
_DAYS_MOST = 730

Check = Callable[[Mapping[str, Any]], None]


def _check_inventory(configuration: Mapping[str, Any]) -> None:
    bucket = configuration["Destination"]["S3BucketDestination"]["Bucket"]
    if not bucket.startswith("arn:"):
        raise InvalidS3DestinationBucket()


def _check_tiering(configuration: Mapping[str, Any]) -> None:
    tierings = configuration["Tierings"]
    tiers = [tiering["AccessTier"] for tiering in tierings]
    if not tiers or len(set(tiers)) < len(tiers):
        raise MalformedXML()
    for tiering in tierings:
        least = _DAYS_LEAST[tiering["AccessTier"]]
        if not least <= tiering["Days"] <= _DAYS_MOST:
            raise InvalidArgument(
                f"'Days' for {tiering['AccessTier']} must be between {least} and {_DAYS_MOST}",
                ArgumentName="Days",
                ArgumentValue=tiering["Days"],
            )


def _anything(configuration: Mapping[str, Any]) -> None:
    pass


_KINDS: Mapping[str, Check] = {
    "Analytics": _anything,
    "IntelligentTiering": _check_tiering,
    "Inventory": _check_inventory,
    "Metrics": _anything,
}


class IdentifiedConfigurations:
    def __init__(self, buckets: BucketRecords) -> None:
        self._buckets = buckets

    def operations(self) -> Mapping[str, Operation]:
        operations: dict[str, Operation] = {}
        for kind, check in _KINDS.items():
            operations[f"PutBucket{kind}Configuration"] = self._putting(kind, check)
            operations[f"GetBucket{kind}Configuration"] = self._getting(kind)
            operations[f"DeleteBucket{kind}Configuration"] = self._deleting(kind)
            operations[f"ListBucket{kind}Configurations"] = self._listing(kind)
        return operations

    def _putting(self, kind: str, check: Check) -> Operation:
        member = f"{kind}Configuration"

        async def put(caller: Caller, parameters: Parameters) -> Parameters:
            bucket = self._buckets.require(caller, parameters)
            id, configuration = parameters["Id"], parameters[member]
            if configuration.get("Id") != id:
                raise IdMismatch() if kind == "Inventory" else MalformedXML()
            if not 0 < len(id) <= _ID_MOST:
                raise InvalidConfigurationId()
            check(configuration)
            await self._change(bucket.name, kind, id, plain(configuration))
            return {}

        return put

    def _getting(self, kind: str) -> Operation:
        async def get(caller: Caller, parameters: Parameters) -> Parameters:
            bucket = self._buckets.require(caller, parameters)
            found = bucket.configurations.get(_name(kind), {}).get(parameters["Id"])
            if found is None:
                raise NoSuchConfiguration()
            return {f"{kind}Configuration": found}

        return get

    def _deleting(self, kind: str) -> Operation:
        async def delete(caller: Caller, parameters: Parameters) -> Parameters:
            bucket = self._buckets.require(caller, parameters)
            if parameters["Id"] not in bucket.configurations.get(_name(kind), {}):
                raise NoSuchConfiguration()
            await self._change(bucket.name, kind, parameters["Id"], None)
            return {}

        return delete

    def _listing(self, kind: str) -> Operation:
        async def list(caller: Caller, parameters: Parameters) -> Parameters:
            bucket = self._buckets.require(caller, parameters)
            token = parameters.get("ContinuationToken")
            after = "" if token is None else read_token(token)
            stored = bucket.configurations.get(_name(kind), {})
            found = [stored[id] for id in sorted(stored) if id > after]
            output: Parameters = {"IsTruncated": len(found) > _PAGE_MOST}
            if found:
                output[f"{kind}ConfigurationList"] = found[:_PAGE_MOST]
            if token is not None:
                output["ContinuationToken"] = token
            if output["IsTruncated"]:
                output["NextContinuationToken"] = token_of(found[_PAGE_MOST - 1]["Id"])
            return output

        return list

    async def _change(self, bucket: str, kind: str, id: str, configuration: Any) -> None:
        def edit(bucket: Bucket) -> Bucket:
            others = {
                key: value for key, value in bucket.configurations.get(_name(kind), {}).items() if key != id
            }
            changed = others if configuration is None else others | {id: configuration}
            return configured(bucket, _name(kind), changed or None)

        await self._buckets.change(bucket, edit)


def _name(kind: str) -> str:
    """Of the setting that holds all of a kind, by their ids."""
    return f"{kind}Configurations"
