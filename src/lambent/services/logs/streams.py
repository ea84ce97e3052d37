"""Log streams."""

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters
from lambent.services.logs import tokens
from lambent.services.logs.arns import requested_group, stream_arn
from lambent.services.logs.exceptions import (
    InvalidParameterException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
)
from lambent.services.logs.groups import Groups
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError
from lambent.store.ports.logs import LogStore, LogStream

_DESCRIBE_MOST = 50
_ORDERS = ("LogStreamName", "LastEventTime")


class StreamOperations:
    def __init__(self, store: LogStore, groups: Groups, clock: Clock) -> None:
        self._store = store
        self._groups = groups
        self._clock = clock

    async def create_log_stream(self, caller: Caller, parameters: Parameters) -> Parameters:
        try:
            await self._store.insert_stream(
                caller.account_id,
                caller.region,
                parameters["logGroupName"],
                parameters["logStreamName"],
                int(self._clock.now() * 1000),
            )
        except NotFoundError:
            raise ResourceNotFoundException.group() from None
        except AlreadyExistsError:
            raise ResourceAlreadyExistsException("The specified log stream already exists") from None
        return {}

    async def delete_log_stream(self, caller: Caller, parameters: Parameters) -> Parameters:
        group = await self._groups.require(caller, parameters["logGroupName"])
        try:
            await self._store.delete_stream(
                caller.account_id, caller.region, group.name, parameters["logStreamName"]
            )
        except NotFoundError:
            raise ResourceNotFoundException.stream() from None
        return {}

    async def describe_log_streams(self, caller: Caller, parameters: Parameters) -> Parameters:
        group = requested_group(caller, parameters)
        by_last_event = _by_last_event(parameters)
        token = parameters.get("nextToken")
        after: tuple[int, str] | None = tokens.decode(token, tuple[int, str]) if token else None
        limit = parameters.get("limit", _DESCRIBE_MOST)
        await self._groups.require(caller, group)
        streams = await self._store.page_streams(
            caller.account_id,
            caller.region,
            group,
            prefix=parameters.get("logStreamNamePrefix", ""),
            by_last_event=by_last_event,
            descending=parameters.get("descending", False),
            after=after,
            limit=limit + 1,
        )
        page: Parameters = {"logStreams": [_described(caller, stream) for stream in streams[:limit]]}
        if len(streams) > limit:
            last = streams[limit - 1]
            page["nextToken"] = tokens.encode((last.last_event_ms or 0, last.name))
        return page


def _by_last_event(parameters: Parameters) -> bool:
    order = parameters.get("orderBy", _ORDERS[0])
    if order not in _ORDERS:
        raise InvalidParameterException(
            f"1 validation error detected: Value '{order}' at 'orderBy' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(_ORDERS)}]"
        )
    if order == "LastEventTime" and parameters.get("logStreamNamePrefix"):
        raise InvalidParameterException("Cannot order by LastEventTime with a logStreamNamePrefix.")
    return bool(order == "LastEventTime")


def _described(caller: Caller, stream: LogStream) -> Parameters:
    described: Parameters = {
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "arn": stream_arn(caller, stream.group, stream.name),
        "storedBytes": 0,  # AWS reports nothing else since 2019
    }
    if stream.last_ingestion_ms is not None:
        described["uploadSequenceToken"] = sequence_token(stream.last_ingestion_ms)
    times = {
        "firstEventTimestamp": stream.first_event_ms,
        "lastEventTimestamp": stream.last_event_ms,
        "lastIngestionTime": stream.last_ingestion_ms,
    }
    return described | {name: time_ms for name, time_ms in times.items() if time_ms is not None}


def sequence_token(ingestion_ms: int) -> str:
    """Old clients hand it back with the next PutLogEvents, where nobody looks at it any more."""
    return f"{ingestion_ms:056d}"
