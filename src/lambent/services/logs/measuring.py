"""What is measured in log events once they are stored: metric filters, embedded metrics, and how much came in.

Whoever appends waits for it, so that one who writes faster than filters match is held back, and nothing is left out.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from lambent.base.clock import Clock
from lambent.model.metric import Metrics
from lambent.services.logs.embedded_metrics import Embedded, embedded, may_have_metrics
from lambent.services.logs.known_filters import GroupKey
from lambent.services.logs.metric_filters.compile import CompiledFilter
from lambent.services.logs.metric_filters.defaults import Defaults
from lambent.services.logs.metric_filters.known import KnownMetricFilters
from lambent.services.logs.turns import Turns
from lambent.store.ports.logs import LogBatch, LogEvent

log = logging.getLogger(__name__)

_NAMESPACE = "AWS/Logs"
_LOOK_SECONDS = 5.0


class LogMeasuring:
    def __init__(
        self,
        known: KnownMetricFilters,
        metrics: Metrics,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._known = known
        self._metrics = metrics
        self._clock = clock
        self._sleep = sleep
        self._defaults = Defaults()

    async def measure(self, batches: Sequence[LogBatch]) -> None:
        """Never fails: the events are stored, whatever comes of measuring them."""
        turns = Turns(self._clock)
        for account_id, region, group, _, events in batches:
            try:
                await self._measure((account_id, region, group), events, turns)
            except Exception:
                log.exception("events of %s were not measured", group)

    async def run(self) -> None:
        """Emits default values when their minute is over, until cancelled."""
        while True:
            await self._sleep(_LOOK_SECONDS)
            self.emit_defaults()

    def emit_defaults(self) -> None:
        for key, name, minute in self._defaults.due(self._clock.now()):
            compiled = dict(self._known.of_group(key)).get(name)
            if compiled is not None and (default := compiled.filter.transformation.default_value) is not None:
                self._emit(key, compiled, default, {}, minute)

    async def _measure(self, key: GroupKey, events: Sequence[LogEvent], turns: Turns) -> None:
        filters = list(self._known.of_group(key))
        size = 0
        for event in events:
            size += len(event.message.encode("utf-8", "surrogatepass"))
            if may_have_metrics(event.message):
                self._emit_embedded(key, event)
            for name, compiled in filters:
                self._apply(key, name, compiled, event)
            await turns.share()
        account_id, region, group = key
        for dimensions in ({"LogGroupName": group}, {}):
            self._metrics.put(
                account_id, region, _NAMESPACE, "IncomingLogEvents", len(events), dimensions=dimensions
            )
            self._metrics.put(
                account_id, region, _NAMESPACE, "IncomingBytes", size, unit="Bytes", dimensions=dimensions
            )

    def _apply(self, key: GroupKey, name: str, compiled: CompiledFilter, event: LogEvent) -> None:
        at = event.timestamp_ms / 1000
        matches = compiled.pattern.matches(event.message)
        if compiled.filter.transformation.default_value is not None:
            self._defaults.note((key, name), at, matches=matches, now=self._clock.now())
        measurement = compiled.measure(event.message) if matches else None
        if measurement is not None:
            self._emit(key, compiled, measurement.value, measurement.dimensions, at)

    def _emit(
        self, key: GroupKey, compiled: CompiledFilter, value: float, dimensions: Mapping[str, str], at: float
    ) -> None:
        account_id, region, _ = key
        filter = compiled.filter
        system = {"@aws.account": account_id, "@aws.region": region}
        transformation = filter.transformation
        self._metrics.put(
            account_id,
            region,
            transformation.metric_namespace,
            transformation.metric_name,
            value,
            unit=transformation.unit or "None",
            dimensions={**dimensions, **{field: system[field] for field in filter.system_fields}},
            at=at,
        )

    def _emit_embedded(self, key: GroupKey, event: LogEvent) -> None:
        found = embedded(event.message)
        if found is None:
            return
        account_id, region, group = key
        errors = {"EMFParsingErrors": found.parsing_errors, "EMFValidationErrors": found.validation_errors}
        for name, count in errors.items():
            if count:
                self._metrics.put(
                    account_id, region, _NAMESPACE, name, count, dimensions={"LogGroupName": group}
                )
        self._put_embedded(key, found, event)

    def _put_embedded(self, key: GroupKey, found: Embedded, event: LogEvent) -> None:
        account_id, region, _ = key
        at = (event.timestamp_ms if found.timestamp_ms is None else found.timestamp_ms) / 1000
        for metric in found.metrics:
            for dimensions in metric.dimensions:
                self._metrics.put(
                    account_id,
                    region,
                    metric.namespace,
                    metric.name,
                    metric.values,
                    unit=metric.unit,
                    dimensions=dimensions,
                    at=at,
                )
