"""Layers: PublishLayerVersion, GetLayerVersion, GetLayerVersionByArn, ListLayers, ListLayerVersions,
DeleteLayerVersion."""

from collections.abc import AsyncIterator, Sequence

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.lambda_errors import ResourceNotFoundException
from lambent.model.layer import LayerId, LayerVersion
from lambent.services.lambda_.code import Packages
from lambent.services.lambda_.code_download import CodeDownloads
from lambent.services.lambda_.configuration import describe_signature, format_time
from lambent.services.lambda_.errors import not_authorized
from lambent.services.lambda_.layer_permissions import may_get
from lambent.services.lambda_.layer_reference import (
    parse_layer,
    parse_layer_version_arn,
    parse_new_layer,
    require_number,
)
from lambent.services.lambda_.paging import Page, marker_of, page_size, position
from lambent.services.lambda_.unsupported import refuse_unsupported
from lambent.store.ports.layers import LayerStore

_PAGE_LARGEST = 50
_NUMBERING = 0
"""The store gives a published version its number; until then it has none."""


class Layers:
    def __init__(self, store: LayerStore, packages: Packages, downloads: CodeDownloads, clock: Clock) -> None:
        self._store = store
        self._packages = packages
        self._downloads = downloads
        self._clock = clock

    async def publish(self, caller: Caller, parameters: Parameters) -> Parameters:
        layer = parse_new_layer(caller, parameters["LayerName"])
        if layer.account_id != caller.account_id:
            raise not_authorized(caller.principal_arn, "PublishLayerVersion", layer.arn())
        refuse_unsupported(parameters["Content"])
        code = await self._packages.store(caller, "PublishLayerVersion", parameters["Content"])
        version = await self._store.publish(
            LayerVersion(
                layer=layer,
                version=_NUMBERING,
                code=code,
                description=parameters.get("Description", ""),
                license_info=parameters.get("LicenseInfo"),
                compatible_runtimes=_declared(parameters.get("CompatibleRuntimes")),
                compatible_architectures=_declared(parameters.get("CompatibleArchitectures")),
                created_at=self._clock.now(),
            )
        )
        return self._describe_whole(caller, version)

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        layer = parse_layer(caller, parameters["LayerName"])
        return await self._get(caller, layer, parameters["VersionNumber"])

    async def get_by_arn(self, caller: Caller, parameters: Parameters) -> Parameters:
        layer, number = parse_layer_version_arn(parameters["Arn"])
        return await self._get(caller, layer, number)

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Each layer with its newest version that fits the filters; layers without one are left out."""
        limit = page_size(parameters, default=_PAGE_LARGEST, largest=_PAGE_LARGEST)
        found: list[LayerVersion] = []
        async for newest in self._layers_after(caller, position(parameters, str)):
            version = await self._newest_matching(newest, parameters)
            if version is not None:
                found.append(version)
            if len(found) > limit:
                break
        page = Page(found, limit)
        answer: Parameters = {"Layers": [_describe_layer(version) for version in page.items]}
        if page.more:
            answer["NextMarker"] = marker_of(page.items[-1].layer.name)
        return answer

    async def list_versions(self, caller: Caller, parameters: Parameters) -> Parameters:
        layer = parse_layer(caller, parameters["LayerName"])
        if layer.account_id != caller.account_id:
            raise not_authorized(caller.principal_arn, "ListLayerVersions", layer.arn())
        limit = page_size(parameters, default=_PAGE_LARGEST, largest=_PAGE_LARGEST)
        found: list[LayerVersion] = []
        async for version in self._versions_before(layer, position(parameters, int)):
            if _matches(version, parameters):
                found.append(version)
            if len(found) > limit:
                break
        page = Page(found, limit)
        answer: Parameters = {"LayerVersions": [_describe_in_list(version) for version in page.items]}
        if page.more:
            answer["NextMarker"] = marker_of(page.items[-1].version)
        return answer

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Functions that use the version keep its code. A version that does not exist is deleted already."""
        layer = parse_layer(caller, parameters["LayerName"])
        number = require_number(parameters["VersionNumber"])
        if layer.account_id != caller.account_id:
            raise not_authorized(caller.principal_arn, "DeleteLayerVersion", layer.arn(number))
        await self._store.delete(layer, number)
        return {}

    async def _get(self, caller: Caller, layer: LayerId, number: int) -> Parameters:
        version = await self._store.get(layer, require_number(number))
        if version is not None and may_get(version, caller.account_id):
            return self._describe_whole(caller, version)
        if layer.account_id != caller.account_id:
            raise not_authorized(caller.principal_arn, "GetLayerVersion", layer.arn(number))
        raise ResourceNotFoundException("The resource you requested does not exist.")

    async def _newest_matching(self, newest: LayerVersion, parameters: Parameters) -> LayerVersion | None:
        if _matches(newest, parameters):
            return newest
        async for version in self._versions_before(newest.layer, newest.version):
            if _matches(version, parameters):
                return version
        return None

    async def _layers_after(self, caller: Caller, after: str | None) -> AsyncIterator[LayerVersion]:
        while True:
            batch = await self._store.page_layers(
                caller.account_id, caller.region, after=after, limit=_PAGE_LARGEST
            )
            for version in batch:
                yield version
            if len(batch) < _PAGE_LARGEST:
                return
            after = batch[-1].layer.name

    async def _versions_before(self, layer: LayerId, before: int | None) -> AsyncIterator[LayerVersion]:
        while True:
            batch = await self._store.page_versions(layer, before=before, limit=_PAGE_LARGEST)
            for version in batch:
                yield version
            if len(batch) < _PAGE_LARGEST:
                return
            before = batch[-1].version

    def _describe_whole(self, caller: Caller, version: LayerVersion) -> Parameters:
        content = {
            "Location": self._downloads.url(caller, version.code.digest),
            "CodeSha256": version.code.sha256,
            "CodeSize": version.code.size,
            **describe_signature(version.code),
        }
        layer_arn = version.layer.arn(partition=partition_of(version.layer.region))
        return {"Content": content, "LayerArn": layer_arn, **_describe_in_list(version)}


def _describe_layer(version: LayerVersion) -> Parameters:
    return {
        "LayerName": version.layer.name,
        "LayerArn": version.layer.arn(partition=partition_of(version.layer.region)),
        "LatestMatchingVersion": _describe_in_list(version),
    }


def _describe_in_list(version: LayerVersion) -> Parameters:
    described: Parameters = {
        "LayerVersionArn": version.arn(partition_of(version.layer.region)),
        "Description": version.description,
        "CreatedDate": format_time(version.created_at),
        "Version": version.version,
    }
    if version.compatible_architectures is not None:
        described["CompatibleArchitectures"] = list(version.compatible_architectures)
    if version.compatible_runtimes is not None:
        described["CompatibleRuntimes"] = list(version.compatible_runtimes)
    if version.license_info is not None:
        described["LicenseInfo"] = version.license_info
    return described


def _declared(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """An empty list is shown as such, and is not the same as none at all."""
    return None if names is None else tuple(names)


def _matches(version: LayerVersion, parameters: Parameters) -> bool:
    """By CompatibleRuntime and CompatibleArchitecture: what a version does not declare, it does not match."""
    runtime = parameters.get("CompatibleRuntime")
    architecture = parameters.get("CompatibleArchitecture")
    return (runtime is None or runtime in (version.compatible_runtimes or ())) and (
        architecture is None or architecture in (version.compatible_architectures or ())
    )
