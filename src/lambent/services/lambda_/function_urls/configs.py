"""CreateFunctionUrlConfig, GetFunctionUrlConfig, UpdateFunctionUrlConfig, DeleteFunctionUrlConfig,
ListFunctionUrlConfigs."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.function_url import Cors, FunctionUrl
from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from lambent.services.lambda_.function_reference import FunctionReference, resolve_reference
from lambent.services.lambda_.function_urls.addresses import Addresses, new_id
from lambent.services.lambda_.paging import Page, marker_of, page_size, position
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError
from lambent.store.ports.function_urls import FunctionUrlStore
from lambent.store.ports.functions import FunctionStore

_PAGE_LARGEST = 50
_METHODS = frozenset({"GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*"})


class FunctionUrlConfigs:
    def __init__(
        self, store: FunctionUrlStore, functions: FunctionStore, addresses: Addresses, clock: Clock
    ) -> None:
        self._store = store
        self._functions = functions
        self._addresses = addresses
        self._clock = clock

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = _reference(caller, "CreateFunctionUrlConfig", parameters)
        cors = _cors(parameters.get("Cors"))
        await self._require_function(reference)
        now = self._clock.now()
        url = FunctionUrl(
            function=reference.function,
            qualifier=reference.qualifier or "",
            id=new_id(),
            auth_type=parameters["AuthType"],
            invoke_mode=parameters.get("InvokeMode", "BUFFERED"),
            cors=cors,
            created_at=now,
            modified_at=now,
        )
        try:
            await self._store.insert(url)
        except AlreadyExistsError as error:
            raise ResourceConflictException(
                f"Failed to create function url config for [functionArn = {_arn(url)}]. "
                "Error message:  FunctionUrlConfig exists for this Lambda function"
            ) from error
        except NotFoundError as error:
            raise _no_function() from error
        self._addresses.forget(url.function)
        await self._addresses.announce()
        described = self._describe(caller, url)
        del described["LastModifiedTime"]
        return _as_asked(described, parameters)

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = _reference(caller, "GetFunctionUrlConfig", parameters)
        return self._describe(caller, await self._url(reference))

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = _reference(caller, "UpdateFunctionUrlConfig", parameters)
        changes: dict[str, Any] = {}
        if "Cors" in parameters:
            changes["cors"] = _cors(parameters["Cors"])
        if "AuthType" in parameters:
            changes["auth_type"] = parameters["AuthType"]
        if "InvokeMode" in parameters:
            changes["invoke_mode"] = parameters["InvokeMode"]
        await self._require_function(reference)
        url = replace(await self._url(reference), modified_at=self._clock.now(), **changes)
        try:
            await self._store.replace(url)
        except NotFoundError as error:
            raise _no_url() from error
        self._addresses.forget(url.function)
        return _as_asked(self._describe(caller, url), parameters)

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = _reference(caller, "DeleteFunctionUrlConfig", parameters)
        try:
            await self._store.delete(reference.function, reference.qualifier or "")
        except NotFoundError as error:
            raise _no_url() from error
        self._addresses.forget(reference.function)
        await self._addresses.announce()
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = _reference(caller, "ListFunctionUrlConfigs", parameters)
        if reference.qualifier is not None:
            raise InvalidParameterValueException(
                "The function name must not include a version number or alias."
            )
        await self._require_function(reference)
        limit = page_size(parameters, default=_PAGE_LARGEST, largest=_PAGE_LARGEST)
        urls = await self._store.page(reference.function, after=position(parameters, str), limit=limit + 1)
        page = Page(urls, limit)
        answer: Parameters = {"FunctionUrlConfigs": [self._describe(caller, url) for url in page.items]}
        if page.more:
            answer["NextMarker"] = marker_of(page.items[-1].qualifier)
        return answer

    async def _require_function(self, reference: FunctionReference) -> None:
        """With its alias, where one is named. Raises ResourceNotFoundException."""
        function, alias = reference.function, reference.qualifier
        found = await self._functions.get(function) is not None
        if not found or (alias and await self._functions.get_alias(function, alias) is None):
            raise _no_function()

    async def _url(self, reference: FunctionReference) -> FunctionUrl:
        url = await self._store.get(reference.function, reference.qualifier or "")
        if url is None:
            raise _no_url()
        return url

    def _describe(self, caller: Caller, url: FunctionUrl) -> Parameters:
        described: Parameters = {
            "FunctionUrl": self._addresses.of(url, caller),
            "FunctionArn": _arn(url),
            "AuthType": url.auth_type,
            "CreationTime": _time(url.created_at),
            "LastModifiedTime": _time(url.modified_at),
            "InvokeMode": url.invoke_mode,
        }
        if url.cors is not None:
            described["Cors"] = _describe_cors(url.cors)
        return described


def _reference(caller: Caller, action: str, parameters: Parameters) -> FunctionReference:
    return resolve_reference(caller, action, parameters["FunctionName"], parameters.get("Qualifier"))


def _as_asked(described: Parameters, parameters: Parameters) -> Parameters:
    """AWS answers a creation or an update with an InvokeMode only where it was given one."""
    if "InvokeMode" not in parameters:
        del described["InvokeMode"]
    return described


def _cors(given: Mapping[str, Any] | None) -> Cors | None:
    """None for no CORS, which is what an empty structure asks for, too. Raises InvalidParameterValueException."""
    if not given:
        return None
    if not given.get("AllowOrigins"):
        raise InvalidParameterValueException("You can't leave AllowOrigins as empty when Cors is enabled.")
    for method in given.get("AllowMethods", ()):
        if method not in _METHODS:
            raise InvalidParameterValueException(f"Invalid value in AllowMethods: {method}")
    values: dict[str, Any] = {
        field.name: tuple(value) if isinstance(value, list) else value
        for field in fields(Cors)
        if (value := given.get(_member(field.name))) is not None
    }
    return Cors(**values)


def _describe_cors(cors: Cors) -> Parameters:
    described = {_member(field.name): getattr(cors, field.name) for field in fields(Cors)}
    return {
        member: list(value) if isinstance(value, tuple) else value
        for member, value in described.items()
        if value is not None
    }


def _member(field: str) -> str:
    """allow_origins: AllowOrigins."""
    return "".join(word.capitalize() for word in field.split("_"))


def _arn(url: FunctionUrl) -> str:
    return url.function.arn(url.qualifier, partition_of(url.function.region))


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _no_function() -> ResourceNotFoundException:
    return ResourceNotFoundException("Function does not exist")


def _no_url() -> ResourceNotFoundException:
    return ResourceNotFoundException("The resource you requested does not exist.")
