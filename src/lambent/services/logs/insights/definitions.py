"""PutQueryDefinition, DescribeQueryDefinitions, DeleteQueryDefinition: queries that are saved."""

from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.log_query import QueryDefinition
from lambent.services.logs import tokens
from lambent.services.logs.exceptions import (
    InvalidParameterException,
    LimitExceededException,
    ResourceNotFoundException,
)
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords

_DEFINITIONS_MOST = 1000
_LANGUAGE = "CWLI"


class DefinitionOperations:
    """As on AWS, a definition's text is not looked at before it is run."""

    def __init__(self, records: NamedRecords[QueryDefinition], clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def put_query_definition(self, caller: Caller, parameters: Parameters) -> Parameters:
        """`clientToken` names what is made, so that a request sent twice makes one."""
        if parameters.get("queryLanguage", _LANGUAGE) != _LANGUAGE:
            raise InvalidParameterException("Lambent keeps queries in Logs Insights QL only.")
        definition = QueryDefinition(
            name=parameters["name"],
            text=parameters["queryString"],
            groups=tuple(parameters.get("logGroupNames", ())),
            modified_ms=int(self._clock.now() * 1000),
            parameters=tuple(parameters.get("parameters", ())),
        )
        id_ = parameters.get("queryDefinitionId")
        if id_ is None:
            return {"queryDefinitionId": await self._insert(caller, definition)}
        await self._replace(_name(caller, id_), definition)
        return {"queryDefinitionId": id_}

    async def _insert(self, caller: Caller, definition: QueryDefinition) -> str:
        held = await self._records.page(caller.account_id, caller.region, limit=_DEFINITIONS_MOST)
        if len(held) >= _DEFINITIONS_MOST:
            raise LimitExceededException("Resource limit exceeded.")
        while True:
            id_ = new_uuid()
            try:
                await self._records.insert(_name(caller, id_), definition)
            except AlreadyExistsError:
                continue
            return id_

    async def _replace(self, name: Name, definition: QueryDefinition) -> None:
        while True:
            previous = await self._records.get(name)
            if previous is None:
                raise _missing()
            try:
                await self._records.replace(name, definition, previous=previous)
            except StaleRevisionError:
                continue
            except NotFoundError:
                raise _missing() from None
            return

    async def describe_query_definitions(self, caller: Caller, parameters: Parameters) -> Parameters:
        """By name."""
        prefix = parameters.get("queryDefinitionNamePrefix", "")
        after = (
            tokens.decode(parameters["nextToken"], tuple[str, str]) if "nextToken" in parameters else ("", "")
        )
        held = await self._records.page(caller.account_id, caller.region, limit=_DEFINITIONS_MOST)
        found = (
            sorted(
                (definition.name, name.name, definition)
                for name, definition in held
                if definition.name.startswith(prefix) and (definition.name, name.name) > after
            )
            if parameters.get("queryLanguage", _LANGUAGE) == _LANGUAGE
            else []
        )
        most = parameters.get("maxResults", _DEFINITIONS_MOST)
        page: Parameters = {
            "queryDefinitions": [_described(id_, definition) for _, id_, definition in found[:most]]
        }
        if len(found) > most:
            page["nextToken"] = tokens.encode(found[most - 1][:2])
        return page

    async def delete_query_definition(self, caller: Caller, parameters: Parameters) -> Parameters:
        try:
            await self._records.delete(_name(caller, parameters["queryDefinitionId"]))
        except NotFoundError:
            raise _missing() from None
        return {"success": True}


def _name(caller: Caller, id_: str) -> Name:
    return Name(caller.account_id, caller.region, "", id_)


def _missing() -> ResourceNotFoundException:
    return ResourceNotFoundException("The specified query definition does not exist.")


def _described(id_: str, definition: QueryDefinition) -> Parameters:
    described: Parameters = {
        "queryLanguage": _LANGUAGE,
        "queryDefinitionId": id_,
        "name": definition.name,
        "queryString": definition.text,
        "lastModified": definition.modified_ms,
    }
    if definition.groups:
        described["logGroupNames"] = list(definition.groups)
    if definition.parameters:
        described["parameters"] = [dict(one) for one in definition.parameters]
    return described
