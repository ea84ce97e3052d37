"""What happened to alarms: DescribeAlarmHistory, and the sweep of what is older than a month."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from lambent.base.clock import Clock
from lambent.model.alarm import AlarmHistoryItem
from lambent.model.caller import Caller, Parameters
from lambent.services.cloudwatch.input import epoch
from lambent.services.cloudwatch.paging import number_of
from lambent.store.ports.errors import NotFoundError, StoreError
from lambent.store.ports.named_records import NamedRecords

log = logging.getLogger(__name__)

_KEPT_SECONDS = 30 * 86_400
_SWEEP_SECONDS = 3600.0
_DEFAULT = 50
_READ = 500


class History:
    def __init__(self, items: NamedRecords[AlarmHistoryItem], clock: Clock) -> None:
        self._items = items
        self._clock = clock

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        """The latest first, unless asked otherwise."""
        start = epoch(parameters["StartDate"]) if "StartDate" in parameters else 0.0
        end = epoch(parameters["EndDate"]) if "EndDate" in parameters else self._clock.now() + 1
        found: list[AlarmHistoryItem] = []
        after = ("", "")
        while page := await self._items.page(
            caller.account_id,
            caller.region,
            parent=parameters.get("AlarmName"),
            after=after,
            limit=_READ,
        ):
            found += [item for _, item in page if start <= item.at <= end and _is(item, parameters)]
            after = (page[-1][0].parent, page[-1][0].name)
        found.sort(key=lambda item: item.at, reverse=parameters.get("ScanBy") != "TimestampAscending")
        skip, most = number_of(parameters.get("NextToken")), parameters.get("MaxRecords", _DEFAULT)
        answer: Parameters = {"AlarmHistoryItems": [_described(item) for item in found[skip : skip + most]]}
        if len(found) > skip + most:
            answer["NextToken"] = str(skip + most)
        return answer

    async def sweep(self, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        while True:
            await sleep(_SWEEP_SECONDS)
            try:
                await self.sweep_once()
            except StoreError:
                log.exception("the history of alarms was not swept; next attempt in an hour")

    async def sweep_once(self) -> None:
        oldest = self._clock.now() - _KEPT_SECONDS
        for name, item in await self._items.all():
            if item.at < oldest:
                try:
                    await self._items.delete(name)
                except NotFoundError:
                    continue


def _is(item: AlarmHistoryItem, parameters: Parameters) -> bool:
    """Without AlarmTypes only of alarms on metrics."""
    types = parameters.get("AlarmTypes") or ["MetricAlarm"]
    return item.alarm_kind in types and parameters.get("HistoryItemType") in (None, item.kind)


def _described(item: AlarmHistoryItem) -> Parameters:
    return {
        "AlarmName": item.alarm_name,
        "AlarmType": item.alarm_kind,
        "Timestamp": datetime.fromtimestamp(item.at, UTC),
        "HistoryItemType": item.kind,
        "HistorySummary": item.summary,
        "HistoryData": item.data,
    }
