"""The subscription filters that there are."""

from dataclasses import dataclass
from operator import attrgetter

from lambent.model.subscription_filter import SubscriptionFilter
from lambent.services.logs.filter_pattern import FilterPattern, parse
from lambent.services.logs.known_filters import KnownFilters
from lambent.store.ports.named_records import NamedRecords


@dataclass(frozen=True, slots=True)
class Compiled:
    filter: SubscriptionFilter
    pattern: FilterPattern


def compiled(filter: SubscriptionFilter) -> Compiled:
    """Raises InvalidFilterPatternError."""
    return Compiled(filter, parse(filter.pattern))


class KnownSubscriptions(KnownFilters[SubscriptionFilter, Compiled]):
    def __init__(self, records: NamedRecords[SubscriptionFilter]) -> None:
        super().__init__(records, compiled, attrgetter("filter"), "subscription filter")
