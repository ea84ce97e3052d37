"""Which log groups, and which time, a query is about."""

from collections.abc import Sequence

from lambent.model.caller import Caller, Parameters
from lambent.model.log_query import LogQuery
from lambent.services.logs.arns import group_name
from lambent.services.logs.exceptions import (
    InvalidParameterException,
    MalformedQueryException,
    ResourceNotFoundException,
)
from lambent.services.logs.groups import Groups
from lambent.services.logs.retention import oldest_kept_ms
from lambent.store.ports.logs import LogGroup

_GROUPS_MOST = 50
_SELECTORS = ("logGroupName", "logGroupNames", "logGroupIdentifiers")


def requested_groups(caller: Caller, parameters: Parameters) -> Sequence[str]:
    """The names of a request's log groups. Raises InvalidParameterException."""
    given = [name for name in _SELECTORS if parameters.get(name)]
    if len(given) != 1:
        raise InvalidParameterException(
            "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be specified."
        )
    named = parameters[given[0]]
    names = [named] if isinstance(named, str) else named
    if len(names) > _GROUPS_MOST:
        raise InvalidParameterException(f"A query can be of at most {_GROUPS_MOST} log groups.")
    return tuple(dict.fromkeys(group_name(caller, name) for name in names))


async def start_of_query(caller: Caller, parameters: Parameters, groups: Groups, now_ms: int) -> LogQuery:
    """Raises InvalidParameterException, ResourceNotFoundException, MalformedQueryException."""
    names = requested_groups(caller, parameters)
    start_ms, end_ms = _milliseconds(parameters["startTime"]), _milliseconds(parameters["endTime"], 999)
    if start_ms > end_ms:
        raise InvalidParameterException("The query's start time must not be after its end time.")
    found = [await _group(caller, groups, name) for name in names]
    kept_ms = [max(oldest_kept_ms(group, now_ms), group.created_ms) for group in found]
    if end_ms < min(_second(time_ms) for time_ms in kept_ms):
        raise MalformedQueryException(
            "Query's end date and time is either before the log groups creation time or exceeds the log groups "
            "log retention settings"
        )
    oldest_ms = min(oldest_kept_ms(group, now_ms) for group in found)
    return LogQuery(
        text=parameters["queryString"],
        asked=_asked(names, start_ms, end_ms, parameters["queryString"]),
        groups=tuple(names),
        start_ms=max(start_ms, oldest_ms),
        end_ms=end_ms + 1,
        limit=parameters.get("limit"),
        created_ms=now_ms,
    )


def _asked(names: Sequence[str], start_ms: int, end_ms: int, text: str) -> str:
    """As DescribeQueries has it: with what the request says beside the query."""
    source = ", ".join(f'"{name}"' for name in names)
    return f"SOURCE {source} START={start_ms} END={end_ms} | {text}"


async def _group(caller: Caller, groups: Groups, name: str) -> LogGroup:
    try:
        return await groups.require(caller, name)
    except ResourceNotFoundException:
        raise ResourceNotFoundException(
            f"Log group '{name}' does not exist for account ID '{caller.account_id}' (Service: AWSLogs; "
            f"Status Code: 400; Error Code: ResourceNotFoundException; Request ID: {caller.request_id}; Proxy: null)"
        ) from None


def _milliseconds(time: int, within: int = 0) -> int:
    """Of seconds, as documented, or of milliseconds, which AWS takes as well. The end's second is the query's."""
    return time if time >= 10**11 else time * 1000 + within


def _second(time_ms: int) -> int:
    return time_ms // 1000 * 1000
