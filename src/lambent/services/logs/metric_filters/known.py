"""The metric filters that there are."""

from operator import attrgetter

from lambent.model.metric_filter import MetricFilter
from lambent.services.logs.known_filters import KnownFilters
from lambent.services.logs.metric_filters.compile import CompiledFilter, compile_filter
from lambent.store.ports.named_records import NamedRecords


class KnownMetricFilters(KnownFilters[MetricFilter, CompiledFilter]):
    def __init__(self, records: NamedRecords[MetricFilter]) -> None:
        super().__init__(records, compile_filter, attrgetter("filter"), "metric filter")
