"""CreateEventSourceMapping, GetEventSourceMapping, UpdateEventSourceMapping, DeleteEventSourceMapping,
ListEventSourceMappings: what is wanted goes into the store; event_sources/ makes it so, and says so in `state`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lambent.base.arn import Arn
from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.durable_execution.invocable import require_invocable
from lambent.model.event_source_mapping import EventSourceMapping
from lambent.model.function import FunctionVersion
from lambent.model.lambda_errors import (
    InvalidParameterValueException,
    ResourceConflictException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from lambent.services.lambda_.errors import not_offered
from lambent.services.lambda_.event_source_access import EventSourceAccess
from lambent.services.lambda_.event_source_kinds import KINDS, SourceKind, kind_of
from lambent.services.lambda_.event_source_settings import changed_settings, new_settings
from lambent.services.lambda_.filter_criteria import FilterCriteria
from lambent.services.lambda_.function_records import FunctionRecords
from lambent.services.lambda_.function_reference import FunctionReference, resolve_reference
from lambent.services.lambda_.paging import Page, marker_of, page_size, position
from lambent.services.lambda_.tag_rules import require_tags
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.event_source_mappings import EventSourceMappingStore

_PAGE_LARGEST = 100
_SEALED_ANEW = frozenset({"FilterCriteria", "FunctionName", "KMSKeyArn"})
"""What encrypted criteria, their key and their encryption context depend on."""

MappingChanged = Callable[[EventSourceMapping], None]
"""Tells the data plane, which looks into the store."""


class EventSourceMappings:
    def __init__(
        self,
        store: EventSourceMappingStore,
        records: FunctionRecords,
        access: EventSourceAccess,
        criteria: FilterCriteria,
        changed: MappingChanged,
        clock: Clock,
        *,
        settle_seconds: float,
    ) -> None:
        self._store = store
        self._records = records
        self._access = access
        self._criteria = criteria
        self._changed = changed
        self._clock = clock
        self._settle_seconds = settle_seconds

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        kind = kind_of(parameters)
        source_arn = parameters.get("EventSourceArn")
        settings = new_settings(kind, source_arn, parameters, self._clock.now())
        tags = require_tags(parameters.get("Tags", {}))
        reference = resolve_reference(caller, "CreateEventSourceMapping", parameters["FunctionName"])
        version = await self._version(reference)
        if not kind.offered:
            raise not_offered(f"event source mappings for {kind.title}")
        enabled = parameters.get("Enabled", True)
        mapping = EventSourceMapping(
            account_id=caller.account_id,
            region=caller.region,
            uuid=new_uuid(),
            function_name=reference.function.name,
            qualifier=reference.qualifier,
            kind=kind.name,
            source_arn=source_arn,
            settings=settings,
            enabled=enabled,
            tags=tags,
            # What is not to poll has nothing to be made ready.
            **self._transition("Creating" if enabled else "Disabled"),
        )
        await self._access.require(mapping, version)
        mapping = await self._criteria.seal(caller, mapping)
        try:
            await self._store.insert(mapping)
        except AlreadyExistsError as error:
            raise await self._conflict(mapping) from error
        self._changed(mapping)
        return await self._describe(caller, mapping)

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        return await self._describe(caller, await self.find(caller, parameters["UUID"]))

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        mapping = await self.find(caller, parameters["UUID"])
        if mapping.in_transition:
            raise ResourceInUseException("Cannot update the event source mapping because it is in use.")
        kind = KINDS[mapping.kind]
        enabled = parameters.get("Enabled", mapping.enabled)
        reseal = bool(_SEALED_ANEW & set(parameters))
        clear = mapping
        if reseal:
            # Criteria that are replaced need not be readable any more.
            replaced = "FilterCriteria" in parameters
            clear = (
                replace(mapping, sealed_criteria=None)
                if replaced
                else await self._criteria.open(caller, mapping)
            )
        changed = replace(
            clear,
            settings=changed_settings(kind, mapping.source_arn, clear.settings, parameters),
            enabled=enabled,
            **self._transition(_state_after_update(mapping.enabled, enabled)),
        )
        if "FunctionName" in parameters:
            reference = resolve_reference(caller, "UpdateEventSourceMapping", parameters["FunctionName"])
            version = await self._version(reference)
            changed = replace(changed, function_name=reference.function.name, qualifier=reference.qualifier)
            await self._access.require(changed, version)
        if reseal:
            changed = await self._criteria.seal(caller, changed)
        await self._replace(changed, mapping)
        return await self._describe(caller, changed)

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        mapping = await self.find(caller, parameters["UUID"])
        if mapping.in_transition:
            raise ResourceInUseException("Cannot delete the event source mapping because it is in use.")
        changed = replace(mapping, enabled=False, **self._transition("Deleting"))
        await self._replace(changed, mapping)
        return await self._describe(caller, changed)

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        function_arn = None
        if "FunctionName" in parameters:
            function_arn = resolve_reference(
                caller, "ListEventSourceMappings", parameters["FunctionName"]
            ).arn
        limit = page_size(parameters, default=_PAGE_LARGEST, largest=_PAGE_LARGEST)
        found = await self._store.page(
            caller.account_id,
            caller.region,
            source_arn=parameters.get("EventSourceArn"),
            function_arn=function_arn,
            after=position(parameters, str),
            limit=limit + 1,
        )
        page = Page(found, limit)
        answer: Parameters = {"EventSourceMappings": [describe_mapping(mapping) for mapping in page.items]}
        if page.more:
            answer["NextMarker"] = marker_of(page.items[-1].uuid)
        return answer

    async def find(self, caller: Caller, uuid: str) -> EventSourceMapping:
        """Raises ResourceNotFoundException."""
        mapping = await self._store.get(caller.account_id, caller.region, uuid)
        if mapping is None:
            raise _not_found()
        return mapping

    async def get_tags(self, caller: Caller, arn: str) -> Mapping[str, str]:
        return (await self._tagged(caller, arn)).tags

    async def put_tags(self, caller: Caller, arn: str, tags: Mapping[str, str]) -> None:
        while True:
            mapping = await self._tagged(caller, arn)
            tagged = replace(mapping, tags=dict(tags), revision_id=new_uuid())
            try:
                return await self._store.replace(tagged, expected_revision_id=mapping.revision_id)
            except (NotFoundError, StaleRevisionError):
                continue  # its state changed meanwhile

    async def _tagged(self, caller: Caller, arn: str) -> EventSourceMapping:
        """By ARN, as the operations on tags name it. Raises ResourceNotFoundException."""
        mapping = await self._store.get(
            caller.account_id, caller.region, Arn.parse(arn).resource.partition(":")[2]
        )
        if mapping is None:
            raise ResourceNotFoundException(f"Event source mapping not found: {arn}")
        return mapping

    async def _describe(self, caller: Caller, mapping: EventSourceMapping) -> Parameters:
        """With its criteria, which a list does not show where they are encrypted."""
        return {**describe_mapping(mapping), **await self._criteria.shown(caller, mapping)}

    def _transition(self, state: str) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "state": state,
            "last_modified": now,
            "settles_at": now + self._settle_seconds,
            "revision_id": new_uuid(),
        }

    async def _version(self, reference: FunctionReference) -> FunctionVersion:
        try:
            function = await self._records.get(reference.function)
            version = await self._records.version(function, reference)
        except ResourceNotFoundException as error:
            raise InvalidParameterValueException("Function does not exist") from error
        require_invocable(version, reference.qualifier, synchronous=True)
        return version

    async def _replace(self, changed: EventSourceMapping, mapping: EventSourceMapping) -> None:
        try:
            await self._store.replace(changed, expected_revision_id=mapping.revision_id)
        except NotFoundError as error:
            raise _not_found() from error
        except StaleRevisionError as error:
            raise _busy(mapping) from error
        except AlreadyExistsError as error:
            raise await self._conflict(changed) from error
        self._changed(changed)

    async def _conflict(self, mapping: EventSourceMapping) -> ResourceConflictException:
        other = await self._store.find(mapping)
        uuid = other.uuid if other is not None else mapping.uuid
        name = mapping.function_name
        end = f"already exists. Please update or delete the existing mapping with UUID {uuid}"
        source = ",".join(mapping.source)
        if mapping.kind == "sqs":
            return ResourceConflictException(
                f'An event source mapping with SQS arn (" {source} ") and function (" {name} ") {end}'
            )
        return ResourceConflictException(
            f'The event source arn (" {source} ") and function (" {name} ") provided mapping {end}'
        )


def _state_after_update(was_enabled: bool, enabled: bool) -> str:
    if was_enabled == enabled:
        return "Updating"
    return "Enabling" if enabled else "Disabling"


def describe_mapping(mapping: EventSourceMapping) -> Parameters:
    kind: SourceKind = KINDS[mapping.kind]
    described: Parameters = {
        **mapping.settings,
        "UUID": mapping.uuid,
        "EventSourceMappingArn": mapping.arn,
        "FunctionArn": mapping.function_arn,
        "LastModified": mapping.last_modified,
        "State": mapping.state,
        "StateTransitionReason": kind.transition_reason,
    }
    if mapping.source_arn is not None:
        described["EventSourceArn"] = mapping.source_arn
    if kind.positions:
        described["LastProcessingResult"] = "No records processed"
    return described


def _not_found() -> ResourceNotFoundException:
    return ResourceNotFoundException("The resource you requested does not exist.")


def _busy(mapping: EventSourceMapping) -> ResourceConflictException:
    return ResourceConflictException(
        "The operation cannot be performed at this time. "
        f"An update is in progress for resource: {mapping.arn}"
    )
