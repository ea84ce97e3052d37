"""StartQuery, GetQueryResults, StopQuery, DescribeQueries, GetLogRecord, GetLogGroupFields."""

from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing

from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.log_query import LogQuery, Row
from lambent.services.logs import tokens
from lambent.services.logs.arns import requested_group
from lambent.services.logs.exceptions import (
    InvalidParameterException,
    LimitExceededException,
    MalformedQueryException,
    ResourceNotFoundException,
)
from lambent.services.logs.groups import Groups
from lambent.services.logs.insights import pointer
from lambent.services.logs.insights.errors import MalformedQueryError
from lambent.services.logs.insights.plan import check
from lambent.services.logs.insights.queries import FINISHED, Queries, TooManyQueriesError
from lambent.services.logs.insights.reading import GroupReader, chunks
from lambent.services.logs.insights.record import SYSTEM_FIELDS, Event, Record
from lambent.services.logs.insights.selection import start_of_query
from lambent.services.logs.insights.values import text
from lambent.services.logs.retention import oldest_kept_ms
from lambent.services.logs.turns import Turns
from lambent.store.ports.logs import LogStore
from lambent.store.ports.named_records import Name

_ROWS_MOST = 10_000
_ANSWER_CHARACTERS_MOST = 32 * 1_048_576
_QUERIES_MOST = 1000
_LANGUAGE = "CWLI"
_MINUTE_MS = 60_000
_SAMPLED_EVENTS_MOST = 10_000
_ResultsToken = tuple[str, int]


