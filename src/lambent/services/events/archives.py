"""Archives: CreateArchive, DescribeArchive, UpdateArchive, DeleteArchive, ListArchives, and the sweep of what is old.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from lambent.base.clock import Clock, Jumps
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.event_archive import Archive
from lambent.model.service import Operation
from lambent.services.events.catalog import Catalog
from lambent.services.events.errors import (
    ConcurrentModificationException,
    InternalException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
    invalid,
    no_bus,
    not_offered,
)
from lambent.services.events.names import bus_of_arn
from lambent.services.events.pages import page
from lambent.services.events.put_events import compiled_pattern
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError, StoreError
from lambent.store.ports.event_archives import EventArchiveStore
from lambent.store.ports.named_records import Name

log = logging.getLogger(__name__)

_DAY_SECONDS = 86_400
_SWEEP_SECONDS = 600.0
_SWEEP_BATCH = 1000


class Archives:
    def __init__(self, catalog: Catalog, events: EventArchiveStore, clock: Clock) -> None:
        self._catalog = catalog
        self._events = events
        self._clock = clock
        self._jumps = Jumps(clock)

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateArchive": self.create,
            "DescribeArchive": self.describe,
            "UpdateArchive": self.update,
            "DeleteArchive": self.delete,
            "ListArchives": self.list,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        _check(parameters)
        bus = bus_of_arn(parameters["EventSourceArn"], "EventSourceArn")
        if (bus.account_id, bus.region) != (caller.account_id, caller.region):
            raise invalid("EventSourceArn", "The event bus is of another account or region.")
        await self._catalog.require_bus(bus)
        archive = Archive(
            id=new_uuid(),
            account_id=caller.account_id,
            region=caller.region,
            name=parameters["ArchiveName"],
            bus=bus.name,
            source_arn=parameters["EventSourceArn"],
            description=parameters.get("Description"),
            event_pattern=parameters.get("EventPattern"),
            retention_days=parameters.get("RetentionDays", 0),
            created_at=self._clock.now(),
        )
        name = archive_name(caller, archive.name)
        try:
            await self._catalog.change_archives(bus, self._catalog.archives.insert(name, archive))
        except AlreadyExistsError:
            raise ResourceAlreadyExistsException(f"Archive {archive.name} already exists.") from None
        return _changed(archive, caller)

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        archive = await self.require(archive_name(caller, parameters["ArchiveName"]))
        optional = {"Description": archive.description, "EventPattern": archive.event_pattern}
        return {
            "ArchiveArn": archive.arn(caller.partition),
            **await self._listed(archive),
            **{name: value for name, value in optional.items() if value is not None},
        }

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        _check(parameters)
        name = archive_name(caller, parameters["ArchiveName"])
        previous = await self._catalog.archives.get(name)
        if previous is None:  # AWS answers so, and not that there is none
            raise InternalException("Service encountered unexpected problem. Please try again.")
        archive = replace(
            previous,
            description=parameters.get("Description", previous.description),
            event_pattern=parameters.get("EventPattern", previous.event_pattern),
            retention_days=parameters.get("RetentionDays", previous.retention_days),
        )
        try:
            await self._catalog.change_archives(
                _bus(archive), self._catalog.archives.replace(name, archive, previous=previous)
            )
        except (NotFoundError, StaleRevisionError):
            raise ConcurrentModificationException(
                f"Archive {name.name} is being modified by other requests."
            ) from None
        return _changed(archive, caller)

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        """What is in it is swept away bit by bit."""
        name = archive_name(caller, parameters["ArchiveName"])
        archive = await self.require(name)
        try:
            await self._catalog.change_archives(_bus(archive), self._catalog.archives.delete(name))
        except NotFoundError:
            raise _no_archive(name.name) from None
        return {}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        source, state = parameters.get("EventSourceArn"), parameters.get("State")
        if source is not None:
            bus = bus_of_arn(source, "EventSourceArn")
            if bus.account_id != caller.account_id:
                raise no_bus(bus.name)
            await self._catalog.require_bus(bus)
        every = await self._catalog.all_archives(caller.account_id, caller.region)
        wanted = [
            archive
            for archive in every
            if archive.name.startswith(parameters.get("NamePrefix", ""))
            and source in (None, archive.source_arn)
            and state in (None, archive.state)
        ]
        archives, paging = page(parameters, wanted, lambda archive: archive.name)
        return {"Archives": [await self._listed(archive) for archive in archives], **paging}

    async def require(self, name: Name) -> Archive:
        """Raises ResourceNotFoundException."""
        archive = await self._catalog.archives.get(name)
        if archive is None:
            raise _no_archive(name.name)
        return archive

    async def sweep(self, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Until cancelled: deletes what archives keep no longer, and what deleted archives have left."""
        while True:
            try:
                while await self.sweep_some() == _SWEEP_BATCH:
                    await sleep(0)
            except StoreError:
                log.exception("old archived events could not be deleted; next try in %.0f s", _SWEEP_SECONDS)
            await sleep(_SWEEP_SECONDS)

    async def sweep_some(self) -> int:
        now = self._jumps.believed()
        oldest = {
            archive.id: now - archive.retention_days * _DAY_SECONDS if archive.retention_days else 0.0
            for _, archive in await self._catalog.archives.all()
        }
        return await self._events.sweep(oldest, limit=_SWEEP_BATCH)

    async def _listed(self, archive: Archive) -> Parameters:
        count, size = await self._events.size(archive.id)
        return {
            "ArchiveName": archive.name,
            "EventSourceArn": archive.source_arn,
            "State": archive.state,
            "RetentionDays": archive.retention_days,
            "SizeBytes": size,
            "EventCount": count,
            "CreationTime": archive.created_at,
        }


def archive_name(caller: Caller, name: str) -> Name:
    return Name(caller.account_id, caller.region, "", name)


def _bus(archive: Archive) -> Name:
    return Name(archive.account_id, archive.region, "", archive.bus)


def _check(parameters: Parameters) -> None:
    if parameters.get("KmsKeyIdentifier"):
        raise not_offered("customer managed keys for archives")
    if "EventPattern" in parameters:
        compiled_pattern(parameters["EventPattern"])


def _changed(archive: Archive, caller: Caller) -> Parameters:
    return {
        "ArchiveArn": archive.arn(caller.partition),
        "State": archive.state,
        "CreationTime": archive.created_at,
    }


def _no_archive(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Archive {name} does not exist.")
