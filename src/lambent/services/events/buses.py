"""Event buses: CreateEventBus, UpdateEventBus, DescribeEventBus, ListEventBuses, DeleteEventBus."""

from collections.abc import Mapping
from dataclasses import replace

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ValidationException
from lambent.model.event_bus import DEFAULT_BUS, EventBus, bus_arn
from lambent.model.service import Operation
from lambent.services.events.catalog import Catalog
from lambent.services.events.errors import not_offered
from lambent.services.events.names import arn_of_bus, bus_name
from lambent.services.events.pages import cut, limit, position
from lambent.services.events.tags import parse_tags

_SETTINGS = ("Description", "DeadLetterConfig", "LogConfig")


class Buses:
    def __init__(self, catalog: Catalog, clock: Clock) -> None:
        self._catalog = catalog
        self._clock = clock

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateEventBus": self.create,
            "UpdateEventBus": self.update,
            "DescribeEventBus": self.describe,
            "ListEventBuses": self.list,
            "DeleteEventBus": self.delete,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = parameters["Name"]
        _check_offered(parameters)
        if "EventSourceName" in parameters or name.startswith("aws.partner/"):
            raise not_offered("partner event sources")
        if "/" in name:
            raise ValidationException("Event bus name must not contain '/'.")
        now = self._clock.now()
        bus = EventBus(
            name=name,
            settings={member: parameters[member] for member in _SETTINGS if member in parameters},
            tags=parse_tags(parameters.get("Tags", ())),
            created_at=now,
            modified_at=now,
        )
        key = bus_name(caller, name)
        await self._catalog.insert_bus(key, bus)
        return {"EventBusArn": arn_of_bus(caller, key), **bus.settings}

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        _check_offered(parameters)
        key = bus_name(caller, parameters.get("Name"))

        def edit(bus: EventBus) -> EventBus:
            given = {member: parameters[member] for member in _SETTINGS if member in parameters}
            return replace(bus, settings={**bus.settings, **given}, modified_at=self._clock.now())

        bus = await self._catalog.change_bus(key, edit)
        return {"Arn": arn_of_bus(caller, key), "Name": bus.name, **bus.settings}

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = bus_name(caller, parameters.get("Name"))
        bus = await self._catalog.require_bus(key)
        return {**_listed(bus, arn_of_bus(caller, key)), **bus.settings}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._catalog.bus(bus_name(caller, DEFAULT_BUS))
        found = await self._catalog.buses.page(
            caller.account_id,
            caller.region,
            prefix=parameters.get("NamePrefix", ""),
            after=("", position(parameters)),
            limit=limit(parameters) + 1,
        )
        buses, paging = cut(parameters, [bus for _, bus in found], lambda bus: bus.name)
        return {
            "EventBuses": [
                _listed(bus, bus_arn(caller.partition, caller.region, caller.account_id, bus.name))
                for bus in buses
            ],
            **paging,
        }

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        key = bus_name(caller, parameters["Name"])
        if key.name == DEFAULT_BUS:
            raise ValidationException("Cannot delete event bus default.")
        if await self._catalog.rules_of(key):
            raise ValidationException(f"Event bus {key.name} can't be deleted since it has rules.")
        await self._catalog.delete_bus(key)
        return {}


def _check_offered(parameters: Parameters) -> None:
    if parameters.get("KmsKeyIdentifier"):
        raise not_offered("customer managed keys for event buses")
    if (parameters.get("LogConfig") or {}).get("Level", "OFF") != "OFF":
        raise not_offered("logs of event buses")


def _listed(bus: EventBus, arn: str) -> Parameters:
    members: Parameters = {
        "Name": bus.name,
        "Arn": arn,
        "CreationTime": bus.created_at,
        "LastModifiedTime": bus.modified_at,
    }
    if bus.policy is not None:
        members["Policy"] = bus.policy
    if "Description" in bus.settings:
        members["Description"] = bus.settings["Description"]
    return members
