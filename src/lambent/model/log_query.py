"""Logs Insights: queries, their results, and saved queries.

Source: the StartQuery, GetQueryResults and QueryDefinition shapes of the logs service model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

QueryStatus = Literal["Scheduled", "Running", "Complete", "Failed", "Cancelled", "Timeout"]
Row = tuple[tuple[str, str], ...]
"""(field, value) of each field that a record has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryStatistics:
    """`bytes_scanned` are those of messages."""

    records_matched: int = 0
    records_scanned: int = 0
    bytes_scanned: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Looks for events with start_ms <= timestamp < end_ms."""

    text: str
    groups: tuple[str, ...]
    start_ms: int
    end_ms: int
    limit: int | None
    created_ms: int
    asked: str = ""
    """The text with the log groups and the time before it."""
    status: QueryStatus = "Scheduled"
    statistics: QueryStatistics = QueryStatistics()
    pages: tuple[int, ...] = ()
    """How many rows each page of its results has."""
    seen_ms: int = 0
    """When whoever carries it out was last heard of."""
    runs: int = 0
    """How often it was begun: the pages of each run have names of their own."""


@dataclass(frozen=True, slots=True)
class QueryPage:
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryDefinition:
    name: str
    text: str
    groups: tuple[str, ...]
    modified_ms: int
    parameters: tuple[Mapping[str, str], ...] = ()
