"""Aliases: CreateAlias, GetAlias, UpdateAlias, DeleteAlias, ListAliases."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambent.base.arn import partition_of
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.function import LATEST, Alias, Function, FunctionId
from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from lambent.services.lambda_.errors import function_not_found, not_offered, revision_mismatch
from lambent.services.lambda_.function_records import FunctionRecords, require_revision
from lambent.services.lambda_.function_reference import LATEST_PUBLISHED, resolve_unqualified
from lambent.services.lambda_.paging import Page, marker_of, page_size, position
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.functions import FunctionStore

_PAGE_LARGEST = 50


class Aliases:
    def __init__(self, store: FunctionStore, records: FunctionRecords) -> None:
        self._store = store
        self._records = records

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(caller, "CreateAlias", parameters["FunctionName"])
        # Under the function's lock, so that the version it names is not deleted meanwhile.
        async with self._records.lock(id):
            function = await self._records.get(id, parameters["FunctionVersion"])
            version = await self._version(function, parameters["FunctionVersion"])
            alias = Alias(
                function=id,
                name=parameters["Name"],
                version=version,
                description=parameters.get("Description", ""),
                weights=await self._weights(function, version, parameters.get("RoutingConfig", {})),
                revision_id=new_uuid(),
            )
            try:
                await self._store.insert_alias(alias)
            except AlreadyExistsError as error:
                raise ResourceConflictException(f"Alias already exists: {_arn(alias)}") from error
            except NotFoundError as error:
                raise function_not_found(id) from error
        return describe_alias(alias)

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(caller, "GetAlias", parameters["FunctionName"])
        await self._records.get(id)
        alias = await self._store.get_alias(id, parameters["Name"])
        if alias is None:
            raise _alias_not_found("Cannot find alias arn", id, parameters["Name"])
        return describe_alias(alias)

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(caller, "UpdateAlias", parameters["FunctionName"])
        async with self._records.lock(id):
            function = await self._records.get(id)
            alias = await self._store.get_alias(id, parameters["Name"])
            if alias is None:
                raise _alias_not_found("Alias not found", id, parameters["Name"])
            require_revision(parameters, alias.revision_id)
            changed = replace(
                alias, **await self._changes(function, alias, parameters), revision_id=new_uuid()
            )
            try:
                await self._store.replace_alias(changed, expected_revision_id=alias.revision_id)
            except NotFoundError as error:
                raise _alias_not_found("Alias not found", id, alias.name) from error
            except StaleRevisionError as error:
                raise revision_mismatch() from error
        return describe_alias(changed)

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(caller, "DeleteAlias", parameters["FunctionName"])
        await self._records.get(id)
        await self._store.delete_alias(id, parameters["Name"])
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(caller, "ListAliases", parameters["FunctionName"])
        await self._records.get(id)
        limit = page_size(parameters, default=_PAGE_LARGEST, largest=_PAGE_LARGEST)
        aliases = await self._store.page_aliases(
            id, version=parameters.get("FunctionVersion"), after=position(parameters, str), limit=limit + 1
        )
        page = Page(aliases, limit)
        answer: Parameters = {"Aliases": [describe_alias(alias) for alias in page.items]}
        if page.more:
            answer["NextMarker"] = marker_of(page.items[-1].name)
        return answer

    async def _changes(self, function: Function, alias: Alias, parameters: Parameters) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if "Description" in parameters:
            changes["description"] = parameters["Description"]
        version = alias.version
        if "FunctionVersion" in parameters:
            version = changes["version"] = await self._version(function, parameters["FunctionVersion"])
        routing = parameters.get("RoutingConfig", {"AdditionalVersionWeights": alias.weights})
        changes["weights"] = await self._weights(function, version, routing)
        return changes

    async def _version(self, function: Function, number: str) -> str:
        """Raises ResourceNotFoundException where there is no such version."""
        if number == LATEST_PUBLISHED:
            raise not_offered(f"aliases of {LATEST_PUBLISHED}")
        return (await self._records.numbered(function, number)).version

    async def _weights(
        self, function: Function, version: str, routing: Mapping[str, Any]
    ) -> dict[str, float]:
        """The shares of additional versions: at most one of them, published, and not the alias's own version."""
        weights: dict[str, float] = dict(routing.get("AdditionalVersionWeights") or {})
        if len(weights) > 1:
            raise InvalidParameterValueException(
                "Number of items in AdditionalVersionWeights cannot be greater than 1"
            )
        for number in weights:
            if number == version:
                raise InvalidParameterValueException(
                    f"Invalid function version {version}. "
                    f"Function version {version} is already included in routing configuration."
                )
            if version == LATEST:
                raise InvalidParameterValueException(
                    "$LATEST is not supported for an alias pointing to more than 1 version",
                    members={"Type": None},  # AWS leaves it out of this one
                )
            await self._records.numbered(function, number)
        return weights


def describe_alias(alias: Alias) -> Parameters:
    described: Parameters = {
        "AliasArn": _arn(alias),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision_id,
    }
    if alias.weights:
        described["RoutingConfig"] = {"AdditionalVersionWeights": dict(alias.weights)}
    return described


def _arn(alias: Alias) -> str:
    return alias.arn(partition_of(alias.function.region))


def _alias_not_found(words: str, id: FunctionId, name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"{words}: {id.arn(name, partition_of(id.region))}")
