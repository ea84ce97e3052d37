"""How asynchronous invocations are handled: PutFunctionEventInvokeConfig, UpdateFunctionEventInvokeConfig,
GetFunctionEventInvokeConfig, DeleteFunctionEventInvokeConfig, ListFunctionEventInvokeConfigs.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.event_invoke_config import EventInvokeConfig
from lambent.model.function import LATEST, Function, FunctionId
from lambent.model.lambda_errors import InvalidParameterValueException, ResourceNotFoundException
from lambent.services.lambda_.delivery_targets import DeliveryTargets
from lambent.services.lambda_.function_records import FunctionRecords
from lambent.services.lambda_.function_reference import FunctionReference, resolve_reference
from lambent.services.lambda_.paging import Page, marker_of, page_size, position
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.event_invoke_configs import EventInvokeConfigStore
from lambent.store.ports.functions import FunctionStore

_PAGE_LARGEST = 50


class EventInvokeConfigs:
    def __init__(
        self,
        store: EventInvokeConfigStore,
        functions: FunctionStore,
        records: FunctionRecords,
        targets: DeliveryTargets,
        clock: Clock,
    ) -> None:
        self._store = store
        self._functions = functions
        self._records = records
        self._targets = targets
        self._clock = clock

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = _reference(caller, "PutFunctionEventInvokeConfig", parameters)
        changes = _require_changes(parameters)
        function = await self._function(reference)
        config = EventInvokeConfig(
            function=function.id, qualifier=_qualifier(reference), last_modified=self._clock.now(), **changes
        )
        return await self._store_config(function, config)

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = _reference(caller, "UpdateFunctionEventInvokeConfig", parameters)
        changes = _require_changes(parameters)
        function = await self._function(reference)
        async with self._records.lock(function.id):
            config = await self._config(reference)
            return await self._store_config(
                function, replace(config, last_modified=self._clock.now(), **changes)
            )

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = _reference(caller, "GetFunctionEventInvokeConfig", parameters)
        return _describe(await self._config(reference))

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = _reference(caller, "DeleteFunctionEventInvokeConfig", parameters)
        try:
            await self._store.delete(reference.function, _qualifier(reference))
        except NotFoundError as error:
            raise _no_config(reference) from error
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = _reference(caller, "ListFunctionEventInvokeConfigs", parameters)
        if await self._functions.get(reference.function) is None:
            raise _no_function()
        limit = page_size(parameters, default=_PAGE_LARGEST, largest=_PAGE_LARGEST)
        after = position(parameters, str)
        page = Page(await self._store.page(reference.function, after=after, limit=limit + 1), limit)
        answer: Parameters = {"FunctionEventInvokeConfigs": [_describe(config) for config in page.items]}
        if page.more:
            answer["NextMarker"] = marker_of(page.items[-1].qualifier)
        return answer

    async def _function(self, reference: FunctionReference) -> Function:
        """Raises ResourceNotFoundException, for the qualifier too."""
        try:
            function = await self._records.get(reference.function)
            await self._records.version(function, reference)
        except ResourceNotFoundException as error:
            raise _no_function() from error
        return function

    async def _config(self, reference: FunctionReference) -> EventInvokeConfig:
        config = await self._store.get(reference.function, _qualifier(reference))
        if config is None:
            raise _no_config(reference)
        return config

    async def _store_config(self, function: Function, config: EventInvokeConfig) -> Parameters:
        await self._targets.require_destinations(
            function.id, function.latest.role, config.on_success, config.on_failure
        )
        try:
            await self._store.put(config)
        except NotFoundError as error:
            raise _no_function() from error
        return _describe(config)


def _reference(caller: Caller, action: str, parameters: Parameters) -> FunctionReference:
    return resolve_reference(caller, action, parameters["FunctionName"], parameters.get("Qualifier"))


def _qualifier(reference: FunctionReference) -> str:
    return reference.qualifier or LATEST


def _require_changes(parameters: Parameters) -> dict[str, Any]:
    """The fields of EventInvokeConfig that the request sets. Raises InvalidParameterValueException for none."""
    changes: dict[str, Any] = {}
    if "MaximumRetryAttempts" in parameters:
        changes["maximum_retry_attempts"] = parameters["MaximumRetryAttempts"]
    if "MaximumEventAgeInSeconds" in parameters:
        changes["maximum_event_age_seconds"] = parameters["MaximumEventAgeInSeconds"]
    if "DestinationConfig" in parameters:
        destinations: Mapping[str, Any] = parameters["DestinationConfig"]
        changes["on_success"] = destinations.get("OnSuccess", {}).get("Destination") or None
        changes["on_failure"] = destinations.get("OnFailure", {}).get("Destination") or None
    if not changes:
        raise InvalidParameterValueException(
            "You must specify at least one of error handling or destination setting."
        )
    return changes


def _describe(config: EventInvokeConfig) -> Parameters:
    members: Parameters = {
        "LastModified": config.last_modified,
        "FunctionArn": _arn(config.function, config.qualifier),
        "MaximumRetryAttempts": config.maximum_retry_attempts,
        "MaximumEventAgeInSeconds": config.maximum_event_age_seconds,
        "DestinationConfig": {
            "OnSuccess": {"Destination": config.on_success} if config.on_success else {},
            "OnFailure": {"Destination": config.on_failure} if config.on_failure else {},
        },
    }
    return {name: value for name, value in members.items() if value is not None}


def _arn(id: FunctionId, qualifier: str) -> str:
    return id.arn(qualifier, partition_of(id.region))


def _no_function() -> ResourceNotFoundException:
    return ResourceNotFoundException("The function doesn't exist.")


def _no_config(reference: FunctionReference) -> ResourceNotFoundException:
    arn = _arn(reference.function, _qualifier(reference))
    return ResourceNotFoundException(f"The function {arn} doesn't have an EventInvokeConfig")
