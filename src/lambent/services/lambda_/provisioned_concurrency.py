"""Provisioned concurrency: PutProvisionedConcurrencyConfig, GetProvisionedConcurrencyConfig,
DeleteProvisionedConcurrencyConfig, ListProvisionedConcurrencyConfigs.

Source: https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
"""

import time

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.concurrency import UNRESERVED_LEAST, ProvisionedConcurrency, ProvisionedStatus
from lambent.model.function import LATEST, Alias, Function, FunctionId
from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    ProvisionedConcurrencyConfigNotFoundException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from lambent.services.lambda_.errors import function_not_found, not_offered
from lambent.services.lambda_.function_records import FunctionRecords
from lambent.services.lambda_.function_reference import resolve_reference
from lambent.services.lambda_.paging import Page, marker_of, page_size, position
from lambent.services.lambda_.ports import Allotments
from lambent.services.lambda_.snap_start import refuse_provisioning
from lambent.store.ports.concurrency import ConcurrencyStore
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.functions import FunctionStore

_PAGE_LARGEST = 50
_UNPUBLISHED = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
_MUST_BE_QUALIFIED = "The function resource provided must be an alias or a published version."


class ProvisionedConcurrencyConfigs:
    """`account_limit`: how many invocations of an account may run at once in a region."""

    def __init__(
        self,
        store: ConcurrencyStore,
        functions: FunctionStore,
        records: FunctionRecords,
        allotments: Allotments,
        clock: Clock,
        account_limit: int,
    ) -> None:
        self._store = store
        self._functions = functions
        self._records = records
        self._allotments = allotments
        self._clock = clock
        self._account_limit = account_limit

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        id, qualifier = _qualified(caller, "PutProvisionedConcurrencyConfig", parameters, _UNPUBLISHED)
        requested = parameters["ProvisionedConcurrentExecutions"]
        async with self._records.lock(id):
            function, alias = await self._resolve(id, qualifier)
            if alias is not None and alias.version == LATEST:
                raise InvalidParameterValueException(_UNPUBLISHED)
            if function.latest.tenant_isolation:
                raise not_offered("provisioned concurrency for functions that keep tenants apart")
            version = await self._functions.get_version(id, alias.version if alias is not None else qualifier)
            if version is not None:
                refuse_provisioning(version)
            await self._require_room(id, qualifier, requested)
            await self._require_only_one(id, qualifier, alias)
            config = ProvisionedConcurrency(
                function=id, qualifier=qualifier, requested=requested, last_modified=self._clock.now()
            )
            try:
                await self._store.provision(config)
            except NotFoundError as error:
                raise function_not_found(id, qualifier) from error
        await self._allotments.refresh(id)
        return _describe(config, ProvisionedStatus(ready=0, status="IN_PROGRESS"))

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        id, qualifier = _qualified(caller, "GetProvisionedConcurrencyConfig", parameters, _MUST_BE_QUALIFIED)
        await self._resolve(id, qualifier)
        for config in await self._store.provisioned(id):
            if config.qualifier == qualifier:
                return _describe(config, await self._allotments.status(config))
        raise ProvisionedConcurrencyConfigNotFoundException(
            "No Provisioned Concurrency Config found for this function"
        )

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        """What is not there is deleted already."""
        id, qualifier = _qualified(
            caller, "DeleteProvisionedConcurrencyConfig", parameters, _MUST_BE_QUALIFIED
        )
        await self._resolve(id, qualifier)
        await self._store.unprovision(id, qualifier)
        await self._allotments.refresh(id)
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_reference(
            caller, "ListProvisionedConcurrencyConfigs", parameters["FunctionName"]
        ).function
        await self._records.get(id)
        limit = page_size(parameters, default=_PAGE_LARGEST, largest=_PAGE_LARGEST)
        after = position(parameters, str) or ""
        configs = [config for config in await self._store.provisioned(id) if config.qualifier > after]
        page = Page(configs, limit)
        answer: Parameters = {
            "ProvisionedConcurrencyConfigs": [
                {"FunctionArn": id.arn(config.qualifier, partition_of(id.region))}
                | _describe(config, await self._allotments.status(config))
                for config in page.items
            ]
        }
        if page.more:
            answer["NextMarker"] = marker_of(page.items[-1].qualifier)
        return answer

    async def _resolve(self, id: FunctionId, qualifier: str) -> tuple[Function, Alias | None]:
        """The function, with the alias where it is one. Raises ResourceNotFoundException."""
        function = await self._functions.get(id)
        if qualifier.isdigit():
            if function is None or await self._functions.get_version(id, qualifier) is None:
                raise function_not_found(id, qualifier)
            return function, None
        alias = await self._functions.get_alias(id, qualifier) if function is not None else None
        if function is None or alias is None:
            arn = id.arn(qualifier, partition_of(id.region))
            raise ResourceNotFoundException(f"Cannot find alias arn: {arn}")
        return function, alias

    async def _require_room(self, id: FunctionId, qualifier: str, requested: int) -> None:
        """Raises InvalidParameterValueException where it is more than the function, or the account, has."""
        configs = await self._store.provisioned(id)
        others = sum(config.requested for config in configs if config.qualifier != qualifier)
        reserved = await self._store.reserved(id)
        if reserved is not None:
            if others + requested > reserved:
                raise InvalidParameterValueException(
                    "Requested Provisioned Concurrency should not be greater than the "
                    "reservedConcurrentExecution for function"
                )
            return
        if requested > self._account_limit:
            raise InvalidParameterValueException(
                "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency "
                f"[{self._account_limit}]."
            )
        least = min(UNRESERVED_LEAST, self._account_limit)
        unreserved = self._account_limit - await self._store.total_reserved(id.account_id, id.region)
        if unreserved - others - requested < least:
            raise InvalidParameterValueException(
                "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                f"below its minimum value of [{least}]."
            )

    async def _require_only_one(self, id: FunctionId, qualifier: str, alias: Alias | None) -> None:
        """A version is provisioned by its number or by one alias. Raises ResourceConflictException."""
        others = {config.qualifier for config in await self._store.provisioned(id)} - {qualifier}
        versions = {qualifier} if alias is None else {alias.version, *alias.weights}
        if alias is not None and others & versions:
            raise ResourceConflictException(
                "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
            )
        for name in others:
            other = None if name.isdigit() else await self._functions.get_alias(id, name)
            if other is not None and versions & {other.version, *other.weights}:
                raise ResourceConflictException(
                    "Version is pointed by a Provisioned Concurrency alias"
                    if alias is None
                    else "Alias can't be used for Provisioned Concurrency configuration on an already "
                    "Provisioned version"
                )


def _qualified(
    caller: Caller, action: str, parameters: Parameters, unpublished: str
) -> tuple[FunctionId, str]:
    reference = resolve_reference(caller, action, parameters["FunctionName"], parameters["Qualifier"])
    if reference.qualifier in (None, LATEST):
        raise InvalidParameterValueException(unpublished)
    return reference.function, str(reference.qualifier)


def _describe(config: ProvisionedConcurrency, status: ProvisionedStatus) -> Parameters:
    described: Parameters = {
        "RequestedProvisionedConcurrentExecutions": config.requested,
        "AvailableProvisionedConcurrentExecutions": status.ready,
        "AllocatedProvisionedConcurrentExecutions": status.ready,
        "Status": status.status,
    }
    if status.reason is not None:
        described["StatusReason"] = status.reason
    described["LastModified"] = time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(config.last_modified))
    return described