class QueryOperations:
    def __init__(self, queries: Queries, store: LogStore, groups: Groups, clock: Clock) -> None:
        self._queries = queries
        self._store = store
        self._groups = groups
        self._clock = clock

    async def start_query(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html"""
        checked(parameters["queryString"], parameters)
        query = await start_of_query(caller, parameters, self._groups, self._now_ms())
        name = Name(caller.account_id, caller.region, "", new_uuid())
        try:
            await self._queries.start(name, query)
        except TooManyQueriesError:
            raise LimitExceededException(
                "Account maximum query concurrency limit of [100] reached."
            ) from None
        return {"queryId": name.name}

    async def get_query_results(self, caller: Caller, parameters: Parameters) -> Parameters:
        name, query = await self._require(caller, parameters)
        start = 0
        if "nextToken" in parameters:
            of, start = tokens.decode(parameters["nextToken"], _ResultsToken)
            if of != name.name:
                raise InvalidParameterException("The specified nextToken is invalid.")
        most = parameters.get("maxItems") or _ROWS_MOST
        rows = await self._rows(name, query, start, most) if query.status == "Complete" else []
        statistics = query.statistics
        answer: Parameters = {
            "queryLanguage": _LANGUAGE,
            "results": [[{"field": field, "value": value} for field, value in row] for row in rows],
            "statistics": {
                "recordsMatched": float(statistics.records_matched),
                "recordsScanned": float(statistics.records_scanned),
                "estimatedRecordsSkipped": 0.0,
                "bytesScanned": float(statistics.bytes_scanned),
                "estimatedBytesSkipped": 0.0,
                "logGroupsScanned": float(len(query.groups)),
            },
            "status": query.status,
        }
        if start + len(rows) < sum(query.pages):
            answer["nextToken"] = tokens.encode((name.name, start + len(rows)))
        return answer

    async def stop_query(self, caller: Caller, parameters: Parameters) -> Parameters:
        name, query = await self._require(caller, parameters)
        if query.status in FINISHED or not await self._queries.stop(name):
            raise InvalidParameterException("The specified query is not running.")
        return {"success": True}

    async def describe_queries(self, caller: Caller, parameters: Parameters) -> Parameters:
        after = tokens.decode(parameters["nextToken"], int) if "nextToken" in parameters else 0
        group, status = parameters.get("logGroupName"), parameters.get("status")
        found = [
            (name, query)
            for name, query in await self._queries.all(caller.account_id, caller.region)
            if (group is None or group in query.groups)
            and (status is None or query.status == status)
            and parameters.get("queryLanguage", _LANGUAGE) == _LANGUAGE
        ]
        most = parameters.get("maxResults", _QUERIES_MOST)
        page: Parameters = {
            "queries": [_described(name, query) for name, query in found[after : after + most]]
        }
        if after + most < len(found):
            page["nextToken"] = tokens.encode(after + most)
        return page

    async def get_log_record(self, caller: Caller, parameters: Parameters) -> Parameters:
        """`unmask` changes nothing: data protection policies, which mask, are not offered."""
        group_name, timestamp_ms, id_ = pointer.decode(parameters["logRecordPointer"])
        group = await self._groups.require(caller, group_name)
        found = await self._store.read(
            caller.account_id,
            caller.region,
            group.name,
            streams=None,
            start_ms=max(timestamp_ms, oldest_kept_ms(group, self._now_ms())),
            end_ms=timestamp_ms + 1,
            after=(timestamp_ms, id_ - 1),
            before=None,
            descending=False,
            limit=1,
        )
        if not found or found[0].id != id_:
            raise ResourceNotFoundException("The specified log record does not exist.")
        one = found[0]
        event = Event(
            one.timestamp_ms, one.ingestion_ms, one.message, one.stream, caller.account_id, group.name, one.id
        )
        record = Record(event)
        shown = {name: text(value) for name, value in record.discovered().items()}
        shown.update({name: text(record.get(name)) for name in SYSTEM_FIELDS})
        # Times are numbers here, and texts in the results of queries.
        shown["@timestamp"], shown["@ingestionTime"] = str(event.timestamp_ms), str(event.ingestion_ms)
        return {"logRecord": {**shown, "@ptr": event.ptr}}

    async def get_log_group_fields(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Of the newest ten thousand events."""
        group = await self._groups.require(caller, requested_group(caller, parameters))
        now_ms = self._now_ms()
        if "time" in parameters:
            center_ms = parameters["time"] * 1000
            start_ms, end_ms = center_ms - 8 * _MINUTE_MS, center_ms + 8 * _MINUTE_MS
        else:
            start_ms, end_ms = now_ms - 15 * _MINUTE_MS, now_ms
        start_ms = max(start_ms, oldest_kept_ms(group, now_ms))
        reader = GroupReader(self._store, caller.account_id, caller.region, group.name, start_ms, end_ms + 1)
        counted: Counter[str] = Counter()
        looked = 0
        turns = Turns(self._clock)
        async with aclosing(chunks(caller.account_id, [reader])) as found:
            async for events in found:
                for event in events:
                    counted.update((*SYSTEM_FIELDS, *Record(event).discovered()))
                    await turns.share()
                looked += len(events)
                if looked >= _SAMPLED_EVENTS_MOST:
                    break
        shares = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
        return {
            "logGroupFields": [{"name": name, "percent": count * 100 // looked} for name, count in shares]
        }

    async def _require(self, caller: Caller, parameters: Parameters) -> tuple[Name, LogQuery]:
        name = Name(caller.account_id, caller.region, "", parameters["queryId"])
        query = await self._queries.get(name)
        if query is None:
            raise ResourceNotFoundException("The specified query does not exist.")
        return name, query

    async def _rows(self, name: Name, query: LogQuery, start: int, most: int) -> Sequence[Row]:
        """As many as an answer may have: at least one."""
        found: list[Row] = []
        size = 0
        async with aclosing(self._queries.rows(name, query, start)) as pages:
            async for rows in pages:
                for row in rows:
                    if len(found) == most or size > _ANSWER_CHARACTERS_MOST:
                        return found
                    found.append(row)
                    size += sum(len(field) + len(value) for field, value in row)
        return found

    def _now_ms(self) -> int:
        return int(self._clock.now() * 1000)


def checked(query: str, parameters: Parameters) -> None:
    """Raises MalformedQueryException, InvalidParameterException."""
    if parameters.get("queryLanguage", _LANGUAGE) != _LANGUAGE:
        raise InvalidParameterException(
            f"Lambent answers queries in Logs Insights QL, not in {parameters['queryLanguage']}."
        )
    try:
        check(query)
    except MalformedQueryError as error:
        location = {"startCharOffset": error.start, "endCharOffset": error.end}
        raise MalformedQueryException(
            error.message,
            members={"queryCompileError": {"location": location, "message": error.message}},
        ) from None


def _described(name: Name, query: LogQuery) -> Parameters:
    described: Parameters = {
        "queryLanguage": _LANGUAGE,
        "queryId": name.name,
        "queryString": query.asked,
        "status": query.status,
        "createTime": query.created_ms,
    }
    if len(query.groups) == 1:
        described["logGroupName"] = query.groups[0]
    return described
