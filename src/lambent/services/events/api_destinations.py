"""API destinations: CreateApiDestination, DescribeApiDestination, UpdateApiDestination, DeleteApiDestination,
ListApiDestinations.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
"""

from collections.abc import Mapping
from dataclasses import replace

from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.connection import ApiDestination, Connection
from lambent.model.service import Operation
from lambent.services.events.errors import (
    ConcurrentModificationException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
)
from lambent.services.events.pages import cut, limit, position
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords

_RATE = 300


class ApiDestinations:
    def __init__(
        self,
        destinations: NamedRecords[ApiDestination],
        connections: NamedRecords[Connection],
        clock: Clock,
    ) -> None:
        self._destinations = destinations
        self._connections = connections
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateApiDestination": self.create,
            "DescribeApiDestination": self.describe,
            "UpdateApiDestination": self.update,
            "DeleteApiDestination": self.delete,
            "ListApiDestinations": self.list,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._require_connection(parameters["ConnectionArn"])
        now = self._clock.now()
        destination = ApiDestination(
            id=new_uuid(),
            account_id=caller.account_id,
            region=caller.region,
            name=parameters["Name"],
            description=parameters.get("Description"),
            connection_arn=parameters["ConnectionArn"],
            endpoint=parameters["InvocationEndpoint"],
            method=parameters["HttpMethod"],
            rate=parameters.get("InvocationRateLimitPerSecond", _RATE),
            created_at=now,
            modified_at=now,
        )
        try:
            await self._destinations.insert(_name(caller, destination.name), destination)
        except AlreadyExistsError:
            raise ResourceAlreadyExistsException(
                f"An api-destination '{destination.name}' already exists."
            ) from None
        return await self._changed(destination, caller)

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        destination = await self._require(_name(caller, parameters["Name"]))
        members = await self._listed(destination, caller)
        if destination.description is not None:
            members["Description"] = destination.description
        return members

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = _name(caller, parameters["Name"])
        previous = await self._require(name)
        if "ConnectionArn" in parameters:
            await self._require_connection(parameters["ConnectionArn"])
        destination = replace(
            previous,
            description=parameters.get("Description", previous.description),
            connection_arn=parameters.get("ConnectionArn", previous.connection_arn),
            endpoint=parameters.get("InvocationEndpoint", previous.endpoint),
            method=parameters.get("HttpMethod", previous.method),
            rate=parameters.get("InvocationRateLimitPerSecond", previous.rate),
            modified_at=self._clock.now(),
        )
        try:
            await self._destinations.replace(name, destination, previous=previous)
        except (NotFoundError, StaleRevisionError):
            raise ConcurrentModificationException(
                f"The api-destination {name.name} is being modified by other requests."
            ) from None
        return await self._changed(destination, caller)

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = _name(caller, parameters["Name"])
        try:
            await self._destinations.delete(name)
        except NotFoundError:
            raise _no_destination(name.name) from None
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        connection = parameters.get("ConnectionArn")
        found = await self._destinations.page(
            caller.account_id,
            caller.region,
            prefix=parameters.get("NamePrefix", ""),
            after=("", position(parameters)),
            limit=limit(parameters) + 1,
        )
        destinations, paging = cut(parameters, [each for _, each in found], lambda each: each.name)
        wanted = [each for each in destinations if connection in (None, each.connection_arn)]
        return {"ApiDestinations": [await self._listed(each, caller) for each in wanted], **paging}

    async def _require(self, name: Name) -> ApiDestination:
        destination = await self._destinations.get(name)
        if destination is None:
            raise _no_destination(name.name)
        return destination

    async def _require_connection(self, arn: str) -> Connection:
        name = resource_name(arn)
        connection = await self._connections.get(name)
        if connection is None:
            raise ResourceNotFoundException(f"Connection '{name.name}' does not exist.")
        return connection

    async def _state(self, destination: ApiDestination) -> str:
        connection = await self._connections.get(resource_name(destination.connection_arn))
        return "ACTIVE" if connection is not None and connection.state == "AUTHORIZED" else "INACTIVE"

    async def _changed(self, destination: ApiDestination, caller: Caller) -> Parameters:
        return {
            "ApiDestinationArn": destination.arn(caller.partition),
            "ApiDestinationState": await self._state(destination),
            "CreationTime": destination.created_at,
            "LastModifiedTime": destination.modified_at,
        }

    async def _listed(self, destination: ApiDestination, caller: Caller) -> Parameters:
        return {
            **await self._changed(destination, caller),
            "Name": destination.name,
            "ConnectionArn": destination.connection_arn,
            "InvocationEndpoint": destination.endpoint,
            "HttpMethod": destination.method,
            "InvocationRateLimitPerSecond": destination.rate,
        }


def resource_name(arn: str) -> Name:
    """Of a connection's or an API destination's ARN, which has satisfied the model: …:connection/NAME/ID."""
    _, _, _, region, account_id, resource = arn.split(":", 5)
    return Name(account_id, region, "", resource.split("/")[1])


def _name(caller: Caller, name: str) -> Name:
    return Name(caller.account_id, caller.region, "", name)


def _no_destination(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(
        f"Failed to describe the api-destination(s). An api-destination '{name}' does not exist."
    )
